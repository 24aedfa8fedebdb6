"""`channels`: what is connected, what could be, and what could not be said."""

from __future__ import annotations

import click

from openclaw_gateway.cli import show
from openclaw_gateway.cli.wire import Target, call, target_options


@click.group("channels")
def command() -> None:
    """List channels, show their state, look after dead letters."""


@command.command("list")
@target_options
def list_channels(target: Target) -> None:
    """Every channel there is, and what it still needs."""
    listed = call(target, "channels.list")
    if target.as_json:
        show.print_json(listed)
        return
    for row in listed["channels"]:
        state = "configured" if row["configured"] else "not configured"
        print(f"{row['id']:<12} {state:<15} {row['blurb']}")
        if row.get("hint"):
            print(f"{'':<12} {row['hint']}")


@command.command("status")
@click.option("--probe", is_flag=True, help="Ask the platforms whether the accounts are well.")
@target_options
def channel_status(target: Target, probe: bool) -> None:
    """Each account: is it connected, and if not, why."""
    found = call(target, "channels.status", {"probe": probe, "timeoutMs": 8_000})
    if target.as_json:
        show.print_json(found)
        return
    if found.get("problem"):
        print(show.plain(found["problem"]))
    if not found["channelOrder"]:
        print("No channel is configured; `jupyter openclaw channels list` shows which there are.")
    for channel in found["channelOrder"]:
        rows = found["channelAccounts"].get(channel) or []
        for row in rows:
            print(f"{channel}/{row['accountId']}: {_state(row)}")
            if row.get("lastError"):
                print(f"  {show.plain(row['lastError'])}")
            if row.get("probe"):
                words = row["probe"].get("detail") or row["probe"].get("error") or row["probe"].get("identity") or ""
                print(f"  probe: {'ok' if row['probe']['ok'] else 'not ok'} {show.plain(words)}".rstrip())
        if not rows:
            print(f"{channel}: {show.plain(found['channels'][channel].get('lastError') or 'not running')}")


def _state(row: dict[str, object]) -> str:
    if not row["enabled"]:
        return "switched off"
    if not row["configured"]:
        return "not configured"
    if row["connected"]:
        return "connected"
    if row["stoppedByHand"]:
        return "stopped by hand"
    return "connecting" if row["running"] else "not running"


@command.command("start")
@click.argument("channel")
@click.option("--account", default=None, help="Which account, when there are several.")
@target_options
def start_account(target: Target, channel: str, account: str | None) -> None:
    """Start an account that was stopped."""
    _change(target, "channels.start", channel, account, "is starting")


@command.command("stop")
@click.argument("channel")
@click.option("--account", default=None, help="Which account, when there are several.")
@target_options
def stop_account(target: Target, channel: str, account: str | None) -> None:
    """Stop an account; it stays stopped until it is started again."""
    _change(target, "channels.stop", channel, account, "is stopped")


def _change(target: Target, method: str, channel: str, account: str | None, done: str) -> None:
    params = {"channel": channel} | ({"accountId": account} if account else {})
    result = call(target, method, params)
    if target.as_json:
        show.print_json(result)
    else:
        print(f"{result['channel']}/{result['accountId']} {done}.")


@command.command("dead-letters")
@click.option("--resubmit", "resubmit_id", default=None, metavar="ID", help="Try this one again.")
@click.option("--abandon", "abandon_id", default=None, metavar="ID", help="Give this one up.")
@target_options
def dead_letters(target: Target, resubmit_id: str | None, abandon_id: str | None) -> None:
    """What could not be answered or sent, and what may have arrived."""
    for verb, row_id in (("resubmit", resubmit_id), ("abandon", abandon_id)):
        if row_id is not None:
            result = call(target, f"channels.deadLetters.{verb}", {"id": row_id})
            show.print_json(result) if target.as_json else print("Done.")
            return
    found = call(target, "channels.deadLetters.list")
    if target.as_json:
        show.print_json(found)
        return
    rows = [("in", row) for row in found["inbox"]] + [("out", row) for row in found["outbox"]]
    if not rows:
        print("There are none.")
    for way, row in rows:
        where = f"{row['channel']}/{row['accountId']} {row['kind']} {row['peer']}"
        print(f"{row['id']}  {way:<3} {row['state']:<9} {show.when(row['at'])}  {where}\n  {show.plain(row['error'])}")
