"""Surfaces as messages make them: components and data model of each (a2ui reference, section 3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from openclaw_kernel.canvas import pointer
from openclaw_kernel.canvas.limits import COMPONENTS, SURFACES
from openclaw_kernel.canvas.problems import CanvasError

Component = Mapping[str, Any]


@dataclass(slots=True)
class Surface:
    surface_id: str
    catalog_id: str
    theme: Mapping[str, Any] = field(default_factory=dict)
    send_data_model: bool = False
    components: dict[str, Component] = field(default_factory=dict)
    data: Any = field(default_factory=dict)

    def update(self, components: list[Component]) -> None:
        """Upsert by id; what was there under an id is replaced whole."""
        new = {component["id"] for component in components} - self.components.keys()
        if len(self.components) + len(new) > COMPONENTS:
            raise CanvasError("TOO_MANY", "", f"A surface may have {COMPONENTS} components.")
        for component in components:
            self.components[component["id"]] = component

    def put(self, path: str, value: Any) -> None:
        """Write `value` into the data model; `pointer.MISSING` removes."""
        self.data = pointer.put(self.data, path, value)


class Surfaces:
    """Live surfaces by id. Takes messages the guard has passed; raises `CanvasError` where one cannot apply."""

    def __init__(self) -> None:
        self._live: dict[str, Surface] = {}

    def __iter__(self) -> Iterator[Surface]:
        return iter(self._live.values())

    def get(self, surface_id: str) -> Surface | None:
        return self._live.get(surface_id)

    def apply(self, message: Mapping[str, Any]) -> None:
        """Apply one message of the agent."""
        kind, body = next((key, body) for key, body in message.items() if key != "version")
        if kind == "createSurface":
            self._create(body)
            return
        surface = self._live.get(body["surfaceId"])
        if surface is None:
            raise CanvasError("UNKNOWN_SURFACE", "/surfaceId", f"There is no surface {body['surfaceId'][:60]!r}.")
        if kind == "updateComponents":
            surface.update(body["components"])
        elif kind == "updateDataModel":
            surface.put(body.get("path", "/"), deepcopy(body["value"]) if "value" in body else pointer.MISSING)
        else:
            del self._live[surface.surface_id]

    def _create(self, body: Mapping[str, Any]) -> None:
        surface_id = body["surfaceId"]
        if surface_id in self._live:
            raise CanvasError("DUPLICATE_SURFACE", "/surfaceId", f"The surface {surface_id[:60]!r} is live already.")
        if len(self._live) >= SURFACES:
            raise CanvasError("TOO_MANY", "/surfaceId", f"There may be {SURFACES} surfaces at once.")
        self._live[surface_id] = Surface(surface_id, body["catalogId"], body.get("theme", {}), body.get("sendDataModel", False))
