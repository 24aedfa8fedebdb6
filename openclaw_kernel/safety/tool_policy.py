"""Which tools an agent has, and which layer took the others away (SAF-02, SAF-03, SAF-22).

A layer names what it leaves and what it takes; a tool is there when every layer leaves it and none takes it, so deny wins.
Patterns are tool names, `group:<name>` and wildcards, upper and lower case alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.config.schema.agents import AgentTools

_CODING = (
    "group:fs group:runtime group:web group:browser group:sessions group:memory group:automation group:agents group:skills "
    "group:ui group:notebook group:nodes group:media group:mcp group:plugins group:goals session_status ask_user progress_card "
    "skill_workshop cron"
)
PROFILES: Mapping[str, tuple[str, ...] | None] = {
    "minimal": ("session_status",),
    "coding": tuple(_CODING.split()),
    "messaging": ("message", "group:messaging", "group:sessions", "conversations*", "ask_user", "session_status"),
    "full": None,
}
"""SAF-03; `None` is everything. A tool without a group belongs to `group:plugins`."""


COMES_WITH: Mapping[str, str] = {"apply_patch": "write"}
"""Who may use the second may use the first; to deny the second does not deny the first (TOL-01)."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One key of the configuration. `allow` is `None` where it leaves everything."""

    key: str
    allow: tuple[str, ...] | None = None
    deny: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a tool can be called; if not, `layer` is the key that took it away."""

    name: str
    layer: str = ""
    groups: frozenset[str] = frozenset()

    @property
    def callable(self) -> bool:
        return not self.layer


def layers(config: OpenClawConfig, agent_id: str) -> tuple[Layer, ...]:
    """The layers of an agent: profile, what all agents share, the agent's own."""
    common, at = config.tools, f"agents.list[{agent_id}].tools"
    own = next((agent.tools for agent in config.agents.list or () if agent.id == agent_id), AgentTools())
    more = (*common.also_allow, *own.also_allow)
    profile = PROFILES[own.profile or common.profile]
    return (
        Layer(f"{at}.profile" if own.profile else "tools.profile", None if profile is None else (*profile, *more)),
        Layer("tools.allow", _with(common.allow, more)),
        Layer("tools.deny", deny=tuple(common.deny)),
        Layer(f"{at}.allow", _with(own.allow, own.also_allow)),
        Layer(f"{at}.deny", deny=tuple(own.deny)),
        Layer("tools.exec.applyPatch.enabled", deny=() if config.tools.exec.apply_patch.enabled else ("apply_patch",)),
    )


def model_layers(config: OpenClawConfig, agent_id: str, provider: str, model_ref: str) -> tuple[Layer, ...]:
    """The layers of `byProvider`, whose keys are a provider or `provider/model`."""
    found = []
    own = next((agent.tools.by_provider for agent in config.agents.list or () if agent.id == agent_id), {})
    for at, table in (("tools", config.tools.by_provider), (f"agents.list[{agent_id}].tools", own)):
        for key, row in table.items():
            if isinstance(row, Mapping) and key.lower() in (provider.lower(), model_ref.lower()):
                found.append(_model_layer(f"{at}.byProvider.{key}", row))
    patching = config.tools.exec.apply_patch.allow_models
    if patching and not {provider.lower(), model_ref.lower()} & {name.lower() for name in patching}:
        found.append(Layer("tools.exec.applyPatch.allowModels", deny=("apply_patch",)))
    return tuple(found)


_NO_SUBAGENT = (
    "gateway", "agents_list", "cron", "remind", "heartbeat_respond", "message", "group:messaging", "conversations*",
    "sessions_send", "ask_user", "secrets", "nodes", "memory_append",
)  # fmt: skip
_NO_LEAF = ("sessions_spawn", "sessions_yield", "sessions_list", "sessions_history", "sessions_search", "subagents")


def subagent_layers(config: OpenClawConfig, depth: int) -> tuple[Layer, ...]:
    """The layers of a subagent at this depth: none speaks to people, plans for later or changes the house (AGT-33). One that
    may not start others has no use for their tools."""
    if depth <= 0:
        return ()
    own = config.tools.subagents.tools
    leaf = depth >= config.agents.defaults.subagents.max_spawn_depth
    return (
        Layer("subagent", deny=(*_NO_SUBAGENT, *(_NO_LEAF if leaf else ()))),
        Layer("tools.subagents.tools", tuple(own.allow) if own.allow else None, tuple(own.deny)),
    )


def standings(tools: Iterable[tuple[str, frozenset[str]]], of: Sequence[Layer]) -> dict[str, Standing]:
    """What becomes of each tool, given by name and groups; the first layer that takes it away is named."""
    return {name: Standing(name, _taken_by(name, groups, of), groups) for name, groups in tools}


def _taken_by(name: str, groups: frozenset[str], of: Sequence[Layer]) -> str:
    also = (COMES_WITH[name],) if name in COMES_WITH else ()
    lent = ("bundle-mcp",) if "mcp" in groups else ()
    names = (name.lower(), *lent, *(f"group:{group.lower()}" for group in groups or ("plugins",)))
    for layer in of:
        left = layer.allow is None or _matches((*names, *also), layer.allow)
        if not left or _matches(names, layer.deny):
            return layer.key
    return ""


def _matches(names: Sequence[str], patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern.strip().lower()) for pattern in patterns for name in names)


def _with(allow: Sequence[str] | None, more: Sequence[str]) -> tuple[str, ...] | None:
    return (*allow, *more) if allow else None


def _model_layer(key: str, row: Mapping[str, Any]) -> Layer:
    allow = _strings(row.get("allow"))
    profile = PROFILES.get(str(row.get("profile")))
    if profile is not None:
        allow = tuple(pattern for pattern in profile if not allow or pattern in allow)
    return Layer(key, allow or profile, _strings(row.get("deny")))


def _strings(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else ()
