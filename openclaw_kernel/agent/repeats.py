"""The same call with the same result, again and again: first a warning, then a refusal, then the end of the run (SAF-30)."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable

import orjson

from openclaw_kernel.config.schema.tools import LoopDetection
from openclaw_kernel.values.messages import Part, Text, ToolCall

WARNING = "[This call gave the same result {count} times. Do not repeat it: try something else, or say what is missing.]"
REFUSAL = "Not run: this exact call gave the same result {count} times. Do something else, or tell the person what is missing."
ENDING = "The run was stopped, because {name} was called {count} times with the same arguments and the same result."


class Repeats:
    """The last calls of a run. A call counts as repeated when its arguments and its result are the same."""

    def __init__(self, settings: LoopDetection | None = None) -> None:
        self._settings = settings = settings or LoopDetection()
        self._past: deque[tuple[Hashable, int]] = deque(
            maxlen=max(settings.history_size, settings.global_circuit_breaker_threshold)
        )
        self.ending = ""

    def refusal(self, call: ToolCall) -> str:
        """A sentence when the call has been repeated too often to be run again, else nothing."""
        if not self._settings.enabled:
            return ""
        signature = _signature(call)
        results = [result for known, result in self._past if known == signature]
        count = results.count(results[-1]) if results else 0
        if count < self._settings.critical_threshold:
            return ""
        self._past.append((signature, results[-1]))
        if count + 1 >= self._settings.global_circuit_breaker_threshold:
            self.ending = ENDING.format(name=call.name, count=count + 1)
        return REFUSAL.format(count=count)

    def note(self, call: ToolCall, content: tuple[Part, ...]) -> str:
        """Takes a result down; words for the model to read under it when it has been seen too often."""
        if not self._settings.enabled:
            return ""
        entry = (_signature(call), hash(tuple(part.text if isinstance(part, Text) else repr(part) for part in content)))
        self._past.append(entry)
        count = self._past.count(entry)
        return WARNING.format(count=count) if count >= self._settings.warning_threshold else ""


def _signature(call: ToolCall) -> Hashable:
    return call.name, orjson.dumps(dict(call.arguments), option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS, default=str)
