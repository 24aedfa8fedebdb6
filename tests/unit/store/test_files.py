from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from openclaw_kernel.store.atomic import write_atomic
from openclaw_kernel.store.errors import StoreError
from openclaw_kernel.store.lock import StateLock, StateLocked
from openclaw_kernel.store.paths import config_path, ensure_private_dir, state_dir
from openclaw_kernel.store.runtime_file import RuntimeInfo, read_runtime, remove_runtime, write_runtime


def test_atomic_write_replaces_follows_links_and_is_private(tmp_path: Path) -> None:
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_text("old")
    link.symlink_to(real)
    write_atomic(link, "new")
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert real.stat().st_mode & 0o777 == 0o600


def test_atomic_write_on_a_full_disk_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="the disk is full"):
        write_atomic(path, "new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]
    assert path.read_text() == "old"


def test_where_state_lives() -> None:
    assert state_dir({"HOME": "/h"}) == Path("/h/.openclaw")
    assert state_dir({"HOME": "/h", "OPENCLAW_PROFILE": "work"}) == Path("/h/.openclaw-work")
    assert state_dir({"HOME": "/h", "OPENCLAW_STATE_DIR": "~/s"}) == Path("/h/s")
    assert config_path({"HOME": "/h", "OPENCLAW_STATE_DIR": "/s"}) == Path("/s/openclaw.json")
    assert config_path({"HOME": "/h", "OPENCLAW_CONFIG_PATH": "/c.json"}) == Path("/c.json")


def test_a_file_where_the_state_directory_should_be(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(StoreError, match=r"Cannot create the directory .*state: a part of the path is a file"):
        ensure_private_dir(tmp_path / "state")


def test_a_state_directory_that_is_not_writable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Root may write anywhere, so the answer of the system is given here.
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    with pytest.raises(StoreError, match=r"is not writable; make it writable .* OPENCLAW_STATE_DIR"):
        ensure_private_dir(tmp_path)


def test_the_second_owner_is_told_the_pid_and_waits_for_the_first(tmp_path: Path) -> None:
    first = StateLock.acquire(tmp_path)
    with pytest.raises(StateLocked, match=f"in use by process {os.getpid()}") as caught:
        StateLock.acquire(tmp_path, wait_s=0)
    assert caught.value.pid == os.getpid()

    second = StateLock.acquire(tmp_path, pause=lambda _seconds: first.release())
    second.release()
    second.release()


def test_a_lock_left_by_a_killed_process_is_free(tmp_path: Path) -> None:
    program = (
        "import os, sys, signal\nfrom pathlib import Path\nfrom openclaw_kernel.store.lock import StateLock\n"
        "StateLock.acquire(Path(sys.argv[1]))\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    StateLock.acquire(tmp_path, wait_s=0).release()


def test_a_lock_that_a_forked_child_of_the_dead_owner_still_holds_is_reclaimed(tmp_path: Path) -> None:
    program = (
        "import os, sys\nfrom pathlib import Path\nfrom openclaw_kernel.store.lock import StateLock\n"
        "StateLock.acquire(Path(sys.argv[1]))\n"
        "if os.fork() == 0:\n    sys.stdin.read()\n    os._exit(0)\nos.write(1, b'x')\nos._exit(0)\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert owner.wait(timeout=20) == 0
    mine = StateLock.acquire(tmp_path, wait_s=0)
    with pytest.raises(StateLocked):
        StateLock.acquire(tmp_path, wait_s=0)
    mine.release()
    assert owner.stdin is not None
    owner.stdin.close()


def runtime(pid: int, start: str = "") -> RuntimeInfo:
    return RuntimeInfo("http://127.0.0.1:18789", "secret-token", pid, 1, "0.1", start)


def test_the_runtime_file_is_private_and_hides_its_token(tmp_path: Path) -> None:
    write_runtime(tmp_path, runtime(os.getpid()))
    found = read_runtime(tmp_path)
    assert found is not None
    assert found.token == "secret-token"
    assert "secret-token" not in repr(found)
    assert (tmp_path / "gateway.json").stat().st_mode & 0o777 == 0o600
    remove_runtime(tmp_path)
    remove_runtime(tmp_path)
    assert read_runtime(tmp_path) is None


def test_the_runtime_file_of_a_dead_or_reused_pid_counts_for_nothing(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    write_runtime(tmp_path, runtime(child.pid))
    assert read_runtime(tmp_path) is None
    write_runtime(tmp_path, runtime(os.getpid(), start="another-boot:1"))
    assert read_runtime(tmp_path) is None
    (tmp_path / "gateway.json").write_text("[]")
    assert read_runtime(tmp_path) is None


def test_another_gateways_runtime_file_is_not_removed(tmp_path: Path) -> None:
    write_runtime(tmp_path, runtime(1))
    remove_runtime(tmp_path)
    assert (tmp_path / "gateway.json").exists()
