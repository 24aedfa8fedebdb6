"""The vendors' official SDK clients: loaded in a thread on first use, one client per address, key and headers.

Requests go through the SDK client, which knows addresses, authentication and proxies. The body is handed over as bytes and
the answer is read as bytes: the SDK's typed transformation of every part and event would cost more than the rest of a turn.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any, Literal

from openclaw_kernel.models.api import ModelCall

RAW = {"X-Stainless-Raw-Response": "stream"}
"""Asks the SDK for the response itself, as its `with_streaming_response` does."""
NO_KEY = "no-key"
"""Sent where a server wants no key but the SDK insists on one."""

BEDROCK_REGION = "us-east-1"
Name = Literal["anthropic", "openai"]


class SdkClients:
    """Clients of one SDK."""

    def __init__(self, name: Name) -> None:
        self._name: Name = name
        self._clients: dict[tuple[object, ...], Any] = {}

    async def load(self) -> ModuleType:
        """The SDK module. The first import takes most of a second, so it runs in a thread."""
        module = sys.modules.get(self._name)
        if module is None or getattr(module.__spec__, "_initializing", False):
            module = await asyncio.to_thread(_import, self._name)
        return module

    async def get(self, call: ModelCall) -> Any:
        """The client for a call's address and key."""
        model = call.model
        kind = model.compat.get("client", "")
        key = (kind, model.base_url, call.credential, tuple(sorted(model.headers.items())))
        client = self._clients.get(key)
        if client is None:
            module = await self.load()
            client = _bedrock(module, call) if kind == "bedrock" else _build(self._name, module, call)
            self._clients[key] = client
        return client

    async def open(self, call: ModelCall, path: str, body: bytes, headers: Mapping[str, str]) -> Any:
        """Send a request; returns the SDK's response whose body has not been read. Raises the SDK's errors."""
        client = await self.get(call)
        options = {"headers": {**RAW, "Content-Type": "application/json", **headers}, "timeout": None}
        return await client.post(path, cast_to=object, content=body, options=options)

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()
        self._clients.clear()


def _import(name: Name) -> ModuleType:
    """Importing an SDK makes thousands of classes and as much garbage; what stays is not looked through again."""
    module = import_module(name)
    gc.collect()
    gc.freeze()
    return module


def _build(name: Name, module: ModuleType, call: ModelCall) -> Any:
    base_url, credential = call.model.base_url, call.credential
    common = {"base_url": base_url, "max_retries": 0, "default_headers": dict(call.model.headers)}
    if name == "openai":
        return module.AsyncOpenAI(api_key=credential or NO_KEY, **common)
    common["base_url"] = base_url.rstrip("/").removesuffix("/v1")
    if credential.startswith("sk-ant-oat"):  # a subscription's OAuth token, not a key
        return module.AsyncAnthropic(auth_token=credential, **common)
    return module.AsyncAnthropic(api_key=credential or NO_KEY, **common)


def _bedrock(module: ModuleType, call: ModelCall) -> Any:
    """Bedrock's own endpoint for this format. Without a key requests are signed as the AWS tools do, which needs boto3.

    The region is `AWS_REGION`'s, or that of an address somebody wrote down.
    """
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or BEDROCK_REGION
    return module.AsyncAnthropicBedrockMantle(
        api_key=call.credential or None,
        base_url=call.model.base_url.replace(BEDROCK_REGION, region),
        aws_region=region,
        max_retries=0,
        default_headers=dict(call.model.headers),
    )
