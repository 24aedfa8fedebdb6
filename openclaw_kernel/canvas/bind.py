"""Values as they stand now: literals, paths into the data model and function calls, bounded (a2ui reference, sections 5 and 6).

Data can hold expressions that read more data, so one `Values` counts every step it takes for its surface and stops at
`EXPRESSION_STEPS`; nothing an agent writes can keep it busy longer.
"""

from __future__ import annotations

import json
from datetime import UTC, tzinfo
from typing import Any

from openclaw_kernel.canvas import pointer
from openclaw_kernel.canvas.functions import FUNCTIONS
from openclaw_kernel.canvas.limits import EXPRESSION_DEPTH, EXPRESSION_STEPS, TEXT_LENGTH, TEXTS_LENGTH
from openclaw_kernel.canvas.numbers import number_text, to_number
from openclaw_kernel.canvas.pointer import MISSING, Missing
from openclaw_kernel.canvas.problems import CanvasError, Problem, Problems

_ELLIPSIS = "…"


class Values:
    """Reads values against `data`. `scope` is always the path of the nearest template item, empty outside templates.

    Nothing here raises: what cannot be read is `MISSING` or empty, and `problems` tells why, each reason once.
    """

    def __init__(self, data: Any, problems: Problems | None = None, *, at: str = "", zone: tzinfo = UTC) -> None:
        self.zone = zone
        self._data = data
        self._problems = problems
        self._at = at
        self._steps = EXPRESSION_STEPS
        self._letters = TEXTS_LENGTH
        self._told: set[tuple[str, str]] = set()

    def value(self, raw: Any, scope: str = "") -> Any:
        """What `raw` stands for: `MISSING` when there is nothing."""
        try:
            return self.resolve(raw, scope, 1)
        except CanvasError as error:
            self._tell(error.problem)
            return MISSING

    def text(self, raw: Any, scope: str = "", most: int = TEXT_LENGTH) -> str:
        """The same as text, cut after `most` letters and at the limit of the surface."""
        value = self.value(raw, scope)
        try:
            text = self.to_text(value)
        except CanvasError as error:
            self._tell(error.problem)
            return ""
        most = min(most, self._letters)
        if len(text) > most:
            self._tell(Problem("TOO_LARGE", "", f"A text is longer than {TEXT_LENGTH} characters, or all of them too long."))
            text = text[:most] + _ELLIPSIS
        self._letters = max(0, self._letters - len(text))
        return text

    def number(self, raw: Any, scope: str = "") -> float | None:
        """The same as a finite number, None when it is none."""
        number = to_number(self.value(raw, scope))
        return number if abs(number) < float("inf") else None

    def truth(self, raw: Any, scope: str = "") -> bool:
        return truthy(self.value(raw, scope))

    def afford(self, steps: int) -> bool:
        """Whether there are steps left to draw something that takes so many; they are counted."""
        try:
            self.spend(steps)
        except CanvasError as error:
            self._tell(error.problem)
            return False
        return True

    def resolve(self, raw: Any, scope: str, depth: int) -> Any:
        """As `value`, for functions: raises `CanvasError`, counts `depth`."""
        self.spend(1)
        if depth > EXPRESSION_DEPTH:
            raise CanvasError("TOO_DEEP", "", f"Function calls may be {EXPRESSION_DEPTH} deep inside each other.")
        if isinstance(raw, list):
            found = [self.resolve(item, scope, depth + 1) for item in raw]
            return [None if isinstance(item, Missing) else item for item in found]
        if not isinstance(raw, dict):
            return raw
        if isinstance(raw.get("call"), str):
            return self._call(raw["call"], raw.get("args"), scope, depth)
        if len(raw) == 1 and isinstance(raw.get("path"), str):
            return pointer.get(self._data, pointer.absolute(raw["path"], scope))
        return raw

    def to_text(self, value: Any) -> str:
        """Numbers and booleans as usual, nothing empty, objects and arrays as JSON."""
        if isinstance(value, str):
            return value
        if value is None or isinstance(value, Missing):
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float):
            return number_text(value)
        self.spend(10)
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        self.spend(len(text) // 200)
        return text

    def spend(self, steps: int) -> None:
        """Count work done. Raises `CanvasError` TOO_MANY when the surface has used up its steps."""
        self._steps -= steps
        if self._steps < 0:
            raise CanvasError("TOO_MANY", "", f"A surface may take {EXPRESSION_STEPS} steps to work out its values.")

    def _call(self, name: str, args: Any, scope: str, depth: int) -> Any:
        function = FUNCTIONS.get(name)
        if function is None:
            raise CanvasError("UNKNOWN_FUNCTION", "", f"The catalogue has no function {name[:60]!r}.")
        given = args if isinstance(args, dict) else {}
        return function({key: self.resolve(item, scope, depth + 1) for key, item in given.items()}, self, scope, depth)

    def _tell(self, problem: Problem) -> None:
        if self._problems is not None and (problem.code, problem.message) not in self._told:
            self._told.add((problem.code, problem.message))
            self._problems.add(problem.code, self._at, problem.message)


def truthy(value: Any) -> bool:
    """What counts as true in a condition: as in the browser, so empty lists do; the word false does not."""
    if isinstance(value, list | dict):
        return True
    return not (isinstance(value, Missing) or value in (None, "", "false", False, 0) or value != value)
