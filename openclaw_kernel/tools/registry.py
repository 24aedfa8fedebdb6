"""The tools of one agent, in a fixed order, with their schemas told once (TOL-01)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from functools import cached_property

from openclaw_kernel.models.api import ToolSpec
from openclaw_kernel.tools.api import Tool


class Toolbox:
    """A list of tools with lookup by name. Immutable: filtering makes a new one. Raises `ValueError` for a repeated name."""

    def __init__(self, tools: Sequence[Tool]) -> None:
        self._tools = {tool.name: tool for tool in tools}
        if len(self._tools) != len(tools):
            names = [tool.name for tool in tools]
            twice = sorted({name for name in names if names.count(name) > 1})
            raise ValueError(f"two tools share a name: {', '.join(twice)}")

    def __len__(self) -> int:
        return len(self._tools)

    def get(self, name: str) -> Tool | None:
        return self._tools.get(name)

    def tools(self) -> tuple[Tool, ...]:
        return tuple(self._tools.values())

    def names(self) -> tuple[str, ...]:
        return tuple(self._tools)

    def specs(self) -> tuple[ToolSpec, ...]:
        """What the model is told; the same objects every time, so that prompt caches hold."""
        return self._specs

    @cached_property
    def _specs(self) -> tuple[ToolSpec, ...]:
        return tuple(ToolSpec(tool.name, tool.description, tool.schema()) for tool in self._tools.values())

    def filtered(self, allow: Iterable[str] | None = None, deny: Iterable[str] = ()) -> Toolbox:
        """The tools whose name or `group:<name>` matches `allow` (`None` or empty: all) and not `deny`, which wins.

        Patterns may hold `*` and ignore case (SAF-02).
        """
        wanted, unwanted = tuple(allow or ()), tuple(deny or ())
        kept = [
            tool
            for tool in self._tools.values()
            if (not wanted or _matches(tool, wanted, tool.comes_with)) and not _matches(tool, unwanted)
        ]
        return Toolbox(kept)


def _matches(tool: Tool, patterns: tuple[str, ...], also: str = "") -> bool:
    names = (tool.name.lower(), also, *(f"group:{group.lower()}" for group in tool.groups))
    return any(fnmatchcase(name, pattern.strip().lower()) for pattern in patterns for name in names)
