"""The Canvas of a notebook: surfaces in a cell that stay connected to Python. It needs no gateway (CAN-03).

The front end is `static/canvas.js`. Trait `messages` goes from here to there and starts any view; views send
`{"type": "action", "action": {…}, "dataModel"?}` and `{"type": "error", "error": {…}}`. All views of one canvas share its
state; a saved notebook keeps the trait and, for places without widgets, HTML and text.

Importing this module imports anywidget.
"""

from __future__ import annotations

import asyncio
import json
import logging
import traceback
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from openclaw_kernel.canvas import build, kinds, pointer
from openclaw_kernel.canvas.actions import Action, read_action
from openclaw_kernel.canvas.guard import measured
from openclaw_kernel.canvas.limits import PROBLEMS
from openclaw_kernel.canvas.problems import CanvasError, Problem, Problems
from openclaw_kernel.canvas.stage import Message, Stage, refusing
from openclaw_kernel.canvas.static_html import fragment
from openclaw_kernel.canvas.store import Surface
from openclaw_kernel.canvas.text import render_text
from openclaw_kernel.values.errors import UserError

MODULE = Path(__file__).parent / "static" / "canvas.js"
MOST_MESSAGES = 500
MOST_LETTERS = 4_000_000
"""With more, the messages are replaced by the shortest ones that make the surfaces as they stand."""

_FAILURE = "canvas-failure"
"""Surface that tells of a callback that failed; no message from outside may make it."""

log = logging.getLogger(__name__)
OnAction = Callable[[Action], Awaitable[Any] | Any]


class CanvasModuleMissing(UserError):
    """The front end was not built."""


class Canvas(anywidget.AnyWidget):
    """Surfaces made by A2UI messages (v0.9, v0.9.1; v0.8 is translated).

        canvas = Canvas(messages, on_action=lambda action: print(action.name, action.context))
        canvas

    Every message passes the guard. One that is refused raises `CanvasError` with its place and reason; those before it count.
    `problems` has what was let in but is not drawn as it stands: unknown components, refused addresses.
    """

    _esm = traitlets.Unicode().tag(sync=True)
    messages: Any = traitlets.List().tag(sync=True)
    obscured = traitlets.Bool(False).tag(sync=True)
    """Whether hidden text fields may be shown; an agent could ask for passwords with them."""

    def __init__(self, messages: Sequence[Any] = (), *, on_action: OnAction | None = None, obscured: bool = False) -> None:
        if not MODULE.is_file():
            raise CanvasModuleMissing(
                f"{MODULE} is not there: run `jlpm install && jlpm build:canvas` in labextension/ to build the canvas."
            )
        self._stage = Stage()
        self._callbacks: list[OnAction] = [on_action] if on_action else []
        self._running: set[asyncio.Task[Any]] = set()
        self.problems: list[Problem] = []
        self.error: BaseException | None = None
        """What the last callback failed with; None since one that did not."""

        accepted = self._take(messages)
        super().__init__(_esm=MODULE.read_text(encoding="utf-8"), messages=accepted, obscured=obscured)
        self.on_msg(self._heard)

    @classmethod
    def form(
        cls, fields: Sequence[build.Field | str] | Mapping[str, Any], *, title: str = "", submit: str = "Submit",
        on_action: OnAction | None = None,
    ) -> Canvas:  # fmt: skip
        """A form. `fields` are names, `Field`s, or a mapping of names to first values whose types choose the inputs."""
        if isinstance(fields, Mapping):
            asked = [_field_for(str(name), value) for name, value in fields.items()]
        else:
            asked = [build.Field(one) if isinstance(one, str) else one for one in fields]
        return cls(build.form(asked, title=title, submit=submit), on_action=on_action)

    @classmethod
    def table(cls, data: Any, *, title: str = "", page_size: int | None = None) -> Canvas:
        """A table of rows, records, a mapping of columns, or a data frame."""
        columns, rows = build.columns_and_rows(data)
        return cls(build.table(columns, rows, title=title, page_size=page_size))

    @classmethod
    def chart(
        cls, data: Mapping[str, Iterable[Any]] | Iterable[Any], *, kind: kinds.ChartType = "line", title: str = "",
        x_label: str = "", y_label: str = "",
    ) -> Canvas:  # fmt: skip
        """A chart of one row of points, or of several by name. A point is `(x, y)` or a number."""
        named = [(str(name), points) for name, points in data.items()] if isinstance(data, Mapping) else [("", data)]
        return cls(build.chart(kind, named, title=title, x_label=x_label, y_label=y_label))

    @property
    def surface_id(self) -> str:
        """The first surface; empty when there is none."""
        return next((surface.surface_id for surface in self.surfaces), "")

    @property
    def surfaces(self) -> list[Surface]:
        return [surface for surface in self._stage.surfaces if surface.surface_id != _FAILURE]

    @property
    def data(self) -> Any:
        """The data model of the first surface. What a person entered is in it after their next action, if the surface was made
        with `sendDataModel`."""
        return self._surface(None).data

    def value(self, path: str, *, surface_id: str | None = None) -> Any:
        """What the data model has at a JSON Pointer, None when nothing."""
        found = pointer.get(self._surface(surface_id).data, path)
        return None if isinstance(found, pointer.Missing) else found

    def set_value(self, path: str, value: Any, *, surface_id: str | None = None) -> None:
        """Write into the data model; every view follows."""
        target = self._surface(surface_id).surface_id
        self.update([{"version": "v0.9", "updateDataModel": {"surfaceId": target, "path": path, "value": value}}])

    def update(self, messages: Sequence[Any]) -> None:
        """Apply further messages. Raises `CanvasError` at the first that is refused, after showing those before it."""
        accepted: list[Message] = []
        try:
            self._take(messages, accepted)
        finally:
            self._show(accepted)

    def on_action(self, callback: OnAction) -> OnAction:
        """Have `callback(action)` called for each action; it may be async. Returns it, so this is a decorator too."""
        self._callbacks.append(callback)
        return callback

    def message(self, action: Action) -> dict[str, Any]:
        """`action` as the client's message, in the version the surface came in."""
        return action.to_message(old=self._stage.old is not None)

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """State from the front end; what only Python says is left out."""
        kept = ("messages", "obscured", "_esm")
        super().set_state({key: value for key, value in sync_data.items() if key not in kept})

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """The live view, and beside it what other places can show."""
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        plain = render_text(self._stage.replay()) or "Canvas"
        return {**data, "text/html": fragment(list(self._stage.surfaces)), "text/plain": plain}, metadata

    def _surface(self, surface_id: str | None) -> Surface:
        found = next((one for one in self.surfaces if surface_id in (None, one.surface_id)), None)
        if found is None:
            raise CanvasError("UNKNOWN_SURFACE", "", f"There is no surface {surface_id!r}." if surface_id else "It is empty.")
        return found

    def _take(self, messages: Sequence[Any], accepted: list[Message] | None = None) -> list[Message]:
        """Through the guard into the surfaces. Raises at the first refusal."""
        made = [] if accepted is None else accepted
        for index, message in enumerate(messages):
            if _names_failure(message):
                raise CanvasError("INVALID", f"/{index}", f"Message {index}: the surface id {_FAILURE!r} is taken.")
            came, problems = self._stage.take(message, f"/{index}")
            made += came
            if refused := refusing(problems):
                worst = refused[0]
                raise CanvasError(worst.code, worst.path, f"Message {index} was refused at {worst.path}: {worst.message}")
            self.problems = [*self.problems, *problems][-PROBLEMS:]
        return made

    def _show(self, accepted: Sequence[Message]) -> None:
        if not accepted:
            return
        listed = [*self.messages, *accepted]
        if len(listed) > MOST_MESSAGES or sum(len(json.dumps(message)) for message in listed) > MOST_LETTERS:
            listed = self._stage.replay()
        self.messages = listed

    def _heard(self, _: Any, content: Any, __: Any) -> None:
        """A message of a view. Whatever it is, nothing is raised into the widget machinery, which would lose it."""
        kind = content.get("type") if isinstance(content, Mapping) else None
        if kind == "action":
            try:
                action = self._read(content)
            except CanvasError as error:
                log.warning("An action of a canvas was refused: %s", error)
                return
            self._call(action)
        elif kind == "error" and isinstance(content.get("error"), Mapping):
            told = content["error"]
            problem = Problem(*(str(told.get(key, ""))[:500] for key in ("code", "path", "message")))
            self.problems = [*self.problems, problem][-PROBLEMS:]
            log.warning("The canvas could not draw a part: %s", problem.message)

    def _read(self, content: Mapping[str, Any]) -> Action:
        if not measured(dict(content), problems := Problems(), "/action"):
            raise CanvasError(problems.found[0].code, "/action", problems.found[0].message)
        action = read_action(content, {surface.surface_id: surface for surface in self.surfaces})
        if action.data_model is not None:
            self._surface(action.surface_id).data = json.loads(json.dumps(action.data_model))
        return action

    def _call(self, action: Action) -> None:
        self._clear_failure()
        for callback in list(self._callbacks):
            try:
                result = callback(action)
                if isinstance(result, Awaitable):
                    task = asyncio.get_running_loop().create_task(self._finish(action, result))
                    self._running.add(task)
                    task.add_done_callback(self._running.discard)
            except Exception as error:  # noqa: BLE001  # shown to the person and logged
                self._failed(action, error)

    async def _finish(self, action: Action, result: Awaitable[Any]) -> None:
        try:
            await result
        except Exception as error:  # noqa: BLE001  # shown to the person and logged
            self._failed(action, error)

    def _failed(self, action: Action, error: Exception) -> None:
        """Below the surfaces one line, in the log the traceback."""
        log.error("The callback for %r failed:\n%s", action.name, "".join(traceback.format_exception(error)))
        self._clear_failure()
        self.error = error
        reason = f"“{action.name}” failed: {type(error).__name__}: {error}"[:500]
        components: list[build.Component] = [
            {"id": "line", "component": "Row", "children": ["icon", "why"], "align": "center"},
            {"id": "icon", "component": "Icon", "name": "error"},
            {"id": "why", "component": "Text", "text": {"path": "/why"}},
        ]
        self._show_own(build.surface(components, {"why": reason}, surface_id=_FAILURE))

    def _clear_failure(self) -> None:
        self.error = None
        if self._stage.surfaces.get(_FAILURE) is not None:
            self._show_own([{"version": "v0.9", "deleteSurface": {"surfaceId": _FAILURE}}])

    def _show_own(self, messages: Sequence[Message]) -> None:
        accepted, _ = self._stage.take_all(messages)
        self._show(accepted)


def _names_failure(message: Any) -> bool:
    return isinstance(message, dict) and any(
        isinstance(body, dict) and body.get("surfaceId") == _FAILURE for body in message.values()
    )


def _field_for(name: str, value: Any) -> build.Field:
    """The input that suits a first value."""
    label = name.replace("_", " ").capitalize()
    if isinstance(value, bool):
        return build.Field(name, label, "checkbox", value=value)
    if isinstance(value, int | float):
        return build.Field(name, label, "number", value=value)
    if isinstance(value, list | tuple):
        options = [str(option) for option in value]
        return build.Field(name, label, "select", options, options[:1])
    return build.Field(name, label, value=value)
