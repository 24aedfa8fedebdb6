"""Where a growing answer may be cut into messages of its own (AGT-14, AGT-15): pure, over the text so far.

A block ends behind a paragraph, else a line, else a sentence, else a word, else where it must. It never ends inside a code
fence without closing it, and what follows opens it again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

Break = Literal["paragraph", "newline", "sentence"]

_ENDS = {
    "paragraph": re.compile(r"\n[ \t]*\n+"),
    "newline": re.compile(r"\n+"),
    "sentence": re.compile(r"[.!?…][\"'»”)]*\s+"),
    "space": re.compile(r"\s+"),
}
_CHAIN = ("paragraph", "newline", "sentence", "space")
_FENCE = re.compile(r"^[ \t]{0,3}(`{3,}|~{3,})[^\n]*$", re.MULTILINE)
MIN_JOINED = dict.fromkeys(("discord", "slack", "signal", "googlechat", "mattermost", "msteams"), 1500)  # AGT-15


@dataclass(frozen=True, slots=True)
class BlockRules:
    """Lengths in characters. A block has `min_chars` at least and `max_chars` at most; finished ones are held until nothing has
    come for `idle_ms`, and sent together up to `join_max` or, when they are `join_min` long, at the first pause."""

    min_chars: int = 800
    max_chars: int = 1_200
    preferred: Break = "paragraph"
    at_message_end: bool = False
    join_min: int = 800
    join_max: int = 1_200
    idle_ms: int = 1_000


@dataclass(slots=True)
class Blocks:
    """The text of one message on its way: `sent` characters are out, up to `ready` it is cut."""

    rules: BlockRules
    text: str = ""
    sent: int = 0
    ready: int = 0
    _fences: list[int] = field(default_factory=list)

    def feed(self, delta: str) -> list[tuple[int, int]]:
        """Takes what came; the pieces (start, end) that are to be sent now."""
        self.text += delta
        out = []
        while (end := self._next()) is not None:
            if self.ready > self.sent and end - self.sent > self.rules.join_max:
                out.append(self._send(self.ready))
            self.ready = end
            if self.ready - self.sent >= self.rules.join_max:
                out.append(self._send(self.ready))
        return out

    @property
    def waits(self) -> bool:
        """Whether something is held that a pause would send."""
        return self.ready - self.sent >= self.rules.join_min

    def pause(self) -> list[tuple[int, int]]:
        """Nothing has come for the idle time."""
        return [self._send(self.ready)] if self.waits else []

    def end(self) -> list[tuple[int, int]]:
        """The message is over: all of it goes out, what is left at last."""
        out = []
        while len(self.text) - self.sent > self.rules.join_max:
            self.ready = max(self.ready, self.sent)
            out.append(self._send(self.ready if self.ready > self.sent else self._cut(self.sent)))
        if self.text[self.sent :].strip():
            out.append(self._send(len(self.text)))
        return out

    def _send(self, end: int) -> tuple[int, int]:
        start, self.sent = self.sent, end
        self.ready = max(self.ready, end)
        return start, end

    def _next(self) -> int | None:
        """Where the next block ends, if that can be said already."""
        room = len(self.text) - self.ready
        if room < self.rules.min_chars:
            return None
        if room > self.rules.max_chars:
            return self._cut(self.ready)
        return self._last(self.rules.preferred, self.ready, len(self.text))

    def _cut(self, start: int) -> int:
        """The best end within the longest block, in the order of preference; the hard one when there is no other."""
        limit = start + self.rules.max_chars
        chain = _CHAIN[_CHAIN.index(self.rules.preferred) :]
        for kind in chain:
            if (found := self._last(kind, start, limit)) is not None:
                return found
        opened = next((at for at, _ in _opened(self.text, limit)), None)
        if opened is not None and opened > start:
            return opened  # all of the fence into the next block
        line = self.text.rfind("\n", start + self.rules.min_chars // 2, limit)
        return line + 1 if opened is not None and line >= 0 else limit

    def _last(self, kind: str, start: int, limit: int) -> int | None:
        """The last end of a kind behind the shortest block that lies in no code fence."""
        ends = [found.end() for found in _ENDS[kind].finditer(self.text, start, limit) if found.end() < len(self.text)]
        good = (end for end in reversed(ends) if end - start >= self.rules.min_chars and not _opened(self.text, end))
        return next(good, None)


def framed(text: str, start: int, end: int) -> str:
    """A piece of Markdown by itself: a code fence that was open before it is opened again, one that stays open is closed."""
    piece = text[start:end]
    before = _opened(text, start)
    if before:
        piece = f"{before[0][1]}\n{piece}"
    after = _opened(text, end)
    if after and end < len(text):
        piece = f"{piece.rstrip()}\n{_mark(after[0][1])}"
    return piece.strip("\n").rstrip()


def _opened(text: str, at: int) -> list[tuple[int, str]]:
    """Offset and line of the code fence that `at` lies in; empty outside of one."""
    open_: list[tuple[int, str]] = []
    for found in _FENCE.finditer(text, 0, at):
        mark = found[1]
        if not open_:
            open_ = [(found.start(), found[0])]
        elif _mark(open_[0][1])[0] == mark[0] and len(mark) >= len(_mark(open_[0][1])) and found[0].strip() == mark:
            open_ = []
    return open_


def _mark(line: str) -> str:
    found = _FENCE.match(line)
    return found[1] if found else "```"
