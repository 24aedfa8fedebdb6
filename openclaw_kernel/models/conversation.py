"""The encoded history of a session, kept between turns: a turn encodes what was said since, not all that was ever said.

A history may be cut in front of a user message that follows a plain answer. Nothing that a format does with neighbours (pairing
calls with results, joining messages of one role, moving images behind their batch) reaches over such a place, so the two halves
may be encoded apart.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence

from openclaw_kernel.values.messages import AssistantMessage, Message, Text, ToolCall, UserMessage

MAX_BYTES = 32 * 1024 * 1024
MAX_SESSIONS = 64

Encode = Callable[[Sequence[Message]], list[bytes]]
_Kept = tuple[tuple[Message, ...], bytes]


class Conversations:
    """A least-recently-used map from (session, variant) to the messages up to the last cut and their encoded form."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max = max_bytes
        self._bytes = 0
        self._kept: OrderedDict[tuple[str, Hashable], _Kept] = OrderedDict()

    def split(
        self, session: str, variant: Hashable, messages: tuple[Message, ...], encode: Encode
    ) -> tuple[list[bytes], tuple[Message, ...]]:
        """The turns up to the last cut, ready to be joined by commas with what follows, and the messages still to encode.

        `encode` gives the turns of a part of the history; `variant` names everything else its result depends on. Without a
        session nothing is kept.
        """
        cut = last_cut(messages) if session else 0
        if cut == 0:
            return [], messages
        known, head = self._known(session, variant, messages, cut)
        if len(known) < cut:
            head = b",".join([*filter(None, [head]), *encode(messages[len(known) : cut])])
            self._keep(session, variant, messages[:cut], head)
        return [head], messages[cut:]

    def _known(self, session: str, variant: Hashable, messages: tuple[Message, ...], cut: int) -> _Kept:
        """What is kept of this history; nothing when it was compacted, branched or reset since."""
        kept = self._kept.get((session, variant))
        if kept is None or len(kept[0]) > cut or messages[: len(kept[0])] != kept[0]:
            return (), b""
        self._kept.move_to_end((session, variant))
        return kept

    def _keep(self, session: str, variant: Hashable, messages: tuple[Message, ...], form: bytes) -> None:
        key = (session, variant)
        if (old := self._kept.pop(key, None)) is not None:
            self._bytes -= len(old[1])
        self._kept[key] = (messages, form)
        self._bytes += len(form)
        while len(self._kept) > 1 and (self._bytes > self._max or len(self._kept) > MAX_SESSIONS):
            _, (_, dropped) = self._kept.popitem(last=False)
            self._bytes -= len(dropped)

    def __len__(self) -> int:
        return len(self._kept)


def last_cut(messages: Sequence[Message]) -> int:
    """Where the newest place to cut is; 0 when there is none."""
    for at in range(len(messages) - 1, 0, -1):
        if _asks(messages[at]) and _plain(messages[at - 1]):
            return at
    return 0


def _asks(message: Message) -> bool:
    """A user message that is not blank: every format sends it."""
    return isinstance(message, UserMessage) and any(not isinstance(part, Text) or part.text.strip() for part in message.content)


def _plain(message: Message) -> bool:
    """An answer with words and without calls: every format sends it, as the assistant's own turn."""
    if not isinstance(message, AssistantMessage):
        return False
    spoken = any(isinstance(part, Text) and part.text.strip() for part in message.content)
    return spoken and not any(isinstance(part, ToolCall) for part in message.content)
