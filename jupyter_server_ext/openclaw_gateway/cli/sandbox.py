"""`sandbox`: where commands run and why. Reads the configuration and the state directory; needs no gateway."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path
from typing import Any

import click

from openclaw_gateway.cli import show
from openclaw_gateway.cli.config import config_file
from openclaw_gateway.cli.options import json_option, state_dir_option
from openclaw_kernel.agent.settings import workspace_of
from openclaw_kernel.config.loader import load_config
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.safety.sandbox.choose import Choice, backends, choose
from openclaw_kernel.safety.sandbox.service import FOLDER, scope_folder
from openclaw_kernel.safety.sandbox_policy import explained, settings_of
from openclaw_kernel.values.errors import UserError
from openclaw_kernel.values.session_key import resolve


@click.group("sandbox")
def command() -> None:
    """Show where commands run and why, and empty private folders."""


@command.command("explain")
@click.option("--session", default="main", show_default=True, help="Which session.")
@click.option("--agent", "agent_id", default="", help="Whose; the default agent's unless told.")
@json_option
@state_dir_option
def explain(state_dir: Path, as_json: bool, session: str, agent_id: str) -> None:
    """Say what holds for the commands of a session, and which key of the configuration decided each part."""
    config, state_dir = _config(state_dir), state_dir.expanduser()
    agent_id = _agent(config, agent_id)
    key = resolve(session, default_agent=agent_id)
    found = explained(config, agent_id, key)
    choice = asyncio.run(choose(backends(config.agents.defaults.sandbox))) if found["sandboxed"] else Choice()
    found |= _machine(found, choice) | {"workspace": str(_shown_folder(config, state_dir, agent_id, key))}
    if as_json:
        show.print_json(found)
    else:
        _print_explained(found)


def _machine(found: dict[str, Any], choice: Choice) -> dict[str, Any]:
    """Where a command would run on this machine, now."""
    works = choice.backend.name if choice.backend is not None else None
    probes = {name: {"usable": one.usable, "version": one.version, "reason": one.reason} for name, one in choice.probes.items()}
    where = "sandbox" if works else "nowhere" if found["host"] == "sandbox" else "host"
    return {"runsIn": where, "works": works, "probes": probes}


def _shown_folder(config: OpenClawConfig, state_dir: Path, agent_id: str, key: str) -> Path:
    settings = settings_of(config, agent_id)
    if settings.workspace_access == "none":
        return state_dir / FOLDER / scope_folder(settings.scope, key, agent_id)
    return workspace_of(config, state_dir, agent_id)


def _print_explained(found: dict[str, Any]) -> None:
    by = found["decidedBy"]
    print(show.plain(f"Commands of {found['session']} run {_where(found)}."))
    for name, probe in found["probes"].items():
        said = f"works, version {probe['version']}" if probe["usable"] else "does not work"
        print(show.plain(f"  {name} {said}. {probe['reason']}".rstrip()))
    limits = ", ".join(f"{name} {value}" for name, value in found["limits"].items())
    rows = [
        ("host", found["host"], by["host"]),
        ("mode", found["mode"], by["mode"]),
        ("backend", found["backend"], by["backend"]),
        ("scope", found["scope"], by["scope"]),
        ("workspace", f"{found['workspaceAccess']}, {found['workspace']}", by["workspaceAccess"]),
        ("network", "yes, with what listens on this machine" if found["network"] else "none", by["network"]),
        ("limits", limits, by["limits"]),
    ]
    show.print_table(("setting", "value", "decided by"), rows, empty="")
    for layer in found["tools"]:
        print(show.plain(f"tools, by {layer['key']}:"))
        print(show.plain(f"  only: {', '.join(layer['allow']) if layer['allow'] else 'whatever is not denied'}"))
        print(show.plain(f"  never: {', '.join(layer['deny']) or 'none'}"))
    if found["sandboxed"] and not found["tools"]:
        print("tools: all of the agent's; only commands are sandboxed.")


def _where(found: dict[str, Any]) -> str:
    match found["runsIn"]:
        case "sandbox":
            return f"in the sandbox {found['works']}"
        case "nowhere":
            return "nowhere: tools.exec.host is sandbox, and none works here"
        case _ if found["sandboxed"]:
            return "on the host, under allowlist and ask, because no sandbox works here"
        case _:
            key = "host" if found["host"] != "auto" else "mode"
            return f"on the host, because {key} is {found[key]}"


@command.command("list")
@json_option
@state_dir_option
def listing(state_dir: Path, as_json: bool) -> None:
    """Private folders that stand in for a workspace. Nothing else of a sandbox outlives its command."""
    rows = [_row(path) for path in _folders(state_dir.expanduser())]
    if as_json:
        show.print_json(rows)
        return
    cells = [(row["name"], row["files"], row["bytes"], show.when(row["changedAtMs"])) for row in rows]
    show.print_table(("folder", "files", "bytes", "last changed"), cells, empty="No sandbox keeps anything.")


@command.command("recreate")
@click.option("--session", default="", help="Only the folder of this session.")
@click.option("--agent", "agent_id", default="", help="Only the folder of this agent.")
@click.option("--all", "everything", is_flag=True, help="Every folder.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@state_dir_option
def recreate(state_dir: Path, as_json: bool, session: str, agent_id: str, everything: bool, yes: bool) -> None:
    """Delete private folders; each comes back empty with the next command that needs it."""
    if not (session or agent_id or everything):
        raise UserError("Say which: --session KEY, --agent ID or --all.")
    state_dir, config = state_dir.expanduser(), _config(state_dir)
    wanted = _names(config, session, agent_id)
    chosen = [path for path in _folders(state_dir) if everything or path.name in wanted]
    if chosen and not yes:
        click.confirm(f"Delete {', '.join(path.name for path in chosen)} with all files in it?", abort=True, err=True)
    for path in chosen:
        shutil.rmtree(path)
    if as_json:
        show.print_json({"removed": [path.name for path in chosen]})
    else:
        print(f"Emptied {', '.join(path.name for path in chosen)}." if chosen else "There was nothing to empty.")


def _names(config: OpenClawConfig, session: str, agent_id: str) -> set[str]:
    agent = _agent(config, agent_id)
    names = {scope_folder("agent", "", agent)} if agent_id else set()
    return names | ({scope_folder("session", resolve(session, default_agent=agent), agent)} if session else set())


def _folders(state_dir: Path) -> list[Path]:
    place = state_dir / FOLDER
    return sorted(path for path in place.iterdir() if path.is_dir() and not path.is_symlink()) if place.is_dir() else []


def _row(path: Path) -> dict[str, Any]:
    """Links are counted, never followed."""
    stats = [os.lstat(os.path.join(folder, name)) for folder, _, names in os.walk(path) for name in names]
    newest = max([os.lstat(path).st_mtime, *(one.st_mtime for one in stats)])
    size = sum(one.st_size for one in stats)
    return {"name": path.name, "path": str(path), "files": len(stats), "bytes": size, "changedAtMs": int(newest * 1000)}


def _config(state_dir: Path) -> OpenClawConfig:
    return load_config(config_file(state_dir.expanduser()), os.environ).config


def _agent(config: OpenClawConfig, agent_id: str) -> str:
    """The agent, or the default one. Raises `UserError` for one that is not configured."""
    agents = [agent.id for agent in config.agents.list or ()] or ["main"]
    default = next((agent.id for agent in config.agents.list or () if agent.default), agents[0])
    if agent_id and agent_id not in agents:
        raise UserError(f"There is no agent {agent_id!r} in the configuration; known: {', '.join(agents)}.")
    return agent_id or default
