"""What the config says for one agent: its own word first, then the defaults."""

from __future__ import annotations

from pathlib import Path

from openclaw_kernel.agent.lanes import default_limit
from openclaw_kernel.agent.workspace import workspace_path
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.config.schema.agents import AgentEntry
from openclaw_kernel.models.api import ThinkingLevel
from openclaw_kernel.values.session_key import DEFAULT_AGENT


def agent_entry(config: OpenClawConfig, agent_id: str) -> AgentEntry | None:
    """The row of `agents.list` for an agent, if it has one."""
    return next((agent for agent in config.agents.list or () if agent.id == agent_id), None)


def workspace_of(config: OpenClawConfig, state_dir: Path, agent_id: str) -> Path:
    """The agent's workspace. `agents.defaults.workspace` is the main agent's; others get a folder beside it of their own."""
    entry = agent_entry(config, agent_id)
    if entry is not None and entry.workspace:
        return workspace_path(entry.workspace, state_dir, agent_id)
    default = config.agents.defaults.workspace if agent_id == DEFAULT_AGENT else None
    return workspace_path(default, state_dir, agent_id)


def thinking_of(config: OpenClawConfig, agent_id: str) -> ThinkingLevel:
    entry = agent_entry(config, agent_id)
    own = entry.thinking_default if entry is not None else None
    return own or config.agents.defaults.thinking_default or "off"


def run_seconds(config: OpenClawConfig, agent_id: str) -> int:
    """How long a run may take (AGT-03)."""
    entry = agent_entry(config, agent_id)
    return (entry.timeout_seconds if entry is not None else None) or config.agents.defaults.timeout_seconds


def run_limit(config: OpenClawConfig) -> int:
    """What the user wrote as `agents.defaults.maxConcurrent`, else the machine's own limit."""
    defaults = config.agents.defaults
    return defaults.max_concurrent if "max_concurrent" in defaults.model_fields_set else default_limit()
