"""Time for channels: a clock, a way to wait, and chance. Tests hold all three in their hands."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from openclaw_kernel.values.clock import Clock, system_clock

Sleep = Callable[[float], Awaitable[None]]
"""Waits so many seconds."""

JITTER = 0.1
"""Ten percent either way (CHN-06, CHN-11)."""


@dataclass(frozen=True, slots=True)
class Timing:
    """`now` in milliseconds since the epoch, `sleep` in seconds, `chance` between 0 and 1."""

    now: Clock = system_clock
    sleep: Sleep = asyncio.sleep
    chance: Callable[[], float] = random.random

    def jittered(self, seconds: float) -> float:
        """`seconds` give or take ten percent."""
        return seconds * (1 + JITTER * (2 * self.chance() - 1))

    def doubled(self, first_s: float, attempt: int, cap_s: float) -> float:
        """The wait before attempt `attempt` + 1 (`attempt` from 1): doubling from `first_s`, at most `cap_s`, with jitter."""
        return min(cap_s, self.jittered(min(cap_s, first_s * 2.0 ** min(attempt - 1, 30))))
