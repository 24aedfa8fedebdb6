"""Questions of the assistant in the terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from openclaw_gateway.cli.question import ask_all

OPTIONS = [{"label": "Red"}, {"label": "Blue", "description": "like the \x1b[31msky"}]
ONE = {"questionId": "q1", "question": "Which?", "options": OPTIONS}
MANY = {"questionId": "q2", "question": "Which ones?", "options": OPTIONS, "multiSelect": True, "isOther": True}
FREE = {"questionId": "q3", "question": "What name?", "options": [], "isOther": True}


def saying(*lines: str) -> Callable[[str], str]:
    left = list(lines)

    def read(_prompt: str) -> str:
        if not left:
            raise EOFError
        return left.pop(0)

    return read


@pytest.mark.parametrize(
    ("question", "lines", "answer"),
    [
        (ONE, ["2"], ["Blue"]),
        (ONE, ["9", "green", "", "Red"], ["Red"]),
        (MANY, ["1, 2"], ["Red", "Blue"]),
        (MANY, ["something of my own"], ["something of my own"]),
        (FREE, ["", " Ada "], ["Ada"]),
        (FREE, ["2"], ["2"]),
    ],
)
def test_numbers_labels_and_own_words(question: dict[str, Any], lines: list[str], answer: list[str]) -> None:
    said: list[str] = []
    found = ask_all({"questions": [question]}, saying(*lines), said.append)
    assert found == {question["questionId"]: answer}
    assert "\x1b[31m" not in "".join(said)


def test_a_closed_input_is_no_answer() -> None:
    assert ask_all({"questions": [ONE, FREE]}, saying("1"), lambda _text: None) is None
