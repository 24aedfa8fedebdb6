"""JSON5 with positions (spec.json5.org 1.0.0): a tree that remembers where each value stands, so that edits keep comments."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

MAX_DEPTH = 200
"""Nesting a person would write stays far below; beyond it the recursion itself would be the error."""

_SPACE = re.compile(r"[\t\v\f\n\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]+")
_NUMBER = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]+|Infinity|NaN|(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")
_PLAIN = {quote: re.compile(rf"[^{quote}\\\n\r]+") for quote in "\"'"}
LINE_END = re.compile(r"\r\n|[\n\r\u2028\u2029]")
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_WORDS = {"true": True, "false": False, "null": None}
_NAME_START = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nl"})
_NAME_PART = _NAME_START | {"Mn", "Mc", "Nd", "Pc"}


class Json5Error(ValueError):
    """`reason` without the place; `line` and `column` count from 1."""

    def __init__(self, reason: str, line: int, column: int) -> None:
        super().__init__(f"line {line}, column {column}: {reason}")
        self.reason = reason
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Scalar:
    """A string, number, boolean or null. `start` and `end` are offsets into the text, end excluded."""

    start: int
    end: int
    value: Any


@dataclass(frozen=True, slots=True)
class Array:
    """`[…]`, brackets included in the span."""

    start: int
    end: int
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """`key: value`; `start` is where the key begins, `key_end` where it ends."""

    start: int
    key_end: int
    key: str
    value: Node


@dataclass(frozen=True, slots=True)
class Object:
    """`{…}`, braces included in the span."""

    start: int
    end: int
    members: tuple[Member, ...]

    def get(self, key: str) -> Member | None:
        """The member that counts: the last one, when a key is written twice."""
        return next((member for member in reversed(self.members) if member.key == key), None)


Node = Scalar | Array | Object


def parse(text: str) -> Node:
    """`text` as a tree. Raises `Json5Error`."""
    return _Reader(text).document()


def loads(text: str) -> Any:
    """`text` as plain Python values. Raises `Json5Error`."""
    return plain(parse(text))


def plain(node: Node) -> Any:
    """A tree as dicts, lists and scalars; of a key written twice the last value counts."""
    match node:
        case Scalar():
            return node.value
        case Array():
            return [plain(item) for item in node.items]
        case Object():
            return {member.key: plain(member.value) for member in node.members}


def place(text: str, offset: int) -> tuple[int, int]:
    """Line and column of `offset`, both from 1."""
    line, begin = 1, 0
    for end in LINE_END.finditer(text, 0, offset):
        if end.end() > offset:
            break
        line, begin = line + 1, end.end()
    return line, offset - begin + 1


def after_space(text: str, at: int) -> int:
    """The offset of what follows white space and comments from `at`."""
    reader = _Reader(text)
    reader.at = at
    reader.skip()
    return reader.at


def doubled_keys(node: Node) -> Iterator[Member]:
    """Members that a later one of the same name makes void."""
    match node:
        case Object():
            for member in node.members:
                if node.get(member.key) is not member:
                    yield member
                yield from doubled_keys(member.value)
        case Array():
            for item in node.items:
                yield from doubled_keys(item)
        case Scalar():
            return


class _Reader:
    """Recursive descent over one text; `at` is the offset of the next character."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0

    def document(self) -> Node:
        self.skip()
        if self.at >= len(self.text):
            self.fail("there is no value; write at least {}")
        node = self.value()
        self.skip()
        if self.at < len(self.text):
            self.fail(f"{self.shown()} after the end of the value")
        return node

    def fail(self, reason: str, at: int | None = None) -> NoReturn:
        raise Json5Error(reason, *place(self.text, self.at if at is None else at))

    def shown(self) -> str:
        return f"unexpected {self.text[self.at]!r}" if self.at < len(self.text) else "unexpected end of the file"

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def skip(self) -> None:
        """Pass white space and comments."""
        while True:
            space = _SPACE.match(self.text, self.at)
            if space:
                self.at = space.end()
            if self.text.startswith("//", self.at):
                end = LINE_END.search(self.text, self.at)
                self.at = end.start() if end else len(self.text)
            elif self.text.startswith("/*", self.at):
                closing = self.text.find("*/", self.at + 2)
                if closing < 0:
                    self.fail("a /* comment is never closed")
                self.at = closing + 2
            else:
                return

    def value(self) -> Node:
        char = self.peek()
        if char in ("{", "["):
            self.depth += 1
            if self.depth > MAX_DEPTH:
                self.fail(f"values are nested deeper than {MAX_DEPTH} levels")
            node = self.object() if char == "{" else self.array()
            self.depth -= 1
            return node
        start = self.at
        if char and char in "\"'":
            text = self.string()
            return Scalar(start, self.at, text)
        return self.number_or_word(start)

    def number_or_word(self, start: int) -> Scalar:
        number = _NUMBER.match(self.text, start)
        if number:
            self.at = number.end()
            if _is_name_part(self.peek()) or self.peek() == ".":
                self.fail("this is not a number", start)
            return Scalar(start, self.at, _number(number.group()))
        if not _is_name_start(self.peek()):
            self.fail(f"{self.shown()} where a value should be")
        word = self.name()
        if word not in _WORDS:
            # The word is not repeated: it may be a secret that lacks its quotes.
            self.fail("a text without quotes where a value should be", start)
        return Scalar(start, self.at, _WORDS[word])

    def object(self) -> Object:
        start, members = self.at, []
        self.at += 1
        while True:
            self.skip()
            if self.peek() == "}":
                break
            members.append(self.member())
            if self.end_of_entry("}"):
                break
        self.at += 1
        return Object(start, self.at, tuple(members))

    def member(self) -> Member:
        start = self.at
        char = self.peek()
        if char and char in "\"'":
            key = self.string()
        elif _is_name_start(char) or char == "\\":
            key = self.name()
        else:
            self.fail(f"{self.shown()} where a key should be")
        key_end = self.at
        self.skip()
        if self.peek() != ":":
            self.fail(f"{self.shown()}; a colon is missing after the key {key!r}")
        self.at += 1
        self.skip()
        return Member(start, key_end, key, self.value())

    def array(self) -> Array:
        start, items = self.at, []
        self.at += 1
        while True:
            self.skip()
            if self.peek() == "]":
                break
            items.append(self.value())
            if self.end_of_entry("]"):
                break
        self.at += 1
        return Array(start, self.at, tuple(items))

    def end_of_entry(self, closing: str) -> bool:
        """After a value: True at the closing bracket, False (passed) at a comma."""
        self.skip()
        if self.peek() == closing:
            return True
        if self.peek() != ",":
            self.fail(f"{self.shown()}; a comma or {closing!r} is missing")
        self.at += 1
        return False

    def string(self) -> str:
        start, quote, parts = self.at, self.text[self.at], []
        self.at += 1
        while True:
            run = _PLAIN[quote].match(self.text, self.at)
            if run:
                parts.append(run.group())
                self.at = run.end()
            char = self.peek()
            if char == quote:
                self.at += 1
                return "".join(parts).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            if char != "\\":
                self.fail("a string is not closed on its line", start)
            self.at += 1
            parts.append(self.escape())

    def escape(self) -> str:
        end = LINE_END.match(self.text, self.at)
        if end:
            self.at = end.end()
            return ""
        char = self.peek()
        self.at += 1
        if char in ("x", "u"):
            return self.code(2 if char == "x" else 4)
        if char == "0" and not self.peek().isdigit():
            return "\0"
        if not char or char in "0123456789":
            self.fail("this escape is not allowed", self.at - 2)
        return _ESCAPES.get(char, char)

    def code(self, digits: int) -> str:
        found = self.text[self.at : self.at + digits]
        if not re.fullmatch(f"[0-9a-fA-F]{{{digits}}}", found):
            self.fail(f"an escape needs {digits} hexadecimal digits", self.at - 2)
        self.at += digits
        return chr(int(found, 16))

    def name(self) -> str:
        start = self.at
        parts: list[str] = []
        while True:
            char = self.peek()
            if char == "\\":
                self.at += 1
                if self.peek() != "u":
                    self.fail("only \\u escapes are allowed in a key without quotes")
                self.at += 1
                char = self.code(4)
                self.at -= 1
            if not (_is_name_part(char) if parts else _is_name_start(char)):
                break
            parts.append(char)
            self.at += 1
        if not parts:
            self.fail("a key is missing", start)
        return "".join(parts)


def _is_name_start(char: str) -> bool:
    return bool(char) and (char in "$_" or unicodedata.category(char) in _NAME_START)


def _is_name_part(char: str) -> bool:
    return bool(char) and (char in "$_\u200c\u200d" or unicodedata.category(char) in _NAME_PART)


def _number(text: str) -> int | float:
    digits = text.lstrip("+-")
    sign = -1 if text.startswith("-") else 1
    if digits[:2] in ("0x", "0X"):
        return sign * int(digits, 16)
    if digits.isdigit() and len(digits) < 19:
        return sign * int(digits)
    return sign * float(digits)
