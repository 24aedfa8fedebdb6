"""Edits without end: the index stays what a fresh one would be, and the event loop hardly notices."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.memory_edits import outcome


async def test_an_edited_index_equals_a_fresh_one_and_the_loop_goes_on(tmp_path: Path) -> None:
    done = await outcome(tmp_path, files=200, edits=100, queries=20)
    assert done.same and done.chunks > 800
    late = [round(lag * 1e3) for _, lag in done.pulse.late]
    assert len(late) <= done.pulse.beats // 200, f"the event loop was late by {late} ms"
