"""All skills of all agents, as the rest of the house asks for them: which are there, which may be used, and why not."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.skills.activate import Activation, activate
from openclaw_kernel.skills.find import skill_roots
from openclaw_kernel.skills.gate import Facts, Gate, gate
from openclaw_kernel.skills.header import slug
from openclaw_kernel.skills.loader import Skills
from openclaw_kernel.skills.skill import Skill, SkillProblem
from openclaw_kernel.store.paths import expand, home_dir

RUNS_FOLDER = "skill-runs"
PROGRAMS_FOR_S = 30.0
"""How long it is remembered whether a program is installed."""


@dataclass(frozen=True, slots=True)
class Shelved:
    """A skill and whether it may be used."""

    skill: Skill
    gate: Gate

    @property
    def usable(self) -> bool:
        return self.gate.open

    @property
    def listed(self) -> bool:
        """Whether the model is told of it."""
        return self.usable and self.skill.for_model

    @property
    def callable(self) -> bool:
        """Whether a person may call it by a slash name."""
        return self.usable and self.skill.for_people


class Shelf:
    """Skills by agent. Everything here is blocking: call it in a thread."""

    def __init__(
        self,
        settings: Callable[[], OpenClawConfig],
        workspace: Callable[[str], Path],
        state_dir: Path,
        env: Mapping[str, str],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._workspace = workspace
        self._state_dir = state_dir
        self._env = env
        self._monotonic = monotonic
        self._books: dict[str, Skills] = {}
        self._programs: dict[str, str | None] = {}
        self._programs_at = 0.0

    @property
    def runs_dir(self) -> Path:
        """Where executed notebooks are kept."""
        return self._state_dir / RUNS_FOLDER

    @property
    def managed_dir(self) -> Path:
        return self._state_dir / "skills"

    def book(self, agent_id: str) -> Skills:
        """What is on disk for an agent, usable or not."""
        roots = self._roots(agent_id)
        book = self._books.get(agent_id)
        if book is None or book.roots != roots:
            book = self._books[agent_id] = Skills(roots)
        return book

    def all(self, agent_id: str) -> list[Shelved]:
        facts = self._facts(agent_id)
        return [Shelved(skill, gate(skill, facts)) for skill in self.book(agent_id).list()]

    def listed(self, agent_id: str) -> list[Skill]:
        """What the model is told of."""
        return [one.skill for one in self.all(agent_id) if one.listed]

    def find(self, agent_id: str, name: str) -> Skill:
        """A usable skill by its name, however it is written. Raises `SkillProblem`: what there is, or what is missing."""
        wanted = slug(name.replace("_", "-"))
        shelved = self.all(agent_id)
        found = next((one for one in shelved if one.skill.name == wanted), None)
        if found is None:
            known = ", ".join(one.skill.name for one in shelved if one.usable) or "none"
            raise SkillProblem(f"There is no skill {name!r}; usable here: {known}.")
        if not found.usable:
            raise SkillProblem(f"The skill {found.skill.name} cannot be used here: {found.gate.reason}.")
        return found.skill

    def activate(self, agent_id: str, name: str) -> Activation:
        """Raises `SkillProblem`."""
        return activate(self.find(agent_id, name))

    def env_of(self, skill: Skill) -> Mapping[str, str]:
        """The variables of `skills.entries.<name>.env`: for a run of this skill only (SKL-07)."""
        entry = self._settings().skills.entries.get(skill.key)
        return entry.env if entry is not None else {}

    def _roots(self, agent_id: str) -> Any:
        settings = self._settings()
        workspace = self._workspace(agent_id)
        repo = settings.agents.defaults.repo_root
        project = expand(repo, self._env) if repo else workspace
        trusted = {expand(path, self._env) for path in settings.skills.load.trusted_projects}
        extra = tuple(expand(path, self._env) for path in settings.skills.load.extra_dirs)
        return skill_roots(
            workspace,
            self._state_dir,
            project=project if project in trusted else None,
            home=home_dir(self._env) if self._env.get("HOME") else None,
            extra=extra,
        )

    def _facts(self, agent_id: str) -> Facts:
        settings = self._settings()
        skills = settings.skills
        agent = next((one for one in settings.agents.list if one.id == agent_id), None)
        chosen = agent.skills if agent is not None and agent.skills is not None else settings.agents.defaults.skills
        entries = skills.entries
        return Facts(
            which=self._which,
            env=self._env,
            config=lambda path: setting(settings, path),
            disabled=lambda skill: (entry := entries.get(skill.key)) is not None and not entry.enabled,
            entry_env=self.env_of,
            bundled_only=frozenset(skills.allow_bundled) if skills.allow_bundled is not None else None,
            agent_only=frozenset(chosen) if chosen is not None else None,
        )

    def _which(self, name: str) -> str | None:
        now = self._monotonic()
        if now - self._programs_at > PROGRAMS_FOR_S:
            self._programs, self._programs_at = {}, now
        if name not in self._programs:
            self._programs[name] = shutil.which(name, path=self._env.get("PATH"))
        return self._programs[name]


def setting(config: BaseModel, path: str) -> Any:
    """The value at a dotted path of the config, `None` when it is not there."""
    value: Any = config
    for word in path.split("."):
        if isinstance(value, BaseModel):
            fields = type(value).model_fields
            name = next((name for name, field in fields.items() if word in (name, field.alias)), None)
            value = getattr(value, name) if name else (value.model_extra or {}).get(word)
        elif isinstance(value, Mapping):
            value = value.get(word)
        else:
            return None
    return value
