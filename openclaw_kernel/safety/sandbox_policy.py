"""Whose commands run in a sandbox, what that takes from the session's other tools, and which key decided (SAF-18 to SAF-22).

Pure functions of the configuration. Whether a sandbox works on this machine is `safety/sandbox/choose.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.config.schema.agents import AgentTools
from openclaw_kernel.config.schema.sandbox import SandboxSettings
from openclaw_kernel.config.schema.tools import SandboxToolPolicy
from openclaw_kernel.safety.tool_policy import Layer
from openclaw_kernel.values import session_key as keys

ALLOWED = ("exec", "process", "group:fs", "group:sessions", "subagents", "session_status", "image")
DENIED = ("browser", "group:browser", "group:ui", "canvas*", "nodes", "group:nodes", "group:automation", "cron", "gateway")
"""SAF-21. A notebook's kernel is no sandbox, so `python` is not among the first."""
_WRITERS = ("write", "edit", "apply_patch", "undo")
_COMMON, _BUILT_IN = "agents.defaults.sandbox", "built-in default"


@dataclass(frozen=True, slots=True)
class Sandboxing:
    """What holds for one session. `decided` names, for each setting in its configuration spelling, the key that decided."""

    applies: bool
    settings: SandboxSettings
    decided: Mapping[str, str]


def settings_of(config: OpenClawConfig, agent_id: str) -> SandboxSettings:
    """The agent's own settings over the defaults, key by key."""
    own, common = _own(config, agent_id), config.agents.defaults.sandbox
    return common.model_copy(update={name: getattr(own, name) for name in own.model_fields_set}) if own else common


def sandboxing(config: OpenClawConfig, agent_id: str, session_key: str) -> Sandboxing:
    """Whether the commands of a session are to run in a sandbox, and how."""
    settings, host = settings_of(config, agent_id), config.tools.exec.host
    decided = {_wire(name): _decider(config, agent_id, name) for name in SandboxSettings.model_fields}
    decided["host"] = "tools.exec.host" if "host" in config.tools.exec.model_fields_set else _BUILT_IN
    applies = host == "sandbox" or (host == "auto" and applies_to(settings.mode, session_key))
    return Sandboxing(applies, settings, decided)


def applies_to(mode: str, session_key: str) -> bool:
    """Whether a mode means this session: the main one of an agent is his who set it up, the others may be anybody's."""
    main = keys.resolve("main", default_agent=keys.parse(session_key).agent)
    return mode == "all" or (mode == "non-main" and session_key != main)


def sandbox_layers(config: OpenClawConfig, agent_id: str, session_key: str) -> tuple[Layer, ...]:
    """What a sandboxed session keeps of its tools.

    By default only commands are sandboxed and the other tools stay. Who names a mode, or a policy for sandboxed tools, means
    the whole session (SAF-21). What a command may not do to the workspace, the file tools may not either.
    """
    found = sandboxing(config, agent_id, session_key)
    if not found.applies:
        return ()
    layers = []
    own = next((agent.tools for agent in config.agents.list or () if agent.id == agent_id), AgentTools()).sandbox.tools
    common = config.tools.sandbox.tools
    if found.decided["mode"] != _BUILT_IN or common.model_fields_set or own.model_fields_set:
        at = f"agents.list[{agent_id}].tools" if own.model_fields_set else "tools"
        layers.append(_layer(f"{at}.sandbox.tools", common, own))
    access = found.settings.workspace_access
    if access != "rw":
        key = found.decided["workspaceAccess"]
        layers.append(Layer(key, deny=("group:fs", "apply_patch") if access == "none" else _WRITERS))
    return tuple(layers)


def explained(config: OpenClawConfig, agent_id: str, session_key: str) -> dict[str, Any]:
    """A JSON value: what holds for a session and which key decided each part. Without the probe of this machine."""
    found = sandboxing(config, agent_id, session_key)
    settings = found.settings
    return {
        "agent": agent_id,
        "session": session_key,
        "sandboxed": found.applies,
        "host": config.tools.exec.host,
        "mode": settings.mode,
        "backend": settings.backend,
        "scope": settings.scope,
        "workspaceAccess": settings.workspace_access,
        "network": settings.network,
        "limits": settings.limits.model_dump(by_alias=True),
        "tools": [
            {"key": layer.key, "allow": None if layer.allow is None else list(layer.allow), "deny": list(layer.deny)}
            for layer in sandbox_layers(config, agent_id, session_key)
        ],
        "decidedBy": dict(found.decided),
    }


def _layer(key: str, common: SandboxToolPolicy, own: SandboxToolPolicy) -> Layer:
    """`allow` and `deny` replace what is built in, `alsoAllow` adds; an empty `allow` leaves everything that is not denied."""
    allow = next((one.allow for one in (own, common) if one.allow is not None), list(ALLOWED))
    deny = next((one.deny for one in (own, common) if one.deny is not None), list(DENIED))
    more = (*common.also_allow, *own.also_allow)
    kept = tuple(pattern for pattern in deny if pattern not in more)
    return Layer(key, (*allow, *more) if allow else None, kept)


def _own(config: OpenClawConfig, agent_id: str) -> SandboxSettings | None:
    own = next((agent.sandbox for agent in config.agents.list or () if agent.id == agent_id), None)
    return own if own is not None and own.model_fields_set else None


def _decider(config: OpenClawConfig, agent_id: str, name: str) -> str:
    own = _own(config, agent_id)
    if own is not None and name in own.model_fields_set:
        return f"agents.list[{agent_id}].sandbox.{_wire(name)}"
    return f"{_COMMON}.{_wire(name)}" if name in config.agents.defaults.sandbox.model_fields_set else _BUILT_IN


def _wire(name: str) -> str:
    return SandboxSettings.model_fields[name].alias or name
