"""What surfaces are made of: the basic catalogue of A2UI v0.9.1 and our own components (a2ui reference, sections 4, 13)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

VERSIONS = ("v0.9", "v0.9.1")
BASIC = "https://a2ui.org/specification/v0_9/catalogs/basic/catalog.json"
NOTEBOOK = "urn:openclaw-jupyter:catalog:notebook:v1"
_OFFICIAL = re.compile(r"https://a2ui\.org/specification/v0_9(_1)?/[\w/.-]+\.json")

Kind = Literal[
    # a literal, {path} or function call
    "text", "num", "bool", "texts", "value", "list",
    # a literal only
    "string", "number", "boolean", "count", "choice", "id", "object", "any",
    # made of parts
    "children", "tabs", "options", "columns", "action", "checks", "icon", "pattern", "date", "bools",
    # text that is an address
    "image", "video", "audio", "link",
]  # fmt: skip
Returns = Literal["string", "boolean", "void"]


@dataclass(frozen=True, slots=True)
class Prop:
    """One property. `choices` are the words of kind `choice`, the first one being the default."""

    kind: Kind
    required: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Function:
    """A function by its arguments; of `one_of` at least one must be there."""

    returns: Returns
    args: Mapping[str, Prop]
    one_of: tuple[str, ...] = ()


def _one_of(*words: str) -> Prop:
    return Prop("choice", choices=words)


def _need(kind: Kind) -> Prop:
    return Prop(kind, required=True)


_CHECKS = Prop("checks")
_JUSTIFY = _one_of("start", "center", "end", "spaceBetween", "spaceAround", "spaceEvenly", "stretch")
_ALIGN = _one_of("stretch", "start", "center", "end")

BASIC_COMPONENTS: Mapping[str, Mapping[str, Prop]] = {
    "Text": {"text": _need("text"), "variant": _one_of("body", "h1", "h2", "h3", "h4", "h5", "caption")},
    "Image": {
        "url": _need("image"),
        "description": Prop("text"),
        "fit": _one_of("fill", "contain", "cover", "none", "scaleDown"),
        "variant": _one_of("mediumFeature", "icon", "avatar", "smallFeature", "largeFeature", "header"),
    },
    "Icon": {"name": _need("icon")},
    "Video": {"url": _need("video")},
    "AudioPlayer": {"url": _need("audio"), "description": Prop("text")},
    "Row": {"children": _need("children"), "justify": _JUSTIFY, "align": _ALIGN},
    "Column": {"children": _need("children"), "justify": _JUSTIFY, "align": _ALIGN},
    "List": {"children": _need("children"), "direction": _one_of("vertical", "horizontal"), "align": _ALIGN},
    "Card": {"child": _need("id")},
    "Tabs": {"tabs": _need("tabs")},
    "Modal": {"trigger": _need("id"), "content": _need("id")},
    "Divider": {"axis": _one_of("horizontal", "vertical")},
    "Button": {
        "child": _need("id"),
        "action": _need("action"),
        "variant": _one_of("default", "primary", "borderless"),
        "checks": _CHECKS,
    },
    "TextField": {
        "label": _need("text"),
        "value": Prop("text"),
        "variant": _one_of("shortText", "longText", "number", "obscured"),
        "validationRegexp": Prop("pattern"),
        "checks": _CHECKS,
    },
    "CheckBox": {"label": _need("text"), "value": _need("bool"), "checks": _CHECKS},
    "ChoicePicker": {
        "options": _need("options"),
        "value": _need("texts"),
        "label": Prop("text"),
        "variant": _one_of("mutuallyExclusive", "multipleSelection"),
        "displayStyle": _one_of("checkbox", "chips"),
        "filterable": Prop("boolean"),
        "checks": _CHECKS,
    },
    "Slider": {"value": _need("num"), "max": _need("number"), "min": Prop("number"), "label": Prop("text"), "checks": _CHECKS},
    "DateTimeInput": {
        "value": _need("text"),
        "enableDate": Prop("boolean"),
        "enableTime": Prop("boolean"),
        "min": Prop("date"),
        "max": Prop("date"),
        "label": Prop("text"),
        "checks": _CHECKS,
    },
}

NOTEBOOK_COMPONENTS: Mapping[str, Mapping[str, Prop]] = {
    "Chart": {
        "type": _one_of("line", "bar", "area", "scatter", "pie", "histogram"),
        "series": _need("list"),
        "title": Prop("text"),
        "xLabel": Prop("text"),
        "yLabel": Prop("text"),
    },
    "DataTable": {"columns": _need("columns"), "rows": _need("list"), "pageSize": Prop("count")},
    "Code": {"code": _need("text"), "language": Prop("string")},
    "Markdown": {"text": _need("text")},
    "Progress": {"value": Prop("num"), "max": Prop("number"), "label": Prop("text")},
}

COMMON: Mapping[str, Prop] = {"id": _need("id"), "component": _need("string"), "weight": Prop("number")}
"""Of every component; `accessibility` is checked by itself."""

_BOUNDS = ("min", "max")
FUNCTIONS: Mapping[str, Function] = {
    "required": Function("boolean", {"value": _need("any")}),
    "regex": Function("boolean", {"value": _need("text"), "pattern": _need("pattern")}),
    "length": Function("boolean", {"value": _need("text"), "min": Prop("count"), "max": Prop("count")}, _BOUNDS),
    "numeric": Function("boolean", {"value": _need("num"), "min": Prop("number"), "max": Prop("number")}, _BOUNDS),
    "email": Function("boolean", {"value": _need("text")}),
    "and": Function("boolean", {"values": _need("bools")}),
    "or": Function("boolean", {"values": _need("bools")}),
    "not": Function("boolean", {"value": _need("bool")}),
    "formatString": Function("string", {"value": _need("text")}),
    "formatNumber": Function("string", {"value": _need("num"), "decimals": Prop("num"), "grouping": Prop("bool")}),
    "formatCurrency": Function(
        "string", {"value": _need("num"), "currency": _need("text"), "decimals": Prop("num"), "grouping": Prop("bool")}
    ),
    "formatDate": Function("string", {"value": _need("value"), "format": _need("text")}),
    "pluralize": Function(
        "string",
        {"value": _need("num"), "other": _need("text")}
        | {word: Prop("text") for word in ("zero", "one", "two", "few", "many")},
    ),
    "openUrl": Function("void", {"url": _need("link")}),
}

ICONS = frozenset(
    [
        "accountCircle", "add", "arrowBack", "arrowForward", "attachFile", "calendarToday", "call", "camera", "check",
        "close", "delete", "download", "edit", "event", "error", "fastForward", "favorite", "favoriteOff", "folder",
        "help", "home", "info", "locationOn", "lock", "lockOpen", "mail", "menu", "moreVert", "moreHoriz",
        "notificationsOff", "notifications", "pause", "payment", "person", "phone", "photo", "play", "print", "refresh",
        "rewind", "search", "send", "settings", "share", "shoppingCart", "skipNext", "skipPrevious", "star", "starHalf",
        "starOff", "stop", "upload", "visibility", "visibilityOff", "volumeDown", "volumeMute", "volumeOff", "volumeUp",
        "warning"
    ]
)  # fmt: skip


def components_of(catalog_id: str) -> Mapping[str, Mapping[str, Prop]] | None:
    """The components of a catalogue; None when it is not known. Ours has the basic ones too."""
    if catalog_id == NOTEBOOK:
        return {**BASIC_COMPONENTS, **NOTEBOOK_COMPONENTS}
    return BASIC_COMPONENTS if _OFFICIAL.fullmatch(catalog_id) else None
