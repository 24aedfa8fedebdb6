"""`messages`: what happens to messages that come while a run is under way. Other keys are read by the channels."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from openclaw_kernel.config.schema.base import NotNegative, OpenSection, Positive

QueueMode = Literal["steer", "followup", "collect", "interrupt"]
QueueDrop = Literal["summarize", "old", "new"]


class Queue(OpenSection):
    """AGT-08, AGT-10. `by_channel` holds the mode of single channels; `/queue` in a session wins over both."""

    mode: QueueMode = "steer"
    by_channel: dict[str, QueueMode] = Field(default_factory=dict)
    debounce_ms: NotNegative = 500
    cap: Positive = 20
    drop: QueueDrop = "summarize"


class Messages(OpenSection):
    """Known keys are checked, the others kept as they are."""

    queue: Queue = Field(default_factory=Queue)

    def get(self, name: str) -> Any:
        """One of the other keys, or `None`."""
        return (self.model_extra or {}).get(name)
