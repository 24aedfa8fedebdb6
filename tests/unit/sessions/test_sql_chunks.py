"""`chunks` comes from a copy of the index, though its owner has it open and writes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from openclaw_kernel.sessions.sql import Places, SqlRefused
from openclaw_kernel.sessions.sql_process import ask

OWNER = """
import sys, duckdb
from openclaw_kernel.memory.schema import CONFIG, TABLES
con = duckdb.connect(sys.argv[1], config=CONFIG)
con.execute(TABLES)
con.execute("INSERT INTO source(id, kind, path) VALUES (1, 'memory', 'MEMORY.md')")
con.execute("INSERT INTO chunk(id, source_id, line0, line1, tokens, text) VALUES (1, 1, 3, 4, 9, 'green tea')")
con.execute("CHECKPOINT")
con.execute("INSERT INTO chunk(id, source_id, line0, line1, tokens, text) VALUES (2, 1, 5, 5, 2, 'black tea')")
print("ready", flush=True)
number = 3
while sys.argv[2] == "busy":
    con.execute("INSERT INTO chunk(id, source_id, text) SELECT ?, 1, repeat('x', 500) FROM range(50)", [number])
    con.execute("CHECKPOINT") if number % 5 == 0 else None
    number += 1
sys.stdin.read()
"""


def owned(state: Path, mode: str) -> subprocess.Popen[bytes]:
    folder = state / "memory" / "main"
    folder.mkdir(parents=True)
    command = [sys.executable, "-c", OWNER, str(folder / "index.duckdb"), mode]
    owner = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert owner.stdout is not None and owner.stdout.readline() == b"ready\n"
    return owner


def test_what_another_process_holds_is_read_with_its_log(tmp_path: Path) -> None:
    with owned(tmp_path, "quiet") as owner:
        before = sorted(tmp_path.rglob("*"))
        table = ask("SELECT agent, kind, path, line0, text FROM chunks ORDER BY id", Places(tmp_path))
        assert table.rows == (("main", "memory", "MEMORY.md", 3, "green tea"), ("main", "memory", "MEMORY.md", 5, "black tea"))
        assert sorted(tmp_path.rglob("*")) == before, "a copy is left behind"
        owner.communicate(timeout=30)
    assert len(ask("SELECT * FROM chunks", Places(tmp_path)).rows) == 2, "and without an owner"


def test_while_it_is_written_the_answer_is_whole_or_a_sentence(tmp_path: Path) -> None:
    with owned(tmp_path, "busy") as owner:
        try:
            for _ in range(2):
                try:
                    [[first, rest]] = ask(
                        "SELECT count(*) FILTER (WHERE id < 3), count(*) FILTER (WHERE id >= 3) % 50 FROM chunks",
                        Places(tmp_path),
                    ).rows
                except SqlRefused as refused:
                    assert "try again in a moment" in str(refused)
                else:
                    assert (first, rest) == (2, 0)
        finally:
            owner.kill()


def test_a_process_that_is_killed_leaves_no_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openclaw_kernel.sessions.sql_process.GRACE_S", 0.1)
    with owned(tmp_path, "quiet") as owner:
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(SqlRefused, match="was ended"):
            ask("SELECT levenshtein(repeat('a', 1000000), repeat(text, 99999)) FROM chunks", Places(tmp_path), timeout_s=0.1)
        assert sorted(tmp_path.rglob("*")) == before
        owner.communicate(timeout=30)


def test_a_file_that_is_no_index_is_one_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "memory" / "main"
    folder.mkdir(parents=True)
    (folder / "index.duckdb").write_bytes(b"no database" * 1000)
    with pytest.raises(SqlRefused, match=r"^SQL cannot read .*index\.duckdb"):
        ask("SELECT * FROM chunks", Places(tmp_path))
