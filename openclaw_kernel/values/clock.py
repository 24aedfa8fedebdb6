"""Time and ids as parameters, so that tests hold them in their hands."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], int]
"""Milliseconds since the epoch."""

NewId = Callable[[], str]


def system_clock() -> int:
    return time.time_ns() // 1_000_000


def new_id() -> str:
    return str(uuid.uuid4())


def iso(ms: int) -> str:
    """`2026-11-20T19:38:00.576Z`, the form of transcript timestamps."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"
