"""`serve`: the gateway in the foreground."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path

import click

from openclaw_gateway.cli.options import state_dir_option

COLLECT_AFTER_S = 1.0


@click.command("serve")
@click.option("--port", type=click.IntRange(0, 65535), default=None, help="Port to listen on; 0 takes a free one.")
@click.option("--host", default=None, help="Address to listen on; loopback if not given.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line when ready.")
@state_dir_option
def command(port: int | None, host: str | None, as_json: bool, state_dir: Path) -> int:
    """Run the gateway in the foreground until Ctrl-C.

    With --json the only line on stdout is {"ready":true,"url":…,"token":…,"pid":…}.
    """
    gc.disable()  # what a start makes lives as long as the gateway; looking through it for garbage is a tenth of the start
    from openclaw_gateway.serve import serve

    return asyncio.run(serve(state_dir.expanduser(), port, host, as_json, on_ready=_collect_soon))


def _collect_soon() -> None:
    """The first requests come first."""
    asyncio.get_running_loop().call_later(COLLECT_AFTER_S, _collect_from_now_on)


def _collect_from_now_on() -> None:
    """What the start has left behind goes, and later rounds pass over what it has made."""
    gc.collect()
    gc.freeze()
    gc.enable()
