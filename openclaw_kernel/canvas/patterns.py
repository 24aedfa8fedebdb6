"""Regular expressions in bounded time: a pattern becomes an automaton whose states are followed all at once.

`re` backtracks, and a few letters of pattern can keep it busy for hours. Here the work is at most letters × states. The meaning
is that of checks in a browser: `$` is the very end, `\\d` and `\\w` are ASCII. References back to a group and looking behind
are refused.
"""

from __future__ import annotations

import re
import re._constants as op  # type: ignore[import-not-found]
import re._parser as reader  # type: ignore[import-not-found]
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from openclaw_kernel.canvas.limits import PATTERN_INPUT, PATTERN_STATES, pattern_problem
from openclaw_kernel.canvas.problems import CanvasError

Test = Callable[[str], bool]
Spend = Callable[[int], None]

_CATEGORIES: dict[Any, Test] = {
    op.CATEGORY_DIGIT: lambda c: "0" <= c <= "9",
    op.CATEGORY_NOT_DIGIT: lambda c: not "0" <= c <= "9",
    op.CATEGORY_SPACE: str.isspace,
    op.CATEGORY_NOT_SPACE: lambda c: not c.isspace(),
    op.CATEGORY_WORD: lambda c: c.isascii() and (c.isalnum() or c == "_"),
    op.CATEGORY_NOT_WORD: lambda c: not (c.isascii() and (c.isalnum() or c == "_")),
}
_REPEATS = (op.MAX_REPEAT, op.MIN_REPEAT)


@dataclass(slots=True, eq=False)
class _State:
    """Where to go on a letter that passes `test`, or at once: to `after` when `holds` is true of the place."""

    test: Test | None = None
    after: list[_State] = field(default_factory=list)
    holds: Callable[[str, int, Spend], bool] | None = None


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern. `search` is what `RegExp.test` is."""

    start: _State
    final: _State

    def search(self, text: str, spend: Spend) -> bool:
        """Whether the pattern is found in `text`; longer text than the limit never is. `spend` is told each step."""
        return len(text) <= PATTERN_INPUT and self._run(text, 0, spend, anchored=False)

    def matches_at(self, text: str, at: int, spend: Spend) -> bool:
        return self._run(text, at, spend, anchored=True)

    def _run(self, text: str, at: int, spend: Spend, anchored: bool) -> bool:
        here: dict[_State, None] = {}
        for index in range(at, len(text) + 1):
            if not anchored or index == at:
                here[self.start] = None
            closed = _closure(here, text, index, spend)
            if self.final in closed:
                return True
            if index == len(text) or (anchored and not closed):
                return False
            letter = text[index]
            here = {after: None for state in closed if state.test and state.test(letter) for after in state.after}
        return False


def _closure(states: dict[_State, None], text: str, at: int, spend: Spend) -> set[_State]:
    found = set(states)
    waiting = list(states)
    while waiting:
        state = waiting.pop()
        if state.test is None and (state.holds is None or state.holds(text, at, spend)):
            for after in state.after:
                if after not in found:
                    found.add(after)
                    waiting.append(after)
    spend(1 + len(found) // 8)
    return found


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Pattern:
    """The automaton of `pattern`. Raises `CanvasError` UNSAFE_PATTERN with the reason when it is refused."""
    return _Builder().pattern(_read(pattern))


def problem_of(pattern: str) -> str | None:
    """Why `pattern` is refused as a check, or None. Reads it only; an automaton is made when there is something to match."""
    try:
        _read(pattern)
    except CanvasError as error:
        return str(error).removeprefix("Refused: ").removesuffix(".")
    return None


def _read(pattern: str) -> list[Any]:
    if why := pattern_problem(pattern):
        raise _refused(why)
    try:
        tokens = list(reader.parse(pattern))
    except (re.error, RecursionError, OverflowError) as error:
        raise _refused(f"the pattern cannot be read: {error}") from error
    if _size(tokens) > PATTERN_STATES:
        raise _refused("the pattern repeats too much")
    return tokens


def _refused(why: str) -> CanvasError:
    return CanvasError("UNSAFE_PATTERN", "", f"Refused: {why}.")


def _size(tokens: list[Any]) -> int:
    """States its automaton will have. Raises `CanvasError` for what has none."""
    size = 1
    for kind, value in tokens:
        if kind in _REPEATS:
            least, most, body = value
            size += (least + 1 if most is op.MAXREPEAT else most) * (_size(list(body)) + 1)
        elif kind is op.BRANCH:
            size += 1 + sum(_size(list(branch)) for branch in value[1])
        elif kind is op.SUBPATTERN:
            size += _size(list(value[3]))
        elif kind in (op.ASSERT, op.ASSERT_NOT) and value[0] == 1:
            size += 2 + _size(list(value[1]))
        elif kind in (op.LITERAL, op.NOT_LITERAL, op.ANY, op.IN, op.AT):
            size += 1
        else:
            raise _refused("the pattern looks behind or refers back")
    return size


class _Builder:
    def __init__(self) -> None:
        self._made = 0
        self._tests: dict[int, Test] = {}
        """Of classes in brackets, by token: a counted repeat writes the same one many times."""

    def pattern(self, tokens: Any) -> Pattern:
        final = self._state()
        return Pattern(self._sequence(list(tokens), final), final)

    def _state(self, *after: _State, test: Test | None = None) -> _State:
        self._made += 1
        if self._made > PATTERN_STATES:
            raise _refused("the pattern repeats too much")
        return _State(test, list(after))

    def _sequence(self, tokens: list[Any], after: _State) -> _State:
        for kind, value in reversed(tokens):
            after = self._token(kind, value, after)
        return after

    def _token(self, kind: Any, value: Any, after: _State) -> _State:
        if kind in (op.LITERAL, op.NOT_LITERAL, op.ANY, op.IN):
            return self._state(after, test=self._test(kind, value))
        if kind in _REPEATS:
            least, most, body = value
            return self._repeat(least, most, list(body), after)
        if kind is op.BRANCH:
            return self._state(*(self._sequence(list(branch), after) for branch in value[1]))
        if kind is op.SUBPATTERN:
            return self._sequence(list(value[3]), after)
        state = self._state(after)
        if kind is op.AT:
            state.holds = self._place(value)
        elif kind in (op.ASSERT, op.ASSERT_NOT) and value[0] == 1:
            state.holds = self._ahead(value[1], kind is op.ASSERT)
        else:
            raise _refused("the pattern looks behind or refers back")
        return state

    def _repeat(self, least: int, most: Any, body: list[Any], after: _State) -> _State:
        if most is op.MAXREPEAT:
            loop = self._state(after)
            loop.after.insert(0, self._sequence(body, loop))
            here = loop
        else:
            if most - least > PATTERN_STATES or least > PATTERN_STATES:
                raise CanvasError("UNSAFE_PATTERN", "", "Refused: the pattern repeats too much.")
            here = after
            for _ in range(most - least):
                here = self._state(self._sequence(body, here), after)
        for _ in range(min(least, PATTERN_STATES + 1)):
            here = self._sequence(body, here)
            self._made += 1
        return here

    def _place(self, where: Any) -> Callable[[str, int, Spend], bool]:
        if where in (op.AT_BEGINNING, op.AT_BEGINNING_STRING):
            return lambda text, at, _: at == 0
        if where in (op.AT_END, op.AT_END_STRING):
            return lambda text, at, _: at == len(text)
        word = _CATEGORIES[op.CATEGORY_WORD]

        def edge(text: str, at: int, _: Spend) -> bool:
            inside = (at > 0 and word(text[at - 1])) != (at < len(text) and word(text[at]))
            return inside == (where is op.AT_BOUNDARY)

        return edge

    def _ahead(self, tokens: Any, wanted: bool) -> Callable[[str, int, Spend], bool]:
        """Looking ahead runs an automaton of its own from the place on."""
        inner = self.pattern(tokens)
        return lambda text, at, spend: inner.matches_at(text, at, spend) == wanted

    def _test(self, kind: Any, value: Any) -> Test:
        if kind is op.ANY:
            return lambda c: c not in "\n\r\u2028\u2029"
        if kind is op.IN:
            if id(value) not in self._tests:
                self._tests[id(value)] = _one_of(value)
            return self._tests[id(value)]
        letter = chr(value)
        return (lambda c: c == letter) if kind is op.LITERAL else (lambda c: c != letter)


def _one_of(items: Any) -> Test:
    """A class in brackets."""
    letters: set[str] = set()
    tests: list[Test] = []
    negated = False
    for kind, value in items:
        if kind is op.NEGATE:
            negated = True
        elif kind is op.LITERAL:
            letters.add(chr(value))
        elif kind is op.RANGE:
            tests.append(lambda c, low=value[0], high=value[1]: low <= ord(c) <= high)  # type: ignore[misc]
        else:
            tests.append(_CATEGORIES[value])
    return lambda c: (c in letters or any(test(c) for test in tests)) != negated
