"""Conversations: list, look up, change, follow (protocol section 5)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from openclaw_gateway.methods.attachments import Attachment
from openclaw_gateway.methods.chat import ChatAbortParams, ChatSendParams, chat_abort, chat_send
from openclaw_gateway.methods.rows import defaults_row, entry_wire
from openclaw_gateway.methods.services import GatewayServices, Params, parts
from openclaw_gateway.methods.session_view import model_of, row_of
from openclaw_gateway.protocol.dispatch import Call, Method
from openclaw_kernel.models.api import ThinkingLevel
from openclaw_kernel.sessions.index import SessionEntry
from openclaw_kernel.values.errors import invalid
from openclaw_kernel.values.session_key import parse

PREVIEW_CHARS = 200
LIST_LIMIT = 200


class SessionsListParams(Params):
    limit: int | None = Field(default=None, ge=1)
    offset: int | None = Field(default=None, ge=0)
    active_minutes: int | None = Field(default=None, ge=1)
    require_last_interaction: bool | None = None
    sort_by: Literal["updatedAt", "lastInteractionAt"] | None = None
    include_global: bool | None = None
    include_unknown: bool | None = None
    configured_agents_only: bool | None = None
    include_derived_titles: bool | None = None
    include_last_message: bool | None = None
    include_people: bool | None = None
    label: str | None = None
    board_face: str | None = None
    creator_id: str | None = None
    owner_id: str | None = None
    owner_first: bool | None = None
    involving_me: bool | None = None
    involving_profile_id: str | None = None
    spawned_by: str | None = None
    agent_id: str | None = None
    search: str | None = None
    archived: bool | Literal["all"] | None = None


class SubscribeParams(SessionsListParams):
    """`sessions.subscribe` takes the filters of `sessions.list` and then answers with the list too."""


class KeyParams(Params):
    key: str = Field(min_length=1, max_length=512)
    agent_id: str | None = None


class DescribeParams(KeyParams):
    include_derived_titles: bool | None = None
    include_last_message: bool | None = None


class MessagesSubscribeParams(KeyParams):
    include_approvals: bool | None = None


class PreviewParams(Params):
    keys: list[str]
    limit: int | None = Field(default=None, ge=1)
    max_chars: int | None = Field(default=None, ge=1)


class ResolveParams(Params):
    key: str | None = None
    session_id: str | None = None
    label: str | None = None
    agent_id: str | None = None
    short_id: str | None = None
    slug_hint: str | None = None
    spawned_by: str | None = None
    include_global: bool | None = None
    include_unknown: bool | None = None
    allow_missing: bool | None = None


class CreateParams(Params):
    key: str | None = None
    idempotency_key: str | None = None
    agent_id: str | None = None
    label: str | None = Field(default=None, max_length=512)
    display_name: str | None = None
    model: str | None = None
    thinking_level: ThinkingLevel | None = None
    parent_session_key: str | None = None
    message: str | None = None
    task: str | None = None
    attachments: list[Attachment] | None = None
    emit_command_hooks: bool | None = None


class PatchParams(KeyParams):
    label: str | None = Field(default=None, max_length=512)
    model: str | None = None
    thinking_level: ThinkingLevel | None = None
    archived: bool | None = None
    pinned: bool | None = None
    unread: bool | None = None
    send_policy: Literal["allow", "deny"] | None = None
    expected_session_id: str | None = None


class ResetParams(KeyParams):
    reason: Literal["new", "reset"] | None = None


class DeleteParams(KeyParams):
    delete_transcript: bool | None = None
    expected_session_id: str | None = None
    emit_lifecycle_hooks: bool | None = None
    archived_only: bool | None = None


class SendParams(KeyParams):
    message: str
    thinking: ThinkingLevel | None = None
    attachments: list[Attachment] | None = None
    timeout_ms: int | None = None
    idempotency_key: str | None = None


class AbortParams(Params):
    key: str | None = None
    run_id: str | None = None
    agent_id: str | None = None
    clear_queued: bool | None = None


def listing(services: GatewayServices, params: SessionsListParams) -> dict[str, Any]:
    """The result of `sessions.list`, newest first."""
    entries = [entry for entry in services.sessions.list(params.agent_id) if _matches(services, entry, params)]
    offset, limit = params.offset or 0, params.limit or LIST_LIMIT
    page = entries[offset : offset + limit]
    after = offset + len(page)
    agent_id = params.agent_id or services.default_agent
    defaults = defaults_row(model_of(services, None, agent_id), services.settings.agents.defaults.thinking_default)
    result: dict[str, Any] = {
        "ts": services.clock(),
        "path": str(services.state_dir / "agents" / agent_id / "sessions"),
        "count": len(page),
        "totalCount": len(entries),
        "limitApplied": limit,
        "offset": offset,
        "hasMore": after < len(entries),
        "defaults": defaults,
        "sessions": [_list_row(services, entry, params) for entry in page],
    }
    if after < len(entries):
        result["nextOffset"] = after
    return result


def _matches(services: GatewayServices, entry: SessionEntry, params: SessionsListParams) -> bool:
    if params.archived != "all" and bool(entry.archived) != bool(params.archived):
        return False
    if params.label is not None and entry.label != params.label:
        return False
    if params.spawned_by is not None and entry.parent_session_key != services.key(params.spawned_by):
        return False
    if params.active_minutes is not None and entry.updated_at < services.clock() - params.active_minutes * 60_000:
        return False
    if params.search:
        return params.search.lower() in f"{entry.key} {entry.label or ''} {entry.session_id}".lower()
    return True


def _list_row(services: GatewayServices, entry: SessionEntry, params: DescribeParams | SessionsListParams) -> dict[str, Any]:
    row = row_of(services, entry)
    if params.include_last_message:
        lines = services.sessions.preview(entry.key, 1, PREVIEW_CHARS)
        row |= {"lastMessagePreview": lines[-1]["text"]} if lines else {}
    if params.include_derived_titles:
        row["derivedTitle"] = entry.display_name
    return row


async def sessions_list(params: SessionsListParams, call: Call) -> dict[str, Any]:
    return listing(parts(call), params)


async def subscribe(params: SubscribeParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    call.connection.subscribe_sessions()
    result: dict[str, Any] = {"subscribed": True}
    if params.model_fields_set:
        result["list"] = listing(services, params)
    return result


async def unsubscribe(_params: SubscribeParams, call: Call) -> dict[str, Any]:
    call.connection.unsubscribe_sessions()
    return {"subscribed": False}


async def messages_subscribe(params: MessagesSubscribeParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    key = services.key(params.key, params.agent_id)
    call.connection.subscribe_session(key, approvals=bool(params.include_approvals))
    return {"subscribed": True, "key": key}


async def messages_unsubscribe(params: MessagesSubscribeParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    key = services.key(params.key, params.agent_id)
    call.connection.unsubscribe_session(key)
    return {"subscribed": False, "key": key}


async def describe(params: DescribeParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    entry = services.sessions.get(services.key(params.key, params.agent_id))
    return {"session": _list_row(services, entry, params) if entry is not None else None}


async def resolve(params: ResolveParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    named = [value for value in (params.key, params.session_id, params.label) if value]
    if len(named) != 1:
        raise invalid("invalid sessions.resolve params: give exactly one of key, sessionId, label")
    entry = services.sessions.get(services.key(params.key, params.agent_id)) if params.key else None
    if entry is None and params.allow_missing:
        return {"ok": False}
    entry = entry or services.sessions.resolve(named[0])
    return {"ok": True, "key": entry.key, "agentId": entry.agent_id}


async def preview(params: PreviewParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    previews: list[dict[str, Any]] = []
    for text in params.keys:
        key = services.key(text)
        if services.sessions.get(key) is None:
            previews.append({"key": text, "status": "missing", "items": []})
            continue
        items = services.sessions.preview(key, params.limit or 12, params.max_chars or 240)
        previews.append({"key": text, "status": "ok" if items else "empty", "items": items})
    return {"ts": services.clock(), "previews": previews}


async def get(params: KeyParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    key = services.key(params.key, params.agent_id)
    known = services.sessions.get(key) is not None
    return {"messages": services.sessions.history(key, LIST_LIMIT, 0).messages if known else []}


async def create(params: CreateParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    key = services.writable_key(params.key or f"dashboard:{services.new_id()}", params.agent_id)
    if params.model is not None:
        services.models.resolve(params.model, parse(key).agent)
    entry = services.sessions.open(key).entry
    changes = {"label": params.label, "model_override": params.model, "thinking_level": params.thinking_level}
    changes = {name: value for name, value in changes.items() if value is not None}
    if changes:
        entry = services.sessions.update(key, **changes)
    services.projection.changed(key, reason="create")
    message = params.message or params.task
    result: dict[str, Any] = {
        "ok": True,
        "key": key,
        "sessionId": entry.session_id,
        "entry": entry_wire(entry),
        "runStarted": False,
        "resolved": _resolved(services, entry),
    }
    if message:
        run_id = params.idempotency_key or services.new_id()
        send = ChatSendParams(session_key=key, message=message, idempotency_key=run_id, attachments=params.attachments)
        result |= {"runStarted": True, "runId": (await chat_send(send, call))["runId"]}
    return result


def _resolved(services: GatewayServices, entry: SessionEntry) -> dict[str, Any]:
    model = model_of(services, entry, entry.agent_id)
    return {"modelProvider": model.provider if model else None, "model": model.id if model else None}


def _known(services: GatewayServices, params: KeyParams) -> SessionEntry:
    """Raises INVALID_REQUEST "unknown session …"."""
    entry = services.sessions.get(services.key(params.key, params.agent_id))
    return entry or services.sessions.resolve(params.key)


def _expect(entry: SessionEntry, session_id: str | None) -> None:
    if session_id is not None and entry.session_id != session_id:
        raise invalid(f"session {entry.key} has changed: its id is now {entry.session_id}; read it again")


async def patch(params: PatchParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    entry = services.sessions.open(services.writable_key(params.key, params.agent_id)).entry
    _expect(entry, params.expected_session_id)
    if params.model is not None:
        services.models.resolve(params.model, entry.agent_id)
    names = {"label": "label", "model": "model_override", "thinking_level": "thinking_level", "send_policy": "send_policy"}
    changes = {attr: getattr(params, name) for name, attr in names.items() if name in params.model_fields_set}
    for flag in ("archived", "pinned"):
        if (value := getattr(params, flag)) is not None:
            changes[f"{flag}_at"] = services.clock() if value else None
    entry = services.sessions.update(entry.key, **changes) if changes else entry
    services.projection.changed(entry.key, reason="patch")
    path = str(services.state_dir / "agents" / entry.agent_id / "sessions")
    return {
        "ok": True,
        "path": path,
        "key": entry.key,
        "entry": entry_wire(entry),
        "resolved": _resolved(services, entry),
    }


async def reset(params: ResetParams, call: Call) -> dict[str, Any]:
    """A new, empty conversation under the same key; the old transcript stays on disk."""
    services = parts(call)
    entry = _known(services, params)
    services.runtime.abort(entry.key, reason="reset")
    fresh = services.runtime.upkeep.renew(entry.key, params.reason or "reset")
    services.projection.changed(entry.key, reason="reset")
    return {"ok": True, "key": entry.key, "entry": entry_wire(fresh), "resolved": _resolved(services, fresh)}


async def delete(params: DeleteParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    key = services.key(params.key, params.agent_id)
    entry = services.sessions.get(key)
    if entry is None:
        return {"ok": True, "key": key, "deleted": False, "archived": []}
    _expect(entry, params.expected_session_id)
    if key == services.main_key(parse(key).agent):
        raise invalid(f"the main session {key} cannot be deleted; reset it with sessions.reset")
    services.runtime.abort(key, reason="delete")
    archived = services.sessions.delete(key)
    services.projection.changed(key, reason="delete")
    return {"ok": True, "key": key, "deleted": True, "archived": [str(archived)] if archived else []}


async def send(params: SendParams, call: Call) -> dict[str, Any]:
    """`chat.send` by session key; the key must exist or be a canonical one."""
    run_id = params.idempotency_key or parts(call).new_id()
    values = params.model_dump(exclude={"key", "idempotency_key"}, exclude_none=True)
    return await chat_send(ChatSendParams(session_key=params.key, idempotency_key=run_id, **values), call)


async def abort(params: AbortParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    key = params.key
    if key is None:
        run = next((run for run in services.runtime.active() if run.run_id == params.run_id), None)
        if run is None:
            return {"ok": True, "aborted": False, "runIds": []}
        key = run.session_key
    return await chat_abort(ChatAbortParams(session_key=key, run_id=params.run_id, agent_id=params.agent_id), call)


METHODS = [
    Method("sessions.list", SessionsListParams, sessions_list, "operator.read"),
    Method("sessions.subscribe", SubscribeParams, subscribe, "operator.read"),
    Method("sessions.unsubscribe", SubscribeParams, unsubscribe, "operator.read"),
    Method("sessions.messages.subscribe", MessagesSubscribeParams, messages_subscribe, "operator.read"),
    Method("sessions.messages.unsubscribe", MessagesSubscribeParams, messages_unsubscribe, "operator.read"),
    Method("sessions.describe", DescribeParams, describe, "operator.read"),
    Method("sessions.resolve", ResolveParams, resolve, "operator.read"),
    Method("sessions.preview", PreviewParams, preview, "operator.read"),
    Method("sessions.get", KeyParams, get, "operator.read"),
    Method("sessions.create", CreateParams, create, "operator.write"),
    Method("sessions.patch", PatchParams, patch, "operator.write"),
    Method("sessions.reset", ResetParams, reset, "operator.admin"),
    Method("sessions.delete", DeleteParams, delete, "operator.admin"),
    Method("sessions.send", SendParams, send, "operator.write"),
    Method("sessions.abort", AbortParams, abort, "operator.write"),
]
