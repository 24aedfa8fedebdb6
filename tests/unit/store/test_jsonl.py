from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from openclaw_kernel.store.jsonl import JsonlFile, StoreError, read_jsonl, read_tail


def test_lines_come_back_in_order_and_the_file_is_private(tmp_path: Path) -> None:
    file = JsonlFile.open(tmp_path / "a" / "b.jsonl")
    file.append({"n": 1})
    file.append({"n": 2, "text": "ü\n\ud800"})
    file.close()
    assert list(read_jsonl(file.path)) == [{"n": 1}, {"n": 2, "text": "ü\n?"}]
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert file.path.parent.stat().st_mode & 0o777 == 0o700


def test_a_torn_tail_is_moved_aside_and_earlier_lines_stay(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    for torn in ('{"b": ', '{"c'):
        with path.open("a") as out:
            out.write('{"a":1}\n' + torn)
        file = JsonlFile.open(path)
        file.close()
    assert path.read_text() == '{"a":1}\n{"a":1}\n'
    assert (tmp_path / "t.jsonl.torn-1").read_text() == '{"b": '
    assert (tmp_path / "t.jsonl.torn-2").read_text() == '{"c'


def test_a_whole_last_line_only_lacks_its_newline(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"a":1}\n{"b":2}')
    file = JsonlFile.open(path)
    file.append({"c": 3})
    file.close()
    assert list(read_jsonl(path)) == [{"a": 1}, {"b": 2}, {"c": 3}]
    assert not list(tmp_path.glob("*.torn-*"))


def test_a_torn_tail_longer_than_a_block_is_found(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"a":1}\n{"b":"' + "x" * 200_000)
    JsonlFile.open(path).close()
    assert path.read_text() == '{"a":1}\n'


def test_reading_passes_over_torn_and_spoilt_lines(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"a":1}\nnonsense\n[1]\n\n{"b":2}\n{"c"')
    assert list(read_jsonl(path)) == [{"a": 1}, {"b": 2}]
    assert "line 2 is not JSON" in caplog.text
    assert list(read_jsonl(tmp_path / "none")) == []


def test_read_tail_gives_whole_lines_only(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"a":1}\n{"b":2}\n')
    assert read_tail(path, 8) == [{"b": 2}]
    assert read_tail(path, 9) == [{"b": 2}]
    assert read_tail(path, 100) == [{"a": 1}, {"b": 2}]


def test_a_full_disk_is_one_sentence_and_leaves_no_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = JsonlFile.open(tmp_path / "t.jsonl")
    file.append({"a": 1})
    real = os.write
    calls: list[int] = []

    def short_then_full(handle: int, data: bytes) -> int:
        calls.append(len(data))
        if len(calls) == 1:
            return real(handle, data[:4])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", short_then_full)
    with pytest.raises(StoreError, match=r"Cannot write .*t\.jsonl: the disk is full") as caught:
        file.append({"b": 2})
    assert caught.value.errno == 28
    monkeypatch.setattr(os, "write", real)
    file.append({"c": 3})
    file.close()
    assert file.path.read_text() == '{"a":1}\n{"c":3}\n'


def test_a_real_size_limit_is_reported_and_the_file_stays_readable(tmp_path: Path) -> None:
    """`RLIMIT_FSIZE` in a process of its own: the kernel takes a part of the line, then refuses."""
    path = tmp_path / "t.jsonl"
    program = (
        "import sys\nfrom pathlib import Path\nfrom openclaw_kernel.store.jsonl import JsonlFile, StoreError\n"
        "file = JsonlFile.open(Path(sys.argv[1]))\n"
        "try:\n    while True: file.append({'text': 'x' * 300})\nexcept StoreError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
    )
    assert "has reached the size limit" in done.stdout
    lines = path.read_bytes().splitlines(keepends=True)
    assert len(lines) == 3
    assert all(line.endswith(b"\n") and orjson.loads(line) for line in lines)


async def test_flush_syncs_once_per_change_and_survives_close(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    real = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda handle: (synced.append(handle), real(handle)))
    file = JsonlFile.open(tmp_path / "t.jsonl")
    file.append({"a": 1})
    await file.flush()
    await file.flush()
    assert len(synced) == 1
    file.append({"b": 1})
    pending = asyncio.create_task(file.flush())
    await asyncio.to_thread(lambda: None)
    file.close()
    await pending
    assert len(synced) == 2
    with pytest.raises(StoreError, match="closed"):
        file.append({"c": 1})


def test_a_directory_in_the_place_of_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="it is a directory"):
        JsonlFile.open(tmp_path)
