"""The one table of numbers the guard, the store and the renderer share (a2ui reference, section 6)."""

from __future__ import annotations

import re

MESSAGE_BYTES = 1024 * 1024
FILE_BYTES = 32 * 1024 * 1024
"""A file holds many messages; this bounds what is read into memory at all."""

SURFACES = 32
COMPONENTS = 2_000
"""For each surface."""

TREE_DEPTH = 50
NODES = 5_000
"""Components of one surface after its templates are expanded."""

TEMPLATE_ROWS = 500
LIST_ROWS = 5_000
"""Rows of a table, points of a series."""

MAX_SERIES = 20

NESTING = 100
"""Objects and arrays inside each other in one message."""

ARRAY_GAP = 1_000
"""How far past its end an array may be written."""

EXPRESSION_LENGTH = 10_000
EXPRESSION_PARTS = 1_000
EXPRESSION_DEPTH = 100
"""Interpolations, calls and arguments inside each other (a2ui reference, section 5)."""

EXPRESSION_STEPS = 50_000
"""Values read, functions called and letters matched while one surface is drawn: half a second at most."""

TEXT_LENGTH = 100_000
"""Characters of one text as shown; what is longer ends in an ellipsis."""

TEXTS_LENGTH = 4_000_000
"""Characters of all texts of one surface as shown."""

HTML_LENGTH = 8_000_000
"""Characters of a still page; each has to be kept with the notebook it stands in."""

PATTERNS = 200
"""Of one message: each has to be read to be judged."""

PATTERN_LENGTH = 200
PATTERN_INPUT = 500
PATTERN_STATES = 1_000
"""Of a pattern's automaton, its counted repeats written out."""

SVG_PATH_LENGTH = 4_000
CONTEXT_BYTES = 8 * 1024
"""Context of one action (a2ui reference, section 11)."""

PROBLEMS = 100
"""How many problems are told of one file; a hostile one could have millions."""

UNSAFE_KEYS = frozenset({"__proto__", "constructor", "prototype"})
"""Keys that reach behind plain objects in the browser half."""

_QUANTIFIED_GROUP = re.compile(r"\)(?:[*+]|\{\d+,?\d*\})")
_INNER_REPEAT = re.compile(r"[*+|]|\{\d+,\d*\}")


def pattern_problem(pattern: str) -> str | None:
    """Why `pattern` is refused by its letters, or None: it must be short and repeat no group that repeats or chooses."""
    if len(pattern) > PATTERN_LENGTH:
        return f"the pattern has more than {PATTERN_LENGTH} characters"
    plain = re.sub(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", "x", pattern)
    if re.search(r"\(\?(?![:=!<])|[*+?}]\+", plain):
        return "the pattern cannot be read: browsers know no such group or repeat"
    if re.search(r"\\\d|\(\?P=", pattern):
        return "the pattern refers back to a group, which can take exponential time"
    opened: list[int] = []
    for index, letter in enumerate(plain):
        if letter == "(":
            opened.append(index)
        elif letter == ")" and opened:
            inside = plain[opened.pop() + 1 : index]
            if _QUANTIFIED_GROUP.match(plain, index) and _INNER_REPEAT.search(inside):
                return "the pattern repeats a group that repeats or chooses itself, which can take exponential time"
    return None
