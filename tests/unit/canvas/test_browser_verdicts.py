"""Both halves give the same verdict: the browser's guard, run in Node, finds what Python's finds."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openclaw_kernel.canvas.guard import check_messages
from tests.needs import need
from tests.unit.canvas import test_guard

FRONT = Path(__file__).parents[3] / "labextension"
ESBUILD = FRONT / "node_modules" / ".bin" / "esbuild"
RUN = """
import { readFileSync } from 'node:fs';
const { checkMessages } = await import(process.argv[1]);
const lists = JSON.parse(readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify(lists.map(each => [...new Set(checkMessages(each).map(problem => problem.code))].sort())));
"""


def cases() -> Iterator[list[Any]]:
    """The tables of the Python guard's own tests."""
    for mark in test_guard.test_valid.pytestmark:  # type: ignore[attr-defined]
        yield from mark.args[1]
    for mark in test_guard.test_refused.pytestmark:  # type: ignore[attr-defined]
        yield from (case.values[1] if hasattr(case, "values") else case[1] for case in mark.args[1])


def test_both_halves_give_the_same_verdict(tmp_path: Path) -> None:
    need("node", shutil.which("node") and ESBUILD.exists(), "the packages of the front end are not installed")
    bundle = tmp_path / "guard.mjs"
    flags = ["--bundle", "--format=esm", "--platform=neutral", f"--outfile={bundle}"]
    subprocess.run([str(ESBUILD), str(FRONT / "src/canvas/guard.ts"), *flags], check=True, capture_output=True, timeout=60)
    given = list(cases())
    assert len(given) > 40
    command = ["node", "--input-type=module", "--eval", RUN, bundle.as_uri()]
    answer = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=True, timeout=60)
    for messages, found in zip(given, json.loads(answer.stdout), strict=True):
        wanted = sorted({problem.code for problem in check_messages(messages)})
        assert found == wanted, json.dumps(messages)[:600]
