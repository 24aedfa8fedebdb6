"""The guard before every surface: sizes first, then the catalogue, then the structure (a2ui reference, sections 6 and 14)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from openclaw_kernel.canvas import pointer
from openclaw_kernel.canvas.catalog import BASIC_COMPONENTS, NOTEBOOK_COMPONENTS, VERSIONS, Prop, components_of
from openclaw_kernel.canvas.limits import COMPONENTS, MESSAGE_BYTES, NESTING, UNSAFE_KEYS
from openclaw_kernel.canvas.problems import CanvasError, Problem, Problems
from openclaw_kernel.canvas.shape import Shape
from openclaw_kernel.canvas.store import Surface, Surfaces
from openclaw_kernel.canvas.tree import ROOT, Node, child_ids, cycles, expand, is_template
from openclaw_kernel.canvas.urls import ALLOWED_TEXT, Use, allowed

_ALL = {**BASIC_COMPONENTS, **NOTEBOOK_COMPONENTS}
_SURFACE = Prop("id", True)
_BODIES: Mapping[str, Mapping[str, Prop]] = {
    "createSurface": {
        "surfaceId": _SURFACE,
        "catalogId": Prop("string", True),
        "theme": Prop("any"),
        "sendDataModel": Prop("boolean"),
    },
    "updateComponents": {"surfaceId": _SURFACE, "components": Prop("any", True)},
    "updateDataModel": {"surfaceId": _SURFACE, "path": Prop("string"), "value": Prop("any")},
    "deleteSurface": {"surfaceId": _SURFACE},
}


def check_messages(messages: Sequence[Any], places: Sequence[str] | None = None) -> list[Problem]:
    """Everything wrong with a list of messages; empty when they are safe to draw.

    `places` are the JSON Pointers of the messages, by default their indexes. A list that creates no surface is taken as the
    later part of a conversation: its updates are checked, its structure is not asked to be complete.
    """
    problems = Problems()
    surfaces = Surfaces()
    whole = any(isinstance(message, dict) and "createSurface" in message for message in messages)
    for index, message in enumerate(messages):
        if problems.full:
            break
        at = places[index] if places else f"/{index}"
        before = len(problems.found)
        check_message(message, problems, at, surfaces)
        if len(problems.found) > before:
            continue
        try:
            if not whole and (surface_id := _surface_id(message)) and surfaces.get(surface_id) is None:
                surfaces.apply({"createSurface": {"surfaceId": surface_id, "catalogId": ""}})
            surfaces.apply(message)
        except CanvasError as error:
            problems.add(error.problem.code, at, str(error))
    if not problems.found:
        for surface in surfaces:
            check_surface(surface, problems, whole)
    return problems.found


def check_message(message: Any, problems: Problems, at: str, surfaces: Surfaces) -> None:
    """One message by itself; `surfaces` tells which catalogue its surface has."""
    if not isinstance(message, dict):
        return problems.add("INVALID", at, "A message must be an object.")
    if not measured(message, problems, at):
        return None
    if message.get("version") not in VERSIONS:
        said = "no version" if "version" not in message else f"version {str(message['version'])[:20]!r}"
        problems.add("UNSUPPORTED_VERSION", f"{at}/version", f"The message has {said}; it must be v0.9 or v0.9.1.")
    kinds = [key for key in message if key != "version"]
    if len(kinds) != 1 or kinds[0] not in _BODIES:
        return problems.add("INVALID", at, f"A message has `version` and exactly one of {', '.join(_BODIES)}.")
    kind, body, place = kinds[0], message[kinds[0]], f"{at}/{kinds[0]}"
    shape = Shape(problems)
    if not isinstance(body, dict):
        return problems.add("INVALID", place, f"{kind} must be an object.")
    elsewhere = ("theme", "value", "components")
    shape.record({key: True if key in elsewhere else item for key, item in body.items()}, _BODIES[kind], place, kind)
    if kind == "createSurface":
        _created(body, shape, problems, place)
    elif kind == "updateComponents" and "components" in body:
        _components(body, shape, problems, place, surfaces)
    elif kind == "updateDataModel" and "path" in body:
        shape.path(body["path"], f"{place}/path")
    return None


def check_surface(surface: Surface, problems: Problems, whole: bool = True) -> None:
    """The structure of a surface as it stands: root, dangling ids, cycles, depth, number, and addresses that are bound."""
    at = f"#{surface.surface_id}"
    for name in cycles(surface):
        problems.add("CYCLE", at, f"The component {name[:60]!r} contains itself.")
    if whole and surface.components:
        if ROOT not in surface.components:
            problems.add("NO_ROOT", at, "No component has the id 'root'.")
        for component in surface.components.values():
            template = component.get("children")
            named = [*child_ids(component), *([template["componentId"]] if is_template(template) else [])]
            for child in named:
                if child not in surface.components:
                    problems.add("DANGLING", at, f"{component['id'][:60]!r} names {child[:60]!r}, which does not exist.")
    if problems.found:
        return
    root = expand(surface, problems, at)
    waiting = [root] if root else []
    while waiting:
        node = waiting.pop()
        waiting += node.children
        _bound_address(surface, node, problems, at)


def _bound_address(surface: Surface, node: Node, problems: Problems, at: str) -> None:
    use = _ALL.get(node.component["component"], {}).get("url")
    url = node.component.get("url")
    if use is None or use.kind not in get_args(Use) or not isinstance(url, dict) or "path" not in url:
        return None
    try:
        value = pointer.get(surface.data, pointer.absolute(url["path"], node.scope))
    except CanvasError as error:
        return problems.add(error.problem.code, at, str(error))
    if isinstance(value, str) and value and not allowed(value, use.kind):  # type: ignore[arg-type]
        allowed_text = ALLOWED_TEXT[use.kind]  # type: ignore[index]
        problems.add("UNSAFE_URL", at, f"{node.component['id'][:60]!r} shows a refused address; allowed is {allowed_text}.")
    return None


def _surface_id(message: Mapping[str, Any]) -> str:
    return next((str(body["surfaceId"]) for key, body in message.items() if key != "version"), "")


def _created(body: Mapping[str, Any], shape: Shape, problems: Problems, at: str) -> None:
    catalog = body.get("catalogId")
    if isinstance(catalog, str) and components_of(catalog) is None:
        problems.add("UNKNOWN_CATALOG", f"{at}/catalogId", f"The catalogue {catalog[:120]!r} is not known.")
    theme = body.get("theme", {})
    if not isinstance(theme, dict):
        return problems.add("INVALID", f"{at}/theme", "A theme must be an object.")
    colour = theme.get("primaryColor", "#000000")
    digits = colour[1:] if isinstance(colour, str) and colour[:1] == "#" and len(colour) == 7 else ""
    if not digits or set(digits) - set("0123456789abcdefABCDEF"):
        problems.add("INVALID", f"{at}/theme/primaryColor", "A colour is written #RRGGBB.")
    if "iconUrl" in theme:
        icon = theme["iconUrl"]
        if not isinstance(icon, str) or not allowed(icon, "image"):
            problems.add("UNSAFE_URL", f"{at}/theme/iconUrl", f"This address is refused; allowed is {ALLOWED_TEXT['image']}.")
    if "agentDisplayName" in theme:
        shape.value(theme["agentDisplayName"], Prop("string"), f"{at}/theme/agentDisplayName")
    return None


def _components(body: Mapping[str, Any], shape: Shape, problems: Problems, at: str, surfaces: Surfaces) -> None:
    components = body["components"]
    if not isinstance(components, list) or not components:
        return problems.add("INVALID", f"{at}/components", "This must be a list with one component or more.")
    if len(components) > COMPONENTS:
        return problems.add("TOO_MANY", f"{at}/components", f"A surface may have {COMPONENTS} components.")
    surface = surfaces.get(body["surfaceId"]) if isinstance(body.get("surfaceId"), str) else None
    known = (components_of(surface.catalog_id) if surface else None) or _ALL
    seen: set[str] = set()
    for index, component in enumerate(components):
        place = f"{at}/components/{index}"
        if not isinstance(component, dict):
            problems.add("INVALID", place, "A component must be an object.")
            continue
        shape.component(component, known, place)
        name = component.get("id")
        if isinstance(name, str):
            if name in seen:
                problems.add("DUPLICATE_ID", f"{place}/id", f"The id {name[:60]!r} stands twice in one message.")
            seen.add(name)
    return None


def measured(message: dict[str, Any], problems: Problems, at: str) -> bool:
    """Whether a message may be recursed into: its depth and keys, found by a walk of its own, then its size."""
    waiting: list[tuple[Any, str, int]] = [(message, at, 1)]
    while waiting:
        value, place, depth = waiting.pop()
        if depth > NESTING:
            problems.add("TOO_DEEP", at, f"Objects and arrays may be {NESTING} deep inside each other.")
            return False
        if isinstance(value, dict):
            for key, item in value.items():
                if key in UNSAFE_KEYS:
                    problems.add("UNSAFE_KEY", place + pointer.step(key), f"The key {key!r} is refused.")
                    return False
                if isinstance(item, dict | list):
                    waiting.append((item, place + pointer.step(key), depth + 1))
        else:
            waiting += [
                (item, f"{place}/{index}", depth + 1) for index, item in enumerate(value) if isinstance(item, dict | list)
            ]
    if len(json.dumps(message, ensure_ascii=False).encode("utf-8", "surrogatepass")) > MESSAGE_BYTES:
        problems.add("TOO_LARGE", at, f"A message may have {MESSAGE_BYTES} bytes.")
        return False
    return True
