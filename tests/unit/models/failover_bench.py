"""A failover under a clock of the test's own, over models that fail as the test says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from openclaw_kernel.models.answer import Answer
from openclaw_kernel.models.api import Account, Asked, Model, ModelCall, ModelStream, Prompt
from openclaw_kernel.models.failover import Failover
from openclaw_kernel.models.profiles import Profile, Profiles, ordered
from openclaw_kernel.values.errors import UserError
from openclaw_kernel.values.events import ModelEvent
from openclaw_kernel.values.messages import AssistantMessage, ErrorKind, ModelFailure
from openclaw_kernel.values.stream import AbortSignal, EventStream

START_MS = 1_795_000_000_000


@dataclass(frozen=True)
class Fault:
    """How an attempt fails; with `after`, that many words come first."""

    kind: ErrorKind
    status: int | None = None
    said: str = ""
    retry_after_ms: int | None = None
    after: str = ""


@dataclass
class FailoverBench:
    """`faults` holds, per `model@profile`, what its next attempts end with; none left means an answer."""

    profiles_of: Mapping[str, Sequence[str]]
    state_dir: Path | None = None
    explicit: Sequence[str] = ()
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    always: dict[str, Fault] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)
    now: int = START_MS
    on_sleep: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.open()

    def open(self) -> None:
        """A new process on the same state."""
        self.profiles = Profiles(self.state_dir, lambda: self.now)
        self.failover = Failover(self._route, self, self.profiles, lambda: self.now, sleep=self._sleep)

    async def ask(self, *models: str, session: str = "s", run_id: str = "") -> AssistantMessage:
        return await self.failover.stream(self.call(*models, session=session, run_id=run_id)).result()

    def call(self, *models: str, session: str = "s", run_id: str = "") -> ModelCall:
        rows = [Model(name.partition("/")[2], name.partition("/")[0], "openai-completions") for name in models]
        account = Account(session_key=session, run_id=run_id)
        return ModelCall(
            rows[0], Prompt(), (), account=account, fallbacks=tuple(rows[1:]), on_ask=self.asked.append, session_key=session
        )

    @property
    def elapsed_s(self) -> float:
        return (self.now - START_MS) / 1000

    # --- the credentials

    def order(self, provider: str, session_key: str) -> list[Profile]:
        found = [Profile(name, provider) for name in self.profiles_of.get(provider, ())]
        used = lambda name: self.profiles.health(name).last_used_at  # noqa: E731
        return ordered(found, self.explicit, self.profiles.preferred(session_key, provider), used)

    def mark(self, profile: Profile) -> str:
        return self.keys.get(profile.id, profile.id)

    async def secret(self, profile: Profile) -> str:
        if self.keys.get(profile.id) == "unreadable":
            raise UserError("the secret cannot be read")
        return profile.id

    def missing(self, provider: str) -> str:
        return f"no key for {provider}"

    # --- the world

    async def _sleep(self, seconds: float) -> None:
        self.log.append(f"wait {seconds:g}")
        self.now += round(seconds * 1000)
        self.on_sleep()

    def _route(self, call: ModelCall) -> ModelStream:
        name = f"{call.model.ref}@{call.credential}"

        async def produce(emit: Callable[[ModelEvent], None], signal: AbortSignal) -> AssistantMessage:
            self.log.append(name)
            answer = Answer(call.model, emit, lambda: self.now)
            answer.start()
            if signal.aborted:
                return answer.abort(signal.reason)
            planned = self.faults.get(name, [])
            fault = planned.pop(0) if planned else self.always.get(name)
            if fault is None:
                answer.text(f"from {name}")
                return answer.done()
            if fault.after:
                answer.text(fault.after)
            failure = ModelFailure(f"{fault.kind} {fault.said}", fault.kind, fault.status, fault.said, fault.retry_after_ms)
            return answer.fail(failure)

        return EventStream(produce)


def fault(kind: ErrorKind, **more: object) -> Fault:
    return replace(Fault(kind), **more)  # type: ignore[arg-type]
