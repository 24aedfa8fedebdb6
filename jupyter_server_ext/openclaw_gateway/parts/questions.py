"""The questions of the house, and who is told of them."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

from openclaw_gateway.protocol.broadcast import Broadcaster
from openclaw_kernel.tools.questions import Asked, Questions
from openclaw_kernel.values.clock import Clock, NewId


def open_questions(stack: AsyncExitStack, state_dir: Path, broadcaster: Broadcaster, clock: Clock, new_id: NewId) -> Questions:
    """Opens the ledger. Raises `StoreError`."""
    questions = Questions(state_dir / "questions.jsonl", clock, new_id)
    stack.callback(questions.close)

    def tell(row: Asked) -> None:
        from openclaw_gateway.methods.questions import announce  # a family is loaded with its first use

        announce(row, broadcaster)

    questions.on_change.append(tell)
    return questions
