"""Files that came and went with messages are kept for a while and then removed (TOL-21).

Pictures of canvases lie in one folder, what people sent in one folder a run below the workspace. Only what has our names and
is old goes; nothing that a message still needs which waits, or may be sent again. A link is never followed: the workspace is
also the assistant's.
"""

from __future__ import annotations

import asyncio
import logging
import re
import shutil
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from openclaw_gateway.channels.timing import Sleep
from openclaw_kernel.values.clock import Clock

DAY_S = 86_400
_OURS = re.compile(r"channel-[0-9a-f]{16,64}(?:-\d{1,6})?|[0-9a-f]{32}\.png")

log = logging.getLogger(__name__)


class Expiry:
    """Looks through `folders` at start and once a day. `needed` are names and paths that stay whatever their age."""

    def __init__(
        self,
        folders: Callable[[], Sequence[Path]],
        needed: Callable[[], Collection[str]],
        days: Callable[[], int],
        now: Clock,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._folders, self._needed, self._days = folders, needed, days
        self._now, self._sleep = now, sleep
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.ensure_future(self._run())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self.look()
            await self._sleep(DAY_S)

    async def look(self) -> int:
        """Removes what has expired; how many entries that were."""
        before = self._now() / 1000 - self._days() * DAY_S
        needed = frozenset(self._needed())
        gone = 0
        for folder in self._folders():
            gone += await asyncio.to_thread(expire, folder, before, needed)
        if gone:
            log.info("%d files and folders of messages older than %d days were removed", gone, self._days())
        return gone


def expire(folder: Path, before: float, needed: Collection[str] = ()) -> int:
    """Removes entries of ours last changed before this moment, in seconds since the epoch. What cannot be removed is logged."""
    gone = 0
    try:
        if folder.is_symlink() or not folder.is_dir():
            return 0
        entries = list(folder.iterdir())
    except OSError as error:
        log.warning("old files of messages in %s stay: %s", folder, error)
        return 0
    for entry in entries:
        if not _OURS.fullmatch(entry.name) or entry.name in needed or str(entry) in needed:
            continue
        try:
            if entry.lstat().st_mtime < before:
                _remove(entry)
                gone += 1
        except OSError as error:
            log.warning("%s is old and stays: %s", entry, error)
    return gone


def _remove(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink()
