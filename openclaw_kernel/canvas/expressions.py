"""The template language of `formatString`: text with `${…}` in it, read into parts (a2ui reference, section 5).

A part is a literal (text, number, true, false) or a value to resolve: `{"path": …}` or `{"call": …, "args": {…}}`. Nothing is
looked up here. `${` after a backslash is text. null reads as empty text.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from openclaw_kernel.canvas.limits import EXPRESSION_DEPTH, EXPRESSION_LENGTH, EXPRESSION_PARTS
from openclaw_kernel.canvas.problems import CanvasError

Part = str | int | float | bool | dict[str, Any]

_TEXT = re.compile(r"(?:(?!\$\{|\\\$\{).)+", re.DOTALL)
_NUMBER = re.compile(r"[0-9.]+")
_WHOLE_NUMBER = re.compile(r"\d+\.?\d*", re.ASCII)
_WORD = re.compile(r"(true|false|null)(?![A-Za-z0-9_])")
_PATH = re.compile(r"[A-Za-z0-9/._\-]*")
_NAME = re.compile(r"[A-Za-z0-9_]*")
_SPACE = re.compile(r"\s*")
_WORDS: dict[str, Part] = {"true": True, "false": False, "null": ""}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


@lru_cache(maxsize=512)
def parse(template: str) -> tuple[Part, ...]:
    """The parts of `template`, empty texts left out. Raises `CanvasError` EXPRESSION. Nobody may change the parts."""
    if "${" not in template:
        return (template,) if template else ()
    if len(template) > EXPRESSION_LENGTH:
        raise _error(f"an expression may have {EXPRESSION_LENGTH} characters")
    return tuple(part for part in _Reader(template).template() if part != "" or not isinstance(part, str))


def _error(why: str) -> CanvasError:
    return CanvasError("EXPRESSION", "", f"This expression cannot be read: {why}.")


class _Reader:
    """Reads once from left to right; depth is bounded, so its recursion is too."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._made = 0

    def template(self) -> list[Part]:
        parts: list[Part] = []
        while self._at < len(self._text):
            if self._take("${"):
                self._count()
                parts.append(self._block(1))
            elif self._take("\\${"):
                parts.append("${")
            else:
                parts.append(self._match(_TEXT))
            if len(parts) > EXPRESSION_PARTS:
                raise _error(f"it may have {EXPRESSION_PARTS} parts")
        return parts

    def _block(self, depth: int) -> Part:
        """What stands between `${`, already read, and its `}`."""
        found = self._value(depth)
        self._match(_SPACE)
        if not self._take("}"):
            raise _error("a '}' is missing" if self._at >= len(self._text) else self._unexpected())
        return found

    def _value(self, depth: int) -> Part:
        if depth > EXPRESSION_DEPTH:
            raise _error(f"it may be {EXPRESSION_DEPTH} deep")
        self._match(_SPACE)
        if self._take("${"):
            self._count()
            return self._block(depth + 1)
        here = self._peek()
        if here in ("'", '"'):
            return self._quoted()
        if here.isascii() and here.isdigit():
            return self._number()
        if word := _WORD.match(self._text, self._at):
            self._at = word.end()
            return _WORDS[word[1]]
        token = self._match(_PATH)
        self._match(_SPACE)
        if self._peek() == "(":
            return self._call(token, depth)
        return {"path": token} if token else ""

    def _call(self, name: str, depth: int) -> Part:
        self._count()
        self._at += 1
        args: dict[str, Any] = {}
        self._match(_SPACE)
        while self._at < len(self._text) and self._peek() != ")":
            key = self._match(_NAME)
            self._match(_SPACE)
            if not self._take(":"):
                raise _error(f"in {name[:60]}(…) a ':' is missing after an argument's name")
            args[key] = self._value(depth + 1)
            self._match(_SPACE)
            self._take(",")
            self._match(_SPACE)
        if not self._take(")"):
            raise _error(f"{name[:60]}(…) has no ')'")
        return {"call": name, "args": args}

    def _quoted(self) -> str:
        quote = self._peek()
        self._at += 1
        letters: list[str] = []
        while self._at < len(self._text):
            letter = self._text[self._at]
            self._at += 1
            if letter == quote:
                return "".join(letters)
            if letter == "\\" and self._at < len(self._text):
                letter = _ESCAPES.get(self._text[self._at], self._text[self._at])
                self._at += 1
            letters.append(letter)
        raise _error("a quote is not closed")

    def _number(self) -> float | int:
        text = self._match(_NUMBER)
        if not _WHOLE_NUMBER.fullmatch(text) or len(text) > 400:
            raise _error(f"{text[:60]!r} is no number")
        return float(text) if "." in text else int(text)

    def _count(self) -> None:
        self._made += 1
        if self._made > EXPRESSION_PARTS:
            raise _error(f"it may have {EXPRESSION_PARTS} parts")

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self, text: str) -> bool:
        if self._text.startswith(text, self._at):
            self._at += len(text)
            return True
        return False

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return found[0] if found else ""

    def _unexpected(self) -> str:
        return f"{self._text[self._at : self._at + 20]!r} is not expected there"
