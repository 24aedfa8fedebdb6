"""`approvals`: what the assistant waits for a person to allow."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from openclaw_gateway.cli import show
from openclaw_gateway.cli.config import config_file
from openclaw_gateway.cli.options import json_option, state_dir_option
from openclaw_gateway.cli.wire import Target, call, target_options
from openclaw_kernel.agent.settings import workspace_of
from openclaw_kernel.config.loader import load_config
from openclaw_kernel.safety.allowed import patterns_for, read_allowed
from openclaw_kernel.safety.effective import exec_policy
from openclaw_kernel.safety.explain import explain
from openclaw_kernel.values.clock import system_clock
from openclaw_kernel.values.errors import UserError

DECISIONS = {"once": "allow-once", "always": "allow-always", "deny": "deny"}


@click.group("approvals")
def command() -> None:
    """See what waits for your yes, and answer it."""


@command.command("list")
@target_options
def listing(target: Target) -> None:
    """Open questions, the oldest first; commands are shown whole."""
    rows = call(target, "exec.approval.list")
    if target.as_json:
        show.print_json(rows)
        return
    if not rows:
        print("Nothing waits for you.")
    for row in rows:
        request = row.get("request") or {}
        print(show.plain(f"{row['id']}  {request.get('title') or 'Run a command'}, in {request.get('cwd') or '?'}"))
        print(show.plain(f"    {request.get('command', '')}\n    {request.get('reason') or ''}"))


@command.command("answer")
@click.argument("approval_id")
@click.argument("decision", type=click.Choice(list(DECISIONS)))
@target_options
def answer(target: Target, approval_id: str, decision: str) -> None:
    """Allow one once or always, or deny it."""
    done = call(target, "exec.approval.resolve", {"id": approval_id, "decision": DECISIONS[decision]})
    if target.as_json:
        show.print_json(done)
    else:
        print("Denied." if decision == "deny" else f"Allowed {decision}.")


@command.command("explain")
@click.argument("words", metavar="'COMMAND'")
@click.option("--agent", "agent_id", default="", help="Whose policy; the default agent's unless told.")
@click.option("--cwd", default="", help="Where it would run; the agent's workspace unless told.")
@click.option("--tainted", is_flag=True, help="As in a turn that has read something from outside.")
@click.option("--job", default="", help="As in a run of this scheduled job.")
@json_option
@state_dir_option
def explain_command(state_dir: Path, as_json: bool, words: str, agent_id: str, cwd: str, tainted: bool, job: str) -> None:
    """Say what would become of a command and why. Runs nothing and needs no gateway."""
    state_dir = state_dir.expanduser()
    config = load_config(config_file(state_dir), os.environ).config
    agents = [agent.id for agent in config.agents.list or ()] or ["main"]
    default = next((agent.id for agent in config.agents.list or () if agent.default), agents[0])
    agent_id = agent_id or default
    if agent_id not in agents:
        raise UserError(f"There is no agent {agent_id!r} in the configuration; known: {', '.join(agents)}.")
    folder = str(Path(cwd).expanduser().absolute()) if cwd else str(workspace_of(config, state_dir, agent_id))
    allowed = patterns_for(read_allowed(state_dir / "exec-approvals.jsonl"), agent_id, folder, job, system_clock())
    found = explain(words, exec_policy(config, agent_id), allowed, folder, tainted=tainted) | {"agent": agent_id}
    if as_json:
        show.print_json(found)
    else:
        _print_explained(found)


def _print_explained(found: dict[str, Any]) -> None:
    policy = found["policy"]
    print(show.plain(f"{found['verdict']}, by rule {found['rule']}"))
    if found["reason"]:
        print(show.plain(f"  {found['reason']}"))
    if found["answers"]:
        print(f"  answers: {', '.join(found['answers'])}")
    if found.get("remembers"):
        print(show.plain(f"  allow-always would store: {found['remembers']}"))
    for number, part in enumerate(found["segments"], 1):
        print(show.plain(f"segment {number}: {shlex.join(part['argv'])}"))
        if part["through"]:
            print(show.plain(f"  runs: {shlex.join(part['runs'])} (through {', '.join(part['through'])})"))
        covered = f"covered by {part['coveredBy']}" if part["coveredBy"] else part["reason"] or "not looked at alone"
        print(show.plain(f"  {covered}"))
    if found["constructs"]:
        print(f"constructs: {', '.join(found['constructs'])}")
    decided = ", ".join(f"{key} by {layer}" for key, layer in policy["decidedBy"].items())
    print(show.plain(f"policy of {found['agent']} in {found['cwd']}: mode {policy['mode']}, structure {policy['structure']}"))
    print(show.plain(f"  decided: {decided}; {len(policy['allowlist'])} allowlist entries hold here"))


@command.group("allowlist")
def allowlist() -> None:
    """What runs unasked because somebody said so for good."""


@allowlist.command("list")
@click.option("--agent", "agent_id", default="", help="Only this agent's.")
@target_options
def allowlist_list(target: Target, agent_id: str) -> None:
    """Every entry, with the directory it holds in and who gave it."""
    rows = [row for row in _entries(call(target, "exec.approvals.get")["file"]) if agent_id in ("", row["agent"])]
    if target.as_json:
        show.print_json(rows)
        return
    columns = ("agent", "pattern", "directory", "since", "by")
    cells = [(r["agent"], r["pattern"], r["cwd"] or "any", show.when(r["createdAtMs"]), r["addedBy"]) for r in rows]
    show.print_table(columns, cells, empty="Nothing is allowed for good.")


@allowlist.command("remove")
@click.argument("pattern")
@click.option("--agent", "agent_id", default="", help="Only this agent's.")
@target_options
def allowlist_remove(target: Target, pattern: str, agent_id: str) -> None:
    """Take an entry back; the next time it is asked about again."""
    _take_back(target, "allowlist", lambda row: row["pattern"] == pattern and agent_id in ("", row["agent"]), pattern)


@command.group("grants")
def grants() -> None:
    """What scheduled jobs may run unasked, each only in its own runs."""


@grants.command("list")
@click.option("--job", default="", help="Only this job's.")
@target_options
def grants_list(target: Target, job: str) -> None:
    """Every grant, with its job, its directory and its end."""
    rows = [row for row in _entries(call(target, "exec.approvals.get")["file"]) if row.get("job") and job in ("", row["job"])]
    if target.as_json:
        show.print_json(rows)
        return
    columns = ("job", "agent", "pattern", "directory", "until", "by")
    cells = [(r["job"], r["agent"], r["pattern"], r["cwd"] or "any", _until(r), r["addedBy"]) for r in rows]
    show.print_table(columns, cells, empty="No scheduled job may run anything unasked.")


def _until(row: dict[str, Any]) -> str:
    return show.when(row["expiresAtMs"]) if row.get("expiresAtMs") else "revoked"


@grants.command("revoke")
@click.argument("pattern")
@click.option("--job", required=True, help="Whose grant.")
@target_options
def grants_revoke(target: Target, pattern: str, job: str) -> None:
    """Take a grant back; the next run of the job asks again."""
    _take_back(target, "grants", lambda row: row["pattern"] == pattern and row.get("job") == job, pattern)


def _take_back(target: Target, listed: str, chosen: Callable[[dict[str, Any]], bool], pattern: str) -> None:
    have = call(target, "exec.approvals.get")
    file = have["file"]
    removed = [row for row in _entries(file) if chosen(row)]
    if not removed:
        raise UserError(f"There is no entry {pattern!r}; see them with `jupyter openclaw approvals {listed} list`.")
    for name, agent in file["agents"].items():
        agent["allowlist"] = [entry for entry in agent["allowlist"] if not chosen({"agent": name} | entry)]
    call(target, "exec.approvals.set", {"file": file, "baseHash": have["hash"]})
    if target.as_json:
        show.print_json({"removed": removed})
    else:
        print(f"Took back {len(removed)} {'entry' if len(removed) == 1 else 'entries'}.")


def _entries(file: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"agent": name} | entry for name, agent in file["agents"].items() for entry in agent["allowlist"]]
