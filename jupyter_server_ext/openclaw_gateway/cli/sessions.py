"""`sessions`: what was said, listed and looked after."""

from __future__ import annotations

import sys

import click

from openclaw_gateway.cli import show
from openclaw_gateway.cli.status import print_sessions
from openclaw_gateway.cli.turn import message_text
from openclaw_gateway.cli.wire import Target, Wire, call, target_options
from openclaw_kernel.values.errors import OpenClawError, UserError


@click.group("sessions")
def command() -> None:
    """List, show, reset or delete sessions."""


@command.command("list")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--agent", "agent_id", default=None, help="Only this agent's.")
@target_options
def list_sessions(target: Target, limit: int, agent_id: str | None) -> None:
    """Newest first."""
    listed = call(target, "sessions.list", {"limit": limit} | ({"agentId": agent_id} if agent_id else {}))
    if target.as_json:
        show.print_json(listed)
        return
    print_sessions(listed.get("sessions") or [])
    if listed.get("hasMore"):
        show.note(f"{listed.get('totalCount')} in all; --limit shows more.")


@command.command("show")
@click.argument("name")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="Messages, counted from the end.")
@target_options
def show_session(target: Target, name: str, limit: int) -> None:
    """One session by key, session id or label, with its last messages."""
    with Wire(target) as wire:
        key = resolve(wire, name)
        session = wire.request("sessions.describe", {"key": key}).get("session")
        history = wire.request("chat.history", {"sessionKey": key, "limit": limit})
    if target.as_json:
        show.print_json({"session": session, "messages": history.get("messages") or [], "hasMore": history.get("hasMore")})
        return
    print_sessions([session] if session else [])
    for message in history.get("messages") or []:
        text = message_text(message).strip()
        if text:
            print(f"\n{message.get('role')} · {show.when(message.get('timestamp'))}\n{show.plain(text)}")


@command.command("reset")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@target_options
def reset_session(target: Target, name: str, yes: bool) -> None:
    """Start a session afresh; its old transcript stays on disk."""
    _change(target, name, yes, verb="reset", method="sessions.reset", done="Reset {key}.")


@command.command("delete")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@target_options
def delete_session(target: Target, name: str, yes: bool) -> None:
    """Take a session away; its transcript is kept under another name."""
    _change(target, name, yes, verb="delete", method="sessions.delete", done="Deleted {key}.")


def _change(target: Target, name: str, yes: bool, *, verb: str, method: str, done: str) -> None:
    with Wire(target) as wire:
        key = resolve(wire, name)
        if not yes and not _confirmed(verb, key):
            raise UserError(f"Nothing was changed; to {verb} {key} answer y or give --yes.")
        result = wire.request(method, {"key": key})
    if target.as_json:
        show.print_json(result)
    else:
        print(done.format(key=key))


def _confirmed(verb: str, key: str) -> bool:
    """Ask on a terminal; without one only `--yes` counts."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    return click.confirm(f"{verb.capitalize()} {key}?", err=True)


def resolve(wire: Wire, name: str) -> str:
    """The full key of a session given by key, session id or label; raises `UserError` when there is none."""
    for form in ("key", "sessionId", "label"):
        try:
            return str(wire.request("sessions.resolve", {form: name})["key"])
        except OpenClawError as error:
            if error.code != "INVALID_REQUEST":
                raise
    raise UserError(f"There is no session {name!r}; `jupyter openclaw sessions list` shows them all.")
