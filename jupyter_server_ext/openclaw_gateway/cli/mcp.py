"""`mcp`: servers that lend the assistant their tools."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from openclaw_gateway.cli import show
from openclaw_gateway.cli.config import change_file, config_file
from openclaw_gateway.cli.options import json_option, state_dir_option
from openclaw_gateway.cli.wire import Target, call, target_options
from openclaw_kernel.config.edit import remove, set_value
from openclaw_kernel.config.loader import LoadedConfig, load_config
from openclaw_kernel.config.redact import REDACTED, redact
from openclaw_kernel.values.errors import OpenClawError, UserError

PROBE_S = 60.0


@click.group("mcp")
def command() -> None:
    """List, add, test and remove MCP servers."""


@command.command("list")
@target_options
def listing(target: Target) -> None:
    """Every configured server and how it is doing; without a running gateway, only what is configured."""
    try:
        rows = call(target, "mcp.status")["servers"]
    except (UserError, OpenClawError) as error:
        rows = _configured(target.state_dir)
        if not target.as_json and rows:
            show.note(f"Only what is configured: {error}")
    if target.as_json:
        show.print_json(rows)
        return
    cells = [
        (row["name"], row["transport"], row["state"], str(len(row["tools"])), row["reason"] or row["launch"]) for row in rows
    ]
    show.print_table(("name", "way", "state", "tools", "what"), cells, empty="No MCP server is configured.")


@command.command("show")
@click.argument("name")
@json_option
@state_dir_option
def show_server(state_dir: Path, as_json: bool, name: str) -> None:
    """Print what is configured for one server; secrets are hidden."""
    row = hidden(_row(_load(state_dir), name))
    if as_json:
        show.print_json({name: row})
    else:
        show.print_facts([(key, value if isinstance(value, str) else str(value)) for key, value in row.items()])


@command.command("add")
@click.argument("name")
@click.option("--command", "program", help="The program to start; its arguments with --arg.")
@click.option("--arg", "arguments", multiple=True, help="One argument; may be given again.")
@click.option("--env", "variables", multiple=True, metavar="NAME=VALUE", help="One variable; may be given again.")
@click.option("--cwd", help="The folder it is started in.")
@click.option("--url", "address", help="The address of a server that runs elsewhere.")
@click.option("--transport", type=click.Choice(["stdio", "streamable-http", "sse"]))
@click.option("--header", "headers", multiple=True, metavar="NAME=VALUE", help="One header; may be given again.")
@click.option("--include", default="", help="Only these tools, with commas; * stands for anything.")
@click.option("--exclude", default="", help="Without these tools, with commas.")
@click.option("--timeout", type=float, help="Seconds a call may take.")
@json_option
@state_dir_option
def add(state_dir: Path, as_json: bool, name: str, **options: Any) -> None:
    """Save a server. Nothing is started; try it with `mcp test NAME`."""
    if name in _load(state_dir).config.mcp.servers:
        raise UserError(f"There is an MCP server {name!r} already; remove it first, or edit mcp.servers.{name}.")
    row = _wanted(options)
    change_file(state_dir, as_json, f"mcp.servers.{name}", lambda raw: set_value(raw, ["mcp", "servers", name], row), "Set")


@command.command("remove")
@click.argument("name")
@json_option
@state_dir_option
def remove_server(state_dir: Path, as_json: bool, name: str) -> None:
    """Take a server out of the configuration; a running gateway ends it."""
    _row(_load(state_dir), name)
    change_file(state_dir, as_json, f"mcp.servers.{name}", lambda raw: remove(raw, ["mcp", "servers", name]), "Unset")


@command.command("test")
@click.argument("name")
@target_options
def test_server(target: Target, name: str) -> int:
    """Let the gateway connect a server now; exit status 1 when it does not answer."""
    _row(_load(target.state_dir), name)
    slow = Target(target.state_dir, target.url, target.token, target.as_json, PROBE_S)
    row = call(slow, "mcp.probe", {"name": name})["server"]
    if target.as_json:
        show.print_json(row)
    elif row["state"] == "ready":
        print(show.plain(f"{name} answers; {len(row['tools'])} tools: {', '.join(row['tools'])}"))
    else:
        print(show.plain(f"{name} does not answer: {row['reason']}"), file=sys.stderr)
    return 0 if row["state"] == "ready" else 1


def hidden(row: dict[str, Any]) -> dict[str, Any]:
    """A server's configuration without secrets: every plain value of a variable or header is one."""
    shown = dict(redact(row))
    for key in ("env", "headers"):
        if isinstance(row.get(key), dict):
            shown[key] = {name: REDACTED if isinstance(value, str) else value for name, value in row[key].items()}
    return shown


def _load(state_dir: Path) -> LoadedConfig:
    return load_config(config_file(state_dir), os.environ)


def _row(loaded: LoadedConfig, name: str) -> dict[str, Any]:
    rows = (loaded.parsed.get("mcp") or {}).get("servers") or {}
    if name not in rows:
        raise UserError(f"{loaded.path} has no MCP server {name!r}; configured: {', '.join(rows) or 'none'}.")
    return dict(rows[name])


def _configured(state_dir: Path) -> list[dict[str, Any]]:
    servers = _load(state_dir).config.mcp.servers
    return [
        {
            "name": name,
            "transport": row.way,
            "state": "not asked" if row.enabled else "off",
            "tools": [],
            "reason": "",
            "launch": row.command or row.way,
        }
        for name, row in servers.items()
    ]


def _wanted(options: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for key, name in (
        ("program", "command"),
        ("cwd", "cwd"),
        ("address", "url"),
        ("transport", "transport"),
        ("timeout", "timeout"),
    ):
        if options[key] is not None:
            row[name] = options[key]
    if options["arguments"]:
        row["args"] = list(options["arguments"])
    for key, name in (("variables", "env"), ("headers", "headers")):
        if options[key]:
            row[name] = dict(_pair(text) for text in options[key])
    chosen = {key: [one.strip() for one in options[key].split(",") if one.strip()] for key in ("include", "exclude")}
    if any(chosen.values()):
        row["toolFilter"] = {key: names for key, names in chosen.items() if names}
    return row


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not (name and sign):
        raise UserError(f"{name or text!r} has no value; write NAME=VALUE.")
    return name, value
