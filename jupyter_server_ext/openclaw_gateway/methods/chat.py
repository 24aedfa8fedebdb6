"""Speaking and reading back: `chat.send`, `.history`, `.startup`, `.metadata`, `.abort`, `.inject` (protocol section 4)."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import orjson
from pydantic import Field

from openclaw_gateway.methods.attachments import Attachment, parts_of
from openclaw_gateway.methods.commands import Command, CommandCall, called, command_of, command_rows
from openclaw_gateway.methods.models import model_rows
from openclaw_gateway.methods.rows import defaults_row
from openclaw_gateway.methods.services import GatewayServices, Params, parts
from openclaw_gateway.methods.session_view import model_of, row_of
from openclaw_gateway.methods.skills import introduce
from openclaw_gateway.protocol.dispatch import Call, Method
from openclaw_kernel.agent.api import RunRequest
from openclaw_kernel.models.api import ThinkingLevel
from openclaw_kernel.values.errors import OpenClawError, invalid
from openclaw_kernel.values.events import MessageStored
from openclaw_kernel.values.messages import AssistantMessage, Text, UserMessage
from openclaw_kernel.values.session_key import parse

HISTORY_LIMIT = 200
STARTUP_BYTES = 262_144
COMMAND_MEMORY = 512


class ChatSendParams(Params):
    session_key: str = Field(min_length=1, max_length=512)
    message: str
    idempotency_key: str = Field(min_length=1, max_length=256)
    agent_id: str | None = None
    session_id: str | None = None
    thinking: ThinkingLevel | None = None
    fast_mode: bool | Literal["auto"] | None = None
    queue_mode: Literal["steer", "followup", "collect", "interrupt"] | None = None
    deliver: bool | None = None
    originating_channel: str | None = None
    originating_to: str | None = None
    originating_account_id: str | None = None
    originating_thread_id: str | None = None
    reply_to_id: str | None = None
    attachments: list[Attachment] | None = None
    timeout_ms: int | None = Field(default=None, ge=0)
    suppress_command_interpretation: bool | None = None
    expected_leaf_entry_id: str | None = None
    expected_session_routing_contract: Any = None
    system_input_provenance: Any = None
    system_provenance_receipt: str | None = None


class ChatAbortParams(Params):
    session_key: str = Field(min_length=1, max_length=512)
    agent_id: str | None = None
    run_id: str | None = None
    preserve_side_runs: bool | None = None


class ChatInjectParams(Params):
    session_key: str = Field(min_length=1, max_length=512)
    message: str = Field(min_length=1)
    agent_id: str | None = None
    label: str | None = Field(default=None, max_length=100)


class ChatHistoryParams(Params):
    session_key: str = Field(min_length=1, max_length=512)
    agent_id: str | None = None
    cursor: str | None = None
    limit: int | None = Field(default=None, ge=1, le=1000)
    offset: int | None = Field(default=None, ge=0)
    pending_before: int | None = None
    input_run_ids: list[str] | None = None
    message_id: str | None = None
    session_id: str | None = None
    max_chars: int | None = Field(default=None, ge=1, le=500_000)
    max_bytes: int | None = Field(default=None, ge=1)


class ChatMetadataParams(Params):
    agent_id: str | None = None
    session_key: str | None = None


async def chat_send(params: ChatSendParams, call: Call) -> dict[str, Any]:
    """Answers once the message is on disk, never before."""
    services = parts(call)
    key = services.writable_key(params.session_key, params.agent_id)
    _accepting(services)
    skill = None if params.suppress_command_interpretation else await called(services, key, params.message)
    plain = params.suppress_command_interpretation or skill is not None
    command = None if plain else command_of(services, params.message)
    if command is not None and not params.attachments:
        return await _run_command(services, call, key, params, *command)
    if not params.message.strip() and not params.attachments:
        raise invalid("invalid chat.send params: message is empty and there is no attachment")
    content = await asyncio.to_thread(parts_of, params.message, params.attachments) if params.attachments else None
    run_id = params.idempotency_key
    created = services.sessions.get(key) is None
    request = RunRequest(
        run_id=run_id,
        session_key=key,
        message=user_message(services, run_id, content or (Text(params.message),)),
        thinking=params.thinking,
        timeout_ms=params.timeout_ms or None,
        extra_system_prompt=introduce(services, key, skill) if skill is not None else None,
        client_id=owner_of(call),
        queue=params.queue_mode or "session",
    )
    receipt = await services.runtime.submit(request)
    if created:
        services.projection.changed(key, reason="create")
    if receipt.status == "done":
        return await _finished(services, run_id)
    return {"runId": receipt.run_id, "status": receipt.status}


async def _finished(services: GatewayServices, run_id: str) -> dict[str, Any]:
    """A repeat of a message that was answered: the end it had (protocol section 2)."""
    outcome = await services.runtime.wait(run_id, 0)
    status = outcome.status if outcome is not None else "ok"
    return {"runId": run_id, "status": "ok" if status == "ok" else "error"}


def user_message(services: GatewayServices, run_id: str, content: Any) -> UserMessage:
    """The message as stored. Control UI recognises its own by `<runId>:user` (protocol section 8)."""
    key = f"{run_id}:user"
    return UserMessage(content, services.clock(), key, {"senderIsOwner": True, "idempotencyKey": key})


def owner_of(call: Call) -> str:
    """Who a run belongs to: the device, else the connection; decides who may abort without admin."""
    return call.connection.device_id or call.connection.conn_id


def _accepting(services: GatewayServices) -> None:
    if not services.accepting:
        raise OpenClawError("UNAVAILABLE", "the gateway is shutting down; send again in a moment", retryable=True)


async def _run_command(
    services: GatewayServices, call: Call, key: str, params: ChatSendParams, command: Command, argument: str
) -> dict[str, Any]:
    run_id = params.idempotency_key
    if (known := services.command_results.get(run_id)) is not None:
        if known["message"] != params.message or known["key"] != key:
            raise invalid("idempotency key was used with other input", reason="chat-request-conflict")
        return {"runId": run_id, "status": "ok"}
    if command.admin:
        call.require("operator.write")
    approver = ""
    if command.scope:
        call.require(command.scope)
        approver = call.connection.client.display_name or call.connection.client.id or call.connection.conn_id
    services.command_results[run_id] = {"message": params.message, "key": key}
    while len(services.command_results) > COMMAND_MEMORY:
        services.command_results.pop(next(iter(services.command_results)))
    text = await command.run(CommandCall(services, key, argument, approver, call.is_admin))
    user = user_message(services, run_id, (Text(params.message),))
    _store(services, key, user)
    _store(services, key, gateway_message(services, text, run_id))
    agent_id = parse(key).agent
    asyncio.get_running_loop().call_soon(services.projection.reply, key, agent_id, run_id, text)
    return {"runId": run_id, "status": "started"}


def gateway_message(services: GatewayServices, text: str, run_id: str | None = None) -> AssistantMessage:
    """Words of the gateway itself, in the transcript as an assistant message of no model."""
    meta = {"runId": run_id} if run_id else {}
    return AssistantMessage((Text(text),), services.clock(), "openclaw", "openclaw", "gateway-injected", meta=meta)


def _store(services: GatewayServices, key: str, message: UserMessage | AssistantMessage) -> str:
    stored = services.sessions.append(services.sessions.open(key), message)
    services.projection.message(key, parse(key).agent, MessageStored(stored.entry_id, stored.seq, message))
    return stored.entry_id


async def chat_abort(params: ChatAbortParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    key = services.key(params.session_key, params.agent_id)
    if not call.is_admin and services.runtime.clients(key, params.run_id) - {"", owner_of(call)}:
        raise invalid("unauthorized")
    aborted = services.runtime.abort(key, params.run_id, "rpc")
    return {"ok": True, "aborted": bool(aborted), "runIds": aborted}


async def chat_inject(params: ChatInjectParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    key = services.key(params.session_key, params.agent_id)
    if services.sessions.get(key) is None:
        raise invalid(f"unknown session {key!r}; list them with sessions.list")
    text = f"[{params.label}]\n\n{params.message}" if params.label else params.message
    message = gateway_message(services, text)
    message_id = _store(services, key, message)
    services.projection.reply(key, parse(key).agent, f"inject-{message_id}", text)
    return {"ok": True, "messageId": message_id}


def history(services: GatewayServices, key: str, params: ChatHistoryParams) -> dict[str, Any]:
    """The result of `chat.history`; an unknown session is an empty one (protocol section 2)."""
    agent_id = parse(key).agent
    entry = services.sessions.get(key)
    model = model_of(services, entry, agent_id)
    result: dict[str, Any] = {
        "sessionKey": key,
        "messages": [],
        "pendingInputs": {"items": [], "total": 0},
        "hasMore": False,
        "totalMessages": 0,
        "defaults": defaults_row(model_of(services, None, agent_id), services.settings.agents.defaults.thinking_default),
        "thinkingLevel": (entry.thinking_level if entry else None) or "off",
    }
    if entry is None:
        return result
    limit, offset = params.limit or HISTORY_LIMIT, params.offset or 0
    page = services.sessions.history(key, limit, offset)
    messages = [_clipped(message, params.max_chars) for message in page.messages] if params.max_chars else page.messages
    if params.message_id:
        messages = [message for message in messages if message.get("__openclaw", {}).get("id") == params.message_id]
    kept = _within(messages, params.max_bytes) if params.max_bytes else messages
    has_more = page.has_more or len(kept) < len(messages)
    result |= {
        "sessionId": entry.session_id,
        "messages": kept,
        "hasMore": has_more,
        "totalMessages": page.total,
        "sessionInfo": row_of(services, entry, model),
    }
    if has_more:
        result["nextOffset"] = offset + len(kept)
    if active := services.runtime.active(key):
        run = active[0]
        result["inFlightRun"] = {"runId": run.run_id, "text": run.text, "startedAt": run.started_at}
    return result


def _clipped(message: dict[str, Any], limit: int) -> dict[str, Any]:
    content = message.get("content")
    if isinstance(content, str):
        return message if len(content) <= limit else message | {"content": content[:limit] + "…"}
    if not isinstance(content, list):
        return message
    clipped = [part | {"text": part["text"][:limit] + "…"} if len(part.get("text") or "") > limit else part for part in content]
    return message | {"content": clipped}


def _within(messages: list[dict[str, Any]], limit: int) -> list[dict[str, Any]]:
    """The newest messages that fit into `limit` bytes; at least the last one."""
    kept: list[dict[str, Any]] = []
    size = 0
    for message in reversed(messages):
        size += len(orjson.dumps(message))
        if size > limit and kept:
            break
        kept.append(message)
    return kept[::-1]


async def chat_history(params: ChatHistoryParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    return history(services, services.key(params.session_key, params.agent_id), params)


async def metadata(services: GatewayServices, agent_id: str) -> dict[str, Any]:
    commands = await asyncio.to_thread(command_rows, services, agent_id)
    return {
        "models": model_rows(services, agent_id),
        "commands": commands,
        "swarmEnabled": False,
        "accountSelection": {"kind": "automatic", "label": "Automatic account selection"},
        "runtimeSelectionLocked": False,
    }


async def chat_startup(params: ChatHistoryParams, call: Call) -> dict[str, Any]:
    """Control UI's first page: history within a byte budget, and metadata."""
    services = parts(call)
    key = services.key(params.session_key, params.agent_id)
    budget = params.model_copy(update={"max_bytes": params.max_bytes or STARTUP_BYTES})
    return history(services, key, budget) | {"metadata": await metadata(services, parse(key).agent)}


async def chat_metadata(params: ChatMetadataParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    agent_id = params.agent_id or (parse(services.key(params.session_key)).agent if params.session_key else None)
    return await metadata(services, agent_id or services.default_agent)


METHODS = [
    Method("chat.send", ChatSendParams, chat_send, "operator.write"),
    Method("chat.abort", ChatAbortParams, chat_abort, "operator.write"),
    Method("chat.inject", ChatInjectParams, chat_inject, "operator.admin"),
    Method("chat.history", ChatHistoryParams, chat_history, "operator.read"),
    Method("chat.startup", ChatHistoryParams, chat_startup, "operator.read"),
    Method("chat.metadata", ChatMetadataParams, chat_metadata, "operator.read"),
]
