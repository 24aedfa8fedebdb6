"""`${NAME}` in strings of the config (CFG-06)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from openclaw_kernel.config.problems import KeyPath

_REFERENCE = re.compile(r"(\$?)\$\{([A-Z_][A-Z0-9_]*)\}")

OnMissing = Callable[[KeyPath, str], None]


def substitute(value: Any, env: Mapping[str, str], missing: OnMissing, at: KeyPath = ()) -> Any:
    """`value` with every `${NAME}` of upper-case name replaced; `$${NAME}` stands for `${NAME}` itself.

    An unset or empty variable leaves the text as it is and calls `missing(path, name)`.
    """
    match value:
        case str() if "${" in value:
            return _in_text(value, env, missing, at)
        case dict():
            return {key: substitute(item, env, missing, (*at, key)) for key, item in value.items()}
        case list():
            return [substitute(item, env, missing, (*at, number)) for number, item in enumerate(value)]
        case _:
            return value


def _in_text(text: str, env: Mapping[str, str], missing: OnMissing, at: KeyPath) -> str:
    def one(match: re.Match[str]) -> str:
        escaped, name = match.groups()
        if escaped:
            return match.group()[1:]
        if env.get(name):
            return env[name]
        missing(at, name)
        return match.group()

    return _REFERENCE.sub(one, text)
