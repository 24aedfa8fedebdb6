"""One thing the assistant can do: a tool is a value in a list (VAL-05).

A family is a module that exports `TOOLS`. Policy and scheduling read only what a tool declares.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import BaseModel

from openclaw_kernel.tools.node_api import NodePlace, NodeServices
from openclaw_kernel.tools.schema import told_schema
from openclaw_kernel.tools.sessions_api import SessionDesk
from openclaw_kernel.values.messages import Part, Text
from openclaw_kernel.values.stream import AbortSignal

Effect = Literal["none", "workspace", "host", "outbound", "config"]

RESULT_CHARS = 16_000
"""Characters of one result for a small model (AGT-05)."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """`content` goes to the model, `details` to the screen."""

    content: tuple[Part, ...]
    details: Mapping[str, Any] = field(default_factory=dict)
    is_error: bool = False


def text_result(text: str, **details: Any) -> ToolResult:
    return ToolResult((Text(text),), details)


def error_result(text: str, **details: Any) -> ToolResult:
    return ToolResult((Text(text),), details, is_error=True)


class Services(Protocol):
    """What a tool may ask of the layers above; `gateway.py` hands in the real thing."""

    @property
    def nodes(self) -> NodeServices | None: ...

    @property
    def sessions(self) -> SessionDesk | None: ...

    async def list_skills(self, agent_id: str) -> list[Mapping[str, Any]]: ...

    async def schedule(self, session_key: str, when: str, text: str) -> str: ...


@dataclass(frozen=True, slots=True)
class ToolContext:
    """Where a call runs. `workspace` is absolute; `progress(text, fraction)` shows something while it runs.

    `env` is the environment child processes get: it never holds a secret. `node` is where the call was allowed to run, `None`
    for this machine. `seen` is what a person was shown of the call beyond its arguments, empty when nobody was asked: what runs
    must be that. `result_chars` is how much of a result the model gets to see. `guest`
    when somebody else than the owner asked. `notes_closed` when others than the owner would hear what is in the notes (MEM-13).
    """

    run_id: str
    session_key: str
    agent_id: str
    workspace: Path
    signal: AbortSignal
    progress: Callable[[str, float | None], None]
    env: Mapping[str, str]
    services: Services | None = None
    nodes: NodeServices | None = None
    node: NodePlace | None = None
    seen: str = ""
    result_chars: int = RESULT_CHARS
    guest: bool = False
    notes_closed: bool = False


@dataclass(frozen=True, slots=True)
class Asking:
    """Where a call would run that a person is about to be asked about."""

    agent_id: str
    nodes: NodeServices | None = None
    place: NodePlace | None = None
    session_key: str = ""
    workspace: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a person has to see of a call that its arguments do not hold. `text` comes back as `ToolContext.seen`; `title` takes
    the place of the card's when it says more; `note` is added to the reason; `where` names what keeps it from this machine. All
    but `where` counts only with a text."""

    text: str = ""
    title: str = ""
    note: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Tool:
    """A named action with typed parameters. `run` gets the validated model; it may raise `ToolError` with a sentence.

    Who may use the tool that it `comes_with` may use it too (TOL-01).

    A tool whose actions differ has `effect_of`, which names the effect of a call by its arguments. One that runs on a device
    has `node_command`, which names the command the device must offer. One whose arguments only name what will run has
    `preview`; it raises `OpenClawError` or `UserError` when that cannot be shown, and then nobody is asked. `json_schema` takes
    the place of the parameters' own; `grant` is the allowlist entry by which the owner lets the tool run unasked.
    """

    name: str
    description: str
    parameters: type[BaseModel]
    run: Callable[[Any, ToolContext], Awaitable[ToolResult]]
    effect: Effect = "none"
    read_only: bool = False
    exclusive: bool = False
    untrusted_output: bool = False
    groups: frozenset[str] = frozenset()
    title: Callable[[Mapping[str, Any]], str] | None = None
    effect_of: Callable[[Mapping[str, Any]], Effect] | None = None
    comes_with: str = ""
    node_command: Callable[[Mapping[str, Any]], str] | None = None
    preview: Callable[[Mapping[str, Any], Asking], Awaitable[Preview | None]] | None = None
    json_schema: Mapping[str, Any] | None = None
    grant: str = ""
    reads: Callable[[Mapping[str, Any]], bool] | None = None

    def reads_only(self, arguments: Mapping[str, Any]) -> bool:
        """Whether a call changes nothing: `read_only`, or what `reads` says of these arguments."""
        return self.read_only or (self.reads is not None and self.reads(arguments))

    def effect_for(self, arguments: Mapping[str, Any]) -> Effect:
        return self.effect_of(arguments) if self.effect_of is not None else self.effect

    def schema(self) -> Mapping[str, Any]:
        """JSON Schema of the parameters, computed once per parameter model."""
        return self.json_schema if self.json_schema is not None else parameter_schema(self.parameters)

    def title_for(self, arguments: Mapping[str, Any]) -> str:
        """One line for the screen: what this call is about."""
        if self.title is not None:
            return self.title(arguments)
        return self.name


class ToolError(Exception):
    """A tool could not do it; the sentence goes to the model and the screen."""


@lru_cache(maxsize=256)
def parameter_schema(parameters: type[BaseModel]) -> Mapping[str, Any]:
    return told_schema(parameters)
