"""`pairing`: who may write to the assistant."""

from __future__ import annotations

import click

from openclaw_gateway.cli import show
from openclaw_gateway.cli.wire import Target, call, target_options


@click.group("pairing")
def command() -> None:
    """Let people in, or not. The first one who is let in is the owner."""


@command.command("list")
@click.argument("channel", required=False)
@target_options
def list_requests(target: Target, channel: str | None) -> None:
    """Open requests, and who is known already."""
    found = call(target, "channels.pairing.list", {"channel": channel} if channel else {})
    if target.as_json:
        show.print_json(found)
        return
    if not found["pending"] and not found["approved"]:
        print("Nobody has asked.")
    for row in found["pending"]:
        where = f"{row['channel']}/{row['accountId']} {_who(row)}"
        print(f"{row['code']}  {where}  asks since {show.when(row['createdAtMs'])}")
    for row in found["approved"]:
        words = "owner" if row["owner"] else "known"
        print(f"{words:<8}  {row['channel']}/{row['accountId']} {_who(row)}")


@command.command("approve")
@click.argument("channel")
@click.argument("code")
@click.option("--account", default=None, help="Which account, when there are several.")
@target_options
def approve(target: Target, channel: str, code: str, account: str | None) -> None:
    """Let the person with this code in."""
    row = _settle(target, "approve", channel, code, account)
    if not target.as_json:
        print(f"{_who(row)} may write now{', as the owner' if row['owner'] else ''}.")


@command.command("reject")
@click.argument("channel")
@click.argument("code")
@click.option("--account", default=None, help="Which account, when there are several.")
@target_options
def reject(target: Target, channel: str, code: str, account: str | None) -> None:
    """Turn the person with this code down."""
    row = _settle(target, "reject", channel, code, account)
    if not target.as_json:
        print(f"{_who(row)} was turned down.")


def _who(row: dict[str, str]) -> str:
    """The id, and in brackets what the person calls himself."""
    name = show.plain(row.get("senderName", ""))
    return f"{show.plain(row['senderId'])} ({name})" if name else show.plain(row["senderId"])


def _settle(target: Target, verb: str, channel: str, code: str, account: str | None) -> dict[str, str]:
    params = {"channel": channel, "code": code} | ({"accountId": account} if account else {})
    row: dict[str, str] = call(target, f"channels.pairing.{verb}", params)
    if target.as_json:
        show.print_json(row)
    return row
