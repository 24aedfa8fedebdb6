"""What the assistant asks in a chat: shown where the run came from, and the next message of that person there is the answer
(TOL-14). Nobody else's words count: a guest answers only what was asked in his own conversation.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence

from openclaw_gateway.channels.contract import Callback
from openclaw_gateway.channels.delivery import post_answer
from openclaw_gateway.channels.outbox import Outbox
from openclaw_gateway.channels.running import Running
from openclaw_kernel.tools.questions import Asked, Question, Questions, understood
from openclaw_kernel.values.envelope import Inbound
from openclaw_kernel.values.errors import OpenClawError

TAKEN = "Thank you."
_BUTTON = re.compile(r"answer:([\w.-]{1,50}):(\d)")

log = logging.getLogger(__name__)


class Asks:
    """Knows which runs came from which chat. Used from the event loop only."""

    def __init__(self, questions: Questions, outbox: Outbox, running: Callable[[str, str], Running | None]) -> None:
        self._questions = questions
        self._outbox = outbox
        self._running = running
        self._origins: dict[str, Inbound] = {}

    def asked_by(self, run_id: str, inbound: Inbound) -> None:
        """A run begins that this message asked for."""
        self._origins[run_id] = inbound

    def over(self, run_id: str) -> None:
        self._origins.pop(run_id, None)

    def changed(self, row: Asked) -> None:
        """A question stands, or was settled somewhere."""
        origin = self._origins.get(row.run_id)
        running = self._running(origin.channel, origin.account) if origin is not None else None
        if origin is None or running is None or row.status != "pending":
            return
        buttons = _buttons(row) if running.plugin.capabilities.buttons else []
        post_answer(self._outbox, running, origin, f"question:{row.id}", _text(row, bool(buttons)), buttons=buttons)

    def take(self, messages: Sequence[Inbound]) -> str | None:
        """Takes messages as the answer to what their sender was asked there: empty when it was one, a sentence to say when it
        cannot be one, `None` when nothing is asked."""
        text = "\n".join(one.text for one in messages if one.text).strip()
        row = self._asked_of(messages[-1]) if text else None
        if row is None:
            return None
        lines = [text] if len(row.questions) == 1 else [line.strip() for line in text.splitlines() if line.strip()]
        if len(lines) != len(row.questions):
            return f"I asked {len(row.questions)} questions; answer each on a line of its own, or send /stop."
        answers = {one.question_id: understood(one, line) for one, line in zip(row.questions, lines, strict=True)}
        for one in row.questions:
            if not answers[one.question_id]:
                return f"That is none of the choices for “{one.question}”: answer with a number, or send /stop."
        return self._resolve(row, answers, messages[-1])

    def pressed(self, callback: Callback) -> str | None:
        """What to show who pressed a button; `None` when the button is of another kind."""
        found = _BUTTON.fullmatch(callback.data)
        if found is None:
            return None
        row = next((one for one in self._questions.pending() if one.id == found[1]), None)
        origin = self._origins.get(row.run_id) if row is not None else None
        if row is None or origin is None:
            return "There is nothing to answer any more."
        theirs = (callback.channel, callback.account, callback.sender.id)
        if theirs != (origin.channel, origin.account, origin.sender.id):
            return "Somebody else was asked."
        options, number = row.questions[0].options, int(found[2])
        if number >= len(options):
            return "There is nothing to answer any more."
        return self._resolve(row, {row.questions[0].question_id: (options[number].label,)}, origin) or TAKEN

    def _asked_of(self, inbound: Inbound) -> Asked | None:
        for row in self._questions.pending():
            origin = self._origins.get(row.run_id)
            if origin is not None and _place(origin) == _place(inbound):
                return row
        return None

    def _resolve(self, row: Asked, answers: dict[str, tuple[str, ...]], inbound: Inbound) -> str:
        try:
            self._questions.resolve(row.id, answers, f"{inbound.channel}:{inbound.sender.id}")
        except OpenClawError as error:
            log.info("a question was not answered on %s: %s", inbound.channel, error)
            return str(error)
        return ""


def _place(inbound: Inbound) -> tuple[object, ...]:
    """Who wrote where."""
    return inbound.channel, inbound.account, inbound.peer.kind, inbound.peer.id, inbound.thread, inbound.sender.id


def _text(row: Asked, buttons: bool) -> str:
    blocks = [_block(one) for one in row.questions]
    if len(row.questions) > 1:
        blocks.append("Answer each on a line of its own.")
    elif row.questions[0].options and not buttons:
        blocks.append("Answer with a number" + (" or in your own words." if row.questions[0].free else "."))
    return "\n\n".join(blocks)


def _block(question: Question) -> str:
    lines = [f"**{question.question}**"]
    for number, option in enumerate(question.options, 1):
        lines.append(f"{number}. {option.label}" + (f": {option.description}" if option.description else ""))
    if question.multi_select:
        lines.append("Several numbers with commas are fine.")
    return "\n".join(lines)


def _buttons(row: Asked) -> list[list[dict[str, str]]]:
    """One button a choice, where one choice is the whole answer."""
    if len(row.questions) != 1 or row.questions[0].multi_select:
        return []
    return [
        [{"label": option.label, "data": f"answer:{row.id}:{number}"}] for number, option in enumerate(row.questions[0].options)
    ]
