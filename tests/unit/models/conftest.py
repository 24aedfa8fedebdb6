"""A fake provider on a real socket, and calls to it in every wire format."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from openclaw_kernel.models.api import Model, ModelCall, Prompt, ToolSpec, WireFormat
from openclaw_kernel.models.exchange import HttpProvider
from openclaw_kernel.models.formats import build_provider
from openclaw_kernel.values.messages import AssistantMessage, Message, Text, UserMessage
from tests.fakes.model_server import FakeModelServer

FORMATS: tuple[WireFormat, ...] = ("anthropic-messages", "openai-completions", "openai-responses")
READ = ToolSpec("read", "Reads a file.", {"type": "object", "properties": {"path": {"type": "string"}}})


def user(text: str, *parts: Any) -> UserMessage:
    return UserMessage((Text(text), *parts), 0)


@dataclass
class Wire:
    """One format, ready to be called."""

    api: WireFormat
    server: FakeModelServer
    provider: HttpProvider

    def call(self, *messages: Message | str, model: dict[str, Any] | None = None, **fields: Any) -> ModelCall:
        anthropic = self.api == "anthropic-messages"
        row: dict[str, Any] = {
            "id": "fake-1",
            "provider": "fake",
            "api": self.api,
            "base_url": self.server.url if anthropic else self.server.openai_url,
            "reasoning": True,
            "input": ("text", "image"),
            "compat": {"replayThinking": True},
        }
        return ModelCall(
            model=Model(**(row | (model or {}))),
            prompt=fields.pop("prompt", Prompt("You are a test.", "Today is a day.")),
            messages=tuple(user(message) if isinstance(message, str) else message for message in messages),
            tools=fields.pop("tools", (READ,)),
            credential=fields.pop("credential", "good-key"),
            **fields,
        )

    async def ask(self, *messages: Message | str, **fields: Any) -> AssistantMessage:
        return await self.provider.stream(self.call(*messages, **fields)).result()

    @property
    def sent(self) -> dict[str, Any]:
        """The body of the last request."""
        body: dict[str, Any] = self.server.requests[-1].body
        return body


@pytest.fixture
async def server() -> AsyncIterator[FakeModelServer]:
    async with FakeModelServer() as server:
        yield server


@pytest.fixture
async def wire_of(server: FakeModelServer) -> AsyncIterator[Callable[[WireFormat], Wire]]:
    wires: list[Wire] = []

    def build(api: WireFormat) -> Wire:
        provider = build_provider(api, lambda: 1_000)
        assert isinstance(provider, HttpProvider)
        wires.append(Wire(api, server, provider))
        return wires[-1]

    yield build
    for wire in wires:
        await wire.provider.close()


@pytest.fixture(params=FORMATS)
def wire(request: pytest.FixtureRequest, wire_of: Callable[[WireFormat], Wire]) -> Wire:
    """Each wire format in turn."""
    return wire_of(request.param)
