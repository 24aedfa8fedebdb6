"""What the house says of itself: through a channel, or as words in an agent's main session (AUT-07)."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from openclaw_gateway.automation.contract import Announce, Announcement, Withheld
from openclaw_gateway.channels.states import DEAD
from openclaw_gateway.methods.chat import gateway_message
from openclaw_gateway.methods.services import GatewayServices
from openclaw_gateway.routing.target import target_id
from openclaw_kernel.values.envelope import Peer, Thread
from openclaw_kernel.values.errors import UserError, invalid
from openclaw_kernel.values.events import MessageStored
from openclaw_kernel.values.messages import AssistantMessage

log = logging.getLogger(__name__)

LOOK_BACK = 200
"""How many messages of the main session are searched for an announcement that is already there."""
SEND_S = 60.0
"""An announcement that is not out by then is left to the outbox."""
HERE = ("last", "owner")


def announcer(services: GatewayServices, *, tells_withheld: bool = False) -> Announce:
    """`tells_withheld` raises `Withheld` for what the send policy keeps here, which otherwise reaches nobody.

    `last` and `owner` are where the agent last heard its person; where that was no channel, its main session."""

    async def announce(note: Announcement) -> bool:
        try:
            return await tell(note)
        except Withheld:
            if tells_withheld:
                raise
            return False

    async def tell(note: Announcement) -> bool:
        entry = services.sessions.get(services.main_key(note.agent_id))
        last, to = (entry.last_channel or "", entry.last_to or "") if entry is not None else ("", "")
        if note.channel == "session" or (note.channel in HERE and not last):
            _into_main(services, note)
            return True
        if note.channel in HERE:
            return await _through_channel(services, last, note.to or to, note)
        target = note.to or (to if note.channel == last else "")
        if not target:
            raise invalid(f"delivery to {note.channel} needs a target; set `to`")
        return await _through_channel(services, note.channel, target, note)

    return announce


async def _through_channel(services: GatewayServices, channel: str, to: str, note: Announcement) -> bool:
    room = services.channels
    channel = room.channels.find(channel)
    text = target_id(to, channel, tuple(room.channels.manifests()))
    messaging = room.channels.plugin(channel).messaging
    peer, thread = messaging.target(text) if messaging is not None else _peer(text)
    if peer.kind == "direct" and not note.direct:
        return False
    if rule := services.withheld(services.chat_key(note.agent_id, channel, peer), channel, peer.kind):
        log.info("announcement %s is not sent to %s: %s", note.delivery_id, channel, rule)
        raise Withheld(f"Nothing is sent to {channel}:{text}, by {rule}.")
    try:
        async with asyncio.timeout(SEND_S):
            rows = await room.say(channel, peer, note.text, note.delivery_id, account=note.account or None, thread=thread)
    except TimeoutError:
        return True  # the row is in the outbox and goes out when the account is connected
    if failed := [row for row in rows if row.state in DEAD]:
        raise UserError(f"{channel} did not take the message: {failed[0].error or failed[0].state}.")
    return bool(rows)


def _peer(text: str) -> tuple[Peer, Thread | None]:
    kind, _, rest = text.partition(":")
    if rest and kind == "group":
        return Peer("group", rest), None
    if rest and kind == "channel":
        return Peer("channel", rest), None
    return Peer("direct", text), None


def _into_main(services: GatewayServices, note: Announcement) -> None:
    """As words of the gateway in the main session, once."""
    key = services.main_key(note.agent_id)
    session = services.sessions.open(key)
    for stored in session.transcript.tail(LOOK_BACK):
        if isinstance(stored.message, AssistantMessage) and stored.message.meta.get("deliveryId") == note.delivery_id:
            return
    message = replace(gateway_message(services, note.text), meta={"deliveryId": note.delivery_id})
    stored = services.sessions.append(session, message)
    services.projection.message(key, note.agent_id, MessageStored(stored.entry_id, stored.seq, message))
    services.projection.reply(key, note.agent_id, f"announce-{note.delivery_id}", note.text)
