"""Old tool results and pictures, shortened in what a model sees once its provider's cache has expired anyway (AGT-32).

The log is not touched. Between two expiries the shortened view stays the same, so that the cache holds.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace

from openclaw_kernel.agent.measure import CHARS_PER_TOKEN, estimate
from openclaw_kernel.config.schema.agents import ContextPruning
from openclaw_kernel.models.api import Model
from openclaw_kernel.values.messages import AssistantMessage, Image, Message, Text, ToolResultMessage, UserMessage

SOFT, HARD = 0.3, 0.5  # AGT-32: shares of the window
LONG_CHARS = 4_000
KEPT_CHARS = 1_500
HARD_MIN_CHARS = 50_000
IMAGE_TURNS = 3
TTL_MINUTES = {"anthropic-messages": 60}
DEFAULT_TTL_MINUTES = 5
MAX_SESSIONS = 64

CLEARED = "[An old tool result was cleared from view; call the tool again if you need it.]"
IMAGE_NOTE = "[an image was here; it was seen earlier]"


@dataclass(slots=True)
class _View:
    asked_at: int = 0
    instead: dict[tuple[str, object], Message] = field(default_factory=dict)


class Pruner:
    """The views of the sessions of one process."""

    def __init__(self) -> None:
        self._views: OrderedDict[str, _View] = OrderedDict()

    def view(
        self, messages: tuple[Message, ...], session_id: str, model: Model, settings: ContextPruning, now: int
    ) -> tuple[Message, ...]:
        """What the model is sent in place of `messages`; the same tuple when nothing is shortened. `now` is milliseconds."""
        if settings.mode == "off":
            return messages
        view = self._views.setdefault(session_id, _View())
        self._views.move_to_end(session_id)
        if len(self._views) > MAX_SESSIONS:
            self._views.popitem(last=False)
        minutes = settings.ttl_minutes or TTL_MINUTES.get(model.api, DEFAULT_TTL_MINUTES)
        if now - view.asked_at > minutes * 60_000:
            view.instead |= _shortened(messages, model, settings.keep_last_assistants)
        view.asked_at = now
        return tuple(view.instead.get(_key(one), one) for one in messages) if view.instead else messages


def _shortened(messages: tuple[Message, ...], model: Model, safe_turns: int) -> dict[tuple[str, object], Message]:
    window = model.context_window * CHARS_PER_TOKEN
    size = sum(estimate(one) for one in messages) * CHARS_PER_TOKEN
    instead: dict[tuple[str, object], Message] = dict(_without_images(messages))
    if size <= window * SOFT:
        return instead
    old = [one for one in messages[: _safe_from(messages, safe_turns)] if isinstance(one, ToolResultMessage)]
    for one in old:
        if len(text := _text(one)) > LONG_CHARS:
            instead[_key(one)] = _with(one, f"{text[:KEPT_CHARS]}\n[… {len(text) - 2 * KEPT_CHARS} characters cut …]\n"
                                            f"{text[-KEPT_CHARS:]}")  # fmt: skip
            size -= len(text) - 2 * KEPT_CHARS
    left = sum(len(_text(instead.get(_key(one), one))) for one in old)
    if size > window * HARD and left >= HARD_MIN_CHARS:
        for one in old:
            if size <= window * HARD:
                break
            size -= len(_text(instead.get(_key(one), one)))
            instead[_key(one)] = _with(one, CLEARED)
    return instead


def _safe_from(messages: tuple[Message, ...], turns: int) -> int:
    """Index from which nothing is touched: the last `turns` answers and what came with them."""
    answers = [index for index, one in enumerate(messages) if isinstance(one, AssistantMessage)]
    if turns == 0:
        return len(messages)
    return answers[-turns] if len(answers) >= turns else 0


def _without_images(messages: tuple[Message, ...]) -> list[tuple[tuple[str, object], Message]]:
    found: list[tuple[tuple[str, object], Message]] = []
    turns = 0
    for one in reversed(messages):
        turns += isinstance(one, UserMessage)
        if turns > IMAGE_TURNS and isinstance(one, UserMessage) and any(isinstance(part, Image) for part in one.content):
            content = tuple(Text(IMAGE_NOTE) if isinstance(part, Image) else part for part in one.content)
            found.append((_key(one), replace(one, content=content)))
    return found


def _key(message: Message) -> tuple[str, object]:
    if isinstance(message, ToolResultMessage):
        return "result", (message.tool_call_id, message.timestamp)
    return type(message).__name__, (message.timestamp, message.idempotency_key)


def _text(message: Message) -> str:
    return "".join(part.text for part in message.content if isinstance(part, Text))


def _with(message: ToolResultMessage, text: str) -> ToolResultMessage:
    return replace(message, content=(Text(text),))
