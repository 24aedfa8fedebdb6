"""A broken or outdated index: thrown away, but for the vectors, which cost a model's time."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from openclaw_kernel.memory.durable import BrokenIndex, Durable
from openclaw_kernel.memory.sidefiles import SideFiles

log = logging.getLogger(__name__)

ASIDE = ".old"


@dataclass(frozen=True, slots=True)
class Opened:
    """An index that can be used. `problem` says why it was made anew, empty when it was not; `salvaged` counts vectors."""

    durable: Durable
    problem: str = ""
    salvaged: int = 0


def open_index(path: Path) -> Opened:
    """Opens the index, or makes an empty one in its place and keeps its vectors. Raises `IndexOwned` and `StoreError`."""
    aside = path.with_name(path.name + ASIDE)
    problem = ""
    try:
        durable = Durable.open(path)
    except BrokenIndex as error:
        problem = str(error)
        log.warning("%s", problem)
        _set_aside(path, aside)
        durable = Durable.open(path)
    return Opened(durable, problem, _take(durable, aside) if aside.exists() else 0)


def start_over(path: Path) -> None:
    """Makes the next `open_index` begin with nothing but the vectors. The index must be closed."""
    _set_aside(path, path.with_name(path.name + ASIDE))
    SideFiles(path.parent).remove()


def remove_index(path: Path) -> None:
    """Deletes the file with its log."""
    path.unlink(missing_ok=True)
    path.with_name(path.name + ".wal").unlink(missing_ok=True)


def _set_aside(path: Path, aside: Path) -> None:
    """Without the log: a log that cannot be replayed is what keeps most broken files from opening."""
    if path.exists():
        path.replace(aside)
    remove_index(path)


def _take(durable: Durable, aside: Path) -> int:
    salvaged = 0
    try:
        salvaged = durable.take_embeddings(aside)
        log.info("%d vectors were kept out of the old memory index", salvaged)
    except BrokenIndex as error:
        log.warning("no vector could be kept: %s", error)
    remove_index(aside)
    return salvaged
