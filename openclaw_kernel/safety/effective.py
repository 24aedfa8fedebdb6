"""The policy for commands that holds for one agent, and which layer decided each part of it (SAF-05, SAF-22)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.safety.api import AskMode, PolicyState, Security, Structured

T = TypeVar("T", bound=str)

_SECURITY: tuple[Security, ...] = ("deny", "allowlist", "full")
_ASK: tuple[AskMode, ...] = ("always", "on-miss", "auto", "off")
_STRUCTURE: tuple[Structured, ...] = ("whole", "segments")
"""Each from the strictest to the loosest. Without asking, what an allowlist does not cover is denied; under `full` it runs."""


@dataclass(frozen=True, slots=True)
class ExecPolicy:
    """`layers` names, for each setting, the configuration key that decided."""

    security: Security
    ask: AskMode
    structure: Structured
    safe_bins: tuple[str, ...]
    layers: Mapping[str, str]
    strict_inline: bool = True

    @property
    def mode(self) -> str:
        """The mode as people name it (SAF-04)."""
        if self.security != "allowlist":
            return self.security
        return {"off": "allowlist", "auto": "auto"}.get(self.ask, "ask")

    def state(self, allowlist: tuple[str, ...], workspace: str, *, tainted: bool = False, guest: bool = False) -> PolicyState:
        """The policy of one turn."""
        return PolicyState(
            self.security,
            self.ask,
            allowlist,
            self.safe_bins,
            workspace,
            tainted,
            guest,
            self.structure,
            self.strict_inline,
        )


def exec_policy(config: OpenClawConfig, agent_id: str) -> ExecPolicy:
    """`tools.exec`, made stricter by the agent's own `tools.exec`, which can never loosen it."""
    common = config.tools.exec
    entry = next((agent for agent in config.agents.list or () if agent.id == agent_id), None)
    own = entry.tools.exec if entry is not None else {}
    layers = dict.fromkeys(("security", "ask", "structure", "safeBins", "strictInlineEval"), "tools.exec")
    security, layers["security"] = _stricter(_SECURITY, common.security, own.get("security"), agent_id)
    structure, layers["structure"] = _stricter(_STRUCTURE, common.structure, own.get("structure"), agent_id)
    ask, layers["ask"] = _stricter(_ASK, common.ask, own.get("ask"), agent_id)
    if own.get("ask") == "off" and security == "allowlist" and ask != "always":
        ask, layers["ask"] = "off", _layer(agent_id)
    bins = tuple(common.safe_bins)
    if isinstance(listed := own.get("safeBins"), list):
        bins, layers["safeBins"] = tuple(name for name in bins if name in listed), _layer(agent_id)
    strict = common.strict_inline_eval
    if own.get("strictInlineEval") is True and not strict:
        strict, layers["strictInlineEval"] = True, _layer(agent_id)
    return ExecPolicy(security, ask, structure, bins, layers, strict)


def _stricter(order: tuple[T, ...], common: T, own: object, agent_id: str) -> tuple[T, str]:
    for stricter in order[: order.index(common)]:
        if own == stricter:
            return stricter, _layer(agent_id)
    return common, "tools.exec"


def _layer(agent_id: str) -> str:
    return f"agents.list[{agent_id}].tools.exec"
