"""Cutting a note into pieces a search can return: whole lines, 400 tokens, 80 of them shared with the piece before (MEM-03).

    for chunk in cut(path.read_bytes()):
        path.read_bytes()[chunk.byte0 : chunk.byte1].decode() == chunk.text

The cut after a piece depends on that piece alone, so an appended file may be cut on from the start of its last piece. A piece
that is half full ends before a heading, without an overlap: chapters stay together, and an edit shifts the cuts of its own
chapter only.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

TOKENS = 400
OVERLAP = 80
CHARS_PER_TOKEN = 4
VERSION = 2
"""Part of the chunker's id: a change here cuts every file anew."""

_WIDE = re.compile(r"[\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")
"""Chinese, Japanese and Korean: about one token a character."""
_HEADING = re.compile(r"(#{1,6})[ \t]+(.*)")
_FENCE = re.compile(r"\s{0,3}(```|~~~)")


@dataclass(frozen=True, slots=True)
class Chunk:
    """One piece. Lines count from 1 and include both ends, `byte1` is behind the last byte. `heading` is the path of headings
    over it, `A > B`. `hash` is of what a model reads (heading and text), `digest` 64 bits of the hash of the bytes alone."""

    line0: int
    line1: int
    byte0: int
    byte1: int
    heading: str
    text: str
    tokens: int
    hash: str
    digest: int


@dataclass(frozen=True, slots=True)
class _Piece:
    """A line, or a part of one that is too long for a chunk."""

    line: int
    byte0: int
    byte1: int
    tokens: int
    heading: str
    blank: bool
    opens: bool = False


def chunker_id(tokens: int = TOKENS, overlap: int = OVERLAP) -> str:
    return f"lines-{VERSION}:{tokens}:{overlap}"


def cut(data: bytes, tokens: int = TOKENS, overlap: int = OVERLAP) -> list[Chunk]:
    """The chunks of a file in order; none for a file without a word, nor for a form that nobody has filled in."""
    pieces = list(_pieces(data, max(1, tokens)))
    chunks: list[Chunk] = []
    start = 0
    while start < len(pieces):
        end, used = start, 0
        while end < len(pieces) and (end == start or used + pieces[end].tokens <= tokens):
            if pieces[end].opens and used * 2 >= tokens:
                break
            used += pieces[end].tokens
            end += 1
        chunk = _chunk(data, pieces[start:end], used)
        if chunk is not None:
            chunks.append(chunk)
        if end >= len(pieces):
            break
        start = end if pieces[end].opens else max(start + 1, _shared(pieces, start, end, overlap))
    return chunks


def count_tokens(text: str) -> int:
    """About how many tokens a text has: one for four characters, one for each Chinese, Japanese or Korean one."""
    wide = 0 if text.isascii() else len(_WIDE.findall(text))
    return wide + -(-(len(text) - wide) // CHARS_PER_TOKEN)


def embedded_text(heading: str, text: str) -> str:
    """What a model reads of a chunk: the path of headings, then the text."""
    return f"{heading}\n\n{text}" if heading else text


def text_hash(heading: str, text: str) -> str:
    """The name of what a model reads: chunks of one hash share a vector."""
    return hashlib.sha256(embedded_text(heading, text).encode("utf-8", "replace")).hexdigest()


def digest_of(data: bytes) -> int:
    """64 bits that tell whether bytes on disk are still those of the chunk."""
    return int.from_bytes(hashlib.sha256(data).digest()[:8], "big") >> 1


def _shared(pieces: list[_Piece], start: int, end: int, overlap: int) -> int:
    """Where the next chunk starts: as many whole lines before `end` as fit into the overlap."""
    used = 0
    at = end
    while at - 1 > start and used + pieces[at - 1].tokens <= overlap:
        at -= 1
        used += pieces[at].tokens
    return at


def _chunk(data: bytes, pieces: list[_Piece], tokens: int) -> Chunk | None:
    while pieces and pieces[0].blank:
        pieces = pieces[1:]
    while pieces and pieces[-1].blank:
        pieces = pieces[:-1]
    if not pieces:
        return None
    byte0, byte1 = pieces[0].byte0, pieces[-1].byte1
    raw = data[byte0:byte1]
    text = raw.decode("utf-8", "replace")
    if _is_empty_form(text):
        return None
    heading = pieces[0].heading
    return Chunk(pieces[0].line, pieces[-1].line, byte0, byte1, heading, text, tokens, text_hash(heading, text), digest_of(raw))


def _is_empty_form(text: str) -> bool:
    """Whether nothing is written between the headings of a form, such as a new workspace's `USER.md`."""
    said, blank = _without_comments(text), False
    for line in said.splitlines():
        name = line.strip(" \t-*")
        if name.endswith(":") and name.count(":") == 1:
            blank = True
        elif name and not _HEADING.match(line):
            return False
    return blank or said != text


def _without_comments(text: str) -> str:
    kept, at = [], 0
    while (start := text.find("<!--", at)) >= 0 and (end := text.find("-->", start + 4)) >= 0:
        kept.append(text[at:start])
        at = end + 3
    return "".join(kept) + text[at:]


def _pieces(data: bytes, limit: int) -> Iterator[_Piece]:
    headings: list[tuple[int, str]] = []
    fenced = False
    at = 0
    for number, raw in enumerate(data.split(b"\n"), 1):
        line = raw.decode("utf-8", "replace")
        if _FENCE.match(line):
            fenced = not fenced
        above = " > ".join(title for _, title in headings)
        found = None if fenced else _HEADING.match(line)
        if found:
            level = len(found.group(1))
            headings = [row for row in headings if row[0] < level]
            above = " > ".join(title for _, title in headings)
            headings.append((level, found.group(2).rstrip().rstrip("#").rstrip(" \t")))
        tokens = count_tokens(line) + 1 if line.strip() else 1
        if tokens <= limit + 1:
            yield _Piece(number, at, at + len(raw), min(tokens, limit), above, not line.strip(), found is not None)
        else:
            yield from _parts(raw, number, at, limit, above)
        at += len(raw) + 1


def _parts(raw: bytes, number: int, at: int, limit: int, heading: str) -> Iterator[_Piece]:
    """A long line in parts of whole characters, each of at most `limit` tokens; cut behind a space where there is one."""
    end = len(raw)
    byte0 = 0
    while byte0 < end:
        text = raw[byte0 : byte0 + limit * 4 * CHARS_PER_TOKEN].decode("utf-8", "replace")
        take = _fitting(text, limit)
        space = text.rfind(" ", take // 2, take)
        if take < len(text) and space > 0:
            take = space + 1
        size = _byte_length(raw, byte0, take)
        yield _Piece(number, at + byte0, at + byte0 + size, min(limit, count_tokens(text[:take])), heading, False)
        byte0 += size


def _fitting(text: str, limit: int) -> int:
    """How many characters of `text` make at most `limit` tokens; at least one."""
    quarters = 0
    for index, char in enumerate(text):
        quarters += CHARS_PER_TOKEN if char > "\u10ff" and _WIDE.match(char) else 1
        if quarters > limit * CHARS_PER_TOKEN:
            return max(1, index)
    return len(text)


def _byte_length(raw: bytes, start: int, chars: int) -> int:
    """Bytes of the next `chars` characters, counted by lead bytes, so that broken UTF-8 cannot lead astray."""
    seen = 0
    for index in range(start, len(raw)):
        if raw[index] & 0xC0 != 0x80:
            seen += 1
            if seen > chars:
                return index - start
    return len(raw) - start
