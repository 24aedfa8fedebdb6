"""Side files: the answering index as it was, mapped at the next start instead of being built (memory page, section 7).

    words.idx             places, postings and vocabulary
    vectors.<model>.f32   one float32 row a chunk;  vectors.<model>.bits   its signs, when there are many
    side.json             which index and which of its revisions they belong to

Caches: a missing, torn or foreign one costs time and nothing else. `side.json` is written last.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from openclaw_kernel.memory.arrays import BrokenArrays, read_arrays, write_arrays
from openclaw_kernel.memory.durable import Durable
from openclaw_kernel.memory.ram import RamIndex
from openclaw_kernel.memory.vectors import VectorState
from openclaw_kernel.store.atomic import write_atomic
from openclaw_kernel.store.paths import PRIVATE_FILE

WORDS = "words.idx"
HEAD = "side.json"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Loaded:
    """An index out of side files, the revision of the durable one that it is the copy of, and chunks whose place in it is out
    of date."""

    ram: RamIndex
    revision: int
    moved: tuple[int, ...]


class SideFiles:
    """The side files in one folder. Blocking; the thread of the index."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, ram: RamIndex, durable: Durable, moved: Iterable[int] = ()) -> None:
        """Replaces all of them. Raises `OSError` and `StoreError`; then the old ones may be gone, which is no loss."""
        stamp = _stamp(durable.index_id, durable.revision)
        state = ram.vector_state()
        (self._folder / HEAD).unlink(missing_ok=True)
        ram.dump(self._folder / WORDS, stamp)
        kept = {WORDS, *(self._vectors(state, stamp) if state is not None else ())}
        for path in self._all():
            if path.name not in kept:
                path.unlink(missing_ok=True)
            else:
                path.chmod(PRIVATE_FILE)
        model = state.model_id if state else ""
        head = {"index": durable.index_id, "revision": durable.revision, "model": model, "moved": sorted(moved)}
        write_atomic(self._folder / HEAD, orjson.dumps(head))

    def read(self, durable: Durable) -> Loaded | None:
        """The index of the side files, when they are of this durable index, of whatever revision: ids are never used again, so
        that comparing ids tells what came and went since."""
        try:
            head = orjson.loads((self._folder / HEAD).read_bytes())
            index, revision, model = str(head["index"]), int(head["revision"]), str(head["model"])
            moved = tuple(int(id) for id in head["moved"])
        except FileNotFoundError:
            return None
        except (OSError, orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            log.warning("%s is not readable (%s); the index is built from its rows", self._folder / HEAD, error)
            return None
        if index != durable.index_id or revision > durable.revision:
            return None
        stamp = _stamp(index, revision)
        ram = RamIndex.load(self._folder / WORDS, stamp)
        if ram is None:
            return None
        if model:
            self._take_vectors(ram, model, stamp)
        return Loaded(ram, revision, moved)

    def remove(self) -> None:
        for path in [self._folder / HEAD, *self._all()]:
            path.unlink(missing_ok=True)

    def _all(self) -> list[Path]:
        return [*self._folder.glob(f"{WORDS}*"), *self._folder.glob("vectors.*")]

    def _vectors(self, state: VectorState, stamp: int) -> list[str]:
        head = {"stamp": stamp, "rows": len(state.ids), "dim": state.dim, "model": state.model_id}
        names = [_name(state.model_id, "f32")]
        write_arrays(self._folder / names[0], head, {"ids": state.ids, "has": state.has, "matrix": state.matrix})
        if state.bits is not None:
            names.append(_name(state.model_id, "bits"))
            write_arrays(self._folder / names[1], head, {"bits": state.bits})
        return names

    def _take_vectors(self, ram: RamIndex, model: str, stamp: int) -> None:
        try:
            head, arrays = read_arrays(self._folder / _name(model, "f32"))
            bits = None
            if (path := self._folder / _name(model, "bits")).exists():
                told, found = read_arrays(path)
                bits = found["bits"] if _fits(told, model, stamp) else None
            if not _fits(head, model, stamp):
                return
            state = VectorState(model, int(head["dim"]), arrays["ids"], arrays["has"], arrays["matrix"], bits)
            if not ram.use_vectors(state):
                log.warning("the vectors in %s belong to other chunks; they are read from the index", self._folder)
        except (BrokenArrays, KeyError, TypeError, ValueError) as error:
            log.warning("the vectors in %s are not readable (%s); they are read from the index", self._folder, error)


def _fits(head: dict[str, Any], model: str, stamp: int) -> bool:
    return head.get("model") == model and head.get("stamp") == stamp


def _name(model: str, ending: str) -> str:
    short = re.sub(r"[^\w.-]+", "-", model)[:60]
    return f"vectors.{short}-{hashlib.sha256(model.encode()).hexdigest()[:8]}.{ending}"


def _stamp(index_id: str, revision: int) -> int:
    """One number for an index and its revision, as the head of a side file has room for one."""
    return int.from_bytes(hashlib.sha256(f"{index_id}:{revision}".encode()).digest()[:7], "big")
