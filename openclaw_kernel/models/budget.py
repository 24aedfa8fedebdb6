"""Hard budgets: what a call may cost is set aside before it is sent, and what it did cost is booked after (MOD-19).

A provider around a provider. A call that would break a limit is not sent: its stream is one failure of the kind `budget`. The
answer of a call that is sent is capped to what the limits leave, so that one call alone cannot break them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from openclaw_kernel.models.answer import Answer
from openclaw_kernel.models.api import Account, Model, ModelCall, ModelStream, Provider
from openclaw_kernel.models.holds import Hold, Holds
from openclaw_kernel.models.usage import Spent, UsageBook
from openclaw_kernel.store.errors import StoreError
from openclaw_kernel.values.clock import Clock
from openclaw_kernel.values.events import ModelEvent
from openclaw_kernel.values.messages import (
    AssistantMessage,
    FileRef,
    Image,
    Message,
    ModelFailure,
    Part,
    Text,
    Thinking,
    ToolCall,
)
from openclaw_kernel.values.stream import AbortSignal, EventStream

if TYPE_CHECKING:
    from openclaw_kernel.config.schema import OpenClawConfig
    from openclaw_kernel.config.schema.small import BudgetLimit

log = logging.getLogger(__name__)

CHARS_PER_TOKEN = 3
"""English has four and most code more than three: the estimate is meant to be too high."""
IMAGE_TOKENS = 1_600
MESSAGE_TOKENS = 8
"""What a message costs beside its text."""
RESERVED_OUTPUT = 8_192
"""What is set aside for an answer; it may become longer as far as the limits leave room."""
LEAST_OUTPUT = 256
"""A call that leaves less room for an answer is not worth its price."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit with what is gone of it. `key` names it in openclaw.json; `scope` is what people call it."""

    key: str
    scope: str
    tokens: int | None
    usd: float | None
    spent: Spent
    place: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reached:
    """A call that was not sent."""

    account: Account
    model: str
    key: str
    sentence: str


class Budgeted:
    """Wraps `inner`. `on_reached` hears of every call that was not sent."""

    def __init__(
        self,
        inner: Provider,
        config: Callable[[], OpenClawConfig],
        usage: UsageBook,
        holds: Holds,
        clock: Clock,
        on_reached: Callable[[Reached], None] = lambda _reached: None,
    ) -> None:
        self._inner = inner
        self._config = config
        self._usage = usage
        self._clock = clock
        self._on_reached = on_reached
        self._holds = holds

    @property
    def held(self) -> int:
        """How many calls have something set aside."""
        return len(self._holds.rows())

    def stream(self, call: ModelCall) -> ModelStream:
        limits = list(self.limits(call.account))
        if not limits or call.model.api == "offline":
            return self._inner.stream(call)

        async def produce(emit: Callable[[ModelEvent], None], signal: AbortSignal) -> AssistantMessage:
            try:
                found = self._reserve(call)
            except StoreError as error:
                return Answer(call.model, emit, self._clock).fail(ModelFailure(str(error)))
            if isinstance(found, Reached):
                log.info("%s", found.sentence)
                self._on_reached(found)
                return Answer(call.model, emit, self._clock).fail(ModelFailure(found.sentence, "budget"))
            id, most = found
            try:
                return await self._inner.stream(replace(call, max_output_tokens=most)).inside(emit, signal)
            finally:
                self._holds.release(id)

        return EventStream(produce)

    def limits(self, account: Account) -> Iterator[Limit]:
        """The limits that hold for a call, with what is spent of each."""
        budget, usage = self._config().budget, self._usage
        day, session = usage.day(), account.family
        agent = budget.agents.get(account.agent_id)
        rows: list[tuple[str, str, BudgetLimit, tuple[str, ...]]] = [
            ("budget.turn", "this turn", budget.turn, ("run", account.run_id)),
            ("budget.session", "this session", budget.session, ("family", session)),
            ("budget.day", "today", budget.day, ("day", day)),
        ]
        if agent is not None:
            key, name = f"budget.agents.{account.agent_id}", f"the agent {account.agent_id}"
            rows += [
                (f"{key}.turn", f"this turn of {name}", agent.turn, ("run", account.run_id)),
                (f"{key}.session", f"this session of {name}", agent.session, ("family", session)),
                (f"{key}.day", f"{name} today", agent.day, ("agent", account.agent_id, day)),
                (key, f"{name} today", agent, ("agent", account.agent_id, day)),
            ]
        for key, scope, limit, place in rows:
            if (limit.tokens is not None or limit.usd is not None) and place[1]:
                yield Limit(key, scope, limit.tokens, limit.usd, self._spent(place), place)

    def refusal(self, account: Account, tokens: int) -> str:
        """Why a request beside every conversation, an embedding, may not be sent; empty when each limit leaves room for its
        `tokens`. Nothing is set aside for it."""
        for limit in self.limits(account):
            gone, held = limit.spent, [hold for hold in self._holds.rows() if limit.place in hold.places]
            if limit.tokens is not None and gone.tokens + sum(hold.tokens for hold in held) + tokens > limit.tokens:
                return _refusal(limit, "tokens", f"{gone.tokens:,} of {limit.tokens:,} tokens", f"{tokens:,} tokens")
            if limit.usd is not None and gone.usd + sum(hold.usd for hold in held) >= limit.usd:
                return _refusal(limit, "usd", f"${gone.usd:.4f} of ${limit.usd:.2f}", "money")
        return ""

    def _spent(self, place: tuple[str, ...]) -> Spent:
        match place:
            case ("run", run_id):
                return self._usage.run(run_id)
            case ("family", root_id):
                return self._usage.family(root_id)
            case ("day", day):
                return self._usage.on(day)
            case _:
                return self._usage.agent_on(place[1], place[2])

    def _reserve(self, call: ModelCall) -> tuple[str, int] | Reached:
        """Sets the estimate aside; its id, and how many tokens the answer may have."""
        rows = self._holds.rows()
        limits = list(self.limits(call.account))
        entry = estimate(call)
        models = (call.model, *call.fallbacks)
        prices = [_prices(model, entry) for model in models]
        price_in, price_out = max(price[0] for price in prices), max(price[1] for price in prices)
        most = min(model.max_output_tokens for model in models)
        most = min(most, call.max_output_tokens or most)
        least = min(LEAST_OUTPUT, most)
        for limit in limits:
            held = [hold for hold in rows if limit.place in hold.places]
            if limit.tokens is not None:
                left = limit.tokens - limit.spent.tokens - sum(hold.tokens for hold in held)
                if left - entry < least:
                    return self._reached(call, limit, f"{limit.spent.tokens:,} of {limit.tokens:,} tokens", f"{entry:,} tokens")
                most = min(most, left - entry)
            if limit.usd is not None:
                money = limit.usd - limit.spent.usd - sum(hold.usd for hold in held) - entry * price_in
                if money < least * price_out or (price_in == 0 and price_out == 0 and limit.spent.usd >= limit.usd):
                    asked = f"${entry * price_in + least * price_out:.4f}"
                    return self._reached(call, limit, f"${limit.spent.usd:.4f} of ${limit.usd:.2f}", asked)
                most = min(most, int(money / price_out)) if price_out else most
        output = min(most, RESERVED_OUTPUT)
        places = tuple(limit.place for limit in limits)
        hold = Hold(call.account, call.model.ref, entry, output, entry * price_in, output * price_out, places)
        return self._holds.add(hold), most

    def _reached(self, call: ModelCall, limit: Limit, gone: str, asked: str) -> Reached:
        name = "usd" if gone.startswith("$") else "tokens"
        return Reached(call.account, call.model.ref, f"{limit.key}.{name}", _refusal(limit, name, gone, asked))


def _refusal(limit: Limit, name: str, gone: str, asked: str) -> str:
    return (
        f"The budget for {limit.scope} is reached: {gone} are spent and the next call needs at least {asked}, so it was "
        f"not sent; raise {limit.key}.{name} in openclaw.json to go on."
    )


def estimate(call: ModelCall) -> int:
    """Tokens of a request, rather too many than too few."""
    chars = _length(call.prompt.stable) + _length(call.prompt.volatile)
    chars += sum(len(tool.name) + _length(tool.description) + len(str(tool.parameters)) for tool in call.tools)
    tokens = sum(_message(message) for message in call.messages)
    return chars // CHARS_PER_TOKEN + tokens + MESSAGE_TOKENS


def _message(message: Message) -> int:
    return MESSAGE_TOKENS + sum(_part(part) for part in message.content)


def _part(part: Part) -> int:
    match part:
        case Text(text=text) | Thinking(text=text):
            return _length(text) // CHARS_PER_TOKEN + 1
        case ToolCall(name=name, arguments=arguments):
            return (len(name) + _length(str(arguments))) // CHARS_PER_TOKEN + 16
        case Image():
            return IMAGE_TOKENS
        case FileRef(path=path):
            return len(path) // CHARS_PER_TOKEN + 16


def _length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _prices(model: Model, entry: int) -> tuple[float, float]:
    """US dollars for one token of input (as if none were cached) and of output."""
    tier = model.compat.get("longContext") or {}
    more_in, more_out = (tier["input"], tier["output"]) if tier and entry > tier["above"] else (1.0, 1.0)
    price = model.cost
    return max(price.input, price.cache_write) * more_in / 1e6, price.output * more_out / 1e6
