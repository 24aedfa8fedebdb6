"""Whose surface is it? Which session a canvas was shown in, so that a press on it finds its way back (CAN-06)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openclaw_kernel.store.ledger import Ledger
from openclaw_kernel.values.clock import Clock, system_clock
from openclaw_kernel.values.errors import unavailable

FILE_NAME = "surfaces.jsonl"
MAX_ROWS = 2_000
"""Older surfaces are forgotten; their buttons then say that nobody listens."""
ACTIONS_PER_WINDOW = 10
WINDOW_MS = 60_000
"""Runs one surface may start in a minute (CAN-06 asks for a limit; the figure is ours): more than a person presses on purpose,
fewer than a stuck button."""


@dataclass(frozen=True, slots=True)
class SurfaceRow:
    """One surface: the session that showed it and, when it lives in a notebook, the node that draws it."""

    surface_id: str
    session_key: str
    title: str
    node_id: str
    shown_at: int


class Surfaces:
    """The ledger of surfaces, and the count of what each has started lately."""

    def __init__(self, path: Path, *, clock: Clock = system_clock) -> None:
        self._ledger: Ledger[SurfaceRow] = Ledger(path, key=lambda row: row.surface_id, encode=_encode, decode=_decode)
        self._clock = clock
        self._recent: dict[str, deque[int]] = {}
        self._later: set[asyncio.Task[None]] = set()

    def shown(self, session_key: str, surface_id: str, *, title: str = "", node_id: str = "") -> None:
        """A tool showed it; the session that showed it last owns it."""
        self._ledger.put(SurfaceRow(surface_id, session_key, title[:200], node_id, self._clock()))
        if len(self._ledger) > MAX_ROWS:
            oldest = self._ledger.rows()[0].surface_id
            self._ledger.delete(oldest)
            self._recent.pop(oldest, None)

    def get(self, surface_id: str) -> SurfaceRow | None:
        return self._ledger.get(surface_id)

    def count(self, surface_id: str) -> None:
        """Counts one action. Raises `UNAVAILABLE` with `retryAfterMs` for one too many."""
        now = self._clock()
        recent = self._recent.setdefault(surface_id, deque(maxlen=ACTIONS_PER_WINDOW))
        if len(recent) == ACTIONS_PER_WINDOW and now - recent[0] < WINDOW_MS:
            error = unavailable("this surface was pressed too often; wait a moment and try again", surfaceId=surface_id)
            error.retry_after_ms = WINDOW_MS - (now - recent[0])
            raise error
        recent.append(now)
        if len(self._recent) > MAX_ROWS:
            del self._recent[next(iter(self._recent))]

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Work that ends with the gateway at the latest."""
        task = asyncio.get_running_loop().create_task(work)
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    def close(self) -> None:
        for task in self._later:
            task.cancel()
        self._ledger.close()


def _encode(row: SurfaceRow) -> dict[str, Any]:
    return {
        "surfaceId": row.surface_id,
        "sessionKey": row.session_key,
        "title": row.title,
        "nodeId": row.node_id,
        "shownAt": row.shown_at,
    }


def _decode(row: Mapping[str, Any]) -> SurfaceRow:
    return SurfaceRow(row["surfaceId"], row["sessionKey"], row.get("title", ""), row.get("nodeId", ""), row["shownAt"])
