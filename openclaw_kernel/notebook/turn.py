"""One cell's conversation with the gateway: what arrives, and how it is shown while it arrives.

The gateway answers a `chat.send` with events. This file turns them into three calls on a `Screen` (text, tool, approval), so
that the kernel, a magic and a test can each show them in their own way.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any, Protocol

from openclaw_kernel.client.connection import GatewayConnection, GatewayEvent

Payload = Mapping[str, Any]


class Screen(Protocol):
    """Where a turn is shown. Every method may be called many times; `text` gets the whole answer so far."""

    def text(self, markdown: str, *, final: bool) -> None: ...

    def tool(self, name: str, title: str, state: str) -> None: ...

    async def approve(self, request: Payload) -> str:
        """`allow-once`, `allow-always` or `deny`."""


class TurnFailed(Exception):
    """The turn ended without an answer; the sentence says why."""


async def converse(gateway: GatewayConnection, session_key: str, message: str, screen: Screen) -> str:
    """Sends `message`, shows what comes back, returns the answer's text.

    Cancelling the task aborts the run on the gateway, with its tools and open approvals. Raises `TurnFailed`.
    """
    run_id = str(uuid.uuid4())
    params = {"sessionKey": session_key, "message": message, "idempotencyKey": run_id}
    events = gateway.events()  # from before the request, so that nothing is missed
    try:
        await gateway.request("chat.send", params)
        return await _follow(gateway, events, run_id, screen)
    except asyncio.CancelledError:
        with suppress(Exception):
            await asyncio.shield(gateway.request("chat.abort", {"sessionKey": session_key, "runId": run_id}))
        raise


async def _follow(gateway: GatewayConnection, events: AsyncIterator[GatewayEvent], run_id: str, screen: Screen) -> str:
    text = ""
    async for event in events:
        payload: Payload = event.payload or {}
        if event.event == "exec.approval.requested":
            await _settle_approval(gateway, run_id, payload, screen)
            continue
        if payload.get("runId") != run_id:
            continue
        if event.event == "agent" and payload.get("stream") == "tool":
            _show_tool(payload.get("data") or {}, screen)
        elif event.event == "chat":
            match payload.get("state"):
                case "delta":
                    text = payload.get("deltaText", "") if payload.get("replace") else text + payload.get("deltaText", "")
                    screen.text(text, final=False)
                case "final":
                    text = message_text(payload.get("message")) or text
                    screen.text(text, final=True)
                    return text
                case "aborted":
                    raise TurnFailed("Stopped.")
                case "error":
                    raise TurnFailed(str(payload.get("errorMessage") or "The run failed."))
    raise TurnFailed("The gateway closed the connection; run the cell again to reconnect.")


async def _settle_approval(gateway: GatewayConnection, run_id: str, payload: Payload, screen: Screen) -> None:
    request = payload.get("request") or {}
    if request.get("runId") not in (None, run_id):
        return
    decision = await screen.approve(request)
    await gateway.request("exec.approval.resolve", {"id": payload["id"], "decision": decision})


def _show_tool(data: Payload, screen: Screen) -> None:
    phase = data.get("phase")
    if phase == "start":
        screen.tool(str(data.get("name", "")), str(data.get("title") or data.get("name", "")), "running")
    elif phase == "result":
        screen.tool(str(data.get("name", "")), "", "failed" if data.get("isError") else "done")


def message_text(message: Payload | None) -> str:
    """The text parts of a wire message, joined."""
    content = (message or {}).get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text", "")) for part in content if part.get("type") == "text")
