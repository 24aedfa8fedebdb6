"""Channels as clients see them: status, start and stop, saying something there (protocol section 5, CHN-04)."""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from openclaw_gateway.channels.room import ChannelRoom
from openclaw_gateway.methods.services import GatewayServices, NoParams, Params, parts
from openclaw_gateway.protocol.dispatch import Call, Method
from openclaw_gateway.routing.target import target_id
from openclaw_kernel.values.envelope import Attachment, Peer, Thread
from openclaw_kernel.values.errors import OpenClawError, invalid, unavailable

if TYPE_CHECKING:
    from openclaw_gateway.channels.inbox import Inbox
    from openclaw_gateway.channels.ledger_rows import Delivery, Received
    from openclaw_gateway.channels.outbox import Outbox
    from openclaw_gateway.channels.running import Running

PROBE_S = 10.0
SEND_S = 60.0


class StatusParams(Params):
    probe: bool | None = None
    timeout_ms: int | None = Field(default=None, ge=0)
    channel: str | None = None


class AccountParams(Params):
    channel: str = Field(min_length=1, max_length=64)
    account_id: str | None = Field(default=None, max_length=200)


class DeadLetterParams(Params):
    id: str = Field(min_length=1, max_length=128)


class SendParams(Params):
    """`to` is a conversation as its channel writes it, with or without `channel:` before it (ROU-03)."""

    to: str = Field(min_length=1, max_length=1_000)
    message: str = Field(default="", max_length=100_000)
    idempotency_key: str = Field(min_length=1, max_length=256)
    channel: str | None = None
    account_id: str | None = None
    thread_id: str | None = None
    reply_to_id: str | None = None
    session_key: str | None = None
    agent_id: str | None = None
    media_url: str | None = None
    media_urls: list[str] | None = None
    gif_playback: bool | None = None
    silent: bool | None = None


class ActionParams(Params):
    channel: str = Field(min_length=1, max_length=64)
    action: str = Field(min_length=1, max_length=64)
    params: dict[str, Any] = Field(default_factory=dict)
    idempotency_key: str = Field(min_length=1, max_length=256)
    account_id: str | None = None
    requester_sender_id: str | None = None
    sender_is_owner: bool | None = None
    session_key: str | None = None
    session_id: str | None = None
    agent_id: str | None = None
    tool_context: Any = None
    conversation_read_origin: str | None = None


async def listing(_params: NoParams, call: Call) -> dict[str, Any]:
    """Every channel that exists, and what one would need to use it. No SDK is imported."""
    services = parts(call)
    room = services.channels
    configured = services.settings.channels
    rows = await asyncio.to_thread(
        lambda: [
            {
                "id": channel,
                "label": manifest.meta.label,
                "blurb": manifest.meta.blurb,
                "aliases": list(manifest.meta.aliases),
                "configured": channel in configured,
                "installed": not room.channels.missing(channel),
                "hint": room.channels.missing(channel) or None,
            }
            for channel, manifest in room.channels.manifests().items()
        ]
    )
    return {"channels": rows}


async def status(params: StatusParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    room = services.channels
    manager = room.manager
    accounts = manager.all() if manager is not None else []
    problems = dict(manager.problems) if manager is not None else {}
    if params.channel:
        wanted = room.channels.find(params.channel)
        accounts = [row for row in accounts if row.account.channel == wanted]
        problems = {name: text for name, text in problems.items() if name == wanted}
    probes = await _probes(accounts, params) if params.probe else {}
    rows: dict[str, list[dict[str, Any]]] = {}
    for running in accounts:
        row = running.snapshot() | probes.get((running.account.channel, running.account.id), {})
        rows.setdefault(running.account.channel, []).append(row)
    seen = _overview(room, rows, problems)
    order = seen["channelOrder"]
    metas = {channel: room.channels.manifests()[channel].meta for channel in order}
    found: dict[str, Any] = {
        "ts": services.clock(),
        **seen,
        "channelDetailLabels": {channel: meta.label for channel, meta in metas.items()},
        "channelSystemImages": {},
        "channelMeta": [{"id": channel, "label": meta.label, "detailLabel": meta.label} for channel, meta in metas.items()],
        "channelAccounts": {channel: rows.get(channel, []) for channel in order},
        "channelDefaultAccountId": {channel: rows[channel][0]["accountId"] for channel in order if rows.get(channel)},
    }
    if room.problem:
        found["problem"] = room.problem
    return found


def overview(room: ChannelRoom) -> dict[str, Any]:
    """`channels`, `channelOrder` and `channelLabels`, as `health` has them too. Asks no platform."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for running in room.manager.all() if room.manager is not None else ():
        rows.setdefault(running.account.channel, []).append(running.snapshot())
    return _overview(room, rows, room.manager.problems if room.manager is not None else {})


def _overview(room: ChannelRoom, rows: dict[str, list[dict[str, Any]]], problems: Mapping[str, str]) -> dict[str, Any]:
    manifests = room.channels.manifests() if rows or problems else {}
    order = [channel for channel in manifests if channel in rows or channel in problems]
    return {
        "channels": {channel: _summary(rows.get(channel, []), problems.get(channel)) for channel in order},
        "channelOrder": order,
        "channelLabels": {channel: manifests[channel].meta.label for channel in order},
    }


def _summary(rows: list[dict[str, Any]], problem: str | None) -> dict[str, Any]:
    names = ("configured", "running", "connected")
    summary: dict[str, Any] = {name: any(row[name] for row in rows) for name in names}
    errors = [row["lastError"] for row in rows if row["lastError"]]
    starts = [row["lastStartAt"] for row in rows if row["lastStartAt"]]
    return summary | {"lastError": problem or next(iter(errors), None), "lastStartAt": max(starts, default=None)}


async def _probes(accounts: list[Running], params: StatusParams) -> dict[tuple[str, str], dict[str, Any]]:
    limit_s = min((params.timeout_ms or PROBE_S * 1000) / 1000, 60.0)

    from openclaw_gateway.channels.contract import ChannelError

    async def probe(running: Running) -> dict[str, Any]:
        adapter = running.plugin.status
        if adapter is None or running.live is None:
            return {}
        try:
            found = await asyncio.wait_for(adapter.probe(running.live), limit_s)
        except (ChannelError, TimeoutError) as error:
            return {"probe": {"ok": False, "error": str(error) or "no answer in time"}}
        return {"probe": {"ok": found.ok, "detail": found.detail, "identity": found.identity}}

    results = await asyncio.gather(*map(probe, accounts))
    return {(row.account.channel, row.account.id): result for row, result in zip(accounts, results, strict=True)}


async def start(params: AccountParams, call: Call) -> dict[str, Any]:
    room = parts(call).channels
    running = await room.accounts.start(room.channels.find(params.channel), params.account_id)
    return _state(running)


async def stop(params: AccountParams, call: Call) -> dict[str, Any]:
    """Stops an account by hand: it stays stopped until a person starts it (CHN-07)."""
    room = parts(call).channels
    running = await room.accounts.stop(room.channels.find(params.channel), params.account_id)
    return _state(running)


async def logout(params: AccountParams, call: Call) -> dict[str, Any]:
    """Stops an account and forgets its login, where the channel has one."""
    room = parts(call).channels
    running = await room.accounts.stop(room.channels.find(params.channel), params.account_id)
    auth = running.plugin.auth
    if auth is not None:
        await auth.logout(running.account, running)
    return _state(running) | {"cleared": auth is not None, "loggedOut": auth is not None}


def _state(running: Running) -> dict[str, Any]:
    account = running.account
    return {"channel": account.channel, "accountId": account.id, "running": running.running, "stoppedByHand": running.by_hand}


# --- dead letters


async def dead_letters(_params: NoParams, call: Call) -> dict[str, Any]:
    """What could not be answered or sent, and what may have arrived. Words are not shown here."""
    room = parts(call).channels
    inbox = room.inbox.dead() if room.inbox is not None else []
    outbox = room.outbox.dead() if room.outbox is not None else []
    return {"inbox": [_received(row) for row in inbox], "outbox": [_delivery(row) for row in outbox]}


def _received(row: Received) -> dict[str, Any]:
    this = row.inbound
    where = {"channel": this.channel, "accountId": this.account, "kind": this.peer.kind, "peer": this.peer.id}
    return {"id": row.id, **where, "state": row.state, "error": row.error, "attempts": row.attempts, "at": row.received_at}


def _delivery(row: Delivery) -> dict[str, Any]:
    this = row.outbound
    where = {"channel": this.channel, "accountId": this.account, "kind": this.target.kind, "peer": this.target.id}
    return {"id": row.id, **where, "state": row.state, "error": row.error, "attempts": row.attempts, "at": row.created_at}


async def resubmit(params: DeadLetterParams, call: Call) -> dict[str, Any]:
    """Once more, because a person asks for it."""
    _box(parts(call), params.id).resubmit(params.id)
    return {"ok": True, "id": params.id}


async def abandon(params: DeadLetterParams, call: Call) -> dict[str, Any]:
    _box(parts(call), params.id).abandon(params.id)
    return {"ok": True, "id": params.id}


def _box(services: GatewayServices, row_id: str) -> Inbox | Outbox:
    room = services.channels
    for box in (room.inbox, room.outbox):
        if box is not None and box.get(row_id) is not None:
            return box
    raise invalid(f"there is no dead letter {row_id!r}; list them with channels dead-letters")


# --- saying something


async def send(params: SendParams, call: Call) -> dict[str, Any]:
    """Says something in a conversation; answers when the platform has it."""
    services = parts(call)
    wanted = [*([params.media_url] if params.media_url else []), *(params.media_urls or [])]
    media = await asyncio.to_thread(_media, services, wanted) if wanted else []
    if not params.message.strip() and not media:
        raise invalid("invalid send params: message is empty")
    room = services.channels
    channel = room.channels.find(params.channel or params.to.partition(":")[0])
    return await _say(services, channel, params, media)


def _media(services: GatewayServices, wanted: list[str]) -> list[Attachment]:
    """Files of an agent's workspace, by path. Nothing else of this machine, and nothing from the network, is sent away."""
    roots = [services.workspace(agent_id).resolve() for agent_id in services.agent_ids()]
    found = []
    for name in wanted:
        path = Path(name.removeprefix("file://")).resolve()
        if not any(path.is_relative_to(root) for root in roots) or not path.is_file():
            raise invalid("mediaUrl must be the path of a file in an agent's workspace")
        media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        kind: Literal["image", "document"] = "image" if media_type.startswith("image/") else "document"
        found.append(Attachment(kind, path=str(path), media_type=media_type, name=path.name, size=path.stat().st_size))
    return found


async def _say(services: GatewayServices, channel: str, params: SendParams, media: Sequence[Attachment] = ()) -> dict[str, Any]:
    room = services.channels
    text = target_id(params.to, channel, tuple(room.channels.manifests()))
    running = room.accounts.account(channel, params.account_id)
    messaging = running.plugin.messaging
    peer, thread = messaging.target(text) if messaging is not None else (Peer("direct", text), None)
    if params.thread_id:
        thread = Thread(params.thread_id)
    if rule := services.withheld(services.chat_key(services.default_agent, channel, peer), channel, peer.kind):
        raise invalid(f"nothing is sent to {channel}:{text}, by {rule}")
    name = f"send:{params.idempotency_key}"
    try:
        async with asyncio.timeout(SEND_S):
            rows = await room.say(
                channel,
                peer,
                params.message,
                name,
                account=params.account_id,
                thread=thread,
                reply_to=params.reply_to_id,
                media=media,
            )
    except TimeoutError:
        waiting = {"state": "pending"}
        raise OpenClawError("UNAVAILABLE", f"{channel} is not connected; the message goes out when it is", waiting) from None
    ids = [row.sent.message_id for row in rows if row.sent is not None]
    return {
        "runId": params.idempotency_key,
        "channel": channel,
        "to": f"{channel}:{text}",
        "messageId": ids[-1] if ids else None,
        "messageIds": ids,
    }


async def message_action(params: ActionParams, call: Call) -> dict[str, Any]:
    """`send`, or what the channel offers beyond (`react`, `edit`, `delete`, …)."""
    room = parts(call).channels
    channel = room.channels.find(params.channel)
    if params.action != "send":
        running = room.accounts.account(channel, params.account_id)
        actions = running.plugin.actions
        if actions is None or params.action not in actions.supported:
            raise invalid(f"{channel} cannot do {params.action!r}")
        if running.live is None:
            raise unavailable(f"{channel} is not connected")
        from openclaw_gateway.channels.contract import ChannelError

        try:
            return {"ok": True, **await actions.perform(running.live, params.action, params.params)}
        except ChannelError as error:
            raise OpenClawError("UNAVAILABLE", str(error)) from error
    wanted = params.params
    to, text = wanted.get("to") or wanted.get("target"), wanted.get("message")
    if not isinstance(to, str) or not isinstance(text, str) or not to or not text.strip():
        raise invalid("invalid message.action params: send needs params.to and params.message")
    account = params.account_id or wanted.get("accountId")
    if wanted.get("dryRun"):
        return {"ok": True, "dryRun": True, "channel": channel, "to": to}
    request = SendParams(
        to=to,
        message=text,
        idempotency_key=params.idempotency_key,
        channel=channel,
        account_id=str(account) if account else None,
        thread_id=str(wanted["threadId"]) if wanted.get("threadId") else None,
        reply_to_id=str(wanted["replyTo"]) if wanted.get("replyTo") else None,
    )
    return {"ok": True, **await _say(parts(call), channel, request)}


METHODS = [
    Method("channels.list", NoParams, listing, "operator.read"),
    Method("channels.status", StatusParams, status, "operator.read"),
    Method("channels.start", AccountParams, start, "operator.admin"),
    Method("channels.stop", AccountParams, stop, "operator.admin"),
    Method("channels.logout", AccountParams, logout, "operator.admin"),
    Method("channels.deadLetters.list", NoParams, dead_letters, "operator.read"),
    Method("channels.deadLetters.resubmit", DeadLetterParams, resubmit, "operator.admin"),
    Method("channels.deadLetters.abandon", DeadLetterParams, abandon, "operator.admin"),
    Method("send", SendParams, send, "operator.write"),
    Method("message.action", ActionParams, message_action, "operator.write"),
]
