"""`plugins`: code of other people, let in or kept out."""

from __future__ import annotations

import click

from openclaw_gateway.cli import show
from openclaw_gateway.cli.wire import Target, call, target_options


@click.group("plugins")
def command() -> None:
    """List plugins, let them in, or switch them off."""


@command.command("list")
@target_options
def list_plugins(target: Target) -> None:
    """Every plugin the gateway knows, running or not."""
    listed = call(target, "plugins.list")
    if target.as_json:
        show.print_json(listed)
        return
    rows = [
        (row["id"], row["version"] or "–", row["origin"], row["state"], row.get("reason") or row["description"])
        for row in listed["plugins"]
    ]
    show.print_table(("id", "version", "from", "state", "what"), rows, empty="No plugin is known.")


@command.command("info")
@click.argument("plugin_id")
@target_options
def show_plugin(target: Target, plugin_id: str) -> None:
    """Where a plugin comes from and what it brings."""
    plugin = call(target, "plugins.info", {"id": plugin_id})["plugin"]
    if target.as_json:
        show.print_json(plugin)
        return
    names = ("id", "name", "description", "version", "packageName", "origin", "state", "reason", "root", "entry")
    show.print_facts([(name, plugin[name]) for name in names if plugin.get(name)])
    show.print_facts([(kind, ", ".join(map(str, found))) for kind, found in plugin["brings"].items()])


@command.command("enable")
@click.argument("plugin_id")
@target_options
def enable_plugin(target: Target, plugin_id: str) -> None:
    """Let a plugin's code run, from the next start of the gateway on."""
    _change(target, "plugins.enable", plugin_id, "is let in")


@command.command("disable")
@click.argument("plugin_id")
@target_options
def disable_plugin(target: Target, plugin_id: str) -> None:
    """Switch a plugin off, from the next start of the gateway on."""
    _change(target, "plugins.disable", plugin_id, "is switched off")


@command.command("doctor")
@target_options
def doctor(target: Target) -> int:
    """Look for plugins that failed, are blocked, or can be changed by others; exit status 1 when there are any."""
    found = call(target, "plugins.doctor")
    if target.as_json:
        show.print_json(found)
    else:
        rows = [(row["id"], row["state"], row["message"]) for row in found["findings"]]
        show.print_table(("id", "state", "what"), rows, empty="Every plugin is well.")
    return 0 if found["ok"] else 1


def _change(target: Target, method: str, plugin_id: str, done: str) -> None:
    result = call(target, method, {"id": plugin_id})
    if target.as_json:
        show.print_json(result)
    else:
        print(f"{plugin_id} {done}; restart the gateway for it.")
