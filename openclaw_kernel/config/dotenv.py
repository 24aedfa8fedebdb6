"""The environment that a config sees: the process, then `.env` files, then `env.vars` (CFG-07)."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from openclaw_kernel.store.paths import state_dir

_log = logging.getLogger(__name__)
_LINE = re.compile(
    r"""\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^#\r\n]*?))\s*(?:#.*)?$"""
)


def environment(env: Mapping[str, str], config: Path, parsed: Mapping[str, Any]) -> dict[str, str]:
    """`env`, filled up from `.env` beside the config and in the state directory, and from `env.vars`; nothing is replaced."""
    full = dict(env)
    for directory in dict.fromkeys((state_dir(env), config.parent)):
        for name, value in read_dotenv(directory / ".env"):
            full.setdefault(name, value)
    section = parsed.get("env")
    variables = section.get("vars") if isinstance(section, Mapping) else None
    return with_vars(full, variables if isinstance(variables, Mapping) else {})


def with_vars(env: Mapping[str, str], variables: Mapping[str, Any]) -> dict[str, str]:
    """`env` with what it lacks from `env.vars`."""
    return {name: value for name, value in variables.items() if isinstance(value, str)} | dict(env)


def read_dotenv(path: Path) -> Iterator[tuple[str, str]]:
    """Names and values of a `.env` file; nothing when there is none. Other lines are passed over with a warning."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return
    except (OSError, UnicodeDecodeError) as error:
        _log.warning("%s was not read: %s", path, type(error).__name__)
        return
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _LINE.match(line)
        if found is None:
            _log.warning("%s:%d is not NAME=value and was passed over", path, number)
            continue
        name, double, single, bare = found.groups()
        if double is not None:
            yield name, re.sub(r"\\(.)", lambda match: {"n": "\n", "t": "\t"}.get(match[1], match[1]), double)
        else:
            yield name, single if single is not None else bare
