"""Slash names of skills: `a-z0-9_`, at most 32 characters, a number behind a name that is taken (SKL-08)."""

from __future__ import annotations

import re
from collections.abc import Iterable

MAX_COMMAND = 32


def command_word(name: str) -> str:
    """A name as a command is written; may be empty."""
    return re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_")[:MAX_COMMAND].rstrip("_")


def command_names(names: Iterable[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """Command → skill name, in the order given; none of them is in `taken`."""
    used = set(taken)
    commands: dict[str, str] = {}
    for name in names:
        word = command_word(name) or "skill"
        command, number = word, 1
        while command in used:
            number += 1
            tail = f"_{number}"
            command = word[: MAX_COMMAND - len(tail)] + tail
        used.add(command)
        commands[command] = name
    return commands
