"""The index opens in the DuckDB before ours, so that stepping back a version costs nobody their vectors.

Asked for by name: `OPENCLAW_TEST_OLDER_DUCKDB` is the Python of an environment that has duckdb 1.5
(`python -m venv DIR && DIR/bin/pip install "duckdb>=1.5,<1.6"`).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.memory.durable import Durable
from tests.needs import need
from tests.unit.memory.keeping import Hands, WordModel

QUESTIONS = """
import duckdb, json, sys
con = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "read")
tables = ("source", "chunk", "embedding")
sources, chunks, vectors = [con.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables]
text = con.execute("SELECT string_agg(text, '|' ORDER BY id) FROM chunk").fetchone()[0]
length = con.execute("SELECT max(abs(1 - list_inner_product(vec, vec))) FROM embedding").fetchone()[0]
if sys.argv[2] == "write":
    con.execute("INSERT INTO meta VALUES ('visited', ?)", [duckdb.__version__])
con.close()
print(json.dumps([duckdb.__version__, sources, chunks, vectors, text, length < 1e-5]))
"""


@pytest.fixture
def older() -> str:
    python = os.environ.get("OPENCLAW_TEST_OLDER_DUCKDB", "")
    need("older-duckdb", python, "OPENCLAW_TEST_OLDER_DUCKDB does not name a Python with duckdb 1.5.")
    return python


def asked(python: str, path: Path, mode: str) -> list[Any]:
    done = subprocess.run([python, "-c", QUESTIONS, str(path), mode], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("left", ["closed", "log"])
async def test_an_index_opens_in_the_older_version_and_again_in_ours(tmp_path: Path, older: str, left: str) -> None:
    hands = Hands(tmp_path)
    hands.model = WordModel()
    for number in range(30):
        hands.write(f"memory/2026-11-{number + 1:02}.md", f"# Day {number}\n- Miso the cat slept {number} hours\n")
    memory = hands.memory()
    await memory.sync()
    await memory.settled()
    path = hands.state / "memory/main/index.duckdb"
    if left == "log":  # as a killed gateway leaves it
        aside = tmp_path / "left" / path.name
        shutil.copytree(path.parent, aside.parent)
        assert aside.with_name(f"{path.name}.wal").stat().st_size > 0
        path = aside
    await memory.close()
    version, sources, chunks, vectors, text, normal = asked(older, path, "write" if left == "log" else "read")
    assert version.startswith("1.5.") and (sources, chunks, vectors, normal) == (30, 30, 30, True)
    assert text.count("Miso the cat slept") == 30
    assert asked(older, path, "write" if left == "closed" else "read")[1:] == [sources, chunks, vectors, text, True]
    durable = Durable.open(path)
    assert durable.counts() == (30, 30) and durable.meta("visited") == version
    assert "".join(row.text for row in durable.rows()).count("Miso") == 30
    durable.close()
