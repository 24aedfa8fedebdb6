"""`logs`: what the gateway wrote down."""

from __future__ import annotations

import json
import time
from typing import Any

import click

from openclaw_gateway.cli import show
from openclaw_gateway.cli.wire import Target, Wire, target_options

_MAX_BYTES = 250_000
"""As the official CLI asks (protocol section 8)."""

_FOLLOW_S = 1.0


@click.command("logs")
@click.option("--limit", type=click.IntRange(1, 5000), default=200, show_default=True, help="Lines, counted from the end.")
@click.option("-f", "--follow", is_flag=True, help="Keep printing new lines until Ctrl-C.")
@target_options
def command(target: Target, limit: int, follow: bool) -> None:
    """Print the newest lines of the gateway's log; with --json each line is its JSON record."""
    with Wire(target) as wire:
        page = wire.request("logs.tail", {"limit": limit, "maxBytes": _MAX_BYTES})
        _print(page, target.as_json)
        while follow:
            time.sleep(_FOLLOW_S)
            page = wire.request("logs.tail", {"cursor": page.get("cursor"), "limit": 5000, "maxBytes": _MAX_BYTES})
            if page.get("reset"):
                show.note("The log was rotated.")
            _print(page, target.as_json)


def _print(page: dict[str, Any], as_json: bool) -> None:
    for line in page.get("lines") or []:
        print(line if as_json else readable(line), flush=True)


def readable(line: str) -> str:
    """`19:38:00 warning gateway: text` from one JSON record; a line that is no record is printed as it is."""
    try:
        record = json.loads(line)
    except ValueError:
        return show.plain(line)
    if not isinstance(record, dict):
        return show.plain(line)
    time_text = str(record.get("time") or record.get("ts") or "")
    level = str(record.get("level") or "")
    name = str(record.get("subsystem") or record.get("logger") or record.get("name") or "")
    message = str(record.get("message") or record.get("msg") or "")
    return show.plain(f"{time_text} {level:<7} {name}: {message}" if name else f"{time_text} {level:<7} {message}")
