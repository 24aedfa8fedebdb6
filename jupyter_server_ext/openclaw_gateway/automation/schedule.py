"""When a job is due: at a time, every so often, or by a cron expression in a zone (AUT-01).

A slot is the moment the schedule names, in milliseconds since the epoch. It never depends on when anybody looked, so it can be
the name of an occurrence. The spread of whole-hour jobs (AUT-03) is added to a slot, never part of it.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, assert_never
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from openclaw_kernel.values.clock import iso
from openclaw_kernel.values.errors import invalid

MAX_STAGGER_MS = 300_000
"""Whole-hour jobs are spread over five minutes unless they say otherwise (AUT-03)."""
MIN_EVERY_MS = 1_000
MAX_MS = 8_640_000_000_000_000
"""The largest time of the protocol schema."""

MAX_SLOTS = 5_000
"""How many missed slots of a job are looked at after a pause; of more, only those of the last hour."""
_TAIL_MS = 3_600_000

_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_DURATION = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class At:
    """Once."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class Every:
    """At `anchor_ms` plus every whole multiple of `every_ms`."""

    every_ms: int
    anchor_ms: int


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression of 5 or 6 fields (seconds first). `tz` is an IANA name, empty for the host's own zone.

    A fixed time that spring skips fires when the clock has jumped; one that autumn repeats fires the first time only.
    Steps and stars follow elapsed time.
    """

    expr: str
    tz: str = ""
    stagger_ms: int | None = None


Schedule = At | Every | Cron


@lru_cache(maxsize=1024)
def next_slot(schedule: Schedule, after_ms: int) -> int | None:
    """The first slot strictly after `after_ms`; `None` when there is none any more."""
    match schedule:
        case At(at_ms=at_ms):
            return at_ms if at_ms > after_ms else None
        case Every(every_ms=every_ms, anchor_ms=anchor_ms):
            if after_ms < anchor_ms:
                return anchor_ms
            return anchor_ms + ((after_ms - anchor_ms) // every_ms + 1) * every_ms
        case Cron(expr=expr, tz=tz):
            start = datetime.fromtimestamp(after_ms / 1000, zone(tz))
            found = next(CronSim(expr, start), None)
            return None if found is None else round(found.timestamp() * 1000)
        case _:
            assert_never(schedule)


def slots(schedule: Schedule, after_ms: int, until_ms: int) -> list[int]:
    """Every slot after `after_ms` up to `until_ms`, at most `MAX_SLOTS`, then the newest: a long sleep of a busy job is cut."""
    found: list[int] = []
    if isinstance(schedule, Every):
        after_ms = max(after_ms, until_ms - MAX_SLOTS * schedule.every_ms)
    if isinstance(schedule, Cron):
        moments = CronSim(schedule.expr, datetime.fromtimestamp(after_ms / 1000, zone(schedule.tz)))
        times: Iterator[int] = (round(moment.timestamp() * 1000) for moment in moments)
    else:
        times = _steps(schedule, after_ms)
    for slot in times:
        if slot > until_ms:
            return found
        found.append(slot)
        if len(found) >= MAX_SLOTS:
            break
    tail = max(found[-1], until_ms - _TAIL_MS) if len(found) >= MAX_SLOTS else None
    return found if tail is None or tail == found[-1] else slots(schedule, tail, until_ms)


def _steps(schedule: Schedule, after_ms: int) -> Iterator[int]:
    slot = next_slot(schedule, after_ms)
    while slot is not None:
        yield slot
        slot = next_slot(schedule, slot)


def spread(schedule: Schedule, job_id: str) -> int:
    """Milliseconds by which this job starts after its slots: the same for ever, so that a restart changes nothing."""
    if not isinstance(schedule, Cron):
        return 0
    width = schedule.stagger_ms
    if width is None:
        width = MAX_STAGGER_MS if _whole_hour(schedule.expr) else 0
    if width <= 0:
        return 0
    return int.from_bytes(hashlib.sha256(job_id.encode()).digest()[:6], "big") % width


def schedule_from_wire(wire: Mapping[str, Any], now_ms: int) -> Schedule:
    """Reads `{kind: at|every|cron, …}`. Raises INVALID_REQUEST with a sentence."""
    kind = wire.get("kind")
    if kind == "at":
        return At(parse_at(str(wire.get("at") or ""), now_ms))
    if kind == "every":
        every = wire.get("everyMs", duration_ms(str(wire.get("every") or "")))
        if not isinstance(every, int) or not MIN_EVERY_MS <= every <= MAX_MS:
            raise invalid(f"schedule.everyMs is {every!r}; give milliseconds, at least {MIN_EVERY_MS}")
        anchor = wire.get("anchorMs")
        return Every(every, anchor if isinstance(anchor, int) else now_ms)
    if kind == "cron":
        return _cron(wire, now_ms)
    raise invalid(f"schedule.kind {kind!r} is not known here; use at, every or cron")


def schedule_to_wire(schedule: Schedule) -> dict[str, Any]:
    match schedule:
        case At(at_ms=at_ms):
            return {"kind": "at", "at": iso(at_ms)}
        case Every(every_ms=every_ms, anchor_ms=anchor_ms):
            return {"kind": "every", "everyMs": every_ms, "anchorMs": anchor_ms}
        case Cron(expr=expr, tz=tz, stagger_ms=stagger_ms):
            wire: dict[str, Any] = {"kind": "cron", "expr": expr}
            if tz:
                wire["tz"] = tz
            if stagger_ms is not None:
                wire["staggerMs"] = stagger_ms
            return wire
        case _:
            assert_never(schedule)


def parse_at(text: str, now_ms: int) -> int:
    """`2026-12-01T09:00` (UTC without a zone, AUT-01), or a time from now such as `20m`. Raises INVALID_REQUEST."""
    if relative := duration_ms(text.strip().removeprefix("+")):
        return now_ms + relative
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise invalid(f"cannot read the time {text!r}; write 2026-12-01T09:00+01:00, or 20m for in 20 minutes") from None
    return round((moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def duration_ms(text: str) -> int | None:
    """Milliseconds of `30s`, `20m`, `1.5h`, `2d`; `None` when it is no duration."""
    found = _DURATION.match(text)
    return round(float(found[1]) * _UNITS[found[2].lower()]) if found else None


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """The zone of that name, or the host's. Raises INVALID_REQUEST for an unknown one."""
    if not name:
        return _host_zone()
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise invalid(f"time zone {name!r} is not known; use an IANA name such as Europe/Berlin") from None


def _cron(wire: Mapping[str, Any], now_ms: int) -> Cron:
    expr, tz, stagger = str(wire.get("expr") or "").strip(), str(wire.get("tz") or "").strip(), wire.get("staggerMs")
    if stagger is not None and (not isinstance(stagger, int) or stagger < 0):
        raise invalid(f"schedule.staggerMs is {stagger!r}; give milliseconds, 0 for exact")
    schedule = Cron(expr, tz, stagger)
    zone(tz)
    try:
        if len(expr.split()) not in (5, 6) or next_slot(schedule, now_ms) is None:
            raise invalid(f"cron expression {expr!r} never comes due; check its day and month")
    except CronSimError as error:
        raise invalid(f"cannot read the cron expression {expr!r}: {error}; write minute hour day month weekday") from None
    return schedule


def _whole_hour(expr: str) -> bool:
    fields = expr.split()
    head = fields[:-4]
    return all(field in ("0", "00") for field in head)


def _host_zone() -> ZoneInfo:
    names = [os.environ.get("TZ", "").lstrip(":")]
    try:
        names.append(str(Path("/etc/localtime").resolve()).partition("zoneinfo/")[2])
        names.append(Path("/etc/timezone").read_text(encoding="utf-8").strip())
    except OSError:
        pass  # a system without these files names its zone in TZ or runs on UTC
    for name in filter(None, names):
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return ZoneInfo("UTC")
