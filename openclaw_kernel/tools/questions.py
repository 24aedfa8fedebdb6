"""Questions the assistant puts to a person, and what was answered (TOL-14).

Every change is one line in a ledger. A question that was open when the gateway stopped is found again as `expired`: the turn
that asked is gone, so no answer could reach it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from openclaw_kernel.store.ledger import Ledger
from openclaw_kernel.values.clock import Clock, NewId, system_clock
from openclaw_kernel.values.clock import new_id as random_id
from openclaw_kernel.values.errors import OpenClawError, invalid

Status = Literal["pending", "answered", "cancelled", "expired"]
Answers = Mapping[str, tuple[str, ...]]

EXPIRES_AFTER_MS = 1_800_000
"""30 minutes, as long as an approval waits (SAF-10)."""
KEEP_MS = 7 * 24 * 3600 * 1000
MAX_QUESTIONS, MAX_OPTIONS, HEADER_CHARS = 3, 4, 12
"""As the wire has them (QuestionRecord)."""
ANSWER_CHARS = 4_000


@dataclass(frozen=True, slots=True)
class Option:
    label: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to be answered. `is_other` takes words of the person's own beside the options; without options there is
    nothing else."""

    question_id: str
    header: str
    question: str
    options: tuple[Option, ...] = ()
    multi_select: bool = False
    is_other: bool = False

    @property
    def free(self) -> bool:
        return self.is_other or not self.options


@dataclass(frozen=True, slots=True)
class Asked:
    """Questions asked together. Times are milliseconds since the epoch; `answers` is filled only in status `answered`."""

    id: str
    questions: tuple[Question, ...]
    agent_id: str
    session_key: str
    run_id: str
    created_at: int
    expires_at: int
    status: Status = "pending"
    answers: Answers = field(default_factory=dict)
    resolved_by: str = ""


class Questions:
    """The open questions, on disk. Used from the event loop only."""

    def __init__(self, path: Path, clock: Clock = system_clock, new_id: NewId = random_id) -> None:
        self._clock, self._new_id = clock, new_id
        self._waiting: dict[str, asyncio.Event] = {}
        self.on_change: list[Callable[[Asked], None]] = []
        self._rows: Ledger[Asked] = Ledger(
            path,
            key=lambda row: row.id,
            encode=asdict,
            decode=_asked,
            is_pending=lambda row: row.status == "pending",
        )
        self._settle_leftovers()

    def ask(
        self,
        questions: Sequence[Question],
        *,
        agent_id: str = "",
        session_key: str = "",
        run_id: str = "",
        timeout_ms: int = EXPIRES_AFTER_MS,
        question_id: str | None = None,
    ) -> Asked:
        """Writes the questions down and announces them. Raises INVALID_REQUEST for an id that is taken or a double one."""
        name = question_id or self._new_id()
        if self._rows.get(name) is not None:
            raise _refused("QUESTION_ID_IN_USE", f"question id {name!r} already exists; choose another")
        if len({question.question_id for question in questions}) != len(questions):
            raise invalid("two questions share an id; give each its own")
        now = self._clock()
        row = Asked(name, tuple(questions), agent_id, session_key, run_id, now, now + max(1, timeout_ms))
        self._waiting[name] = asyncio.Event()
        return self._put(row)

    async def wait(self, question_id: str, timeout_ms: int | None = None) -> Asked:
        """Returns once it is settled, or after `timeout_ms` as it stands then. Raises INVALID_REQUEST for an unknown id."""
        row = self.get(question_id)
        event = self._waiting.get(question_id)
        if row.status == "pending" and event is not None:
            left = max(0, row.expires_at - self._clock())
            limit = left if timeout_ms is None else min(left, timeout_ms)
            try:
                await asyncio.wait_for(event.wait(), limit / 1000)
            except TimeoutError:
                if limit == left:
                    self._settle(question_id, "expired")
        return self.get(question_id)

    def resolve(self, question_id: str, answers: Mapping[str, Sequence[str]], by: str) -> Asked:
        """Takes the answers of `by`. Raises INVALID_REQUEST when it is settled or an answer is none of those offered."""
        row = self._open(question_id)
        taken = {question.question_id: _checked(question, answers.get(question.question_id)) for question in row.questions}
        if unknown := sorted(set(answers) - set(taken)):
            raise _wrong(f"question {question_id} does not ask {', '.join(map(repr, unknown))}")
        return self._put(replace(row, status="answered", answers=taken, resolved_by=by))

    def cancel(self, question_id: str, by: str) -> Asked:
        """Withdraws it without an answer. Raises INVALID_REQUEST when it is settled."""
        return self._put(replace(self._open(question_id), status="cancelled", resolved_by=by))

    def drop(self, question_id: str) -> None:
        """The turn that asked is over: an open question is withdrawn, a settled one left alone."""
        self._settle(question_id, "cancelled")

    def get(self, question_id: str) -> Asked:
        """Raises INVALID_REQUEST with the reason QUESTION_NOT_FOUND."""
        row = self._rows.get(question_id)
        if row is None:
            raise _refused("QUESTION_NOT_FOUND", f"no question {question_id!r}; list the open ones with question.list")
        return row

    def pending(self) -> list[Asked]:
        """Open questions, oldest first; those whose time is up are settled first."""
        self.expire_due()
        return sorted(self._rows.pending(), key=lambda row: row.created_at)

    def expire_due(self) -> None:
        for row in list(self._rows.pending()):
            if row.expires_at <= self._clock():
                self._settle(row.id, "expired")

    async def flush(self) -> None:
        await self._rows.flush()

    def close(self) -> None:
        self._rows.close()

    def _open(self, question_id: str) -> Asked:
        self.expire_due()
        row = self.get(question_id)
        if row.status != "pending":
            raise _refused("QUESTION_ALREADY_TERMINAL", f"question {question_id} is already {row.status}")
        return row

    def _settle(self, question_id: str, status: Status) -> None:
        row = self._rows.get(question_id)
        if row is not None and row.status == "pending":
            self._put(replace(row, status=status))

    def _put(self, row: Asked) -> Asked:
        self._rows.put(row)
        if row.status != "pending" and (event := self._waiting.pop(row.id, None)) is not None:
            event.set()
        for listener in tuple(self.on_change):
            listener(row)
        return row

    def _settle_leftovers(self) -> None:
        """At start: what was open is expired, what was settled long ago is dropped."""
        horizon = self._clock() - KEEP_MS
        for row in list(self._rows.rows()):
            if row.status == "pending":
                self._rows.put(replace(row, status="expired"))
            elif row.expires_at < horizon:
                self._rows.delete(row.id)


def understood(question: Question, text: str) -> tuple[str, ...]:
    """What a person means who answers in a line: numbers of choices, their labels, or own words; empty when it is no answer."""
    labels = [option.label for option in question.options]
    words = [word.strip() for word in text.split(",")] if question.multi_select else [text.strip()]
    if labels and all(re.fullmatch("[1-9]", word) and int(word) <= len(labels) for word in words):
        return tuple(labels[int(word) - 1] for word in words)
    by_name = {label.casefold(): label for label in labels}
    if labels and all(word.casefold() in by_name for word in words):
        return tuple(by_name[word.casefold()] for word in words)
    return (text.strip(),) if question.free and text.strip() else ()


def _checked(question: Question, given: Sequence[str] | None) -> tuple[str, ...]:
    name = question.question_id
    found = tuple(dict.fromkeys(text.strip() for text in given or ()))
    if not found or not all(found):
        raise _wrong(f"question {name!r} has no answer; answer every question or cancel them all")
    if len(found) > 1 and not question.multi_select:
        raise _wrong(f"question {name!r} takes one answer, not {len(found)}")
    labels = [option.label for option in question.options]
    if not question.free and (wrong := [text for text in found if text not in labels]):
        raise _wrong(f"question {name!r} does not offer {wrong[0][:80]!r}; answer one of: {', '.join(labels)}")
    if any(len(text) > ANSWER_CHARS for text in found):
        raise _wrong(f"the answer to question {name!r} is longer than {ANSWER_CHARS} characters")
    return found


def _wrong(message: str) -> OpenClawError:
    return _refused("QUESTION_INVALID_ANSWER", message)


def _asked(row: dict[str, Any]) -> Asked:
    questions = tuple(
        Question(**{**one, "options": tuple(Option(**option) for option in one["options"])}) for one in row["questions"]
    )
    answers = {name: tuple(texts) for name, texts in row["answers"].items()}
    return Asked(**{**row, "questions": questions, "answers": answers})


def _refused(reason: str, message: str) -> OpenClawError:
    return invalid(message, reason=reason)
