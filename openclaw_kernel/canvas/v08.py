"""Messages of A2UI v0.8 as messages of v0.9 (a2ui reference, section 2).

Only the form is changed; what comes out meets the guard like any other message. Components wait until `beginRendering` names
their root.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from openclaw_kernel.canvas.catalog import BASIC, VERSIONS
from openclaw_kernel.canvas.limits import COMPONENTS, SURFACES
from openclaw_kernel.canvas.problems import CanvasError

Message = dict[str, Any]

KINDS = ("surfaceUpdate", "dataModelUpdate", "beginRendering")
"""The messages only v0.8 has; `deleteSurface` is in both."""

_RENAMED: Mapping[str, str] = {
    "usageHint": "variant", "altText": "description", "distribution": "justify", "alignment": "align", "tabItems": "tabs",
    "entryPointChild": "trigger", "contentChild": "content", "minValue": "min", "maxValue": "max",
}  # fmt: skip
_RENAMED_IN: Mapping[str, Mapping[str, str]] = {
    "TextField": {"text": "value", "textFieldType": "variant"},
    "MultipleChoice": {"selections": "value"},
}
_WORDS: Mapping[str, str] = {"scale-down": "scaleDown"}
_LITERALS = ("literalString", "literalNumber", "literalBoolean", "literalArray")
_TYPED = ("valueString", "valueNumber", "valueBoolean", "valueMap")


def is_old(message: Any) -> bool:
    """Whether a message can only be one of v0.8."""
    return isinstance(message, dict) and "version" not in message and any(kind in message for kind in KINDS)


@dataclass(slots=True)
class _Waiting:
    """A surface before it is drawn. Its root's id becomes `root`."""

    components: dict[str, Message] = field(default_factory=dict)
    data: list[Message] = field(default_factory=list)
    root: str | None = None


class Translator:
    """Of one stream of messages. The messages must have been measured before."""

    def __init__(self) -> None:
        self._surfaces: dict[str, _Waiting] = {}

    def translate(self, message: Mapping[str, Any]) -> list[Message]:
        """What `message` comes to. Raises `CanvasError` INVALID."""
        kinds = list(message)
        if len(kinds) != 1 or kinds[0] not in (*KINDS, "deleteSurface"):
            raise CanvasError("INVALID", "", f"A message of version 0.8 has exactly one of {', '.join(KINDS)}, deleteSurface.")
        kind, body = kinds[0], message[kinds[0]]
        surface_id = body.get("surfaceId") if isinstance(body, dict) else None
        if not isinstance(surface_id, str):
            raise CanvasError("INVALID", f"/{kind}", f"{kind} must be an object with its surfaceId as text.")
        if kind == "deleteSurface":
            known = self._surfaces.pop(surface_id, None)
            return [_message("deleteSurface", surfaceId=surface_id)] if known is None or known.root is not None else []
        if surface_id not in self._surfaces and len(self._surfaces) >= SURFACES:
            raise CanvasError("TOO_MANY", f"/{kind}", f"There may be {SURFACES} surfaces at once.")
        surface = self._surfaces.setdefault(surface_id, _Waiting())
        if kind == "surfaceUpdate":
            return self._components(surface, surface_id, body)
        if kind == "dataModelUpdate":
            return self._data(surface, surface_id, body)
        return self._begin(surface, surface_id, body)

    def _components(self, surface: _Waiting, surface_id: str, body: Mapping[str, Any]) -> list[Message]:
        listed = body.get("components")
        if not isinstance(listed, list) or not listed:
            raise CanvasError("INVALID", "/surfaceUpdate/components", "components must be a list with at least one component.")
        made: list[Message] = []
        initial: list[Message] = []
        for index, raw in enumerate(listed):
            made.append(_component(raw, f"/surfaceUpdate/components/{index}", surface_id, initial))
        if surface.root is not None:
            updated = [_rooted(component, surface.root) for component in made]
            return [*initial, _message("updateComponents", surfaceId=surface_id, components=updated)]
        surface.components |= {component["id"]: component for component in made}
        surface.data += initial
        if len(surface.components) > COMPONENTS or len(surface.data) > COMPONENTS:
            raise CanvasError("TOO_MANY", "/surfaceUpdate", f"A surface may have {COMPONENTS} components.")
        return []

    def _data(self, surface: _Waiting, surface_id: str, body: Mapping[str, Any]) -> list[Message]:
        path = body.get("path")
        path = path if isinstance(path, str) and path.startswith("/") else f"/{path}" if isinstance(path, str) else "/"
        values = _contents(body.get("contents"), "/dataModelUpdate/contents")
        made = [_message("updateDataModel", surfaceId=surface_id, path=f"{path.rstrip('/')}/{key}", value=value)
                for key, value in ((_escaped(key), value) for key, value in values.items())]  # fmt: skip
        if surface.root is not None:
            return made
        surface.data += made
        if len(surface.data) > COMPONENTS:
            raise CanvasError("TOO_MANY", "/dataModelUpdate", f"Before it is drawn a surface may have {COMPONENTS} values.")
        return []

    def _begin(self, surface: _Waiting, surface_id: str, body: Mapping[str, Any]) -> list[Message]:
        root = body.get("root")
        if not isinstance(root, str):
            raise CanvasError("INVALID", "/beginRendering/root", "beginRendering names its root component as text.")
        if surface.root is not None:
            return []
        surface.root = root
        styles = body.get("styles")
        colour = styles.get("primaryColor") if isinstance(styles, dict) else None
        theme: Message = {"theme": {"primaryColor": colour}} if isinstance(colour, str) else {}
        created = _message("createSurface", surfaceId=surface_id, catalogId=BASIC, **theme)
        components = [_rooted(component, root) for component in surface.components.values()]
        data, surface.data, surface.components = surface.data, [], {}
        shown = [_message("updateComponents", surfaceId=surface_id, components=components)] if components else []
        return [created, *data, *shown]


def _message(action: str, **body: Any) -> Message:
    return {"version": VERSIONS[0], action: body}


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _contents(raw: Any, at: str) -> Message:
    """Typed entries as plain JSON; nested as deep as the message was measured to be."""
    if not isinstance(raw, list):
        raise CanvasError("INVALID", at, "contents must be a list of entries with a key and one typed value.")
    made: Message = {}
    for index, entry in enumerate(raw):
        typed = [name for name in _TYPED if name in entry] if isinstance(entry, dict) else []
        if len(typed) != 1 or not isinstance(entry.get("key"), str):
            raise CanvasError("INVALID", f"{at}/{index}", "An entry has a key and one typed value.")
        value = entry[typed[0]]
        made[entry["key"]] = _contents(value, f"{at}/{index}/valueMap") if typed[0] == "valueMap" else value
    return made


def _component(raw: Any, at: str, surface_id: str, initial: list[Message]) -> Message:
    wrapper = raw.get("component") if isinstance(raw, dict) else None
    if not isinstance(wrapper, dict) or len(wrapper) != 1 or not isinstance(raw.get("id"), str):
        raise CanvasError("INVALID", at, "A component of version 0.8 has an id and `component` with exactly one type in it.")
    kind, props = next(iter(wrapper.items()))
    if not isinstance(props, dict):
        raise CanvasError("INVALID", f"{at}/component", "The properties of a component must be an object.")
    renamed = {**_RENAMED, **_RENAMED_IN.get(kind, {})}
    made: Message = {
        "id": raw["id"],
        "component": "ChoicePicker" if kind == "MultipleChoice" else kind,
    }
    if "weight" in raw:
        made["weight"] = raw["weight"]
    for name, value in props.items():
        made[renamed.get(str(name), str(name))] = _value(value, surface_id, initial)
    return _adapted(kind, made)


def _adapted(kind: str, made: Message) -> Message:
    """The differences that are more than a name."""
    if kind == "Button" and isinstance(made.get("primary"), bool):
        made["variant"] = "primary" if made.pop("primary") else "default"
    if kind == "Button" and isinstance(action := made.get("action"), dict):
        listed = action.get("context")
        pairs = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
        context = {str(entry.get("key")): entry.get("value") for entry in pairs}
        made["action"] = {"event": {"name": action.get("name"), **({"context": context} if context else {})}}
    if kind == "MultipleChoice":
        most = made.pop("maxAllowedSelections", None)
        made["variant"] = "mutuallyExclusive" if most == 1 else "multipleSelection"
    if kind == "TextField" and made.get("variant") == "date":
        made["variant"] = "shortText"
    if kind == "Slider":
        made.setdefault("max", 100)
    return made


def _value(value: Any, surface_id: str, initial: list[Message]) -> Any:
    """A typed literal, a path, children, or a list or object of such. A literal with a path is the path's first value."""
    if isinstance(value, list):
        return [_value(item, surface_id, initial) for item in value]
    if not isinstance(value, dict):
        return _WORDS.get(value, value) if isinstance(value, str) else value
    if isinstance(value.get("explicitList"), list):
        return value["explicitList"]
    if isinstance(template := value.get("template"), dict):
        return {"componentId": template.get("componentId"), "path": template.get("dataBinding")}
    literal = next((name for name in _LITERALS if name in value), None)
    if literal is not None:
        if isinstance(path := value.get("path"), str):
            initial.append(_message("updateDataModel", surfaceId=surface_id, path=path, value=value[literal]))
            return {"path": path}
        return value[literal]
    return {key: _value(item, surface_id, initial) for key, item in value.items()}


def _rooted(component: Message, root: str) -> Message:
    """`component` with the id of the root, wherever it is named, written `root`."""
    if root == "root":
        return component

    def named(value: Any) -> Any:
        return "root" if value == root else value

    made = {key: named(value) if key in ("id", "child", "trigger", "content") else value for key, value in component.items()}
    children = made.get("children")
    if isinstance(children, list):
        made["children"] = [named(child) for child in children]
    elif isinstance(children, dict):
        made["children"] = children | {"componentId": named(children.get("componentId"))}
    if isinstance(tabs := made.get("tabs"), list):
        made["tabs"] = [tab | {"child": named(tab.get("child"))} if isinstance(tab, dict) else tab for tab in tabs]
    return made
