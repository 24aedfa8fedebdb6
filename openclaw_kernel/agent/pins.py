"""Constraints a person pinned: outside every history, in every prompt above the cache boundary, never summarised (AGT-29)."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from openclaw_kernel.store.ledger import Ledger
from openclaw_kernel.values.clock import Clock, NewId

FILE_NAME = "pins.jsonl"
MAX_PINS = 50
MAX_CHARS = 400

_ALWAYS = re.compile(r"^(#+)\s*always\b.*$", re.IGNORECASE)
_HEADING = re.compile(r"^(#+)\s")
_ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+(.*\S)")


@dataclass(frozen=True, slots=True)
class Pin:
    """One constraint of one agent. `at` is when it was pinned, in milliseconds."""

    id: str
    agent_id: str
    text: str
    at: int


class Pins:
    """The pins of all agents. The file is read on first use and written by the first pin."""

    def __init__(self, state_dir: Path, clock: Clock, new_id: NewId) -> None:
        self._path = state_dir / FILE_NAME
        self._clock = clock
        self._new_id = new_id
        self._texts: dict[str, tuple[str, ...]] = {}

    def of(self, agent_id: str) -> list[Pin]:
        """Oldest first."""
        if "_rows" not in self.__dict__ and not self._path.exists():
            return []
        return [pin for pin in self._rows.rows() if pin.agent_id == agent_id]

    def texts(self, agent_id: str) -> tuple[str, ...]:
        """What the prompt holds; kept between turns."""
        if agent_id not in self._texts:
            self._texts[agent_id] = tuple(pin.text for pin in self.of(agent_id))
        return self._texts[agent_id]

    def add(self, agent_id: str, text: str) -> Pin:
        """Raises `ValueError` with a sentence for an empty or too long text, or one too many; `StoreError`."""
        text = " ".join(text.split())
        if not text or len(text) > MAX_CHARS:
            raise ValueError(f"A pin has 1 to {MAX_CHARS} characters; this one has {len(text)}.")
        if len(self.of(agent_id)) >= MAX_PINS:
            raise ValueError(f"There are {MAX_PINS} pins already; take one away with /unpin NUMBER.")
        pin = Pin(self._new_id(), agent_id, text, self._clock())
        self._rows.put(pin)
        self._texts.pop(agent_id, None)
        return pin

    def remove(self, agent_id: str, number: int) -> Pin:
        """Takes the pin with this number (from 1) away. Raises `ValueError` when there is none."""
        pins = self.of(agent_id)
        if not 1 <= number <= len(pins):
            raise ValueError(f"There is no pin {number}; /pins lists them.")
        self._rows.delete(pins[number - 1].id)
        self._texts.pop(agent_id, None)
        return pins[number - 1]

    def close(self) -> None:
        if "_rows" in self.__dict__:
            self._rows.close()

    @cached_property
    def _rows(self) -> Ledger[Pin]:
        return Ledger(self._path, key=lambda pin: pin.id, encode=asdict, decode=lambda wire: Pin(**wire))


def always_lines(agents_md: str) -> tuple[str, ...]:
    """The list items and lines under a heading "Always" of AGENTS.md, up to the next heading of its level."""
    found: list[str] = []
    level = 0
    for line in agents_md.splitlines():
        if opened := _ALWAYS.match(line):
            level = len(opened[1])
        elif (heading := _HEADING.match(line)) and len(heading[1]) <= level:
            level = 0
        elif level and line.strip() and not heading:
            item = _ITEM.match(line)
            found.append((item[1] if item else line.strip())[:MAX_CHARS])
    return tuple(found[:MAX_PINS])
