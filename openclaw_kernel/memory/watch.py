"""Hearing of changed notes: folders are watched on daemon threads, and what changed is told once it has been quiet (MEM-04)."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

DEBOUNCE_MS = 1_500
LATEST = 6
"""A note that is written to without pause is taken up after so many debounces all the same."""
_STEP_MS = 50
_LOOK_MS = 5_000

log = logging.getLogger(__name__)


class Watch:
    """Tells `changed` on the event loop, with paths that may have changed. Started and closed on the loop.

    `folders` names the folders to watch, for themselves and with all below them; it is asked again after each change, because
    the first note makes its folder.
    """

    def __init__(
        self,
        folders: Callable[[], tuple[Sequence[Path], Sequence[Path]]],
        changed: Callable[[set[Path]], object],
        debounce_ms: int = DEBOUNCE_MS,
    ) -> None:
        self._folders = folders
        self._changed = changed
        self._debounce_s = debounce_ms / 1_000
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._paths: set[Path] = set()
        self._since = 0.0
        self._watched: list[tuple[frozenset[Path], bool, threading.Event]] = []

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._follow()

    def close(self) -> None:
        """No call comes after it; the threads end by themselves."""
        self._loop = None
        for _, _, halt in self._watched:
            halt.set()
        self._watched.clear()
        if self._timer is not None:
            self._timer.cancel()

    def touch(self, paths: set[Path]) -> None:
        """Something changed: told after the debounce, counted anew from the last change."""
        if self._loop is None:
            return
        now = self._loop.time()
        if self._timer is not None:
            self._timer.cancel()
        else:
            self._since = now
        self._paths |= paths
        latest = self._since + LATEST * self._debounce_s
        self._timer = self._loop.call_at(min(now + self._debounce_s, latest), self._tell)

    def _tell(self) -> None:
        self._timer = None
        paths, self._paths = self._paths, set()
        self._follow()
        self._changed(paths)

    def _follow(self) -> None:
        """Watches what `folders` names now, and nothing else."""
        flat, deep = self._folders()
        wanted = {(frozenset(flat), False), (frozenset(deep), True)}
        for row in [row for row in self._watched if row[:2] not in wanted]:
            row[2].set()
            self._watched.remove(row)
        running = {row[:2] for row in self._watched}
        for folders, below in wanted - running:
            if folders:
                halt = threading.Event()
                self._watched.append((folders, below, halt))
                threading.Thread(
                    target=self._run, args=(folders, below, halt), name="openclaw-memory-watch", daemon=True
                ).start()

    def _run(self, folders: frozenset[Path], below: bool, halt: threading.Event) -> None:
        from watchfiles import watch  # loads a Rust library

        self._heard(set(folders))  # a change may have come before anybody watched
        young = True
        try:
            for changes in watch(
                *folders,
                watch_filter=_is_note,
                debounce=_STEP_MS,
                step=_STEP_MS,
                recursive=below,
                stop_event=halt,
                raise_interrupt=False,
                rust_timeout=_LOOK_MS,
                yield_on_timeout=True,
            ):
                if changes or young:
                    self._heard({Path(name) for _, name in changes} or set(folders))
                young = young and bool(changes)
        except OSError as error:
            log.warning("notes are not watched (%s); they are taken up when they are searched", error)

    def _heard(self, paths: set[Path]) -> None:
        loop = self._loop
        if loop is None:
            return
        try:
            loop.call_soon_threadsafe(self.touch, paths)
        except RuntimeError as error:  # the loop was closed in between
            log.debug("a change came too late: %s", error)


def _is_note(_change: object, name: str) -> bool:
    """Markdown files, and folders: those come and go with the notes in them."""
    return name.endswith(".md") or "." not in name.rpartition("/")[2]
