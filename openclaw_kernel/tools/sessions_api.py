"""What the tools for sessions and subagents ask of the agent: one small protocol, fulfilled by a layer above."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose turn asks. `guest` when somebody else than the owner stands behind it; `chars` is how much it may be shown."""

    session_key: str
    agent_id: str
    run_id: str
    guest: bool = False
    chars: int = 16_000


@dataclass(frozen=True, slots=True)
class Task:
    """What a subagent is to do. Empty words and 0 leave it to the config."""

    text: str
    label: str = ""
    agent_id: str = ""
    model: str | None = None
    thinking: str | None = None
    run_timeout_s: int = 0
    cleanup: Literal["keep", "delete"] = "keep"


class SessionDesk(Protocol):
    """Answers within what the caller may see (TOL-12). Every method raises `OpenClawError` or `UserError` with a sentence."""

    async def spawn(self, caller: Caller, task: Task) -> Row: ...

    def children(self, caller: Caller) -> Sequence[Row]: ...

    def kill(self, caller: Caller, name: str) -> Sequence[str]:
        """Ends one subagent, or `all`; the ids of those that were at work."""

    async def steer(self, caller: Caller, name: str, text: str) -> Row: ...

    def log(self, caller: Caller, name: str) -> str: ...

    async def next_result(self, caller: Caller, timeout_s: float) -> bool:
        """Whether a result of a subagent is on its way to the caller."""

    def sessions(self, caller: Caller, search: str = "", active_minutes: int = 0, limit: int = 20) -> Sequence[Row]: ...

    def history(self, caller: Caller, key: str, limit: int, tools: bool) -> str: ...

    async def search(self, caller: Caller, query: str, limit: int) -> Sequence[Row]: ...

    async def send(self, caller: Caller, key: str, text: str, timeout_s: float) -> Row: ...

    def agents(self, caller: Caller) -> Sequence[Row]: ...

    def status(self, caller: Caller) -> Row: ...
