"""Who may start which subagent, and what it gets (AGT-33): pure rules over the config."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from openclaw_kernel.agent.settings import agent_entry
from openclaw_kernel.agent.subagents_rows import SubagentRow
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.models.api import ThinkingLevel
from openclaw_kernel.values.errors import OpenClawError, invalid, unavailable

BACKLOG_WARN = 25
BACKLOG_BLOCK = 50
"""Results that no parent has taken: from the first on the log says so, from the second on nothing new is started (AGT-33)."""
RETRY_MS = 15_000
RETRY_MAX_MS = 300_000
WINDOW_MS = 1_800_000
"""A delivery is tried again after 15 s, then twice that, up to 5 min, for 30 min (AGT-33)."""
LEVELS: tuple[str, ...] = get_args(ThinkingLevel)


@dataclass(frozen=True, slots=True)
class Spawn:
    """A task for a subagent. `agent_id` empty is the parent's own agent; `tainted` and `guest` are what the parent is."""

    parent_key: str
    parent_agent: str
    parent_run: str
    task: str
    label: str = ""
    agent_id: str = ""
    model: str | None = None
    thinking: str | None = None
    run_timeout_s: int = 0
    cleanup: Literal["keep", "delete"] = "keep"
    tainted: bool = False
    guest: bool = False


def check(
    spawn: Spawn, config: OpenClawConfig, parent_depth: int, rows: Sequence[SubagentRow], known_agents: Sequence[str]
) -> None:
    """Raises `OpenClawError` with the limit that is reached."""
    limits = config.agents.defaults.subagents
    if parent_depth >= limits.max_spawn_depth:
        raise invalid(
            f"a subagent at depth {parent_depth} may not start further ones "
            f"(agents.defaults.subagents.maxSpawnDepth is {limits.max_spawn_depth})"
        )
    running = sum(row.running and row.parent_key == spawn.parent_key for row in rows)
    if running >= limits.max_children_per_agent:
        raise _full(
            f"{running} subagents of this session are running already "
            f"(agents.defaults.subagents.maxChildrenPerAgent); wait for one or kill one"
        )
    owed = sum(row.owed for row in rows)
    if owed >= BACKLOG_BLOCK:
        raise _full(f"{owed} results of subagents wait for their parents; no new one is started until some are taken")
    _check_agent(spawn, config, known_agents)


def _full(sentence: str) -> OpenClawError:
    return unavailable(sentence, reason="subagent-limit")


def _check_agent(spawn: Spawn, config: OpenClawConfig, known: Sequence[str]) -> None:
    wanted = spawn.agent_id or spawn.parent_agent
    if wanted == spawn.parent_agent:
        return
    if wanted not in known:
        raise invalid(f"unknown agent {wanted!r}; agents_list shows those there are")
    allowed = allowed_agents(config, spawn.parent_agent)
    if "*" not in allowed and wanted not in allowed:
        raise invalid(f"agent {spawn.parent_agent!r} may not start {wanted!r} (subagents.allowAgents does not name it)")


def allowed_agents(config: OpenClawConfig, agent_id: str) -> list[str]:
    """Agents besides itself that an agent may start; its own list wins over the defaults'."""
    entry = agent_entry(config, agent_id)
    own = entry.subagents.allow_agents if entry is not None else None
    return own if own is not None else config.agents.defaults.subagents.allow_agents


def model_for(spawn: Spawn, config: OpenClawConfig) -> str | None:
    """The model named by the task, the agent or the defaults, in that order."""
    entry = agent_entry(config, spawn.agent_id or spawn.parent_agent)
    return spawn.model or (entry.subagents.model if entry else None) or config.agents.defaults.subagents.model


def thinking_for(spawn: Spawn, config: OpenClawConfig) -> str | None:
    """The level, found in the same order. Raises `OpenClawError` for one that does not exist."""
    entry = agent_entry(config, spawn.agent_id or spawn.parent_agent)
    level = spawn.thinking or (entry.subagents.thinking if entry else None) or config.agents.defaults.subagents.thinking
    if level is not None and level not in LEVELS:
        raise invalid(f"thinking {level!r} is not a level; use one of {', '.join(LEVELS)}")
    return level


def retry_ms(attempts: int) -> int:
    """How long to wait after this many vain attempts."""
    return int(min(RETRY_MS * 2 ** max(0, attempts - 1), RETRY_MAX_MS))
