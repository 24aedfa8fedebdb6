"""What an agent's tools are made of: its toolbox, its skills, and what they may ask of the gateway."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from openclaw_kernel.config.service import ConfigStore
from openclaw_kernel.memory.memories import Memories
from openclaw_kernel.safety.sandbox.service import Sandboxes
from openclaw_kernel.safety.tool_policy import Standing, layers, standings
from openclaw_kernel.sessions.store import Sessions
from openclaw_kernel.skills.runs import Runner
from openclaw_kernel.skills.shelf import Shelf
from openclaw_kernel.tools.api import Tool
from openclaw_kernel.tools.background import Jobs
from openclaw_kernel.tools.builtin import builtin_tools
from openclaw_kernel.tools.node_api import NodeServices
from openclaw_kernel.tools.registry import Toolbox
from openclaw_kernel.tools.sessions_api import SessionDesk
from openclaw_kernel.tools.skills import skill_tools
from openclaw_kernel.tools.web import Web
from openclaw_kernel.values.messages import Text, ToolResultMessage, UserMessage

SKILLS_FRESH_S = 1.0


class ToolServices:
    """What tools may ask of the gateway (`tools.api.Services`)."""

    def __init__(self, remind: Callable[[str, str, str], str], skills: Shelf, nodes: NodeServices) -> None:
        self.nodes = nodes
        self.sessions: SessionDesk | None = None
        self._remind = remind
        self._skills = skills
        self._listed: dict[str, tuple[float, list[Mapping[str, Any]]]] = {}

    async def list_skills(self, agent_id: str) -> list[Mapping[str, Any]]:
        """Read anew at most once a second: every turn asks, and looking at all folders costs a thread its time."""
        at, rows = self._listed.get(agent_id, (0.0, []))
        now = time.monotonic()
        if not at or now - at >= SKILLS_FRESH_S:
            found = await asyncio.to_thread(self._skills.all, agent_id)
            rows = [
                one.skill.to_wire() | ({} if one.usable else {"reason": one.gate.reason})
                for one in found
                if one.skill.for_model
            ]
            self._listed[agent_id] = (now, rows)
        return rows

    async def schedule(self, session_key: str, when: str, text: str) -> str:
        return self._remind(session_key, when, text)


class Toolboxes:
    """The toolbox of an agent, built once per configuration; `more` comes behind the built-in tools, which `core` makes. What
    others lend (`lent`) comes last, and never under a name that is taken."""

    def __init__(
        self,
        config: ConfigStore,
        more: Sequence[Tool] = (),
        sandboxes: Sandboxes | None = None,
        core: Callable[..., Sequence[Tool]] = builtin_tools,
        jobs: Jobs | None = None,
        web: Web | None = None,
        lent: Callable[[], tuple[Tool, ...]] = tuple,
        memories: Memories | None = None,
    ) -> None:
        self._config = config
        self._lent = lent
        self._more = more
        self._core = core
        self._parts = (sandboxes, jobs, web, memories)
        self._made: dict[str, tuple[Toolbox, tuple[Standing, ...]]] = {}
        self._made_for: tuple[object, tuple[Tool, ...]] = (None, ())

    def __call__(self, agent_id: str) -> Toolbox:
        return self._of(agent_id)[0]

    def standings(self, agent_id: str) -> tuple[Standing, ...]:
        """Every tool there is, and what took away those that the agent has not."""
        return self._of(agent_id)[1]

    def _of(self, agent_id: str) -> tuple[Toolbox, tuple[Standing, ...]]:
        settings = self._config.current.config
        lent = self._lent()
        if self._made_for[0] is not settings or self._made_for[1] is not lent:
            self._made.clear()
            self._made_for = (settings, lent)
        if agent_id not in self._made:
            command, (sandboxes, jobs, web, memories) = settings.tools.exec, self._parts
            core = self._core(command.timeout_sec, sandboxes, jobs, command.background_ms / 1000, web, memories)
            own = Toolbox([*core, *self._more])
            everything = (*own.tools(), *(tool for tool in lent if own.get(tool.name) is None))
            found = standings(((tool.name, tool.groups) for tool in everything), layers(settings, agent_id))
            kept = Toolbox([tool for tool in everything if found[tool.name].callable])
            self._made[agent_id] = (kept, tuple(found.values()))
        return self._made[agent_id]


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
