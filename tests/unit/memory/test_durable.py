"""The index on disk: whole or not at all, private, made again when it is broken, owned by one process."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest

from openclaw_kernel.memory import schema
from openclaw_kernel.memory.durable import Durable
from openclaw_kernel.memory.owner import IndexOwned
from openclaw_kernel.memory.records import Change, Row, Source
from openclaw_kernel.memory.salvage import open_index

SOURCE = Source(1, "memory", "MEMORY.md", 10, 20, 30, "h", "lines-1:400:80")


def row(id: int, text: str = "text", **more: object) -> Row:
    base = Row(id, 1, id, 1, 2, 0, 9, "Head", f"hash-{text}", 77, 3, text, "2026-11-20", 5, "agent")
    return replace(base, **more)  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "memory/main/index.duckdb"


def filled(path: Path) -> Durable:
    durable = Durable.open(path)
    durable.commit(Change(sources=[SOURCE], added=[row(1, "one"), row(2, "two"), row(3, 'it\'s "three"')], next_id=4))
    durable.put_vectors("m", ["hash-one", "hash-two"], np.array([[1, 0], [0, 1]], dtype=np.float32))
    return durable


def test_a_change_is_there_after_reopening(path: Path) -> None:
    filled(path).close()
    durable = Durable.open(path)
    assert durable.sources() == [SOURCE]
    assert [one.text for one in durable.rows()] == ["one", "two", 'it\'s "three"']
    assert next(iter(durable.rows(ids=[2]))) == row(2, "two")
    assert (durable.revision, durable.next_id, durable.counts(), durable.dim("m")) == (1, 4, (1, 3), 2)
    durable.close()


def test_a_moved_chunk_keeps_id_and_vector_and_is_named_by_its_revision(path: Path) -> None:
    durable = filled(path)
    durable.commit(Change(sources=[replace(SOURCE, size=99)], moved=[row(2, "two", line0=8, line1=9)], removed=[3], next_id=4))
    assert [(one.id, one.line0) for one in durable.rows(after=1)] == [(2, 8)]
    assert [(one.id, one.line0) for one in durable.rows(source=1)] == [(1, 1), (2, 8)]
    assert durable.sources()[0].size == 99
    assert {id for ids, _ in durable.vectors("m") for id in ids} == {1, 2}
    durable.close()


def test_vectors_are_kept_by_model_and_text(path: Path) -> None:
    durable = filled(path)
    assert durable.unembedded("m", 9) == [('hash-it\'s "three"', "Head", 'it\'s "three"')]
    assert durable.waiting("m") == 1 and durable.waiting("other") == 3
    durable.put_vectors("m", ["hash-two"], np.array([[0.6, 0.8]], dtype=np.float32))
    again = durable.having(["hash-two"])
    assert again == [(2, "hash-two")]
    [(ids, matrix)] = list(durable.vectors("m", [2]))
    assert ids == [2] and np.allclose(matrix, [[0.6, 0.8]])
    durable.close()


def test_a_vanished_source_takes_its_chunks_along(path: Path) -> None:
    durable = filled(path)
    durable.commit(Change(gone_sources=[1]))
    assert durable.counts() == (0, 0)
    durable.close()


def test_file_and_folder_are_private(path: Path) -> None:
    durable = filled(path)
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700
    durable.close()


def test_the_file_keeps_to_the_oldest_format_that_can_be_read(path: Path) -> None:
    filled(path).close()
    with duckdb.connect(str(path), read_only=True) as connection:
        tags = connection.execute("SELECT tags FROM duckdb_databases() WHERE database_name = 'index'").fetchall()
    assert schema.STORAGE in str(tags)


def test_a_second_process_is_told_whose_it_is(path: Path) -> None:
    durable = filled(path)
    code = "import sys, pathlib, openclaw_kernel.memory.durable as d; d.Durable.open(pathlib.Path(sys.argv[1]))"
    other = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=60, check=False)
    last = other.stderr.strip().splitlines()[-1]
    owner = f"is in use by process {os.getpid()}, which alone may open it; ask that gateway, or stop it first."
    assert last.endswith(f"The memory index {path} {owner}")
    assert "IndexOwned" in last
    durable.close()


@pytest.mark.parametrize("spoil", ["garbage", "half", "version"])
def test_a_broken_index_is_made_anew(path: Path, spoil: str) -> None:
    filled(path).close()
    if spoil == "garbage":
        path.write_bytes(os.urandom(50_000))
    elif spoil == "half":
        path.write_bytes(path.read_bytes()[:9_000])
    else:
        with duckdb.connect(str(path)) as connection:
            connection.execute("UPDATE meta SET value = '0' WHERE key = 'schema'")
    opened = open_index(path)
    assert "built anew from the notes" in opened.problem
    assert opened.durable.counts() == (0, 0)
    if spoil == "version":
        assert opened.salvaged == 2 and opened.durable.dim("m") == 2
    opened.durable.close()
    assert [file.name for file in path.parent.iterdir()] == ["index.duckdb"]


def test_a_spoilt_log_costs_no_row_of_the_file(path: Path) -> None:
    filled(path).close()
    path.with_name("index.duckdb.wal").write_bytes(b"no log at all" * 100)
    opened = open_index(path)
    assert opened.problem == "" and opened.durable.counts() == (1, 3)
    opened.durable.close()


def test_what_is_forgotten_is_in_no_byte(path: Path) -> None:
    durable = Durable.open(path)
    marks = [f"needle-{number}-xyzzy" for number in range(2_000)]
    rows = [row(number + 1, mark) for number, mark in enumerate(marks)]
    durable.commit(Change(sources=[SOURCE], added=rows, next_id=3_000))
    durable.put_vectors("m", [rows[0].hash, rows[1].hash], np.array([[1, 0], [0, 1]], dtype=np.float32))
    assert durable.forget([one.id for one in rows[1:]]) == 1
    assert durable.counts() == (1, 1) and durable.dim("m") == 2
    bytes_left = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"needle-0-xyzzy" in bytes_left
    assert not any(mark.encode() in bytes_left for mark in marks[1:])
    durable.commit(Change(sources=[SOURCE], added=[row(5_000, "after")], next_id=5_001))
    durable.close()
    assert [file.name for file in path.parent.iterdir()] == ["index.duckdb"]


def test_a_forgetting_that_was_cut_short_is_ended_at_the_next_start(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    durable = filled(path)
    monkeypatch.setattr(Durable, "rewrite", lambda self: None)
    durable.forget([1])
    durable.close()
    monkeypatch.undo()
    durable = Durable.open(path)
    assert durable.meta("scrub") == "" and durable.counts() == (1, 2)
    durable.close()


def test_the_tables_ask_for_no_extension(path: Path) -> None:
    durable = filled(path)
    found = durable._con.execute("SELECT value FROM duckdb_settings() WHERE name LIKE 'auto%known_extensions'").fetchall()
    assert {str(value[0]).lower() for value in found} == {"false"}
    with pytest.raises(IndexOwned):
        raise IndexOwned(path, 0)
    durable.close()
