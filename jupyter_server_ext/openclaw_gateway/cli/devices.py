"""`devices`: browsers, phones and programs that may connect."""

from __future__ import annotations

from typing import Any

import click

from openclaw_gateway.cli import show
from openclaw_gateway.cli.wire import Target, Wire, call, target_options
from openclaw_kernel.values.errors import UserError


@click.group("devices")
def command() -> None:
    """List devices, let them in, or take that back."""


@command.command("list")
@target_options
def listing(target: Target) -> None:
    """Requests that wait, and the devices that were let in."""
    listed = call(target, "device.pair.list")
    if target.as_json:
        show.print_json(listed)
        return
    for row in listed.get("pending") or []:
        asked = ", ".join(row.get("scopes") or []) or row["role"]
        print(show.plain(f"waits: {row['requestId']}  {_name(row)} asks for {asked}"))
    rows = [
        (
            _name(row),
            row["deviceId"][:12],
            ", ".join(row["roles"]),
            "yes" if row["connected"] else "",
            show.when(row["lastSeenAtMs"]),
        )
        for row in listed.get("paired") or []
    ]
    show.print_table(("name", "device", "roles", "connected", "last seen"), rows, empty="No device was let in yet.")


@command.command("approve")
@click.argument("request_id")
@target_options
def approve(target: Target, request_id: str) -> None:
    """Let the device of a request in."""
    done = call(target, "device.pair.approve", {"requestId": request_id})
    show.told(target.as_json, done, f"{_name(done['device'])} was let in.")


@command.command("reject")
@click.argument("request_id")
@target_options
def reject(target: Target, request_id: str) -> None:
    """Turn a request down."""
    show.told(target.as_json, call(target, "device.pair.reject", {"requestId": request_id}), "Turned down.")


@command.command("remove")
@click.argument("device")
@target_options
def remove(target: Target, device: str) -> None:
    """Close the door to a device; its tokens are dead at once. DEVICE is the start of its id."""
    with Wire(target) as wire:
        rows = wire.request("device.pair.list", {})["paired"]
        found = [row for row in rows if row["deviceId"].startswith(device)]
        if len(found) != 1:
            many = "several devices start" if found else "no device starts"
            raise UserError(f"{many.capitalize()} with {device!r}; list them with `jupyter openclaw devices list`.")
        done = wire.request("device.pair.remove", {"deviceId": found[0]["deviceId"]})
    show.told(target.as_json, done, f"{_name(found[0])} may not connect any more.")


def _name(row: dict[str, Any]) -> str:
    return str(row.get("displayName") or row.get("clientId") or row["deviceId"][:12])
