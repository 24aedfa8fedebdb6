"""From a heard message to its answer: route, command or run, files, presence, outbox (ROU-01 to ROU-06, SES-04).

Called by the inbox, again after a restart. Every step finds out whether it was done already: the run by its id, the parts of
the answer by their delivery ids.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from openclaw_gateway.channels.attachments import fetched, media_of
from openclaw_gateway.channels.delivery import post_answer
from openclaw_gateway.channels.door import Door
from openclaw_gateway.channels.group_words import group_words
from openclaw_gateway.channels.house import House
from openclaw_gateway.channels.inbox import Inbox
from openclaw_gateway.channels.ledger_rows import Received
from openclaw_gateway.channels.outbox import Outbox
from openclaw_gateway.channels.presence import Presence
from openclaw_gateway.channels.questions import Questions
from openclaw_gateway.channels.running import Running
from openclaw_gateway.channels.streaming import BlockStream, Streamed, block_name, rest_of, rules_for
from openclaw_gateway.channels.timing import Timing
from openclaw_gateway.routing.access import Verdict
from openclaw_gateway.routing.bindings import Refused, Route, Router
from openclaw_kernel.agent.api import Outcome, Receipt, RunRequest
from openclaw_kernel.values.envelope import Inbound
from openclaw_kernel.values.errors import OpenClawError, unavailable
from openclaw_kernel.values.messages import Part, Text, UserMessage

INTERRUPTED = "The gateway was restarted while it worked on this. What it had begun may have happened; send the message again."
STUCK = "This got stuck and was ended; what it had begun may have happened."
TIMED_OUT = "This took too long and was ended."
FAILED_FOR_OTHERS = "Something went wrong; the owner can see why in the log."
WAITS = "Your message waits until what I am doing here is done."
WAITS_AFTER_S = 2.0  # AGT-10
JOINED = "steered"
"""The stop reason of a run whose message became part of another one: that one answers for both."""
_LOST = frozenset({"shutdown", "restart"})

_STOP = re.compile(r"\s*/stop:?\s*", re.IGNORECASE)
_SHORTCUT = re.compile(r"(?<!\S)/(?:help|commands|status|whoami)(?!\S)")

log = logging.getLogger(__name__)


class Conversation:
    """The inbox's handler."""

    def __init__(
        self,
        house: House,
        door: Door,
        router: Router,
        outbox: Outbox,
        questions: Questions,
        running: Callable[[str, str], Running | None],
        media_dir: Path,
        timing: Timing,
    ) -> None:
        self.inbox: Inbox
        self._house = house
        self._door = door
        self._router = router
        self._outbox = outbox
        self._questions = questions
        self._running = running
        self._media_dir = media_dir
        self._time = timing
        self._taken_back: set[str] = set()

    async def answer(self, batch: Sequence[Received]) -> Awaitable[None] | None:
        """Answers a command of the inbox, or hands a batch to the agent and returns the rest (`inbox.Handle`). Raises
        `OpenClawError`, `UserError` or `OSError` when it should be tried again."""
        last = batch[-1].inbound
        running = self._running(last.channel, last.account)
        if running is None:
            raise unavailable(f"{last.channel} account {last.account} does not run")
        verdict = self._door.verdict(last, running.plugin, running.account)
        if verdict.action not in ("hear", "observe"):
            log.info("a message on %s is not answered: %s", last.channel, verdict.reason)
            return None
        route = self._router.route(last)
        if isinstance(route, Refused):
            log.warning("a message on %s was refused: %s", last.channel, route.reason)
            return None
        if batch[0].command:
            await self._command(batch[0], running, verdict, route)
            return None
        batch = [row for row in batch if row.id not in self._taken_back]
        if batch and verdict.action == "hear" and (said := self._answered(batch)) is not None:
            if said:
                post_answer(self._outbox, running, last, batch[-1].run_id, said)
            return None
        return await self._run(batch, running, verdict, route) if batch else None

    def _answered(self, batch: Sequence[Received]) -> str | None:
        """Whether this answers what the assistant asked its sender; see `Asks.take`."""
        asks = self._questions.asks
        return asks.take([row.inbound for row in batch]) if asks is not None else None

    # --- commands

    async def _command(self, row: Received, running: Running, verdict: Verdict, route: Route) -> None:
        """Alone in a message, past queue and model; of a sender who may not command it is ignored (ROU-06)."""
        if not verdict.may_command:
            log.info("a command on %s is ignored: its sender may not command", row.inbound.channel)
            return
        by = f"{row.inbound.channel}:{row.inbound.sender.id}"
        said = self._questions.by_text(row.inbound.command_text, owner=verdict.owner, by=by)
        if said is None:
            taken_back = self._take_back(row) if _STOP.fullmatch(row.inbound.command_text) else 0
            said = await self._house.command(route.session_key, row.inbound.command_text, by if verdict.owner else "")
            if taken_back:
                said = f"{said}\n{taken_back} not yet begun: taken back."
        if said:
            post_answer(self._outbox, running, row.inbound, row.run_id, said)

    def _take_back(self, stop: Received) -> int:
        """What was said in this conversation before `/stop` is not begun any more; how many messages that are."""
        rows = [row for row in self.inbox.pending() if row.lane == stop.lane and not row.command]
        self._taken_back |= {row.id for row in rows}
        return sum(not row.session_key for row in rows)

    async def _shortcuts(self, inbound: Inbound, run_id: str, running: Running, verdict: Verdict, route: Route) -> Inbound:
        """`/status` amid other words is answered at once and taken out; the rest goes to the model (ROU-06)."""
        if not verdict.may_command or "/" not in inbound.text:
            return inbound
        text = inbound.text
        for number, found in enumerate(dict.fromkeys(_SHORTCUT.findall(text))):
            said = await self._house.command(route.session_key, found, "")
            if said:
                post_answer(self._outbox, running, inbound, f"{run_id}:shortcut:{number}", said)
                text = re.sub(rf"(?<!\S){re.escape(found)}(?!\S)[ \t]?", "", text)
        return inbound if text == inbound.text else replace(inbound, text=text.strip())

    # --- runs

    async def _run(self, batch: Sequence[Received], running: Running, verdict: Verdict, route: Route) -> Awaitable[None] | None:
        inbound, run_id = _together(batch), batch[-1].run_id
        outcome = await self._known(run_id)
        if outcome is not None:
            await self._post(outcome, batch, inbound, running, verdict, batch[0].preview)
            return None
        key = batch[0].session_key or route.session_key
        silent = bool(self._withheld(key, inbound))
        presence = Presence(
            running,
            inbound,
            run_id,
            self._outbox,
            typing="never" if silent else self._typing_mode(inbound),
            preview=batch[0].preview,
            shows=not silent and rules_for(running, self._house.defaults()) is None,
            on_preview=lambda message_id: _note(self.inbox, batch, preview=message_id),
            timing=self._time,
        )
        async with AsyncExitStack() as stack:
            stack.callback(self._questions.over, run_id)
            stack.push_async_callback(presence.close)
            stack.callback(self._house.listen(run_id, presence.hear))
            if not silent and (stream := self._stream(batch, inbound, running)) is not None:
                stack.push_async_callback(stream.close)
                stack.callback(self._house.listen(run_id, stream.hear))
            self._questions.asked_by(run_id, inbound, owner=verdict.owner)
            presence.start()
            request = await self._request(inbound, run_id, key, running, verdict, route)
            if all(row.id in self._taken_back for row in batch):
                return None
            self.inbox.note(batch, session_key=key)
            if not self._is_active(run_id):
                receipt = await self._submit(request, inbound, verdict, route)
                if receipt.status == "queued" and not silent and self._house.verbose(key):
                    waits = asyncio.ensure_future(self._tell_waiting(running, inbound, run_id))
                    stack.callback(waits.cancel)
            return self._follow(stack.pop_all(), batch, inbound, running, verdict, presence)

    async def _follow(
        self,
        stack: AsyncExitStack,
        batch: Sequence[Received],
        inbound: Inbound,
        running: Running,
        verdict: Verdict,
        presence: Presence,
    ) -> None:
        """From the moment the agent has a message to its answer in the outbox."""
        run_id = batch[-1].run_id
        async with stack:
            outcome = await self._house.runtime.wait(run_id)
        self._taken_back.difference_update(row.id for row in batch)
        if outcome is None:
            raise unavailable(f"the run {run_id} has no end yet")
        await self._post(outcome, batch, inbound, running, verdict, presence.shown_as)

    def _stream(self, batch: Sequence[Received], inbound: Inbound, running: Running) -> BlockStream | None:
        """Sends parts of the answer as they come, where that is wanted. Each is noted before it is posted."""
        rules, run_id = rules_for(running, self._house.defaults()), batch[-1].run_id
        if rules is None:
            return None

        def post(text: str, at: Streamed) -> None:
            self.inbox.note(batch, streamed=dict(at))
            name = block_name(run_id, at["number"])
            post_answer(self._outbox, running, inbound, name, text, goes_on=at["number"] > 0)

        return BlockStream(rules, post, self._time)

    async def _tell_waiting(self, running: Running, inbound: Inbound, run_id: str) -> None:
        """Says so when a message still waits after two seconds (AGT-10)."""
        await self._time.sleep(WAITS_AFTER_S)
        if self._house.waits(run_id):
            post_answer(self._outbox, running, inbound, f"{run_id}:waits", WAITS)

    async def _known(self, run_id: str) -> Outcome | None:
        """How the run ended, when it ran before a restart."""
        try:
            return await self._house.runtime.wait(run_id, 0)
        except OpenClawError as unknown:
            log.debug("run %s is new: %s", run_id, unknown)
            return None

    def _is_active(self, run_id: str) -> bool:
        return any(run.run_id == run_id for run in self._house.runtime.active())

    async def _request(
        self, inbound: Inbound, run_id: str, key: str, running: Running, verdict: Verdict, route: Route
    ) -> RunRequest:
        """The message as the agent takes it, its files fetched."""
        inbound = await self._shortcuts(inbound, run_id, running, verdict, route)
        folder = self._house.workspace(route.agent) / "inbound" / run_id
        files = await fetched(running, inbound.attachments, folder)
        text = inbound.agent_text
        content: tuple[Part, ...] = (*((Text(text),) if text else ()), *files)
        meta = {
            "senderIsOwner": verdict.owner,
            "idempotencyKey": f"{run_id}:user",
            "channel": inbound.channel,
            "accountId": inbound.account,
            "senderId": inbound.sender.id,
            "senderName": inbound.sender.name or inbound.sender.username,
            "chatType": inbound.peer.kind,
        }
        message = UserMessage(content or (Text("[An empty message]"),), self._time.now(), f"{run_id}:user", meta)
        skill = None
        if verdict.may_command and self._house.skill is not None and inbound.command_text.startswith("/"):
            skill = await self._house.skill(key, inbound.command_text)
        extra = "\n\n".join(part for part in (group_words(running.account.settings, inbound), skill) if part)
        client = f"channel:{inbound.channel}"
        return RunRequest(run_id, key, message, extra_system_prompt=extra or None, client_id=client, queue="session")

    async def _submit(self, request: RunRequest, inbound: Inbound, verdict: Verdict, route: Route) -> Receipt:
        key = request.session_key
        receipt = await self._house.runtime.submit(request)
        if self._house.received is not None:
            self._house.received(key, inbound)
        # With one main session for everybody a stranger's message must not turn the owner's answers to him (SES-04).
        if verdict.owner or key != route.main_session_key:
            self._house.heard(key, inbound)
        return receipt

    async def _post(
        self,
        outcome: Outcome,
        batch: Sequence[Received],
        inbound: Inbound,
        running: Running,
        verdict: Verdict,
        preview: str,
    ) -> None:
        if outcome.stop_reason == JOINED:
            return
        if rule := self._withheld(outcome.session_key, inbound):
            log.info("the answer of run %s stays in its session and is not sent: %s", outcome.run_id, rule)
            return
        text = _words(outcome, verdict.owner)
        row = self.inbox.get(batch[0].id)
        streamed = row.streamed if row is not None else None
        if outcome.status == "ok":
            text = rest_of(text, outcome.run_id, streamed, self._outbox.get)
        details = self._house.details(outcome.session_key, outcome.run_id) if outcome.status == "ok" else ()
        media = await media_of(details, self._media_dir, running.plugin.capabilities.media_bytes)
        if text or media:
            post_answer(
                self._outbox, running, inbound, outcome.run_id, text, media=media, preview=preview, goes_on=streamed is not None
            )

    def _withheld(self, key: str, inbound: Inbound) -> str:
        return self._house.withheld(key, inbound.channel, inbound.peer.kind)

    def _typing_mode(self, inbound: Inbound) -> str:
        """AGT-18: at once in private, with the first word elsewhere, unless the config says otherwise."""
        return self._house.typing_mode() or ("instant" if inbound.peer.kind == "direct" else "message")


def _note(inbox: Inbox, batch: Sequence[Received], **changes: Any) -> None:
    inbox.note(batch, **changes)


def _together(batch: Sequence[Received]) -> Inbound:
    """Several messages as one: their words under one another, answered where the last one stands (CHN-12)."""
    last = batch[-1].inbound
    if len(batch) == 1:
        return last
    history = tuple(line for row in batch for line in row.inbound.history)
    text = "\n".join(row.inbound.text for row in batch if row.inbound.text)
    return replace(last, text=text, history=history)


def _words(outcome: Outcome, owner: bool) -> str:
    """What to tell about the end of a run; empty for a silent answer and for what a person stopped."""
    match outcome.status:
        case "ok":
            return outcome.message.text if outcome.message is not None else ""
        case "timeout":
            return TIMED_OUT
        case "aborted":
            return STUCK if outcome.stop_reason == "stuck" else INTERRUPTED if outcome.stop_reason in _LOST else ""
        case _:
            sentence = outcome.error.message if outcome.error is not None else ""
            return f"⚠️ {sentence}" if owner and sentence else FAILED_FOR_OTHERS
