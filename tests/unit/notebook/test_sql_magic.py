"""`%claw sql`: a statement is asked as one, a question that begins with the word is a question."""

from __future__ import annotations

from typing import Any

import pytest

from openclaw_kernel.notebook import magics
from openclaw_kernel.values.errors import invalid


class Asked:
    said: list[str]

    def __init__(self, session: str | None = None) -> None:
        self.session = session

    def sql(self, query: str) -> list[dict[str, Any]]:
        if "DELETE" in query:
            raise invalid("SQL: only SELECT is allowed.")
        return [{"asked": query}]

    def ask(self, message: str, *, model: str) -> str:
        return f"said {message}"


@pytest.fixture(autouse=True)
def assistant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(magics, "Assistant", Asked)


@pytest.mark.parametrize("line", ["SELECT 1", "with a as (select 1) select * from a", "FROM messages", "Describe usage"])
def test_a_statement_is_asked(line: str) -> None:
    assert magics.claw(f"sql {line}") == [{"asked": line}]


@pytest.mark.parametrize("line", ["sql is what?", "what is sql select?", "sqlite select"])
def test_a_question_is_a_question(line: str) -> None:
    assert magics.claw(f"--no-stream {line}") == f"said {line}"


def test_a_cell_is_always_a_message() -> None:
    assert magics.claw("--no-stream", "sql SELECT 1") == "said sql SELECT 1"


def test_a_refusal_is_one_sentence() -> None:
    with pytest.raises(magics.ClawError, match=r"^SQL: only SELECT is allowed\.$"):
        magics.claw("sql WITH x AS (DELETE FROM usage) SELECT 1")
