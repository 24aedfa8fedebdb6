"""A method, two routes, a command, a service and hooks that write down what they saw."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel

from openclaw_gateway.plugins.api import RouteRequest, RouteResponse
from openclaw_gateway.protocol.dispatch import Call, Method


class PingParams(BaseModel):
    text: str


async def ping(params: PingParams, call: Call) -> dict[str, Any]:
    return {"pong": params.text}


PING = Method("acme.ping", PingParams, ping, "operator.read")


async def MENU(request: RouteRequest) -> RouteResponse:
    return RouteResponse(body=json.dumps({"soup": "frog", "saw": sorted(request.headers)}).encode())


async def ONLINE(request: RouteRequest) -> RouteResponse:
    return RouteResponse(body=b"yes", content_type="text/plain")


@click.command()
def command() -> None:
    """Say hello from acme."""
    print("hello from acme")


class Journal:
    def __init__(self, folder: Path) -> None:
        self._path = folder / "journal.jsonl"

    def write(self, name: str, **more: Any) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a") as file:
            file.write(json.dumps({"name": name, **more}) + "\n")

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        self.write("service up")
        yield
        self.write("service down")

    def note(self, name: str) -> Callable[[Mapping[str, Any]], None]:
        return lambda event: self.write(name, text=event.get("text", ""))

    async def gate(self, event: Mapping[str, Any]) -> Mapping[str, Any] | None:
        return {"block": True, "reason": "acme does not like that word"} if "forbidden" in event["text"] else None

    async def tool_gate(self, event: Mapping[str, Any]) -> Mapping[str, Any] | None:
        return {"block": True, "reason": "no weather on Sundays"} if "Sunday" in str(event["params"]) else {"block": False}

    def sign(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"cancel": True, "reason": "a secret"} if "SECRET" in event["text"] else {"text": event["text"] + " ~acme"}

    async def command(self, session_key: str, words: str) -> str:
        return f"Acme in {session_key}: {words}"
