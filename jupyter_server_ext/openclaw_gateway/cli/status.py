"""`status`: what runs, where, and what it holds."""

from __future__ import annotations

from typing import Any

import click

from openclaw_gateway.cli import show
from openclaw_gateway.cli.wire import Target, Wire, target_options
from openclaw_kernel.client.find import find_gateway


@click.command("status")
@target_options
def command(target: Target) -> int:
    """Show the gateway, its agents and its newest sessions; exit 1 if none runs."""
    info = find_gateway(target.state_dir)
    if info is None and target.url is None:
        return _not_running(target)
    with Wire(target) as wire:
        status = wire.request("status")
        agents = wire.request("agents.list")
        sessions = wire.request("sessions.list", {"limit": 10})
    report: dict[str, Any] = {
        "running": True,
        "url": wire.url,
        "pid": info.pid if info and target.url is None else None,
        "version": status.get("runtimeVersion"),
        "stateDir": str(target.state_dir),
        "agents": agents.get("agents") or [],
        "sessions": sessions.get("sessions") or [],
        "status": status,
    }
    if target.as_json:
        show.print_json(report)
        return 0
    show.print_facts(
        [
            ("gateway", f"{report['url']} (version {report['version']}, pid {report['pid'] or 'unknown'})"),
            ("state", report["stateDir"]),
            ("agents", ", ".join(str(agent.get("id")) for agent in report["agents"]) or "none"),
            ("sessions", sessions.get("totalCount", len(report["sessions"]))),
            *[("memory", _memory(row, len(report["agents"]))) for row in status.get("memory") or ()],
            ("commands", _where_commands_run(status.get("sandbox") or {})),
        ]
    )
    if report["sessions"]:
        print()
        print_sessions(report["sessions"])
    return 0


def print_sessions(rows: list[dict[str, Any]]) -> None:
    show.print_table(
        ("key", "label", "updated", "model", "tokens"),
        (
            (
                row.get("key", ""),
                row.get("label") or row.get("displayName") or "",
                show.when(row.get("updatedAt")),
                row.get("model") or "",
                row.get("totalTokens") or "",
            )
            for row in rows
        ),
        empty="No sessions yet.",
    )


def _memory(row: dict[str, Any], agents: int) -> str:
    whose = f"{row['agentId']}: " if agents > 1 else ""
    counts = f"{row['files']:,} files, {row['chunks']:,} chunks. " if "files" in row else ""
    return f"{whose}{counts}{row['sentence']}"


def _where_commands_run(sandbox: dict[str, Any]) -> str:
    name = sandbox.get("backend")
    if name:
        version = ((sandbox.get("probes") or {}).get(name) or {}).get("version") or ""
        return f"run in {name} {version}".rstrip()
    if sandbox.get("runsIn") == "pending":
        return str(sandbox.get("reason"))
    return f"run {'nowhere' if sandbox.get('runsIn') == 'nowhere' else 'on the host'} ({sandbox.get('reason') or 'unknown'})"


def _not_running(target: Target) -> int:
    if target.as_json:
        show.print_json({"running": False, "stateDir": str(target.state_dir)})
    show.note(f"No gateway is running for {target.state_dir}; start one with `jupyter openclaw serve`.")
    return 1
