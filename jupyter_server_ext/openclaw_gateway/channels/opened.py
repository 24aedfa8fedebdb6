"""Everything that exists once a channel is configured: ledgers, door, router, answers and accounts, joined to one another."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from openclaw_gateway.channels.contract import Callback, ChannelError, Receipt, Resolve, Sent, WebhookRequest, WebhookResponse
from openclaw_gateway.channels.conversation import Conversation
from openclaw_gateway.channels.delivery import pieces_of, post_answer
from openclaw_gateway.channels.door import Door, Histories, LoopGuard
from openclaw_gateway.channels.expiry import Expiry
from openclaw_gateway.channels.house import House
from openclaw_gateway.channels.inbox import DEBOUNCE_MS, Inbox
from openclaw_gateway.channels.intake import CHALLENGE_NAME, Intake
from openclaw_gateway.channels.ledger_rows import Delivery
from openclaw_gateway.channels.manager import Manager
from openclaw_gateway.channels.outbox import Outbox
from openclaw_gateway.channels.questions import Questions
from openclaw_gateway.channels.registry import Channels
from openclaw_gateway.channels.running import Running
from openclaw_gateway.channels.timing import Timing
from openclaw_gateway.routing.bindings import Router
from openclaw_gateway.routing.pairing import Pairing, Pairings
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.safety.approvals import Approval, Approvals
from openclaw_kernel.tools.questions import Asked as AskedRow
from openclaw_kernel.tools.questions import Questions as Asked
from openclaw_kernel.values.envelope import DEFAULT_ACCOUNT, Attachment, Inbound, Outbound, Peer, Sender, Thread, delivery_id
from openclaw_kernel.values.errors import OpenClawError, invalid, unavailable
from openclaw_kernel.values.session_key import DEFAULT_AGENT

APPROVED = "You are known now. Write to me as you like."
_HOUSE = Sender("gateway")
"""Who stands as sender where nobody wrote to us first."""

log = logging.getLogger(__name__)


class Opened:
    """Opening it raises `UserError`: a wrong binding, a wrong access list, a disk that refuses."""

    def __init__(
        self,
        config: OpenClawConfig,
        folder: Path,
        house: House,
        approvals: Approvals,
        channels: Channels,
        *,
        pairings: Callable[[], Pairings],
        resolve: Callable[[], Resolve],
        env: Mapping[str, str],
        is_command: Callable[[str], bool],
        menu: Callable[[], Sequence[tuple[str, str]]],
        public_url: Callable[[], str],
        timing: Timing,
        asked: Asked | None = None,
    ) -> None:
        self._config = config
        self._house = house
        self._time = timing

        def is_heard_command(text: str) -> bool:
            return Questions.is_answer(text) or is_command(text)

        self.router = Router(config)
        self.door = Door(config, pairings, is_heard_command)
        self.outbox = Outbox(folder / "outbox.jsonl", self._send, ready=self._ready, gap_ms=self._gap_ms, timing=timing)
        self.questions = Questions(approvals, self.door, self.outbox, self.running, asked, lambda: self._config.approvals.exec)
        talk = Conversation(house, self.door, self.router, self.outbox, self.questions, self.running, folder / "media", timing)
        self.inbox = Inbox(folder / "inbox.jsonl", talk.answer, debounce_ms=self._debounce_ms, timing=timing)
        talk.inbox = self.inbox
        self._expiry = Expiry(
            lambda: [folder / "media", *(house.workspace(agent) / "inbound" for agent in self._agents())],
            self._needed,
            lambda: self._config.attachments.retention_days,
            timing.now,
        )
        self._intake = Intake(
            self.door,
            pairings,
            self.inbox,
            self.outbox,
            Histories(),
            LoopGuard(timing.now),
            self.running,
            is_heard_command,
        )
        self.manager = Manager(
            channels,
            folder,
            resolve=resolve,
            env=env,
            intake=self._intake.take,
            pressed=self.questions.pressed,
            menu=menu,
            on_ready=self.outbox.wake,
            on_change=house.changed or (lambda: None),
            public_url=public_url,
            timing=timing,
        )

    async def start(self) -> None:
        """Accounts first: what is open in the ledgers belongs to them."""
        await self.manager.apply(self._config)
        self.outbox.resume()
        self.inbox.resume()
        self._expiry.start()

    async def reconfigure(self, config: OpenClawConfig) -> None:
        """Raises `UserError` for a config that cannot be used; the old one stays in force then."""
        self.router.reconfigure(config)
        self.door.reconfigure(config)
        self._config = config
        await self.manager.apply(config)

    async def close(self) -> None:
        """Intake first, then what is being answered, then what is being sent; what is open goes on at the next start."""
        await self._expiry.close()
        await self.manager.close()
        await self.inbox.close()
        await self.outbox.close()

    # --- what goes on

    def running(self, channel: str, account: str) -> Running | None:
        return self.manager.get(channel, account)

    async def intake(self, inbound: Inbound) -> Receipt:
        return await self._intake.take(inbound)

    async def pressed(self, callback: Callback) -> str:
        return await self.questions.pressed(callback)

    def approval_changed(self, approval: Approval) -> None:
        self.questions.changed(approval)

    def question_changed(self, row: AskedRow) -> None:
        if self.questions.asks is not None:
            self.questions.asks.changed(row)

    async def webhook(self, channel: str, account: str, request: WebhookRequest) -> WebhookResponse:
        return await self.manager.webhook(channel, account, request)

    async def say(
        self,
        channel: str,
        target: Peer,
        text: str,
        name: str,
        *,
        account: str | None = None,
        thread: Thread | None = None,
        reply_to: str | None = None,
        media: Sequence[Attachment] = (),
    ) -> list[Delivery]:
        """See `ChannelRoom.say`."""
        running = self.manager.account(channel, account)
        if running.account.problem:
            raise unavailable(running.account.problem)
        if running.plugin.outbound is None:
            raise invalid(f"{channel} cannot be sent to")
        origin = Inbound(running.account.channel, target, _HOUSE, reply_to or "", 0, account=running.account.id, thread=thread)
        count = len(pieces_of(running, text)) + len(media)
        post_answer(self.outbox, running, origin, name, text, media=media, quote=bool(reply_to))
        ids = [delivery_id(name, number) for number in range(count)]
        rows = [await self.outbox.settled(row_id) for row_id in ids if self.outbox.get(row_id) is not None]
        for row in rows:
            if row.state != "done":
                details = {"deliveryId": row.id, "state": row.state}
                raise OpenClawError("UNAVAILABLE", row.error or f"the message is {row.state}", details)
        return rows

    def tell_approved(self, row: Pairing) -> None:
        """Says to a sender that he is known now, where he got his code."""
        running = self.running(row.channel, row.account)
        asked = CHALLENGE_NAME.format(channel=row.channel, account=row.account, sender=row.sender, expires=row.expires_at)
        told = self.outbox.get(delivery_id(asked, 0))
        if running is None or told is None:
            return
        adapter, where = running.plugin.pairing, told.outbound
        origin = Inbound(row.channel, where.target, _HOUSE, "", 0, account=row.account, thread=where.thread)
        text = adapter.approved() if adapter is not None else APPROVED
        post_answer(self.outbox, running, origin, f"approved:{asked}", text)

    def deliver(self, outbound: Outbound) -> None:
        self.outbox.post(outbound)

    # --- what the parts ask

    def _agents(self) -> list[str]:
        return [agent.id for agent in self._config.agents.list] or [DEFAULT_AGENT]

    def _needed(self) -> set[str]:
        """Files of what waits or may be sent again, and folders of messages that are not answered yet."""
        rows = [*self.outbox.pending(), *self.outbox.dead()]
        files = {item.path for row in rows for item in row.outbound.media}
        folders = {Path(path).parent.name for path in files}
        return files | folders | {row.run_id for row in (*self.inbox.pending(), *self.inbox.dead())}

    def _ready(self, channel: str, account: str) -> bool:
        return self.manager.ready(channel, account)

    def _gap_ms(self, channel: str) -> int:
        running = next((row for row in self.manager.all() if row.account.channel == channel), None)
        return running.plugin.capabilities.min_gap_ms if running is not None else 0

    def _debounce_ms(self, channel: str) -> int:
        """`messages.inbound.byChannel.<id>`, else `messages.inbound.debounceMs`, else 2 s (CHN-12)."""
        inbound = self._config.messages.get("inbound")
        rows = inbound if isinstance(inbound, Mapping) else {}
        by_channel = rows.get("byChannel")
        own = by_channel.get(channel) if isinstance(by_channel, Mapping) else None
        value: Any = own if own is not None else rows.get("debounceMs")
        return value if isinstance(value, int) and 0 <= value <= 60_000 else DEBOUNCE_MS

    async def _send(self, row: Delivery) -> Sent:
        running = self.running(row.outbound.channel, row.outbound.account or DEFAULT_ACCOUNT)
        adapter = running.plugin.outbound if running is not None else None
        if running is None or adapter is None or running.live is None:
            raise ChannelError("the account is not connected")
        outbound = row.outbound
        if outbound.media and not await asyncio.to_thread(_all_there, outbound.media):
            raise ChannelError("a file of the message is not there any more", "refused")
        if self._house.before_send is not None:
            outbound = await self._house.before_send(outbound)
        running.last_outbound_at = self._time.now()
        if row.edits is not None:
            await adapter.edit(running.live, row.edits, replace(outbound, reply_to=None))
            sent = row.edits
        else:
            sent = await adapter.send(running.live, outbound)
        if self._house.after_send is not None:
            self._house.after_send(outbound, sent.message_id)
        return sent


def _all_there(media: Sequence[Attachment]) -> bool:
    return all(Path(item.path).is_file() for item in media)
