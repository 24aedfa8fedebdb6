"""Following the reading of notes from the terminal: to its end, and no longer than there is something to follow."""

from __future__ import annotations

from typing import Any

import pytest

from openclaw_gateway.cli import memory_show
from openclaw_gateway.cli.memory_ask import Asker


class Answers(Asker):
    """Gives statuses one after the other."""

    def __init__(self, *rows: dict[str, Any]) -> None:
        self.rows = list(rows)

    def __call__(self, method: str, **params: Any) -> dict[str, Any]:
        assert method == "status"
        return self.rows.pop(0)

    def pause(self, seconds: float) -> None:
        assert seconds > 0


def row(waiting: int, semantic: bool = True) -> dict[str, Any]:
    return {"chunks": 5_000, "waiting": waiting, "semantic": semantic}


def test_it_is_followed_to_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    asked = Answers(row(4_990), row(2_000), row(0))
    assert memory_show.watch(asked, row(5_000)) == row(0)
    assert capsys.readouterr().err == "Reading 0 of 5,000 notes…\nReading 3,000 of 5,000 notes…\n"


def test_a_model_that_fails_is_not_waited_for() -> None:
    assert memory_show.watch(Answers(row(3_000, semantic=False)), row(4_000))["waiting"] == 3_000


def test_the_bar_is_as_long_as_what_is_read() -> None:
    assert memory_show.bar(1_240, 5_000).count("█") == 5 and memory_show.bar(1_240, 5_000).endswith("1,240 of 5,000 notes")
    assert memory_show.bar(0, 0).count("█") == memory_show.BAR
