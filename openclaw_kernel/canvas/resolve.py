"""One view of a surface with everything in it worked out: what static HTML, pictures, plain text and tests draw from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any

from openclaw_kernel.canvas import pointer
from openclaw_kernel.canvas.bind import Values
from openclaw_kernel.canvas.catalog import BASIC_COMPONENTS, NOTEBOOK_COMPONENTS, Prop
from openclaw_kernel.canvas.limits import LIST_ROWS, MESSAGE_BYTES, TEMPLATE_ROWS
from openclaw_kernel.canvas.problems import CanvasError, Problems
from openclaw_kernel.canvas.store import Surface
from openclaw_kernel.canvas.tree import Node, expand
from openclaw_kernel.canvas.urls import Use, allowed

_ALL = {**BASIC_COMPONENTS, **NOTEBOOK_COMPONENTS}
_STRUCTURE = frozenset({"id", "children", "checks", "action", "pattern"})


@dataclass(frozen=True, slots=True)
class ViewNode:
    """A component in one place. `props` are its properties after the catalogue, resolved and with their defaults."""

    kind: str
    component_id: str
    scope: str = ""
    props: Mapping[str, Any] = field(default_factory=dict)
    children: tuple[ViewNode, ...] = ()
    known: bool = True
    bound: str = ""
    """Absolute path an input writes to; empty when it is bound to none."""

    failing: tuple[str, ...] = ()
    """Messages of the checks that do not hold."""

    label: str = ""
    description: str = ""
    """For screen readers."""

    weight: float | None = None
    notice: str = ""
    """What was left out here, as a sentence for people."""

    @property
    def disabled(self) -> bool:
        """A button of which a check fails cannot be pressed."""
        return self.kind == "Button" and bool(self.failing)

    def text(self, name: str) -> str:
        value = self.props.get(name)
        return value if isinstance(value, str) else ""

    def walk(self) -> Iterator[ViewNode]:
        """It and all below it, in reading order."""
        yield self
        for child in self.children:
            yield from child.walk()


def resolve(surface: Surface, problems: Problems | None = None, *, zone: tzinfo = UTC) -> ViewNode | None:
    """The view of `surface` as it stands, None before its root is there. Never raises; `problems` is told what was cut.

    `zone` is the time zone dates are written in.
    """
    found = Problems() if problems is None else problems
    root = expand(surface, found, f"#{surface.surface_id}")
    values = Values(surface.data, found, at=f"#{surface.surface_id}", zone=zone)
    return _view(root, values) if root else None


def texts(view: ViewNode) -> list[str]:
    """Every text a person sees, in reading order."""
    found: list[str] = []
    for node in view.walk():
        for name in ("label", "title", "text", "code", "description", "xLabel", "yLabel"):
            found.append(node.text(name))
        if node.kind in ("TextField", "DateTimeInput") and node.text("variant") != "obscured":
            found.append(node.text("value"))
        found += [tab["title"] for tab in node.props.get("tabs", ())]
        found += [option["label"] for option in node.props.get("options", ())]
        found += [column["label"] for column in node.props.get("columns", ())]
        found += [*node.failing, node.notice]
    return [text for text in found if text]


def _view(node: Node, values: Values) -> ViewNode:
    """Recursion is as deep as the tree, which is bounded."""
    component, scope = node.component, node.scope
    kind = str(component.get("component"))
    known = _ALL.get(kind)
    spoken = component.get("accessibility")
    spoken = spoken if isinstance(spoken, dict) else {}
    weight = component.get("weight")
    props = _props(component, known, scope, values) if known else {}
    notice = _notice(component, known is not None, scope, values)
    if not values.afford(_cost(props)):
        props, notice = {**props, "series": [], "rows": []}, "This surface is too large to be shown whole."
    return ViewNode(
        kind,
        str(component.get("id")),
        scope,
        props,
        tuple(_view(child, values) for child in node.children),
        known is not None,
        _bound(component.get("value"), scope),
        _failing(component, scope, values),
        values.text(spoken.get("label"), scope),
        values.text(spoken.get("description"), scope),
        float(weight) if isinstance(weight, int | float) and not isinstance(weight, bool) and 0 <= weight < 1e6 else None,
        notice,
    )


def _props(component: Mapping[str, Any], known: Mapping[str, Prop], scope: str, values: Values) -> dict[str, Any]:
    return {
        name: _prop(component.get(name), prop, scope, values) for name, prop in known.items() if prop.kind not in _STRUCTURE
    }


def _prop(raw: Any, prop: Prop, scope: str, values: Values) -> Any:
    match prop.kind:
        case "image" | "video" | "audio" | "link":
            address = values.text(raw, scope, MESSAGE_BYTES)
            return address if allowed(address, prop.kind) else ""
        case "text" | "date" | "value":
            return values.text(raw, scope)
        case "num":
            return values.number(raw, scope)
        case "bool":
            return values.truth(raw, scope)
        case "texts":
            chosen = values.value(raw, scope)
            items = chosen[:LIST_ROWS] if isinstance(chosen, list) else [chosen]
            return [text for text in (values.text(item) for item in items if not isinstance(item, dict)) if text]
        case "list":
            rows = raw if isinstance(raw, list) else values.value(raw, scope)
            return rows[:LIST_ROWS] if isinstance(rows, list) else []
        case "tabs" | "options" | "columns":
            return _parts(raw, prop.kind, scope, values)
        case "choice":
            return raw if isinstance(raw, str) and raw in prop.choices else prop.choices[0]
        case "icon":
            return raw if isinstance(raw, dict) and "svgPath" in raw else values.text(raw, scope)
        case "number" | "count":
            return float(raw) if isinstance(raw, int | float) and not isinstance(raw, bool) and abs(raw) < 1e300 else None
        case "boolean":
            return raw is True
        case _:
            return raw if isinstance(raw, str) else ""


def _cost(props: Mapping[str, Any]) -> int:
    """Steps it takes to draw the rows of a table and the points of a chart."""
    points = [item.get("points") for item in props.get("series", ()) if isinstance(item, dict)]
    cells = min(len(props.get("rows", ())), 500) * max(1, len(props.get("columns", ())))
    return (sum(len(each) for each in points if isinstance(each, list)) + len(props.get("series", ()))) // 2 + cells // 4


def _parts(raw: Any, kind: str, scope: str, values: Values) -> list[dict[str, str]]:
    """Tabs, options or columns, their texts resolved."""
    shown, other = {"tabs": ("title", "child"), "options": ("label", "value"), "columns": ("label", "key")}[kind]
    parts = [part for part in raw if isinstance(part, dict)] if isinstance(raw, list) else []
    made = [{shown: values.text(part.get(shown), scope), other: str(part.get(other, ""))} for part in parts]
    return [part | {shown: part[shown] or part[other]} for part in made] if kind != "tabs" else made


def _failing(component: Mapping[str, Any], scope: str, values: Values) -> tuple[str, ...]:
    checks = component.get("checks")
    checks = [check for check in checks if isinstance(check, dict)] if isinstance(checks, list) else []
    failing = [str(check.get("message", "")) for check in checks if not values.truth(check.get("condition"), scope)]
    pattern = component.get("validationRegexp")
    entered = values.text(component.get("value"), scope) if isinstance(pattern, str) else ""
    if entered and not values.truth({"call": "regex", "args": {"value": entered, "pattern": pattern}}):
        failing.append("This does not have the expected form.")
    return tuple(failing)


def _bound(raw: Any, scope: str) -> str:
    path = raw.get("path") if isinstance(raw, dict) else None
    return pointer.absolute(path, scope) if isinstance(path, str) else ""


def _notice(component: Mapping[str, Any], known: bool, scope: str, values: Values) -> str:
    if not known:
        return f"“{str(component.get('component'))[:60]}” is not a known component."
    template = component.get("children")
    if isinstance(template, dict):
        rows = values.value({"path": template.get("path")}, scope)
        if isinstance(rows, list) and len(rows) > TEMPLATE_ROWS:
            return f"The first {TEMPLATE_ROWS:,} of {len(rows):,} are shown."
    if component.get("component") in ("Image", "Video", "AudioPlayer") and (
        url := values.text(component.get("url"), scope, MESSAGE_BYTES)
    ):
        use: Use = {"Image": "image", "Video": "video"}.get(str(component["component"]), "audio")  # type: ignore[assignment]
        if not allowed(url, use):
            return "An address was refused here."
    return ""


def value_at(surface: Surface, path: str) -> Any:
    """What the data model holds at `path`; None when nothing. Raises `CanvasError` for a path that is refused."""
    found = pointer.get(surface.data, path)
    return None if isinstance(found, pointer.Missing) else found


__all__ = ["CanvasError", "ViewNode", "resolve", "texts", "value_at"]
