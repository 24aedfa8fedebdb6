"""What a model may see of a conversation: messages it can follow, kept up to date one message at a time.

Two repairs happen on the way in, so that no provider ever refuses a history: an assistant record without content (a terminal
error) is left out, and a tool call that never got its result gets one that says so. Adding a message costs the same at turn
500 as at turn 5.
"""

from __future__ import annotations

from openclaw_kernel.values.messages import AssistantMessage, Message, Text, ToolResultMessage

LOST_RESULT = "No result: the call was interrupted."


class Context:
    """A growing list of messages that is always valid to send."""

    __slots__ = ("_messages", "_open")

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._open: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._messages)

    def add(self, message: Message) -> None:
        match message:
            case ToolResultMessage():
                if self._open.pop(message.tool_call_id, None) is not None:
                    self._messages.append(message)
            case AssistantMessage():
                if message.content:
                    self._settle(message.timestamp)
                    self._messages.append(message)
                    self._open = {call.id: call.name for call in message.tool_calls}
            case _:
                self._settle(message.timestamp)
                self._messages.append(message)

    def open_calls(self) -> dict[str, str]:
        """Calls that have no result yet: call id → tool name."""
        return dict(self._open)

    def snapshot(self) -> tuple[Message, ...]:
        """The messages now; unanswered calls at the end are answered in the copy only."""
        lost = (self._lost(call_id, name, self._messages[-1].timestamp) for call_id, name in self._open.items())
        return (*self._messages, *lost)

    def _settle(self, timestamp: int) -> None:
        self._messages.extend(self._lost(call_id, name, timestamp) for call_id, name in self._open.items())
        self._open = {}

    @staticmethod
    def _lost(call_id: str, name: str, timestamp: int) -> ToolResultMessage:
        return ToolResultMessage(call_id, name, (Text(LOST_RESULT),), timestamp, is_error=True)
