"""`sql`: one's own conversations as tables. Asks the running gateway, and reads the files itself when there is none."""

from __future__ import annotations

import csv
import json
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from openclaw_gateway.cli import show
from openclaw_gateway.cli.wire import Target, Wire, target_options
from openclaw_kernel.sessions.sql_limits import LIMIT, MAX_LIMIT, MAX_TIMEOUT_S, TIMEOUT_S
from openclaw_kernel.values.errors import UserError

if TYPE_CHECKING:
    from openclaw_kernel.sessions.sql_table import Table

_ANSWER_S = 15.0
"""For the way to the gateway, and for a query that waits its turn."""


@click.command("sql")
@click.argument("statement")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json", "arrow"]), default="table", show_default=True)
@click.option("--limit", type=click.IntRange(1, MAX_LIMIT), default=LIMIT, show_default=True, help="Rows at most.")
@click.option("--timeout", "timeout_s", type=click.FloatRange(0.1, MAX_TIMEOUT_S), default=TIMEOUT_S, show_default=True)
@target_options
def command(target: Target, statement: str, form: str, limit: int, timeout_s: float) -> None:
    """Ask your conversations, tool calls, usage and notes with one SELECT.

    Tables: messages, tool_calls, sessions, usage, notes, chunks. `DESCRIBE messages` lists columns; times are UTC.
    """
    table = _asked(target, statement, limit, timeout_s)
    _printed(table, "json" if target.as_json else form)
    if table.truncated:
        show.note(f"There is more: these are {len(table.rows)} rows, or a long text was cut; --limit gives more rows.")
    if table.bad_lines:
        show.note(f"{table.bad_lines} lines of the files could not be read and are left out.")


def _asked(target: Target, statement: str, limit: int, timeout_s: float) -> Table:
    from openclaw_kernel.client.find import find_gateway
    from openclaw_kernel.sessions.sql_table import Table

    if target.url is None and find_gateway(target.state_dir) is None:
        return _read(target, statement, limit, timeout_s)
    patient = Target(target.state_dir, target.url, target.token, target.as_json, timeout_s + _ANSWER_S)
    with Wire(patient) as wire:
        request = {"sql": statement, "limit": limit, "timeoutMs": round(timeout_s * 1000)}
        return Table.from_wire(wire.request("sql.query", request))


def _read(target: Target, statement: str, limit: int, timeout_s: float) -> Table:
    """The files themselves; the configuration only says where the notes are."""
    from openclaw_kernel.agent.settings import workspace_of
    from openclaw_kernel.config.loader import load_config
    from openclaw_kernel.sessions.sql_places import Places
    from openclaw_kernel.sessions.sql_process import ask
    from openclaw_kernel.store.paths import config_path
    from openclaw_kernel.values.session_key import DEFAULT_AGENT

    env = {**os.environ, "OPENCLAW_STATE_DIR": str(target.state_dir)}
    config = load_config(config_path(env), env).config
    agents = [agent.id for agent in config.agents.list] or [DEFAULT_AGENT]
    places = Places(target.state_dir, {agent: workspace_of(config, target.state_dir, agent) for agent in agents})
    with show.working("Reading"):
        return ask(statement, places, limit=limit, timeout_s=timeout_s)


def _printed(table: Table, form: str) -> None:
    if form == "table":
        show.print_table(table.columns, [[_shown(value) for value in row] for row in table.rows], empty="No rows.")
    elif form == "json":
        show.print_json(table.dicts())
    elif form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(table.columns)
        clean = show.plain if sys.stdout.isatty() else str
        writer.writerows([None if value is None else clean(_shown(value)) for value in row] for row in table.rows)
    else:
        _arrow(table)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict | bool) else str(value)


def _arrow(table: Table) -> None:
    """An Arrow IPC stream on stdout."""
    if sys.stdout.isatty():
        raise UserError("--format arrow writes binary data; send it to a file or another program with > or |.")
    from openclaw_kernel.sessions.sql_frames import write_stream

    write_stream(table, sys.stdout.buffer)
