"""`channels.pairing.*`: who may write on a channel (ROU-04).

Answers hold the published shape (`requests`, named by `requestId`) beside our own rows. A request is named by its code: who may
ask for the list sees the codes anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import AliasChoices, Field

from openclaw_gateway.methods.services import Params, parts
from openclaw_gateway.protocol.broadcast import Broadcaster
from openclaw_gateway.protocol.dispatch import Call, Method
from openclaw_kernel.values.clock import Clock, iso

if TYPE_CHECKING:
    from openclaw_gateway.channels.room import ChannelRoom
    from openclaw_gateway.routing.pairing import Pairing, Via

SCOPE = "operator.pairing"


class ListParams(Params):
    channel: str | None = None
    account_id: str | None = None


class SettleParams(Params):
    channel: str = Field(min_length=1, max_length=64)
    code: str = Field(min_length=1, max_length=64, validation_alias=AliasChoices("code", "requestId"))
    account_id: str | None = Field(default=None, validation_alias=AliasChoices("accountId", "account"))


class ApproveParams(SettleParams):
    notify: bool | None = None
    bootstrap_command_owner: bool | None = None


def pairing_wire(row: Pairing) -> dict[str, Any]:
    """A request as people with `operator.pairing` see it. The code is theirs to compare; it is in no log."""
    return {
        "channel": row.channel,
        "accountId": row.account,
        "senderId": row.sender,
        "senderName": row.name,
        "code": row.code,
        "state": row.state,
        "createdAtMs": row.created_at,
        "expiresAtMs": row.expires_at,
        "owner": row.owner,
    }


def announce(row: Pairing, broadcaster: Broadcaster, clock: Clock) -> None:
    """Tells connections with the scope `operator.pairing` of a new request or its end."""
    wire = pairing_wire(row) | {"ts": clock()}
    if row.state == "pending":
        broadcaster.send("channel.pairing.requested", wire, scope=SCOPE)
    else:
        ended = wire | {"decision": row.state, "resolvedBy": row.settled_by or None}
        broadcaster.send("channel.pairing.resolved", ended, scope=SCOPE)


async def listing(params: ListParams, call: Call) -> dict[str, Any]:
    room = parts(call).channels
    pending: list[Pairing] = []
    approved: list[Pairing] = []
    if room.has_pairings:
        channel = room.channels.find(params.channel) if params.channel else None
        pending = room.pairings.pending(channel, params.account_id)
        approved = [row for row in room.pairings.approved() if channel in (None, row.channel)]
    return {
        "pending": [pairing_wire(row) for row in pending],
        # A code that was used is of no use any more.
        "approved": [pairing_wire(row) | {"code": None} for row in approved],
        **_published(room, pending),
    }


def _published(room: ChannelRoom, pending: list[Pairing]) -> dict[str, Any]:
    """The list as the published schema has it. Whoever is let in is always told so."""
    from openclaw_gateway.routing.pairing import LIFETIME_MS, MAX_PENDING

    accounts = [row.account for row in room.manager.all()] if room.manager is not None else []
    manifests = room.channels.manifests() if accounts or pending else {}

    def place(channel: str, account: str) -> dict[str, Any]:
        label = manifests[channel].meta.label if channel in manifests else channel
        return {"channel": channel, "channelLabel": label, "accountId": account, "notifySupported": True}

    requests = [
        place(row.channel, row.account)
        | {"requestId": row.code, "senderId": row.sender, "senderLabel": row.name or row.sender}
        | {"createdAt": iso(row.created_at), "lastSeenAt": iso(row.created_at), "expiresAt": iso(row.expires_at)}
        for row in pending
    ]
    return {
        "accounts": [place(row.channel, row.id) for row in accounts],
        "requests": requests,
        "commandOwnerConfigured": room.has_pairings and bool(room.pairings.owners()),
        "limits": {"pendingPerAccount": MAX_PENDING, "ttlMs": LIFETIME_MS},
    }


async def approve(params: ApproveParams, call: Call) -> dict[str, Any]:
    """The first approval by a person names the owner; later ones open direct messages only (ROU-04)."""
    room = parts(call).channels
    row = room.approve(params.channel, params.code, by=call.by, via=_via(call), account=params.account_id)
    await room.pairings.flush()
    owner = "configured" if row.owner else "already-configured"
    settled = {"requestId": row.code, "notification": "sent", "commandOwnerBootstrap": owner}
    return pairing_wire(row) | settled | {"code": None, "approved": True}


async def reject(params: SettleParams, call: Call) -> dict[str, Any]:
    room = parts(call).channels
    row = room.reject(params.channel, params.code, by=call.by, account=params.account_id)
    await room.pairings.flush()
    return pairing_wire(row) | {"requestId": row.code, "code": None, "rejected": True}


def _via(call: Call) -> Via:
    return "cli" if call.connection.client.mode == "cli" else "ui"


METHODS = [
    Method("channels.pairing.list", ListParams, listing, SCOPE),
    Method("channels.pairing.approve", ApproveParams, approve, SCOPE),
    Method("channels.pairing.reject", SettleParams, reject, SCOPE),
    Method("channels.pairing.dismiss", SettleParams, reject, SCOPE),
]
