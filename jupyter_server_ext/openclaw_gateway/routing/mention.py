"""Was the assistant spoken to? Facts from the platform, and the user's own patterns (CHN-14).

A pattern that could take very long on a hostile message is ignored, not run: nested or many quantifiers, back references.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

MAX_PATTERN = 256
MAX_TEXT = 500
"""Only the beginning of a message is searched: together with the two loops a pattern may have, this bounds the time."""
CACHE = 512
"""Compiled patterns kept (CHN-14)."""

_MAX_LOOPS = 2
_MAX_OPTIONAL = 6
_LOOP = re.compile(r"[*+]|\{\d*,?\d*\}")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Mention:
    """How a group message spoke to us: a native mention, a pattern, a reply to us, a quote of us, a thread we are in."""

    native: bool = False
    pattern: bool = False
    reply: bool = False
    quote: bool = False
    thread: bool = False

    def __bool__(self) -> bool:
        return self.native or self.pattern or self.reply or self.quote or self.thread


def matches(patterns: Iterable[str], text: str) -> bool:
    """Whether one of the safe patterns is in the beginning of `text`, whatever the case."""
    head = text[:MAX_TEXT]
    return any(found.search(head) is not None for found in map(compiled, patterns) if found is not None)


@lru_cache(maxsize=CACHE)
def compiled(pattern: str) -> re.Pattern[str] | None:
    """The pattern, or `None` (said once in the log) when it is wrong or unsafe."""
    if not is_safe(pattern):
        _log.warning("mention pattern %r is ignored: it could take very long; use fewer of * + { } ?", pattern)
        return None
    try:
        return re.compile(pattern, re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as error:
        _log.warning("mention pattern %r is ignored: %s", pattern, error)
        return None


def is_safe(pattern: str) -> bool:
    """No quantified group that itself holds a choice or a quantifier, at most two loops, no back reference, 256 characters."""
    if len(pattern) > MAX_PATTERN or re.search(r"\\[1-9]|\(\?P=|\(\?\(", pattern):
        return False
    bare = re.sub(r"\\.", "x", pattern, flags=re.DOTALL)
    bare = re.sub(r"\[\^?\]?[^\]]*\]", "x", bare)
    bare = re.sub(r"\(\?(?:P<\w+>|[:=!]|<[=!])", "(", bare)
    loops = _LOOP.findall(bare)
    optional = re.sub(r"[*+}]\?", "", bare).count("?")
    return len(loops) <= _MAX_LOOPS and optional <= _MAX_OPTIONAL and not _nested(bare)


def _nested(bare: str) -> bool:
    inner: list[bool] = []
    for position, letter in enumerate(bare):
        if letter == "(":
            inner.append(False)
        elif letter == ")":
            busy = inner.pop() if inner else False
            looped = _LOOP.match(bare, position + 1) is not None
            if busy and looped:
                return True
            if inner:
                inner[-1] = inner[-1] or busy or looped
        elif inner and letter in "*+?{|":
            inner[-1] = True
    return False
