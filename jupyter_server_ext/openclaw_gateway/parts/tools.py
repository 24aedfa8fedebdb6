"""What an agent's tools are made of: its toolbox, its skills, and what they may ask of the gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from openclaw_kernel.config.service import ConfigStore
from openclaw_kernel.safety.sandbox.service import Sandboxes
from openclaw_kernel.sessions.store import Sessions
from openclaw_kernel.skills.runs import Runner
from openclaw_kernel.skills.shelf import Shelf
from openclaw_kernel.tools.api import Tool
from openclaw_kernel.tools.background import Jobs
from openclaw_kernel.tools.builtin import builtin_tools
from openclaw_kernel.tools.node_api import NodeServices
from openclaw_kernel.tools.registry import Toolbox
from openclaw_kernel.tools.skills import skill_tools
from openclaw_kernel.tools.web import Web
from openclaw_kernel.values.messages import Text, ToolResultMessage, UserMessage


class ToolServices:
    """What tools may ask of the gateway (`tools.api.Services`)."""

    def __init__(self, remind: Callable[[str, str, str], str], skills: Shelf, nodes: NodeServices) -> None:
        self.nodes = nodes
        self._remind = remind
        self._skills = skills

    async def list_skills(self, agent_id: str) -> list[Mapping[str, Any]]:
        found = await asyncio.to_thread(self._skills.all, agent_id)
        return [
            one.skill.to_wire() | ({} if one.usable else {"reason": one.gate.reason}) for one in found if one.skill.for_model
        ]

    async def schedule(self, session_key: str, when: str, text: str) -> str:
        return self._remind(session_key, when, text)


def toolboxes(
    config: ConfigStore,
    more: Sequence[Tool] = (),
    sandboxes: Sandboxes | None = None,
    core: Callable[..., Sequence[Tool]] = builtin_tools,
    jobs: Jobs | None = None,
    web: Web | None = None,
) -> Callable[[str], Toolbox]:
    """The toolbox of an agent, built once per configuration; `more` comes behind the built-in tools, which `core` makes."""
    made: dict[tuple[int, str], Toolbox] = {}

    def toolbox(agent_id: str) -> Toolbox:
        settings = config.current.config
        key = (id(settings), agent_id)
        if key not in made:
            made.clear()
            tools = settings.tools
            everything = Toolbox([*core(tools.exec.timeout_sec, sandboxes, jobs, tools.exec.background_ms / 1000, web), *more])
            made[key] = everything.filtered(tools.allow or None, tools.deny or ())
        return made[key]

    return toolbox


def tools_of_skills(shelf: Shelf, sessions: Sessions) -> tuple[Tool, ...]:
    """`skill` and `skill_run`, which know what a conversation holds already."""

    def said(session_key: str) -> Iterator[str]:
        entry = sessions.get(session_key)
        if entry is None:
            return
        for message in sessions.transcript(entry.agent_id, entry.session_id).context():
            if isinstance(message, UserMessage | ToolResultMessage):
                yield from (part.text for part in message.content if isinstance(part, Text))

    return skill_tools(shelf, Runner(shelf.runs_dir), said)
