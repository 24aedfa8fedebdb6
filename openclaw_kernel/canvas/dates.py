"""Dates as text: the patterns of Unicode TR35 that surfaces use, in English (a2ui reference, section 4)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, tzinfo

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"
)  # fmt: skip
_PIECE = re.compile(r"''|'(?:[^']|'')*'|([A-Za-z])\1*|[^A-Za-z']+|'", re.DOTALL)
_PATTERN_LENGTH = 200


def read_date(value: object, zone: tzinfo) -> datetime | None:
    """The moment `value` names: ISO 8601 text, or milliseconds since 1970. A date alone is midnight UTC, a time without an
    offset is of `zone`. None when it names none."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000, UTC).astimezone(zone)
        if not isinstance(value, str) or len(value) > 40:
            return None
        if len(value) == 10:
            return datetime.combine(date.fromisoformat(value), datetime.min.time(), UTC).astimezone(zone)
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(zone)
    except (ValueError, OverflowError, OSError):
        return None


def format_date(value: object, pattern: str, zone: tzinfo) -> str:
    """`value` written after `pattern`; empty when it is no date. An unknown letter stays as it is. `ISO` is ISO 8601 in UTC."""
    moment = read_date(value, zone)
    if moment is None:
        return ""
    if pattern == "ISO":
        return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return "".join(_piece(found[0], moment) for found in _PIECE.finditer(pattern[:_PATTERN_LENGTH]))


def _piece(text: str, moment: datetime) -> str:
    letter, count = text[0], len(text)
    if letter == "'":
        return "'" if text == "''" else text[1:-1].replace("''", "'")
    if not letter.isascii() or not letter.isalpha():
        return text
    number = _number(letter, moment)
    if number is not None:
        return str(number).zfill(count)
    match letter:
        case "y" | "u":
            return str(moment.year % 100).zfill(2) if count == 2 else str(moment.year).zfill(count)
        case "M" | "L":
            return str(moment.month).zfill(count) if count < 3 else _name(_MONTHS[moment.month - 1], count)
        case "E" | "e" | "c":
            return _name(_DAYS[moment.weekday()], 3 if count < 3 else count)
        case "a" | "b" | "B":
            return ("AM" if moment.hour < 12 else "PM") if count != 5 else ("a" if moment.hour < 12 else "p")
        case "G":
            return "Anno Domini" if count == 4 else "AD"
        case "S":
            return str(moment.microsecond).zfill(6)[:count].ljust(count, "0")
        case "z" | "v" | "V":
            return (moment.tzname() or "UTC") if count < 4 else _offset(moment, "O")
        case "X" | "x" | "Z" | "O":
            return _offset(moment, letter, count)
        case _:
            return text


def _number(letter: str, moment: datetime) -> int | None:
    """Fields that are plain numbers, whatever their width."""
    return {
        "d": moment.day,
        "D": moment.timetuple().tm_yday,
        "h": moment.hour % 12 or 12,
        "H": moment.hour,
        "K": moment.hour % 12,
        "k": moment.hour or 24,
        "m": moment.minute,
        "s": moment.second,
        "w": moment.isocalendar().week,
        "Q": (moment.month + 2) // 3,
    }.get(letter)


def _name(name: str, count: int) -> str:
    return name[:3] if count == 3 else name[0] if count == 5 else name


def _offset(moment: datetime, letter: str, count: int = 3) -> str:
    offset = moment.utcoffset()
    minutes = int(offset.total_seconds() // 60) if offset else 0
    if letter == "X" and not minutes:
        return "Z"
    sign = "-" if minutes < 0 else "+"
    hours, rest = divmod(abs(minutes), 60)
    if letter == "O":
        return f"GMT{sign}{hours}" + (f":{rest:02}" if rest else "") if minutes else "GMT"
    if letter in "Xx" and count == 1:
        return f"{sign}{hours:02}" + (f"{rest:02}" if rest else "")
    colon = ":" if (letter in "Xx" and count in (3, 5)) or (letter == "Z" and count == 5) else ""
    return f"{sign}{hours:02}{colon}{rest:02}"
