"""Help while a message is being typed: slash commands, models behind `/model`, `@` names of variables, tools.

Commands, models and tools are the gateway's and are asked from it, not known here. A gateway is never started for a completion.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from openclaw_kernel.notebook.session import KernelLink
from openclaw_kernel.values.errors import OpenClawError, UserError

log = logging.getLogger(__name__)

FRESH_S = 30.0
WAIT_S = 0.5
MIN_TOOL_PREFIX = 2
_WORD = re.compile(r"[@/]?[\w.\-/:]*$")
_TOKEN = re.compile(r"[@/]?[\w.\-]+")


@dataclass(frozen=True, slots=True)
class Help:
    """What the gateway offers: name → one sentence."""

    commands: Mapping[str, str]
    models: Mapping[str, str]
    tools: Mapping[str, str]


_NOTHING = Help({}, {}, {})


class Completer:
    """Answers `complete_request` and `inspect_request` for messages. `shell` is the IPython shell with the namespace."""

    def __init__(self, link: KernelLink, shell: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self._link = link
        self._shell = shell
        self._clock = clock
        self._help = _NOTHING
        self._asked_at = -FRESH_S

    async def complete(self, text: str, position: int) -> dict[str, Any]:
        """The reply to a completion at `position` in `text`."""
        head = text[:position]
        match = _WORD.search(head)
        word = match.group() if match else ""
        start = position - len(word)
        found = await self._matches(head[:start], word)
        experimental = [{"start": start, "end": position, "text": name, "type": kind} for name, kind in found]
        return {
            "status": "ok",
            "matches": [name for name, _ in found],
            "cursor_start": start,
            "cursor_end": position,
            "metadata": {"_jupyter_types_experimental": experimental},
        }

    async def describe(self, text: str, position: int) -> str | None:
        """Help on the command, tool or `@` variable at `position`; empty when unknown, `None` when it is Python's to tell."""
        token = next((match.group() for match in _TOKEN.finditer(text) if match.start() <= position <= match.end()), "")
        if token.startswith("@"):
            name = token[1:]
            return self._about_variable(name) if name in self._names() else ""
        known = await self._known()
        sentence = known.commands.get(token) or known.tools.get(token)
        return f"`{token}` {sentence}" if sentence else ""

    async def _matches(self, before: str, word: str) -> list[tuple[str, str]]:
        if word.startswith("@"):
            return _starting(((f"@{name}", "instance") for name in self._names()), word)
        known = await self._known()
        if word.startswith("/") and not before.strip():
            return _starting(((name, "command") for name in known.commands), word)
        if before.strip() == "/model":
            return _starting(((name, "model") for name in known.models), word)
        if len(word) >= MIN_TOOL_PREFIX:
            return _starting(((name, "tool") for name in known.tools), word)
        return []

    def _names(self) -> list[str]:
        hidden = self._shell.user_ns_hidden
        return [name for name in self._shell.user_ns if not name.startswith("_") and name not in hidden]

    def _about_variable(self, name: str) -> str:
        value = self._shell.user_ns[name]
        shape = getattr(value, "shape", None)
        size = f", shape {shape}" if isinstance(shape, tuple) else f", {len(value)} long" if hasattr(value, "__len__") else ""
        return f"`{name}` is a `{type(value).__name__}`{size}"

    async def _known(self) -> Help:
        if self._clock() - self._asked_at >= FRESH_S and self._link.connected:
            self._asked_at = self._clock()
            try:
                async with asyncio.timeout(WAIT_S):
                    self._help = await self._link.wrap(self._look())
            except (OpenClawError, UserError, TimeoutError) as error:
                log.info("no completions from the gateway: %s", error)
        return self._help

    async def _look(self) -> Help:
        commands, models = await asyncio.gather(self._link.request("commands.list", {}), self._link.request("models.list", {}))
        return Help(
            {alias: str(row["description"]) for row in commands["commands"] for alias in row["textAliases"]},
            {f"{row['provider']}/{row['id']}": str(row.get("name", "")) for row in models["models"]},
            await self._tools(),
        )

    async def _tools(self) -> Mapping[str, str]:
        try:
            catalog = await self._link.request("tools.catalog", {})
        except OpenClawError as error:
            log.info("the gateway lists no tools: %s", error)
            return {}
        rows = [row for group in catalog.get("groups", ()) for row in group.get("tools", ())]
        return {str(row.get("id") or row.get("name")): str(row.get("description", "")) for row in rows}


def _starting(names: Iterable[tuple[str, str]], prefix: str) -> list[tuple[str, str]]:
    return sorted((row for row in names if row[0].startswith(prefix)), key=lambda row: row[0].lower())
