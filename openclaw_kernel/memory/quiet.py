"""Bulk work without the cyclic garbage collector.

A full collection walks through every container of the process and holds the interpreter for it: 80 ms with a million of them,
which is how many a first build makes. So it rests meanwhile, and what the build has made is not walked through afterwards,
until the process ends.
"""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_lock = Lock()
_resting = 0
_at_end: list[object] = []


@contextmanager
def collector_resting() -> Iterator[None]:
    """May be entered from several threads; the last one to leave switches the collector on, if it was on before."""
    global _resting
    with _lock:
        ours = _resting > 0 or gc.isenabled()
        _resting += ours
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            _resting -= ours
            if ours and _resting == 0:
                gc.freeze()
                if not _at_end:
                    _at_end.append(atexit.register(gc.unfreeze))
                gc.enable()
