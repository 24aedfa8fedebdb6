"""While an answer is made: "is typing", and the answer growing in one message by edits (AGT-17, AGT-18)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from openclaw_gateway.channels.contract import ChannelError, Sent
from openclaw_gateway.channels.delivery import pieces_of
from openclaw_gateway.channels.outbox import Outbox
from openclaw_gateway.channels.running import Running
from openclaw_gateway.channels.timing import Timing
from openclaw_kernel.values.envelope import Inbound, answer
from openclaw_kernel.values.events import MessageDelta, MessageStarted, RunEvent

TYPING_EVERY_S = 6.0
FIRST_CHARS = 20
"""So much is waited for, lest the first thing shown is half a word."""
EDIT_EVERY_S = 1.0
"""Platforms count edits like messages: the growing text is shown once a second at most."""
CLOSE_LIMIT_S = 15.0

log = logging.getLogger(__name__)


class Presence:
    """Follows one run. `close` ends both; what the preview said is replaced by the answer itself. Without `shows` there is no
    preview: the parts of the answer are messages of their own."""

    def __init__(
        self,
        running: Running,
        inbound: Inbound,
        run_id: str,
        outbox: Outbox,
        *,
        typing: str,
        preview: str,
        shows: bool,
        on_preview: Callable[[str], None],
        timing: Timing,
    ) -> None:
        self._running = running
        self._inbound = inbound
        self._run_id = run_id
        self._outbox = outbox
        self._typing_mode = typing
        self.shown_as = preview
        """The id of the preview message, empty when there is none."""
        self._shows = shows
        self._on_preview = on_preview
        self._time = timing
        self._text = ""
        self._shown = ""
        self._news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._typing_on = False
        self._sending: asyncio.Task[bool] | None = None

    def start(self) -> None:
        caps, outbound = self._running.plugin.capabilities, self._running.plugin.outbound
        if outbound is None:
            return
        if caps.typing and self._typing_mode == "instant":
            self._type()
        if (
            self._shows
            and caps.edit
            and getattr(self._running.account.settings, "streaming", "off") in ("partial", "block", "progress")
        ):
            self._tasks.append(asyncio.ensure_future(self._preview()))

    def hear(self, event: RunEvent) -> None:
        """An event of the run."""
        match event.event:
            case MessageStarted():
                self._text = ""
            case MessageDelta(_, delta, kind):
                if kind == "text":
                    self._text += delta
                    self._news.set()
                if self._typing_mode == "thinking" or (self._typing_mode == "message" and kind == "text"):
                    self._type()
            case _:
                pass

    async def close(self) -> None:
        """Ends both. A send under way is waited for, because its message is there."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._sending is not None:
            with suppress(ChannelError):
                await asyncio.wait_for(self._sending, CLOSE_LIMIT_S)

    def _type(self) -> None:
        if not self._typing_on and self._running.plugin.capabilities.typing:
            self._typing_on = True
            self._tasks.append(asyncio.ensure_future(self._keep_typing()))

    async def _keep_typing(self) -> None:
        outbound = self._running.plugin.outbound
        while outbound is not None and self._running.ready:
            try:
                await outbound.typing(self._running.live, self._inbound.peer, self._inbound.thread)
            except ChannelError as error:
                log.debug("typing on %s: %s", self._inbound.channel, error)
                return
            await self._time.sleep(TYPING_EVERY_S)

    async def _preview(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            text = self._text
            if not self._worth_showing(text):
                continue
            try:
                self._sending = asyncio.ensure_future(self._show(text))
                if not await asyncio.shield(self._sending):
                    return
            except ChannelError as error:
                log.info("the preview on %s ends: %s", self._inbound.channel, error)
                return
            await self._time.sleep(EDIT_EVERY_S)
            if self._text != text:
                self._news.set()

    def _worth_showing(self, text: str) -> bool:
        return len(text.strip()) >= FIRST_CHARS and text != self._shown

    async def _show(self, text: str) -> bool:
        """False once the answer does not fit into one message any more."""
        pieces = pieces_of(self._running, text)
        adapter = self._running.plugin.outbound
        if len(pieces) != 1 or adapter is None or not self._running.ready:
            return len(pieces) < 2
        await self._outbox.slot(self._inbound.channel, self._inbound.account)
        outbound = answer(self._inbound, self._run_id, text=pieces[0][1])
        if self.shown_as:
            await adapter.edit(self._running.live, Sent(self.shown_as), outbound)
        else:
            sent = await adapter.send(self._running.live, outbound)
            self.shown_as = sent.message_id
            self._on_preview(sent.message_id)
        self._shown = text
        return True
