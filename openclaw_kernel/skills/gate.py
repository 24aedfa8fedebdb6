"""May a skill be used here? What it requires, what is missing, and one sentence that says so (SKL-05).

`metadata.openclaw` of the header may hold `always`, `os` and `requires {bins, anyBins, env, config}`; the config may switch a
skill off, or allow only some of the bundled ones or of an agent's.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from openclaw_kernel.skills.skill import Skill

_PLATFORMS = {"linux": "linux", "darwin": "darwin", "win32": "win32", "cygwin": "win32"}
_OS_WORDS = {"macos": "darwin", "mac": "darwin", "osx": "darwin", "windows": "win32"}


@dataclass(frozen=True, slots=True)
class Needs:
    """Requirements of a skill, or the part of them that is missing. The same words as in `skills.status`."""

    bins: tuple[str, ...] = ()
    any_bins: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    config: tuple[str, ...] = ()
    os: tuple[str, ...] = ()

    def to_wire(self) -> dict[str, list[str]]:
        return {
            "bins": [*self.bins],
            "anyBins": [*self.any_bins],
            "env": [*self.env],
            "config": [*self.config],
            "os": [*self.os],
        }


@dataclass(frozen=True, slots=True)
class Facts:
    """What gating may know of this machine and this agent."""

    which: Callable[[str], str | None]
    env: Mapping[str, str]
    config: Callable[[str], Any]
    disabled: Callable[[Skill], bool] = lambda skill: False
    entry_env: Callable[[Skill], Mapping[str, str]] = lambda skill: {}
    bundled_only: frozenset[str] | None = None
    agent_only: frozenset[str] | None = None
    platform: str = field(default_factory=lambda: _PLATFORMS.get(sys.platform, sys.platform))


@dataclass(frozen=True, slots=True)
class Gate:
    """The answer for one skill. `reason` is empty when it may be used."""

    needs: Needs
    missing: Needs
    always: bool = False
    disabled: bool = False
    blocked: bool = False
    filtered: bool = False

    @property
    def open(self) -> bool:
        return not self.reason

    @property
    def reason(self) -> str:
        """Why the skill may not be used, as the end of a sentence."""
        if self.disabled:
            return "it is switched off in skills.entries"
        if self.blocked:
            return "it is not in skills.allowBundled"
        if self.filtered:
            return "it is not in the skills of this agent"
        if self.missing.os:
            return f"it is for {' or '.join(self.missing.os)}"
        if self.always:
            return ""
        wants = [
            *(f"the program {name}" for name in self.missing.bins),
            *([f"one of the programs {', '.join(self.missing.any_bins)}"] if self.missing.any_bins else []),
            *(f"the environment variable {name}" for name in self.missing.env),
            *(f"the setting {name}" for name in self.missing.config),
        ]
        return f"it needs {' and '.join(wants)}" if wants else ""


def gate(skill: Skill, facts: Facts) -> Gate:
    """Checks one skill. Blocking only as far as `facts.which` is."""
    header = skill.openclaw
    requires = header.get("requires")
    requires = requires if isinstance(requires, Mapping) else {}
    needs = Needs(
        bins=_words(requires.get("bins")),
        any_bins=_words(requires.get("anyBins")),
        env=_words(requires.get("env")),
        config=_words(requires.get("config")),
        os=_words(header.get("os")),
    )
    env = {**facts.env, **facts.entry_env(skill)}
    systems = {_OS_WORDS.get(word.lower(), word.lower()) for word in needs.os}
    missing = Needs(
        bins=tuple(name for name in needs.bins if facts.which(name) is None),
        any_bins=() if any(facts.which(name) for name in needs.any_bins) else needs.any_bins,
        env=tuple(name for name in needs.env if not env.get(name)),
        config=tuple(path for path in needs.config if not facts.config(path)),
        os=() if not systems or facts.platform in systems else needs.os,
    )
    bundled_only, agent_only = facts.bundled_only, facts.agent_only
    return Gate(
        needs,
        missing,
        always=header.get("always") is True,
        disabled=facts.disabled(skill),
        blocked=skill.source == "bundled" and bundled_only is not None and not bundled_only & {skill.key, skill.name},
        filtered=agent_only is not None and skill.name not in agent_only,
    )


def _words(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(str(word) for word in value) if isinstance(value, Sequence) else ()
