"""One owner of the state directory (STO-05)."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from openclaw_kernel.store.errors import StoreError
from openclaw_kernel.store.paths import PRIVATE_FILE, ensure_private_dir
from openclaw_kernel.store.process import is_alive, process_space, start_identity
from openclaw_kernel.values.errors import UserError

LOCK_NAME = "gateway.lock"
_POLL_S = 0.05


class StateLocked(UserError):
    """Another process owns the directory. `pid` is its number, 0 when it has not written it yet."""

    def __init__(self, state_dir: Path, pid: int) -> None:
        who = f"process {pid}" if pid else "another process"
        super().__init__(
            f"The state directory {state_dir} is in use by {who}; "
            "stop it first, or set OPENCLAW_STATE_DIR to another directory."
        )
        self.state_dir = state_dir
        self.pid = pid


@dataclass(frozen=True, slots=True)
class _Owner:
    pid: int
    start: str
    space: str

    @property
    def gone(self) -> bool:
        """Dead, or its number now belongs to another. A process of another container is never called gone."""
        return self.space == process_space() and not is_alive(self.pid, self.start)


class StateLock:
    """Held from `acquire` to `release`; the kernel drops it when the process dies."""

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self._handle = handle

    @classmethod
    def acquire(
        cls,
        state_dir: Path,
        *,
        wait_s: float = 5.0,
        monotonic: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> StateLock:
        """Own `state_dir`, waiting up to `wait_s` seconds for another to let go. Blocks: call it in a thread.

        Raises `StateLocked` naming the other process, `StoreError` when the directory cannot be used.
        """
        path = ensure_private_dir(state_dir) / LOCK_NAME
        deadline = monotonic() + wait_s
        while True:
            handle = _try_lock(path)
            if handle is None and _owner_gone(path):
                handle = _reclaim(path)
            if handle is not None:
                return cls(path, handle)
            if monotonic() >= deadline:
                owner = _read_owner(path)
                raise StateLocked(state_dir, owner.pid if owner else 0)
            pause(_POLL_S)

    def release(self) -> None:
        """Let go; a second call does nothing. The file stays: unlinking it would race with the next owner."""
        if self._handle >= 0:
            os.ftruncate(self._handle, 0)
            os.close(self._handle)
            self._handle = -1

    def __enter__(self) -> StateLock:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.release()


def _try_lock(path: Path) -> int | None:
    """The descriptor of the locked file with our name in it, or None when someone else has it."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
    except OSError as error:
        raise StoreError.from_os("open", path, error) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not _is_current(path, handle):
            os.close(handle)
            return None
        _write_owner(handle)
    except BlockingIOError:
        os.close(handle)
        return None
    except OSError as error:
        os.close(handle)
        raise StoreError.from_os("lock", path, error) from error
    return handle


def _is_current(path: Path, handle: int) -> bool:
    """Whether `path` still names the file we locked; a reclaim may have put another in its place."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(handle))
    except FileNotFoundError:
        return False


def _write_owner(handle: int) -> None:
    pid = os.getpid()
    body = orjson.dumps({"pid": pid, "start": start_identity(pid), "space": process_space()})
    os.ftruncate(handle, 0)
    os.pwrite(handle, body, 0)


def _read_owner(path: Path) -> _Owner | None:
    try:
        record = orjson.loads(path.read_bytes())
        return _Owner(int(record["pid"]), str(record["start"]), str(record["space"]))
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None


def _owner_gone(path: Path) -> bool:
    owner = _read_owner(path)
    return owner is not None and owner.gone


def _reclaim(path: Path) -> int | None:
    """Take over a lock whose owner died while a forked child still holds the descriptor."""
    with _guard(path.with_name(f"{path.name}.reclaim")) as mine:
        if not mine or not _owner_gone(path):
            return None
        path.unlink(missing_ok=True)
        return _try_lock(path)


@contextmanager
def _guard(path: Path) -> Iterator[bool]:
    """Only one process at a time may replace the lock file; yields whether it is us."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(handle)
