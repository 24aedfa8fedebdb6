"""What a changed config asks for: take it in while running, or start anew (CFG-08, CFG-09)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from openclaw_kernel.config.schema import OpenClawConfig

LOOK_EVERY_MS = 1_000
"""How often the files are looked at all the same: events start late, and some file systems send none."""

RESTART: tuple[str, ...] = (
    "gateway.port",
    "gateway.bind",
    "gateway.customBindHost",
    "gateway.mode",
    "gateway.auth.mode",
    "gateway.auth.rateLimit",
    "gateway.tls",
    "gateway.tailscale",
    "gateway.controlUi.basePath",
    "gateway.controlUi.root",
    "plugins",
    "secrets.egressProxy",
    "jupyter.listen",
)
"""Keys, with all below them, that are read once at start. Everything else is read when it is used."""


@dataclass(frozen=True, slots=True)
class ReloadPlan:
    """The dotted keys that changed, by what they need."""

    hot: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        return not self.hot and not self.restart

    def touches(self, *sections: str) -> bool:
        """Whether a hot key lies in one of `sections` (`"channels"`, `"agents.defaults"`)."""
        return any(_below(key, section) for key in self.hot for section in sections)


def plan(old: OpenClawConfig, new: OpenClawConfig) -> ReloadPlan:
    """The difference of two configs, lists taken as one value."""
    changed = sorted(_changed(old.to_wire(), new.to_wire(), ""))
    restart = tuple(key for key in changed if any(_below(key, prefix) for prefix in RESTART))
    return ReloadPlan(tuple(key for key in changed if key not in restart), restart)


async def watch(
    paths: Callable[[], Sequence[Path]],
    on_change: Callable[[], Awaitable[None]],
    *,
    debounce_ms: int = 300,
    stop: asyncio.Event | None = None,
) -> None:
    """Call `on_change` after one of `paths()` changed and was quiet for `debounce_ms`; ends with `stop` or cancellation.

    Directories are watched, not files: editors replace a file, and then a watch on it would be on the old one. `paths` is
    asked again after each change, because an edit may add an include.
    """
    stop = stop or asyncio.Event()
    while not stop.is_set():
        files = _forms(paths())
        folders = {file.parent for file in files if file.parent.is_dir()}
        if not folders:
            return
        changed: asyncio.Queue[None] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        with _watching(folders, files, debounce_ms, partial(_put, loop, changed)):
            while await _first(changed, stop):
                await on_change()
                if _forms(paths()) != files:
                    break


def _forms(paths: Sequence[Path]) -> set[Path]:
    return {form for path in paths for form in (path.absolute(), path.resolve())}


def _put(loop: asyncio.AbstractEventLoop, queue: asyncio.Queue[None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(queue.put_nowait, None)


async def _first(changed: asyncio.Queue[None], stop: asyncio.Event) -> bool:
    """Whether a change came before the stop."""
    waits = {asyncio.ensure_future(changed.get()), asyncio.ensure_future(stop.wait())}
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    return not stop.is_set()


def _signature(files: set[Path]) -> frozenset[tuple[Path, int, int]]:
    """What tells one state of the files from another: size and time of change of those that exist."""
    seen = set()
    for file in files:
        with suppress(OSError):  # an editor replaces a file: for a moment there may be none
            stat = file.stat()
            seen.add((file, stat.st_size, stat.st_mtime_ns))
    return frozenset(seen)


@contextmanager
def _watching(folders: set[Path], files: set[Path], debounce_ms: int, tell: Callable[[], object]) -> Iterator[None]:
    """Calls `tell` on a thread of its own: a daemon, so that a server whose loop is torn down can still end."""
    halt = threading.Event()
    wanted = frozenset(map(str, files))

    def run() -> None:
        from watchfiles import watch as file_changes  # loads a Rust library

        seen = _signature(files)
        tell()  # an edit may have come before anybody watched
        for changes in file_changes(
            *folders,
            watch_filter=partial(_wanted, wanted),
            debounce=max(debounce_ms * 4, 50),
            step=max(debounce_ms, 10),
            recursive=False,
            stop_event=halt,
            raise_interrupt=False,
            yield_on_timeout=True,
            rust_timeout=LOOK_EVERY_MS,
        ):
            if halt.is_set():
                return
            now = _signature(files)
            if changes or now != seen:
                seen = now
                tell()

    threading.Thread(target=run, name="openclaw-config-watch", daemon=True).start()
    try:
        yield
    finally:
        halt.set()


def _wanted(wanted: frozenset[str], _change: object, name: str) -> bool:
    return name in wanted


def _changed(old: Any, new: Any, at: str) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in old.keys() | new.keys():
            yield from _changed(old.get(key), new.get(key), f"{at}.{key}" if at else str(key))
    elif old != new:
        yield at


def _below(key: str, prefix: str) -> bool:
    return key == prefix or key.startswith(prefix + ".")
