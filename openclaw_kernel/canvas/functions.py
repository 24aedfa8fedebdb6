"""The functions of the basic catalogue (a2ui reference, section 4). Each takes its arguments resolved.

`openUrl` has no value here: it is an effect, run where the click is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import Any, Protocol

from openclaw_kernel.canvas.dates import format_date
from openclaw_kernel.canvas.expressions import parse
from openclaw_kernel.canvas.limits import PATTERN_INPUT, TEXT_LENGTH
from openclaw_kernel.canvas.numbers import format_currency, format_number, to_number
from openclaw_kernel.canvas.patterns import compiled
from openclaw_kernel.canvas.pointer import MISSING

_EMAIL = re.compile(r"[a-zA-Z0-9._%+-]+@(?:[a-zA-Z0-9-]+\.)+[a-zA-Z]{2,}")


class Host(Protocol):
    """What a function may ask of the surface it runs for."""

    zone: tzinfo

    def resolve(self, raw: Any, scope: str, depth: int) -> Any: ...
    def to_text(self, value: Any) -> str: ...
    def spend(self, steps: int) -> None: ...


Args = Mapping[str, Any]
Function = Callable[[Args, Host, str, int], Any]


def _required(args: Args, *_: Any) -> bool:
    value = args.get("value")
    return value is not None and value is not MISSING and value != "" and value != []


def _regex(args: Args, host: Host, *_: Any) -> bool:
    value, pattern = _text(args, "value", host), _text(args, "pattern", host)
    host.spend(len(pattern) // 2)
    return compiled(pattern).search(value, host.spend)


def _length(args: Args, *_: Any) -> bool:
    value = args.get("value")
    return _within(len(value) if isinstance(value, str | list) else 0, args)


def _numeric(args: Args, *_: Any) -> bool:
    number = to_number(args.get("value"))
    return number == number and _within(number, args)


def _within(number: float, args: Args) -> bool:
    """A bound that is no number does not bind."""
    least, most = to_number(args.get("min")), to_number(args.get("max"))
    return not number < least and not number > most


def _email(args: Args, host: Host, *_: Any) -> bool:
    value = _text(args, "value", host)
    return len(value) <= PATTERN_INPUT and _EMAIL.fullmatch(value) is not None


def _and(args: Args, *_: Any) -> bool:
    values = args.get("values")
    return isinstance(values, list) and all(_true(value) for value in values)


def _or(args: Args, *_: Any) -> bool:
    values = args.get("values")
    return isinstance(values, list) and any(_true(value) for value in values)


def _not(args: Args, *_: Any) -> bool:
    return not _true(args.get("value"))


def _true(value: Any) -> bool:
    return value is not MISSING and value != "false" and (isinstance(value, list | dict) or (bool(value) and value == value))


def _format_string(args: Args, host: Host, scope: str, depth: int) -> str:
    template = _text(args, "value", host)
    host.spend(len(template) // 50)
    made: list[str] = []
    length = 0
    for part in parse(template):
        made.append(host.to_text(host.resolve(part, scope, depth + 1)))
        length += len(made[-1])
        if length > TEXT_LENGTH:
            break
    return "".join(made)


def _format_number(args: Args, *_: Any) -> str:
    return format_number(to_number(args.get("value")), _decimals(args), args.get("grouping") is not False)


def _format_currency(args: Args, host: Host, *_: Any) -> str:
    currency, grouping = _text(args, "currency", host), args.get("grouping") is not False
    return format_currency(to_number(args.get("value")), currency, _decimals(args), grouping)


def _format_date(args: Args, host: Host, *_: Any) -> str:
    return format_date(args.get("value"), _text(args, "format", host), host.zone)


def _pluralize(args: Args, host: Host, *_: Any) -> str:
    """English knows one and other; a form for zero is taken at exactly 0."""
    number = to_number(args.get("value"))
    word = "zero" if number == 0 else "one" if number == 1 else "other"
    return _text(args, word if _given(args, word) else "other", host)


def _open_url(*_: Any) -> Any:
    return MISSING


def _decimals(args: Args) -> int | None:
    number = to_number(args.get("decimals"))
    return int(min(max(number, 0), 100)) if number == number else None


def _given(args: Args, key: str) -> bool:
    return args.get(key) is not None and args[key] is not MISSING


def _text(args: Args, key: str, host: Host) -> str:
    return host.to_text(args.get(key))


FUNCTIONS: Mapping[str, Function] = {
    "required": _required,
    "regex": _regex,
    "length": _length,
    "numeric": _numeric,
    "email": _email,
    "and": _and,
    "or": _or,
    "not": _not,
    "formatString": _format_string,
    "formatNumber": _format_number,
    "formatCurrency": _format_currency,
    "formatDate": _format_date,
    "pluralize": _pluralize,
    "openUrl": _open_url,
}
