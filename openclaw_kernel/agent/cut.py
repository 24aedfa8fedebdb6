"""Where a history may be cut in two: never between a call and its result, and with enough kept word for word (AGT-30)."""

from __future__ import annotations

from collections.abc import Sequence

from openclaw_kernel.agent.measure import estimate
from openclaw_kernel.sessions.transcript import StoredMessage
from openclaw_kernel.values.messages import ToolResultMessage, UserMessage

KEEP_TOKENS = 20_000
KEEP_TURNS = 3


def cut_point(
    messages: Sequence[StoredMessage],
    keep_tokens: int = KEEP_TOKENS,
    *,
    start: int = 0,
    at_most: int | None = None,
) -> int:
    """Index of the first message that is kept; `start` when there is nothing to cut.

    It is a user message with `keep_tokens` and three turns behind it. When that would keep more than `at_most` tokens, which
    happens in long turns full of tools, any message but a tool result will do, and three turns are not insisted on.
    """
    found = _whole_turns(messages, keep_tokens, start, at_most)
    if found > start or at_most is None:
        return found
    return _inside_a_turn(messages, min(keep_tokens, at_most), start)


def _whole_turns(messages: Sequence[StoredMessage], keep_tokens: int, start: int, at_most: int | None) -> int:
    tokens = turns = 0
    for index in range(len(messages) - 1, start, -1):
        message = messages[index].message
        tokens += estimate(message)
        if at_most is not None and tokens > at_most:
            return start
        if isinstance(message, UserMessage):
            turns += 1
            if turns >= KEEP_TURNS and tokens >= keep_tokens:
                return index
    return start


def _inside_a_turn(messages: Sequence[StoredMessage], keep_tokens: int, start: int) -> int:
    tokens = 0
    for index in range(len(messages) - 1, start, -1):
        tokens += estimate(messages[index].message)
        if tokens >= keep_tokens and not isinstance(messages[index].message, ToolResultMessage):
            return index
    return start
