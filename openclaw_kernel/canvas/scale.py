"""Axes: round numbers to write along them, and where a value lies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from openclaw_kernel.canvas.numbers import format_number

_LARGE = ((1e12, 1e12, "T"), (1e9, 1e9, "B"), (1e6, 1e6, "M"), (1e4, 1e3, "K"))
"""From where on, divided by what, with which letter."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from `low` to `high` on pixels from `start` to `end`, with the values to write."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]
    labels: tuple[str, ...]

    def at(self, value: float) -> float:
        span = self.high - self.low
        return self.start + (value - self.low) / span * (self.end - self.start) if span else (self.start + self.end) / 2


def scale(
    values: Sequence[float], start: float, end: float, *, zero: bool = False, wanted: int = 5, plain: bool = False
) -> Scale:
    """An axis over finite `values` between round numbers; with `zero` it reaches there. `plain` writes 1999."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        room = max(1.0, abs(low) * 0.1)
        low, high = (0.0, 1.0) if zero else (low - room, high + room)
    step = _round_step((high / max(wanted, 1)) - (low / max(wanted, 1)))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(index * step for index in range(int(first), int(min(last, first + 40)) + 1))
    return Scale(ticks[0], ticks[-1], start, end, ticks, tuple(tick_labels(ticks, step, plain=plain)))


def tick_labels(ticks: Sequence[float], step: float, *, plain: bool = False) -> list[str]:
    """The ticks as text with the same number of decimals, large ones shortened."""
    largest = max((abs(tick) for tick in ticks), default=0.0)
    if plain and largest < 10_000:
        return [format_number(tick, _decimals(step), grouping=False) for tick in ticks]
    if largest >= 1e15 or (0 < largest < 1e-6):
        return [f"{tick:.3g}" for tick in ticks]
    for least, size, letter in _LARGE:
        if largest >= least:
            return [format_number(tick / size, _decimals(step / size)) + (letter if tick else "") for tick in ticks]
    return [format_number(tick + 0.0, _decimals(step)) for tick in ticks]


def _round_step(rough: float) -> float:
    """1, 2, 2.5 or 5 times a power of ten, not below `rough`."""
    if not rough > 0 or not math.isfinite(rough):
        return 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    return next((factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999), 10 * power)


def _decimals(step: float) -> int:
    for places in range(8):
        if abs(step * 10**places - round(step * 10**places)) < 1e-6:
            return places
    return 8
