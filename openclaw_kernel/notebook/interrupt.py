"""When an interrupt may raise inside Python, and when it may not.

A `KeyboardInterrupt` that is raised while the event loop itself runs ends the kernel. So SIGINT raises only inside a
`python_section`, where a person's code runs on the main thread; everywhere else the kernel decides what it means.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_sections = 0


def python_runs() -> bool:
    """Whether the main thread is inside somebody's Python."""
    return _sections > 0


@contextmanager
def python_section() -> Iterator[None]:
    """Around code of a person or of the assistant that runs synchronously, or is awaited, on the main thread.

    Whoever uses it catches `KeyboardInterrupt` outside of it as well: the signal may arrive while the section ends.
    """
    global _sections
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    _sections += 1
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        _sections -= 1
