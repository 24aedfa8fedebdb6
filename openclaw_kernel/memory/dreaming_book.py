"""What dreaming proposed and what became of it, with the pre-images of MEMORY.md (MEM-16).

A proposal holds no word of a note: its text is read from the note when it is shown or applied, so that what was deleted,
changed or forgotten since is never brought back.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from openclaw_kernel.store.atomic import write_atomic
from openclaw_kernel.store.ledger import Ledger
from openclaw_kernel.store.paths import PRIVATE_FILE

FILE_NAME = "dreams.jsonl"
FOLDER = "dreams"
KEPT = 10
"""Pre-images that are kept; the oldest goes first."""

Kind = Literal["add", "drop"]
State = Literal["proposed", "applying", "applied", "rejected", "reverted", "stale"]


@dataclass(frozen=True, slots=True)
class Proposal:
    """`add`: the note `path#line` is to stand in MEMORY.md. `drop`: an entry of MEMORY.md that says again what another one
    says. `note` is the hash of the line, `writes` the row of the ledger of writes of an applied one, `image` the pre-image and
    `after` the hash of the MEMORY.md it made. `at` in milliseconds."""

    id: str
    kind: Kind
    path: str
    line: int
    note: str
    score: float
    signals: dict[str, float] = field(default_factory=dict)
    day: str = ""
    at: int = 0
    state: State = "proposed"
    write: str = ""
    image: str = ""
    after: str = ""


def proposal_id(kind: Kind, path: str, note: str) -> str:
    """The same for the same note for ever: what was rejected is not proposed again."""
    return hashlib.sha256(f"{kind}\0{path}\0{note}".encode()).hexdigest()[:8]


class Book:
    """The ledger of one agent. Blocking."""

    def __init__(self, folder: Path) -> None:
        self._images = folder / FOLDER
        self._ledger: Ledger[Proposal] = Ledger(
            folder / FILE_NAME,
            key=lambda row: row.id,
            encode=_encode,
            decode=_decode,
            is_pending=lambda row: row.state == "applying",
        )

    def rows(self, *states: State) -> list[Proposal]:
        return [row for row in self._ledger.rows() if row.state in states or not states]

    def get(self, id: str) -> Proposal | None:
        return self._ledger.get(id)

    def put(self, row: Proposal) -> None:
        self._ledger.put(row)

    def settle(self, ids: Iterable[str], **change: Any) -> None:
        for id in ids:
            self._ledger.settle(id, lambda row: replace(row, **change))

    def delete(self, unwanted: Callable[[Proposal], bool]) -> None:
        for row in self._ledger.rows():
            if unwanted(row):
                self._ledger.delete(row.id)

    def keep_image(self, name: str, data: bytes) -> Path:
        """On disk when this returns; older ones than the last `KEPT` go."""
        path = self._images / name
        write_atomic(path, data, PRIVATE_FILE)
        for old in sorted(self._images.glob("*.md"))[:-KEPT]:
            old.unlink(missing_ok=True)
        return path

    def image(self, name: str) -> Path | None:
        path = self._images / name
        return path if name and path.is_file() else None

    def close(self) -> None:
        self._ledger.close()


def forget_images(folder: Path) -> None:
    """No pre-image stays, for any of them may hold what is forgotten."""
    for path in (folder / FOLDER).glob("*"):
        os.unlink(path)


def _encode(row: Proposal) -> dict[str, Any]:
    wire: dict[str, Any] = {
        "id": row.id,
        "kind": row.kind,
        "path": f"{row.path}#L{row.line}",
        "note": row.note,
        "score": round(row.score, 3),
        "signals": row.signals,
        "day": row.day,
        "at": row.at,
        "state": row.state,
    }
    return wire | {name: value for name in ("write", "image", "after") if (value := getattr(row, name))}


def _decode(record: dict[str, Any]) -> Proposal:
    if record["kind"] not in get_args(Kind) or record["state"] not in get_args(State):
        raise ValueError(f"{record['kind']!r} or {record['state']!r} is unknown")
    path, _, line = str(record["path"]).rpartition("#L")
    return Proposal(
        str(record["id"]),
        record["kind"],
        path,
        int(line),
        str(record["note"]),
        float(record["score"]),
        {str(name): float(value) for name, value in dict(record["signals"]).items()},
        str(record["day"]),
        int(record["at"]),
        record["state"],
        str(record.get("write", "")),
        str(record.get("image", "")),
        str(record.get("after", "")),
    )
