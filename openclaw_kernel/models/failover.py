"""When a model fails before it has said anything: the same again, then the next credential, then the next model (MOD-08).

A provider itself: `Failover(route).stream(call)` asks `call.model`, then `call.fallbacks`. What has begun to answer is never
begun again, because nobody should read two beginnings. What the user stopped stays stopped.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from openclaw_kernel.models.answer import Answer
from openclaw_kernel.models.api import Asked, Model, ModelCall, ModelStream
from openclaw_kernel.models.profiles import Profile, Profiles
from openclaw_kernel.values.clock import Clock
from openclaw_kernel.values.errors import UserError
from openclaw_kernel.values.events import (
    Done,
    Error,
    ModelEvent,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
)
from openclaw_kernel.values.messages import AssistantMessage, ErrorKind, ModelFailure
from openclaw_kernel.values.stream import AbortSignal, EventStream

RETRY: frozenset[ErrorKind] = frozenset(("rate_limit", "overloaded"))
"""Worth the same again after a wait."""
NEXT_CREDENTIAL: frozenset[ErrorKind] = frozenset(("rate_limit", "overloaded", "network", "timeout", "auth", "billing"))
NEXT_MODEL: frozenset[ErrorKind] = frozenset(("model_not_found", "unknown"))
"""Another key would meet the same end. A refusal, a context too long or a used-up budget would meet it at any model."""
RETRIES = 3  # MOD-08
RETRY_WINDOW_MS = 90_000
PATIENCE_MS = 10_000
"""A longer wait is not waited out while another credential or model could be asked."""
CAP_BASE, CAP_EACH, CAP_MIN, CAP_MAX = 24, 8, 32, 160  # MOD-09
KEPT_RUNS = 256
_VISIBLE = (TextDelta, ThinkingDelta, ToolCallStart, ToolCallDelta, ToolCallEnd)

Sleep = Callable[[float], Awaitable[None]]
Next = Literal["end", "retry", "credential", "model"]


class Credentials(Protocol):
    """Where credentials come from."""

    def order(self, provider: str, session_key: str) -> list[Profile]:
        """The provider's credentials in the order they are to be tried; empty when there is none."""

    def mark(self, profile: Profile) -> str:
        """The key as it is kept, to tell one from the next; empty when it cannot be read. Blocks on nothing."""

    async def secret(self, profile: Profile) -> str:
        """What the call is signed with, renewed where need be. Raises `UserError`."""

    def missing(self, provider: str) -> str:
        """One sentence on where to put a key."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model with one of its credentials; `None` when there is none."""

    model: Model
    profile: Profile | None


@dataclass(slots=True)
class _Ask:
    """One call under way."""

    call: ModelCall
    emit: Callable[[ModelEvent], None]
    signal: AbortSignal
    cap: int
    probing: bool
    last: tuple[Candidate, ModelFailure] | None = None
    started_at: int = 0
    retries: int = 0


@dataclass(slots=True)
class _Heard:
    """What one attempt sends. Events are held back until there is something to see: a failed attempt leaves no trace."""

    emit: Callable[[ModelEvent], None]
    visible: bool = False
    held: list[ModelEvent] = field(default_factory=list)

    def __call__(self, event: ModelEvent) -> None:
        if isinstance(event, Done | Error):
            return
        if self.visible:
            self.emit(event)
            return
        self.held.append(event)
        if isinstance(event, _VISIBLE):
            self.visible = True
            self.release()

    def release(self) -> None:
        for event in self.held:
            self.emit(event)
        self.held.clear()


class Failover:
    """Wraps a route to one model with one credential. `book` hears of every attempt's message, also of failed ones."""

    def __init__(
        self,
        route: Callable[[ModelCall], ModelStream],
        credentials: Credentials,
        profiles: Profiles,
        clock: Clock,
        *,
        book: Callable[[ModelCall, AssistantMessage], None] = lambda _call, _message: None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._route = route
        self._credentials = credentials
        self._profiles = profiles
        self._clock = clock
        self._book = book
        self._sleep = sleep
        self._failed: OrderedDict[str, int] = OrderedDict()

    def stream(self, call: ModelCall) -> ModelStream:
        async def produce(emit: Callable[[ModelEvent], None], signal: AbortSignal) -> AssistantMessage:
            message = await self._answer(call, emit, signal)
            emit(Error(message) if message.stop_reason in ("error", "aborted") else Done(message))
            return message

        return EventStream(produce)

    async def _answer(self, call: ModelCall, emit: Callable[[ModelEvent], None], signal: AbortSignal) -> AssistantMessage:
        candidates, probing = self._candidates(call)
        count = len({candidate.profile.id for candidate in candidates if candidate.profile is not None})
        ask = _Ask(call, emit, signal, cap(count), probing)
        message: AssistantMessage | None = None
        skip = ""
        for index, candidate in enumerate(candidates):
            if candidate.model.ref == skip:
                continue
            message, following = await self._try(ask, candidate, candidates[index + 1 :])
            if following == "end":
                return message
            if following == "model":
                skip = candidate.model.ref
        assert message is not None
        return message

    def _candidates(self, call: ModelCall) -> tuple[list[Candidate], bool]:
        """Whom to ask, in order. When all are to be left alone, the one that is free first is asked once (`probing`)."""
        ready: list[Candidate] = []
        waiting: list[tuple[int, Candidate]] = []
        for model in _once(call.model, *call.fallbacks):
            profiles = self._credentials.order(model.provider, call.account.session_key)
            if not profiles:
                ready.append(Candidate(model, None))
            for profile in profiles:
                at = self._profiles.ready_at(profile.id, model.id, self._credentials.mark(profile))
                if at:
                    waiting.append((at, Candidate(model, profile)))
                else:
                    ready.append(Candidate(model, profile))
        if any(candidate.profile is not None for candidate in ready) or not waiting:
            return ready, False
        return [min(waiting, key=lambda pair: pair[0])[1]], True

    async def _try(self, ask: _Ask, candidate: Candidate, rest: list[Candidate]) -> tuple[AssistantMessage, Next]:
        """One candidate until it answers or is given up; the message, and how to go on."""
        ask.started_at, ask.retries = self._clock(), 0
        while True:
            message, spoke = await self._attempt(ask, candidate)
            failure = message.error
            if message.stop_reason != "error" or failure is None or spoke or ask.signal.aborted:
                return message, "end"
            ask.last = (candidate, failure)
            following = self._after(ask, candidate, failure, bool(rest))
            if following != "retry":
                return message, following
            wait = self._wait_ms(candidate, failure) / 1000
            if not await self._pause(wait, ask.signal):
                return Answer(candidate.model, lambda _event: None, self._clock).abort(ask.signal.reason), "end"
            ask.retries += 1

    async def _attempt(self, ask: _Ask, candidate: Candidate) -> tuple[AssistantMessage, bool]:
        """Asks once; the message, and whether anything of it was seen."""
        model, profile = candidate.model, candidate.profile
        call = replace(ask.call, model=model, fallbacks=(), on_ask=None)
        heard = _Heard(ask.emit)
        if ask.call.on_ask is not None:
            ask.call.on_ask(_asked(ask.last, candidate))
        message = await self._ask(call, profile, heard, ask.signal)
        self._book(call, message)
        if message.stop_reason == "error" and message.error is not None:
            if profile is not None:
                self._profiles.failed(profile.id, model.id, message.error, self._credentials.mark(profile))
        elif profile is not None and profile.source != "none" and message.stop_reason != "aborted":
            self._profiles.succeeded(profile.id, model.id)
            self._profiles.prefer(call.account.session_key, model.provider, profile.id)
        elif profile is not None and message.stop_reason != "aborted":
            self._profiles.recovered(profile.id, model.id)
        if message.stop_reason != "error":
            heard.release()
        return message, heard.visible

    async def _ask(self, call: ModelCall, profile: Profile | None, heard: _Heard, signal: AbortSignal) -> AssistantMessage:
        if profile is not None:
            try:
                credential = call.credential or await self._credentials.secret(profile)
            except UserError as error:
                return _failed(call.model, str(error), self._clock)
        elif not (credential := call.credential):
            return _failed(call.model, self._credentials.missing(call.model.provider), self._clock)
        return await self._route(replace(call, credential=credential)).inside(heard, signal)

    def _after(self, ask: _Ask, candidate: Candidate, failure: ModelFailure, others: bool) -> Next:
        """How to go on after a failure nobody saw anything of (MOD-10)."""
        if self._count(ask.call.account.run_id) >= ask.cap:
            return "end"
        if failure.kind in NEXT_MODEL:
            return "model"
        if failure.kind not in NEXT_CREDENTIAL:
            return "end"
        if failure.kind in RETRY and ask.retries < RETRIES and not ask.probing and candidate.profile is not None:
            wait = self._wait_ms(candidate, failure)
            in_time = self._clock() + wait - ask.started_at <= RETRY_WINDOW_MS
            if in_time and (wait <= PATIENCE_MS or not others):
                return "retry"
        return "credential"

    def _wait_ms(self, candidate: Candidate, failure: ModelFailure) -> int:
        """Until the credential may be used again."""
        assert candidate.profile is not None
        row = self._profiles.health(candidate.profile.id, candidate.model.id)
        return max(0, row.ready_at - self._clock(), failure.retry_after_ms or 0)

    async def _pause(self, seconds: float, signal: AbortSignal) -> bool:
        """Waits; false when it was stopped meanwhile."""
        pause = asyncio.ensure_future(self._sleep(seconds))
        stop = asyncio.ensure_future(signal.wait())
        try:
            await asyncio.wait((pause, stop), return_when=asyncio.FIRST_COMPLETED)
        finally:
            pause.cancel()
            stop.cancel()
        return not signal.aborted

    def _count(self, run_id: str) -> int:
        """Failed attempts of a run so far, this one among them."""
        count = self._failed.pop(run_id, 0) + 1
        if run_id:
            self._failed[run_id] = count
            if len(self._failed) > KEPT_RUNS:
                self._failed.popitem(last=False)
        return count


def cap(profiles: int) -> int:
    """How many attempts of one run may fail, by the number of credentials (MOD-09)."""
    return min(CAP_MAX, max(CAP_MIN, CAP_BASE + CAP_EACH * profiles))


def _once(*models: Model) -> Iterator[Model]:
    seen: set[str] = set()
    for model in models:
        if model.ref not in seen:
            seen.add(model.ref)
            yield model


def _asked(last: tuple[Candidate, ModelFailure] | None, candidate: Candidate) -> Asked:
    if last is None:
        return Asked(candidate.model)
    before, failure = last
    if before == candidate:
        return Asked(candidate.model, "retry", before.model, failure)
    return Asked(candidate.model, "profile" if before.model == candidate.model else "fallback", before.model, failure)


def _failed(model: Model, sentence: str, clock: Clock) -> AssistantMessage:
    return Answer(model, lambda _event: None, clock).fail(ModelFailure(sentence, "auth"))
