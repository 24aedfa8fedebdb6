"""Text to terms: what a note can be found by.

Identifiers count whole (`kv/prod/gateway`, `A-12.3`) and by their parts, `camelCase` too; stop words are dropped; words are
stemmed (Snowball, English); Chinese, Japanese and Korean are cut into pairs of characters. A term is 64 bits of a hash that is
the same in every process, so that postings live in plain arrays.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b

_STOP = """a about after again all also am an and any are as at be because been before being but by can could did do does doing
    done for from get got had has have having he her here hers him his how i if in into is it its just let me might my no nor
    not now of off on once only or other our ours out over own same she should so some such than that the their theirs them
    then there these they this those through to too under until up us very was we were what when where which while who whom
    why will with would you your yours didn doesn don hadn hasn haven isn wasn weren won wouldn couldn shouldn aren ll ve re
    b c d e f g h j k l m n o p q r s t u v w x y z"""
STOP_WORDS = frozenset(_STOP.split())

KNOWN_WORDS = 200_000
"""Words whose stem and hash are kept (about 30 MB). Then the last one gives way: dropping all of them at once would keep every
other thread waiting."""

_TOKEN = re.compile(r"\w+(?:[./:@#+\-]+\w+)*(?:['’]\w{1,2}\b)?")
_PART = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]+")


Token = tuple[str, bool, int]
"""A word of a text, whether it is plain (letters only), and its term: 64 bits of its stem when it is plain, else of the word as
it stands. A bare tuple, so that the garbage collector has nothing to walk through."""


def tokens(text: str) -> Iterator[Token]:
    """Every token of a text in order, identifiers before their parts."""
    for raw in _raw(text):
        known = _known.get(raw)
        yield from _learn(raw) if known is None else known


def _raw(text: str) -> list[str]:
    return _TOKEN.findall(text if text.isascii() else unicodedata.normalize("NFKC", text))


_known: dict[str, tuple[Token, ...]] = {}


def _learn(raw: str) -> tuple[Token, ...]:
    if len(_known) >= KNOWN_WORDS:
        _known.popitem()
    known = _known[raw] = tuple(token_of(word) for word in dict.fromkeys(_cut(raw)) if word not in STOP_WORDS)
    return known


def token_of(word: str) -> Token:
    """The token of a word that is in lower case and whole."""
    plain = word.isalpha() and not _CJK.search(word)
    return word, plain, hashed(_stemmer()(word) if plain else word)


def _cut(raw: str) -> Iterator[str]:
    raw = raw.replace("’", "'").partition("'")[0]
    pieces = _PART.findall(raw)
    if len(pieces) > 1 or not _CJK.search(raw):
        yield raw.casefold()
    for piece in pieces:
        if _CJK.search(piece):
            yield from _pairs(piece)
            continue
        if len(piece) > 1 or not piece.isalpha():
            yield piece.casefold()
        if piece.isascii() and piece.isalpha() and not (piece.islower() or piece.isupper() or piece.istitle()):
            humps = _HUMP.findall(piece)
            yield from (hump.casefold() for hump in humps if min(map(len, humps)) > 1)


def _pairs(piece: str) -> Iterator[str]:
    """Pairs of neighbouring characters: a word of these scripts is found by them without a dictionary."""
    for run in _CJK.findall(piece):
        if len(run) == 1:
            yield run
        yield from (run[at : at + 2] for at in range(len(run) - 1))
    yield from (rest.casefold() for rest in _CJK.split(piece) if rest)


@cache
def _stemmer() -> Callable[[str], str]:
    from py_rust_stemmers import SnowballStemmer

    stem: Callable[[str], str] = SnowballStemmer("english").stem_word
    return stem


def hashed(word: str) -> int:
    return int.from_bytes(blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def name_term(name: str) -> int:
    """The term under which a file's chunks are found by its name; no word of a text has it."""
    return hashed("\0" + name)


@dataclass(frozen=True, slots=True)
class Counted:
    """A text as the keyword side sees it: how often each term occurs, how many there are, and its plain words."""

    terms: dict[int, int]
    length: int
    words: frozenset[str]


def count(text: str) -> Counted:
    terms: dict[int, int] = {}
    words: set[str] = set()
    length = 0
    for raw in _raw(text):  # as `tokens` does, without a generator's pace: every word of every note comes through here
        known = _known.get(raw)
        if known is None:
            known = _learn(raw)
        for word, plain, term in known:
            terms[term] = terms.get(term, 0) + 1
            length += 1
            if plain:
                words.add(word)
    return Counted(terms, length, frozenset(words))
