"""Waiting for something that another process brings about."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

LIMIT_S = 60
STEP_S = 0.1


def until(found: Callable[[], T | None], what: str, limit_s: float = LIMIT_S) -> T:
    """The first true value of `found`, asked every 0.1 s; `what` is told when it never came."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        if value := found():
            return value
        time.sleep(STEP_S)
    raise AssertionError(f"waited {limit_s:g} s for {what}")
