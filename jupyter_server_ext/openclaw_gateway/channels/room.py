"""The channels as one thing: opened when the first is configured, reloaded with the config, closed before runs are.

With no channel configured nothing is opened and no other module of this room is used.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from openclaw_gateway.channels.contract import Callback, ChannelError, Receipt, Resolve, Sent, WebhookRequest, WebhookResponse
from openclaw_gateway.channels.conversation import Conversation, House
from openclaw_gateway.channels.delivery import pieces_of, post_answer
from openclaw_gateway.channels.door import Door, Histories, LoopGuard
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
from openclaw_gateway.routing.pairing import Pairing, Pairings, Via
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.safety.approvals import Approval, Approvals
from openclaw_kernel.store.paths import ensure_private_dir
from openclaw_kernel.values.envelope import DEFAULT_ACCOUNT, Attachment, Inbound, Outbound, Peer, Sender, Thread, delivery_id
from openclaw_kernel.values.errors import UserError, invalid, unavailable

APPROVED = "You are known now. Write to me as you like."

log = logging.getLogger(__name__)


_HOUSE = Sender("gateway")
"""Who stands as sender where nobody wrote to us first."""


class ChannelRoom:
    """What the gateway holds. Used from the event loop only."""

    def __init__(
        self,
        config: OpenClawConfig,
        state_dir: Path,
        house: House,
        approvals: Approvals,
        *,
        resolve: Callable[[], Resolve],
        env: Mapping[str, str],
        is_command: Callable[[str], bool],
        menu: Callable[[], Sequence[tuple[str, str]]],
        on_pairing: Callable[[Pairing], None],
        channels: Channels | None = None,
        public_url: Callable[[], str] = lambda: "",
        timing: Timing | None = None,
    ) -> None:
        self.channels = channels or Channels()
        self.problem = ""
        """Why no channel runs at all: a wrong binding or access list. One sentence."""
        self._config = config
        self._dir = state_dir / "channels"
        self._house = house
        self._approvals = approvals
        self._resolve, self._env = resolve, env
        self._is_command = is_command
        self._menu = menu
        self._on_pairing = on_pairing
        self._public_url = public_url
        self._time = timing or Timing()
        self._pairings: Pairings | None = None
        self._open: _Open | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # --- life

    async def start(self) -> None:
        """Opens and starts what the config names. A channel that cannot run is a line in the log, never a stop."""
        if _configured(self._config):
            await self._apply()

    def reconfigure(self, config: OpenClawConfig) -> None:
        """A new config is in force; accounts that changed are restarted behind the scenes."""
        self._config = config
        if self._open is not None or _configured(config):
            task = asyncio.ensure_future(self._apply())
            self._tasks.add(task)
            task.add_done_callback(self._applied)

    async def close(self) -> None:
        """Intake first, then what is being answered, then what is being sent; what is open goes on at the next start."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._open is not None:
            await self._open.manager.close()
            await self._open.inbox.close()
            await self._open.outbox.close()
            self._open = None
        if self._pairings is not None:
            await self._pairings.flush()
            self._pairings.close()
            self._pairings = None

    async def _apply(self) -> None:
        try:
            if self._open is None:
                await asyncio.to_thread(ensure_private_dir, self._dir)
                self._open = self._build()
                await self._open.manager.apply(self._config)
                self._open.outbox.resume()
                self._open.inbox.resume()
            else:
                self._open.router.reconfigure(self._config)
                self._open.door.reconfigure(self._config)
                await self._open.manager.apply(self._config)
            self.problem = ""
        except UserError as error:
            self.problem = str(error)
            log.error("channels: %s", error)

    def _applied(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("the channels could not take the new configuration: %s", error, exc_info=error)

    def _build(self) -> _Open:
        """Opens the ledgers. Raises `UserError`: a wrong binding, a wrong access list, a disk that refuses."""
        router = Router(self._config)
        door = Door(self._config, lambda: self.pairings, self._is_heard_command)
        outbox = Outbox(self._dir / "outbox.jsonl", self._send, ready=self._ready, gap_ms=self._gap_ms, timing=self._time)
        questions = Questions(self._approvals, door, outbox, self.running)
        talk = Conversation(self._house, door, router, outbox, questions, self.running, self._dir / "media", self._time)
        inbox = Inbox(self._dir / "inbox.jsonl", talk.answer, debounce_ms=self._debounce_ms, timing=self._time)
        talk.inbox = inbox
        intake = Intake(
            door,
            lambda: self.pairings,
            inbox,
            outbox,
            Histories(),
            LoopGuard(self._time.now),
            self.running,
            self._is_heard_command,
        )
        manager = Manager(
            self.channels,
            self._dir,
            resolve=self._resolve,
            env=self._env,
            intake=intake.take,
            pressed=questions.pressed,
            menu=self._menu,
            on_ready=outbox.wake,
            public_url=self._public_url,
            timing=self._time,
        )
        return _Open(router, door, outbox, inbox, questions, intake, manager)

    # --- what others ask

    @property
    def pairings(self) -> Pairings:
        """The senders who asked for entry and those who have it. Raises `StoreError`."""
        if self._pairings is None:
            ensure_private_dir(self._dir)
            self._pairings = Pairings(self._dir / "pairings.jsonl", self._time.now)
            self._pairings.on_change.append(self._on_pairing)
        return self._pairings

    @property
    def has_pairings(self) -> bool:
        """Whether anybody ever asked: then the ledger is worth opening."""
        return self._pairings is not None or (self._dir / "pairings.jsonl").exists()

    @property
    def manager(self) -> Manager | None:
        return self._open.manager if self._open is not None else None

    @property
    def inbox(self) -> Inbox | None:
        return self._open.inbox if self._open is not None else None

    @property
    def outbox(self) -> Outbox | None:
        return self._open.outbox if self._open is not None else None

    def running(self, channel: str, account: str) -> Running | None:
        return self._open.manager.get(channel, account) if self._open is not None else None

    async def intake(self, inbound: Inbound) -> Receipt:
        return await self._needed().intake.take(inbound)

    async def pressed(self, callback: Callback) -> str:
        return await self._needed().questions.pressed(callback)

    def approval_changed(self, approval: Approval) -> None:
        if self._open is not None:
            self._open.questions.changed(approval)

    async def webhook(self, channel: str, account: str, request: WebhookRequest) -> WebhookResponse:
        if self._open is None:
            return WebhookResponse(404, b"not found\n")
        return await self._open.manager.webhook(channel, account, request)

    async def deliver(self, outbound: Outbound) -> None:
        """Puts a message of the house into the outbox (`contract.Deliver`)."""
        self._needed().outbox.post(outbound)

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
        """Says `text` in a conversation and waits until it is said or not. `name` is what makes a repeat recognisable.

        Raises `OpenClawError` when the channel does not run.
        """
        opened = self._needed()
        running = opened.manager.account(self.channels.find(channel), account)
        if running.account.problem:
            raise unavailable(running.account.problem)
        if running.plugin.outbound is None:
            raise invalid(f"{channel} cannot be sent to")
        origin = Inbound(running.account.channel, target, _HOUSE, reply_to or "", 0, account=running.account.id, thread=thread)
        ids = [delivery_id(name, number) for number in range(len(pieces_of(running, text)) + len(media))]
        post_answer(opened.outbox, running, origin, name, text, media=media, quote=bool(reply_to))
        return [await opened.outbox.settled(row_id) for row_id in ids if opened.outbox.get(row_id) is not None]

    def approve(self, channel: str, code: str, *, by: str, via: Via, account: str | None = None) -> Pairing:
        """Lets a sender in and tells him so. Raises `PairingError`."""
        row = self.pairings.approve(self.channels.find(channel), code, by=by, via=via, account=account)
        running = self.running(row.channel, row.account)
        if self._open is None or running is None:
            return row
        asked = CHALLENGE_NAME.format(channel=row.channel, account=row.account, sender=row.sender, expires=row.expires_at)
        told = self._open.outbox.get(delivery_id(asked, 0))
        if told is not None:
            adapter = running.plugin.pairing
            where = told.outbound
            origin = Inbound(row.channel, where.target, _HOUSE, "", 0, account=row.account, thread=where.thread)
            text = adapter.approved() if adapter is not None else APPROVED
            post_answer(self._open.outbox, running, origin, f"approved:{asked}", text)
        return row

    def reject(self, channel: str, code: str, *, by: str, account: str | None = None) -> Pairing:
        """Turns a sender down. Raises `PairingError`."""
        return self.pairings.reject(self.channels.find(channel), code, by=by, account=account)

    # --- what the parts ask

    def _needed(self) -> _Open:
        if self._open is None:
            raise unavailable(self.problem or "no channel is configured; add one below channels in openclaw.json")
        return self._open

    def _is_heard_command(self, text: str) -> bool:
        return Questions.is_answer(text) or self._is_command(text)

    def _ready(self, channel: str, account: str) -> bool:
        return self._open is not None and self._open.manager.ready(channel, account)

    def _gap_ms(self, channel: str) -> int:
        opened = self._open
        running = next((row for row in opened.manager.all() if row.account.channel == channel), None) if opened else None
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
        running.last_outbound_at = self._time.now()
        if row.edits is not None:
            await adapter.edit(running.live, row.edits, replace(outbound, reply_to=None))
            return row.edits
        return await adapter.send(running.live, outbound)


class _Open:
    """Everything that exists once a channel is configured."""

    __slots__ = ("door", "inbox", "intake", "manager", "outbox", "questions", "router")

    def __init__(
        self,
        router: Router,
        door: Door,
        outbox: Outbox,
        inbox: Inbox,
        questions: Questions,
        intake: Intake,
        manager: Manager,
    ) -> None:
        self.router, self.door, self.outbox, self.inbox = router, door, outbox, inbox
        self.questions, self.intake, self.manager = questions, intake, manager


def _configured(config: OpenClawConfig) -> bool:
    return any(name != "defaults" and block.get("enabled") is not False for name, block in config.channels.items())


def _all_there(media: Sequence[Attachment]) -> bool:
    return all(Path(item.path).is_file() for item in media)
