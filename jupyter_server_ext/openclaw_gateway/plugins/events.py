"""What the hooks are told: plain dictionaries, in the names the protocol uses."""

from __future__ import annotations

from typing import Any

from openclaw_kernel.agent.api import RunRequest
from openclaw_kernel.tools.api import ToolContext, ToolResult
from openclaw_kernel.values.envelope import Inbound, Outbound
from openclaw_kernel.values.events import RunEnded, RunEvent
from openclaw_kernel.values.messages import Part, Text


def run_event(request: RunRequest, agent_id: str) -> dict[str, Any]:
    return {
        "runId": request.run_id,
        "sessionKey": request.session_key,
        "agentId": agent_id,
        "text": text_of(request.message.content),
        "clientId": request.client_id,
    }


def ended_event(event: RunEvent, ended: RunEnded) -> dict[str, Any]:
    return {
        "runId": event.run_id,
        "sessionKey": event.session_key,
        "agentId": event.agent_id,
        "status": ended.status,
        "text": ended.message.text if ended.message is not None else "",
        "durationMs": max(0, ended.ended_at - ended.started_at),
        "error": ended.error.message if ended.error is not None else "",
    }


def tool_event(tool: str, arguments: dict[str, Any], context: ToolContext) -> dict[str, Any]:
    return {
        "tool": tool,
        "params": arguments,
        "runId": context.run_id,
        "sessionKey": context.session_key,
        "agentId": context.agent_id,
    }


def result_event(before: dict[str, Any], result: ToolResult | None, error: str) -> dict[str, Any]:
    text = text_of(result.content) if result is not None else ""
    return {**before, "text": text, "isError": bool(error) or (result is not None and result.is_error), "error": error}


def received_event(key: str, inbound: Inbound) -> dict[str, Any]:
    return {
        "sessionKey": key,
        "channel": inbound.channel,
        "accountId": inbound.account,
        "peer": {"kind": inbound.peer.kind, "id": inbound.peer.id},
        "senderId": inbound.sender.id,
        "messageId": inbound.message_id,
        "text": inbound.text,
    }


def sending_event(outbound: Outbound) -> dict[str, Any]:
    """`text` is what goes out, rendered for the platform."""
    return {
        "channel": outbound.channel,
        "accountId": outbound.account,
        "peer": {"kind": outbound.target.kind, "id": outbound.target.id},
        "deliveryId": outbound.delivery_id,
        "text": outbound.text,
    }


def text_of(parts: tuple[Part, ...]) -> str:
    return "\n".join(part.text for part in parts if isinstance(part, Text))
