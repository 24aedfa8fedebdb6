"""Checks one component, function call or value against the catalogue, and every literal in it against the limits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, get_args

from openclaw_kernel.canvas.catalog import COMMON, FUNCTIONS, ICONS, Kind, Prop
from openclaw_kernel.canvas.limits import EXPRESSION_LENGTH, NESTING, PATTERNS, SVG_PATH_LENGTH, UNSAFE_KEYS
from openclaw_kernel.canvas.patterns import problem_of
from openclaw_kernel.canvas.pointer import step
from openclaw_kernel.canvas.problems import Problems
from openclaw_kernel.canvas.urls import ALLOWED_TEXT, Use, allowed

_DYNAMIC: Mapping[Kind, tuple[str, str]] = {
    "text": ("string", "text"),
    "num": ("number", "a number"),
    "bool": ("boolean", "true or false"),
    "texts": ("array", "a list of texts"),
    "list": ("array", "a list"),
    "date": ("string", "a date, a time or both"),
    "image": ("string", "an address"),
    "video": ("string", "an address"),
    "audio": ("string", "an address"),
}
_SVG_PATH = re.compile(r"[MmLlHhVvCcSsQqTtAaZz0-9eE+\-.,\s]+")
_TIME = r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?"
_DATE = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_WHEN = re.compile(rf"{_DATE}|{_TIME}|{_DATE}T{_TIME}", re.IGNORECASE)
_BAD_ESCAPE = re.compile(r"~(?![01])")


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


class Shape:
    """Adds what it finds to `problems`. Depth needs no bound here: the guard has measured the message before."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._patterns = 0

    def component(self, value: Mapping[str, Any], known: Mapping[str, Mapping[str, Prop]], at: str) -> None:
        """A component whose `component` may be any of `known`."""
        kind = value.get("component")
        if not isinstance(kind, str):
            return self._add("INVALID", f"{at}/component", "A component needs its type as text in `component`.")
        if kind not in known:
            return self._add("UNKNOWN_COMPONENT", f"{at}/component", f"The catalogue has no component {kind[:60]!r}.")
        rest = {key: item for key, item in value.items() if key != "accessibility"}
        self.record(rest, {**COMMON, **known[kind]}, at, kind)
        if "accessibility" in value and self._is(value["accessibility"], dict, f"{at}/accessibility", "an object"):
            for key in ("label", "description"):
                if key in value["accessibility"]:
                    self.value(value["accessibility"][key], Prop("text"), f"{at}/accessibility/{key}")
        return None

    def record(self, value: Any, props: Mapping[str, Prop], at: str, name: str) -> None:
        """An object with exactly these properties, the required ones present."""
        if not self._is(value, dict, at, "an object"):
            return
        for key, item in value.items():
            if key in props:
                self.value(item, props[key], at + step(key))
            else:
                self._add("UNKNOWN_PROPERTY", at + step(key), f"{name} has no property {key[:60]!r}.")
        for key, prop in props.items():
            if prop.required and key not in value:
                self._add("MISSING", at + step(key), f"{name} needs {key!r}.")

    def value(self, value: Any, prop: Prop, at: str) -> None:
        if prop.kind in _DYNAMIC:
            self._dynamic(value, prop.kind, at)
        else:
            getattr(self, f"_{prop.kind}")(value, prop, at)

    def call(self, value: Mapping[str, Any], returns: str | None, at: str) -> None:
        """A function call; `returns` is the type its place asks for, None for any."""
        name = value.get("call")
        if not isinstance(name, str) or name not in FUNCTIONS:
            return self._add("UNKNOWN_FUNCTION", f"{at}/call", f"The catalogue has no function {str(name)[:60]!r}.")
        function = FUNCTIONS[name]
        for key in value.keys() - {"call", "args", "returnType"}:
            self._add("UNKNOWN_PROPERTY", at + step(key), f"A function call has no property {key[:60]!r}.")
        told = value.get("returnType", function.returns)
        if told != function.returns or (returns and "returnType" in value and told != returns):
            self._add(
                "INVALID", f"{at}/returnType", f"{name} gives {function.returns}, and its place asks for {returns or 'that'}."
            )
        if "args" not in value:
            return self._add("MISSING", f"{at}/args", f"{name} needs 'args'.")
        self.record(value["args"], function.args, f"{at}/args", name)
        if function.one_of and isinstance(value["args"], dict) and not value["args"].keys() & set(function.one_of):
            self._add("MISSING", f"{at}/args", f"{name} needs one of {', '.join(function.one_of)}.")
        return None

    def path(self, value: Any, at: str) -> None:
        """A JSON Pointer, absolute or relative."""
        if not self._is(value, str, at, "a path as text"):
            return
        if _BAD_ESCAPE.search(value):
            self._add("BAD_PATH", at, "In a path `~` is written `~0` and `/` inside a key `~1`.")
        if value.count("/") >= NESTING:
            self._add("TOO_DEEP", at, f"A path may have {NESTING} steps.")
        if UNSAFE_KEYS & set(value.split("/")):
            self._add("UNSAFE_KEY", at, "The path goes through a key that is refused.")

    def _dynamic(self, value: Any, kind: Kind, at: str) -> None:
        """A literal, `{path}` or a function call."""
        returns, words = _DYNAMIC[kind]
        if isinstance(value, dict):
            self._bound(value, returns, at)
        elif returns == "string":
            if self._is(value, str, at, words):
                self._literal_text(value, kind, at)
        elif returns == "number":
            if not is_number(value):
                self._add("INVALID", at, f"This must be {words}, a path or a function call.")
        elif returns == "boolean":
            self._is(value, bool, at, words)
        elif self._is(value, list, at, words) and kind == "texts":
            for index, item in enumerate(value):
                self._is(item, str, f"{at}/{index}", "text")

    def _bound(self, value: dict[str, Any], returns: str | None, at: str) -> None:
        if "call" in value:
            self.call(value, returns, at)
        elif value.keys() == {"path"}:
            self.path(value["path"], f"{at}/path")
        else:
            self._add("INVALID", at, "An object here is {path} alone or a function call.")

    def _literal_text(self, value: str, kind: Kind, at: str) -> None:
        if kind == "date" and not _WHEN.fullmatch(value):
            self._add("INVALID", at, "This must be an ISO 8601 date, time, or both.")
        elif kind in get_args(Use):
            self._address(value, kind, at)  # type: ignore[arg-type]
        elif "${" in value and len(value) > EXPRESSION_LENGTH:
            self._add("TOO_LARGE", at, f"An expression may have {EXPRESSION_LENGTH} characters.")

    def _address(self, value: str, use: Use, at: str) -> None:
        if not allowed(value, use):
            self._add("UNSAFE_URL", at, f"This address is refused; allowed is {ALLOWED_TEXT[use]}.")

    def _link(self, value: Any, _: Prop, at: str) -> None:
        if self._is(value, str, at, "an address as text"):
            self._address(value, "link", at)

    def _value(self, value: Any, _: Prop, at: str) -> None:
        if isinstance(value, dict):
            self._bound(value, None, at)
        elif value is None:
            self._add("INVALID", at, "null is not a value here.")

    def _any(self, value: Any, _: Prop, at: str) -> None:
        if isinstance(value, dict) and ("call" in value or value.keys() == {"path"}):
            self._bound(value, None, at)
        elif value is None:
            self._add("INVALID", at, "null is not a value here.")

    def _string(self, value: Any, _: Prop, at: str) -> None:
        self._is(value, str, at, "text")

    def _id(self, value: Any, _: Prop, at: str) -> None:
        if self._is(value, str, at, "a component id") and value in UNSAFE_KEYS:
            self._add("UNSAFE_KEY", at, "This id is refused.")

    def _number(self, value: Any, _: Prop, at: str) -> None:
        if not is_number(value):
            self._add("INVALID", at, "This must be a number.")

    def _count(self, value: Any, _: Prop, at: str) -> None:
        if not is_number(value) or value < 0 or not float.is_integer(float(min(value, 1e18))):
            self._add("INVALID", at, "This must be a whole number, 0 or more.")

    def _boolean(self, value: Any, _: Prop, at: str) -> None:
        self._is(value, bool, at, "true or false")

    def _choice(self, value: Any, prop: Prop, at: str) -> None:
        if not isinstance(value, str) or value not in prop.choices:
            self._add("INVALID", at, f"This must be one of {', '.join(prop.choices)}.")

    def _pattern(self, value: Any, _: Prop, at: str) -> None:
        self._patterns += 1
        if self._patterns > PATTERNS:
            self._add("TOO_MANY", at, f"A message may have {PATTERNS} patterns.")
        elif self._is(value, str, at, "a pattern as text") and (why := problem_of(value)):
            self._add("UNSAFE_PATTERN", at, f"Refused: {why}.")

    def _children(self, value: Any, _: Prop, at: str) -> None:
        if isinstance(value, dict):
            self.record(value, {"componentId": Prop("id", True), "path": Prop("string", True)}, at, "A template")
            self.path(value.get("path", ""), f"{at}/path")
        else:
            self._each(
                value, at, "a list of component ids or a template", lambda item, place: self._id(item, Prop("id"), place)
            )

    def _tabs(self, value: Any, _: Prop, at: str) -> None:
        tab = {"title": Prop("text", True), "child": Prop("id", True)}
        self._each(value, at, "a list of tabs", lambda item, place: self.record(item, tab, place, "A tab"), least=1)

    def _options(self, value: Any, _: Prop, at: str) -> None:
        option = {"label": Prop("text", True), "value": Prop("string", True)}
        self._each(value, at, "a list of options", lambda item, place: self.record(item, option, place, "An option"))

    def _columns(self, value: Any, _: Prop, at: str) -> None:
        column = {"key": Prop("string", True), "label": Prop("text")}
        self._each(value, at, "a list of columns", lambda item, place: self.record(item, column, place, "A column"), least=1)

    def _bools(self, value: Any, _: Prop, at: str) -> None:
        self._each(value, at, "a list of conditions", lambda item, place: self._dynamic(item, "bool", place), least=2)

    def _checks(self, value: Any, _: Prop, at: str) -> None:
        check = {"condition": Prop("bool", True), "message": Prop("string", True)}
        self._each(value, at, "a list of checks", lambda item, place: self.record(item, check, place, "A check"))

    def _icon(self, value: Any, _: Prop, at: str) -> None:
        if isinstance(value, str):
            if value not in ICONS:
                self._add("INVALID", at, f"There is no icon {value[:60]!r}.")
        elif self._is(value, dict, at, "an icon's name, {svgPath} or {path}"):
            drawn = value.get("svgPath")
            if value.keys() == {"path"}:
                self.path(value["path"], f"{at}/path")
            elif value.keys() != {"svgPath"} or not isinstance(drawn, str):
                self._add("INVALID", at, "An icon is a name, {svgPath} or {path}.")
            elif len(drawn) > SVG_PATH_LENGTH or not _SVG_PATH.fullmatch(drawn):
                self._add(
                    "UNSAFE_SVG", f"{at}/svgPath", f"Path data is SVG path letters and numbers, {SVG_PATH_LENGTH} at most."
                )

    def _action(self, value: Any, _: Prop, at: str) -> None:
        if not self._is(value, dict, at, "an object"):
            return
        if value.keys() == {"functionCall"}:
            if self._is(value["functionCall"], dict, f"{at}/functionCall", "a function call"):
                self.call(value["functionCall"], None, f"{at}/functionCall")
        elif value.keys() == {"event"}:
            self.record(value["event"], {"name": Prop("string", True), "context": Prop("object")}, f"{at}/event", "An event")
        else:
            self._add("INVALID", at, "An action is {event} or {functionCall}.")

    def _object(self, value: Any, _: Prop, at: str) -> None:
        if self._is(value, dict, at, "an object"):
            for key, item in value.items():
                self._value(item, Prop("value"), at + step(key))

    def _each(self, value: Any, at: str, words: str, check: Callable[[Any, str], None], least: int = 0) -> None:
        if not self._is(value, list, at, words):
            return
        if len(value) < least:
            self._add("INVALID", at, f"This needs {least} or more.")
        for index, item in enumerate(self._bounded(value)):
            check(item, f"{at}/{index}")

    def _bounded(self, items: Iterable[Any]) -> Iterable[Any]:
        for item in items:
            if self._problems.full:
                return
            yield item

    def _is(self, value: Any, kind: type, at: str, words: str) -> bool:
        if not isinstance(value, kind):
            self._add("INVALID", at, f"This must be {words}.")
            return False
        return True

    def _add(self, code: str, at: str, message: str) -> None:
        self._problems.add(code, at, message)
