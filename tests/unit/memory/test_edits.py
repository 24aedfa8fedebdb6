"""Edits without end: the index stays what a fresh one would be, and the event loop hardly notices."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.benchmarks.memory_edits import outcome

TRIES = 2
"""A machine that gives its time to another one for 20 ms is no fault of ours; that it does so twice is not to be expected."""


async def test_an_edited_index_equals_a_fresh_one(tmp_path: Path) -> None:
    done = await outcome(tmp_path, files=200, edits=100, queries=20)
    assert done.same and done.chunks > 800


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how long a thread had a core")
@pytest.mark.timeout(400)
async def test_the_event_loop_never_waits_long_for_twenty_thousand_chunks(tmp_path: Path) -> None:
    late: list[int] = []
    for attempt in range(TRIES):
        done = await outcome(tmp_path / str(attempt), files=4_000, edits=60, queries=10)
        assert done.same and done.chunks > 19_000 and done.pulse.beats > 500
        late = [round(lag * 1e3) for _, lag in done.pulse.late]
        if not late:
            return
    raise AssertionError(f"the event loop was late by {late} ms")
