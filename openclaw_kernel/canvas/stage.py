"""Live surfaces with the guard in front: every message, saved ones too, comes in here (CAN-02).

A message is refused whole when it cannot be trusted to have its form. What is merely not to be shown, an unknown component or
property or an address that is refused, comes in and is drawn as a visible stand-in or blocked part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from openclaw_kernel.canvas import pointer, v08
from openclaw_kernel.canvas.catalog import VERSIONS
from openclaw_kernel.canvas.guard import check_message, measured
from openclaw_kernel.canvas.problems import CanvasError, Problem, Problems
from openclaw_kernel.canvas.store import Surface, Surfaces

DRAWABLE = frozenset({"UNKNOWN_COMPONENT", "UNKNOWN_PROPERTY", "UNSAFE_URL"})
"""Codes of problems that do not refuse a message: its parts are stood in for where they are drawn."""

Message = dict[str, Any]


class Stage:
    """Surfaces by id. Versions may not be mixed: the first message decides between 0.8 and 0.9."""

    def __init__(self) -> None:
        self.surfaces = Surfaces()
        self.old: v08.Translator | None = None
        """Set when the messages came as version 0.8; its actions go back as such."""

        self._taken = 0

    def take(self, message: Any, at: str = "") -> tuple[list[Message], list[Problem]]:
        """One message. Returns what it came to in v0.9, empty when it was refused or waits, and what is wrong with it."""
        problems = Problems()
        accepted: list[Message] = []
        for one in self._translated(message, problems, at):
            check_message(one, problems, at, self.surfaces)
            if not refusing(problems.found):
                try:
                    self.surfaces.apply(one)
                except CanvasError as error:
                    problems.add(error.problem.code, at, str(error))
                else:
                    accepted.append(one)
        self._taken += bool(accepted)
        return accepted, problems.found

    def take_all(self, messages: Sequence[Any]) -> tuple[list[Message], list[Problem]]:
        """Messages in order; refused ones are left out."""
        accepted: list[Message] = []
        found: list[Problem] = []
        for index, message in enumerate(messages):
            made, problems = self.take(message, f"/{index}")
            accepted += made
            found += problems[: max(0, 100 - len(found))]
        return accepted, found

    def replay(self) -> list[Message]:
        """The shortest messages that make these surfaces again, as they stand."""
        return [message for surface in self.surfaces for message in replay(surface)]

    def _translated(self, message: Any, problems: Problems, at: str) -> list[Message]:
        if not v08.is_old(message) and not (self.old and isinstance(message, dict) and "version" not in message):
            if self.old is not None:
                problems.add("MIXED_VERSIONS", at, "Messages of version 0.8 and 0.9 may not be mixed.")
                return []
            return [message]
        if self.old is None:
            if self._taken:
                problems.add("MIXED_VERSIONS", at, "Messages of version 0.8 and 0.9 may not be mixed.")
                return []
            self.old = v08.Translator()
        if not measured(message, problems, at):
            return []
        try:
            return self.old.translate(message)
        except CanvasError as error:
            problems.add(error.problem.code, at + error.problem.path, str(error))
            return []


def refusing(problems: Sequence[Problem]) -> list[Problem]:
    """Those for which a message is refused."""
    return [problem for problem in problems if problem.code not in DRAWABLE]


def replay(surface: Surface) -> list[Message]:
    """A surface as messages; its components in several where one would be too large."""
    created: Message = {"surfaceId": surface.surface_id, "catalogId": surface.catalog_id}
    if surface.theme:
        created["theme"] = dict(surface.theme)
    if surface.send_data_model:
        created["sendDataModel"] = True
    made: list[Message] = [{"version": VERSIONS[0], "createSurface": created}]
    if surface.data != {}:
        made += _data(surface)
    components = list(surface.components.values())
    for start in range(0, len(components), 200):
        body = {"surfaceId": surface.surface_id, "components": components[start : start + 200]}
        made.append({"version": VERSIONS[0], "updateComponents": body})
    return made


def _data(surface: Surface) -> list[Message]:
    """The data model, one message a key of its root, so that each is about as large as the one it came with."""
    if not isinstance(surface.data, Mapping) or "" in surface.data:
        return [_put(surface, "/", surface.data)]
    return [_put(surface, pointer.step(key), value) for key, value in surface.data.items()]


def _put(surface: Surface, path: str, value: Any) -> Message:
    return {"version": VERSIONS[0], "updateDataModel": {"surfaceId": surface.surface_id, "path": path, "value": value}}
