"""Subagents and what the assistant may see of its other sessions (AGT-33, AGT-34, TOL-12)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from openclaw_kernel.config.schema.base import NotNegative, OpenSection, Positive


class SubagentDefaults(OpenSection):
    """How many, how deep, how long. `model` and `thinking` are what a subagent gets when its task names none.

    `archive_after_minutes` 0 keeps them for ever; `run_timeout_seconds` 0 leaves the agent's own limit.
    """

    max_concurrent: Positive = 8
    max_spawn_depth: Annotated[int, Field(ge=1, le=5)] = 1
    max_children_per_agent: Positive = 5
    archive_after_minutes: NotNegative = 60
    run_timeout_seconds: NotNegative = 0
    model: str | None = None
    thinking: str | None = None
    allow_agents: list[str] = Field(default_factory=list)


class AgentSubagents(OpenSection):
    """One agent's own word. `allow_agents` are the agents it may start besides itself; `*` is every one."""

    model: str | None = None
    thinking: str | None = None
    allow_agents: list[str] | None = None


class ToolNames(OpenSection):
    """`allow` narrows, `deny` takes away."""

    allow: list[str] | None = None
    deny: list[str] = Field(default_factory=list)


class SubagentTools(OpenSection):
    """Tools of subagents, beyond those that none of them ever has."""

    tools: ToolNames = Field(default_factory=ToolNames)


class SessionTools(OpenSection):
    """Which sessions the tools of a session see: itself, what it started, its agent's, all (TOL-12)."""

    visibility: Literal["self", "tree", "agent", "all"] = "all"


class AgentToAgent(OpenSection):
    """Whether one agent reads and writes to sessions of another. `allow` names agents, both of which must be on it; without it
    all are."""

    enabled: bool = True
    allow: list[str] | None = None
