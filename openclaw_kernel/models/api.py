"""One wire format: the contract every provider meets.

A provider is anything with `stream(call)`. A vendor is data (base URL, format, compat flags), never a subclass; failover and
budget wrap a provider and are providers. Once a stream has started it never raises: a failure is its final message.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from openclaw_kernel.values.events import ModelEvent
from openclaw_kernel.values.messages import AssistantMessage, Message, ModelFailure
from openclaw_kernel.values.stream import EventStream

WireFormat = Literal["anthropic-messages", "openai-completions", "openai-responses", "offline"]
ThinkingLevel = Literal["off", "minimal", "low", "medium", "high", "xhigh", "adaptive", "max", "ultra"]


@dataclass(frozen=True, slots=True)
class ModelCost:
    """US dollars per million tokens."""

    input: float = 0.0
    output: float = 0.0
    cache_read: float = 0.0
    cache_write: float = 0.0


@dataclass(frozen=True, slots=True)
class Model:
    """One catalogue row: where a model is served, how it is spoken to, what it can do."""

    id: str
    provider: str
    api: WireFormat
    name: str = ""
    base_url: str = ""
    reasoning: bool = False
    input: tuple[str, ...] = ("text",)
    context_window: int = 128_000
    max_output_tokens: int = 8_192
    cost: ModelCost = field(default_factory=ModelCost)
    headers: Mapping[str, str] = field(default_factory=dict)
    compat: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ref(self) -> str:
        """`provider/id`, the name users and config know."""
        return f"{self.provider}/{self.id}"


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """What a model is told about one tool. `parameters` is a JSON Schema object."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Prompt:
    """The system prompt, cut where caching may end: `stable` is the same every turn, `volatile` is not (AGT-21)."""

    stable: str = ""
    volatile: str = ""

    @property
    def text(self) -> str:
        return "\n\n".join(part for part in (self.stable, self.volatile) if part)


@dataclass(frozen=True, slots=True)
class Account:
    """On whose account a call goes: where its usage is booked and which budgets hold (MOD-18, MOD-19).

    `root_id` is the session at the head of those that started this one; a budget for a session holds for all below it.
    """

    agent_id: str = "main"
    session_key: str = ""
    session_id: str = ""
    run_id: str = ""
    root_id: str = ""

    @property
    def family(self) -> str:
        """The session whose budget this counts against."""
        return self.root_id or self.session_id or self.session_key


@dataclass(frozen=True, slots=True)
class Asked:
    """A model is asked now. `instead_of` and `failure` say why it is not the first attempt (MOD-08)."""

    model: Model
    step: Literal["first", "retry", "profile", "fallback"] = "first"
    instead_of: Model | None = None
    failure: ModelFailure | None = None


@dataclass(frozen=True, slots=True)
class ModelCall:
    """Everything one request needs. `credential` is the resolved key and never leaves the process elsewhere.

    `idle_timeout_s` ends a stream that sends nothing for that long (MOD-20). `fallbacks` are tried after `model`, in order;
    `on_ask` hears of every attempt.
    """

    model: Model
    prompt: Prompt
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    thinking: ThinkingLevel = "off"
    max_output_tokens: int | None = None
    credential: str = field(default="", repr=False)
    idle_timeout_s: float = 120.0
    session_key: str = ""
    account: Account = Account()
    fallbacks: tuple[Model, ...] = ()
    on_ask: Callable[[Asked], None] | None = field(default=None, compare=False, repr=False)


ModelStream = EventStream[ModelEvent, AssistantMessage]


class Provider(Protocol):
    """Speaks one wire format, or wraps another provider."""

    def stream(self, call: ModelCall) -> ModelStream: ...
