"""What an agent's tools are made of: its toolbox, its skills, and what they may ask of the gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from openclaw_gateway.automation.reminders import Reminders
from openclaw_kernel.config.service import ConfigStore
from openclaw_kernel.skills.loader import Skills, skill_roots
from openclaw_kernel.tools.builtin import builtin_tools
from openclaw_kernel.tools.node_api import NodeServices
from openclaw_kernel.tools.registry import Toolbox


class ToolServices:
    """What tools may ask of the gateway (`tools.api.Services`)."""

    def __init__(self, reminders: Reminders, skills: Callable[[str], Skills], nodes: NodeServices) -> None:
        self.nodes = nodes
        self._reminders = reminders
        self._skills = skills

    async def list_skills(self, agent_id: str) -> list[Mapping[str, Any]]:
        found = await asyncio.to_thread(self._skills(agent_id).list)
        return [skill.to_wire() for skill in found]

    async def schedule(self, session_key: str, when: str, text: str) -> str:
        return self._reminders.schedule(session_key, when, text).id


def toolboxes(config: ConfigStore) -> Callable[[str], Toolbox]:
    """The toolbox of an agent, built once per configuration."""
    made: dict[tuple[int, str], Toolbox] = {}

    def toolbox(agent_id: str) -> Toolbox:
        settings = config.current.config
        key = (id(settings), agent_id)
        if key not in made:
            made.clear()
            tools = settings.tools
            made[key] = Toolbox(builtin_tools(tools.exec.timeout_sec)).filtered(tools.allow or None, tools.deny or ())
        return made[key]

    return toolbox


def skill_books(workspace: Callable[[str], Path], state_dir: Path) -> Callable[[str], Skills]:
    """The skills of an agent; each book caches what it has read."""
    books: dict[tuple[str, Path], Skills] = {}

    def book(agent_id: str) -> Skills:
        place = workspace(agent_id)
        return books.setdefault((agent_id, place), Skills(skill_roots(place, state_dir)))

    return book
