"""What a person did on a surface (a2ui reference, sections 3 and 11)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from openclaw_kernel.canvas.bind import Values
from openclaw_kernel.canvas.catalog import VERSIONS
from openclaw_kernel.canvas.limits import CONTEXT_BYTES, NESTING
from openclaw_kernel.canvas.pointer import Missing
from openclaw_kernel.canvas.problems import CanvasError
from openclaw_kernel.canvas.resolve import ViewNode
from openclaw_kernel.canvas.store import Surface

_FIELDS = ("name", "surfaceId", "sourceComponentId", "timestamp")


@dataclass(frozen=True, slots=True)
class Action:
    """`timestamp` is ISO 8601. `data_model` is the whole model, of surfaces made with `sendDataModel` only."""

    name: str
    surface_id: str
    source_component_id: str
    timestamp: str
    context: Mapping[str, Any] = field(default_factory=dict)
    data_model: Any = None

    def to_message(self, *, old: bool = False) -> dict[str, Any]:
        """The client's message of v0.9, or of v0.8 when the surface came as such."""
        body = {
            "name": self.name,
            "surfaceId": self.surface_id,
            "sourceComponentId": self.source_component_id,
            "timestamp": self.timestamp,
            "context": dict(self.context),
        }
        return {"userAction": body} if old else {"version": VERSIONS[0], "action": body}


def action_of(surface: Surface, view: ViewNode, now: datetime) -> Action | None:
    """The event pressing `view` makes, its context as the data is now. None when it makes none or a check fails."""
    component = surface.components.get(view.component_id, {})
    action = component.get("action")
    event = action.get("event") if isinstance(action, dict) else None
    if view.disabled or not isinstance(event, dict):
        return None
    values = Values(surface.data)
    context: dict[str, Any] = {}
    for key, raw in (event.get("context") or {}).items():
        found = values.value(raw, view.scope)
        if not isinstance(found, Missing):
            context[key] = deepcopy(found)
    model = deepcopy(surface.data) if surface.send_data_model else None
    made = Action(str(event.get("name")), surface.surface_id, view.component_id, now.isoformat(), context, model)
    _measure(made.context)
    return made


def read_action(content: Any, surfaces: Mapping[str, Surface]) -> Action:
    """An action as a view sent it: `{action: {…}, dataModel?}`. Raises `CanvasError` when it is none of a live surface.

    The data model is kept only where the surface was made to send it.
    """
    body = content.get("action") if isinstance(content, Mapping) else None
    if not isinstance(body, dict) or not all(isinstance(body.get(key), str) for key in _FIELDS):
        raise CanvasError("INVALID", "/action", f"An action has {', '.join(_FIELDS)} as text, and a context.")
    context = body.get("context", {})
    if not isinstance(context, dict):
        raise CanvasError("INVALID", "/action/context", "The context of an action must be an object.")
    surface = surfaces.get(body["surfaceId"])
    if surface is None:
        raise CanvasError("UNKNOWN_SURFACE", "/action/surfaceId", f"There is no surface {body['surfaceId'][:60]!r}.")
    if body["sourceComponentId"] not in surface.components:
        raise CanvasError("INVALID", "/action/sourceComponentId", "The action comes from a component that is not there.")
    _measure(context)
    model = content.get("dataModel") if surface.send_data_model else None
    return Action(body["name"][:200], body["surfaceId"], body["sourceComponentId"], body["timestamp"][:40], context, model)


def _measure(context: Mapping[str, Any]) -> None:
    try:
        size = len(json.dumps(context, ensure_ascii=False, default=str).encode("utf-8", "surrogatepass"))
    except RecursionError as error:
        raise CanvasError("TOO_DEEP", "/action/context", f"A context may be {NESTING} deep.") from error
    if size > CONTEXT_BYTES:
        raise CanvasError("TOO_LARGE", "/action/context", f"The context of an action may have {CONTEXT_BYTES} bytes.")
