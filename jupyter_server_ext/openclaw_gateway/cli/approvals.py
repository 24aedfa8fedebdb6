"""`approvals`: what the assistant waits for a person to allow."""

from __future__ import annotations

import click

from openclaw_gateway.cli import show
from openclaw_gateway.cli.wire import Target, call, target_options

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
