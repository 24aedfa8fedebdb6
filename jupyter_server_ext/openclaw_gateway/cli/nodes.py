"""`nodes`: the devices that do something for the assistant, and who may."""

from __future__ import annotations

import json
import uuid
from typing import Any

import click

from openclaw_gateway.cli import show
from openclaw_gateway.cli.wire import Target, Wire, call, target_options
from openclaw_kernel.values.errors import UserError


@click.group("nodes")
def command() -> None:
    """List, approve and call devices, kernels and JupyterLab windows."""


@command.command("list")
@target_options
def list_nodes(target: Target) -> None:
    """The connected ones first."""
    listed = call(target, "node.list")
    if target.as_json:
        show.print_json(listed)
        return
    nodes = listed.get("nodes") or []
    if not nodes:
        print("No node is known. A notebook or a JupyterLab window becomes one when it is open.")
    for node in nodes:
        print(show.plain(_line(node)))


@command.command("describe")
@click.argument("node")
@target_options
def describe(target: Target, node: str) -> None:
    """Everything known of one node."""
    with Wire(target) as wire:
        show.print_json(wire.request("node.describe", {"nodeId": _find(wire, node)}))


@command.command("pending")
@target_options
def pending(target: Target) -> None:
    """Nodes whose commands wait for a yes."""
    listed = call(target, "node.pair.list")
    if target.as_json:
        show.print_json(listed)
        return
    rows = listed.get("pending") or []
    if not rows:
        print("Nothing waits.")
    for row in rows:
        name = row.get("displayName") or row["nodeId"][:12]
        print(show.plain(f"{row['requestId']}  {name} ({row.get('platform', '?')}): {', '.join(row['commands'])}"))


@command.command("approve")
@click.argument("request_id")
@target_options
def approve(target: Target, request_id: str) -> None:
    """Let a node do what it asked for."""
    done = call(target, "node.pair.approve", {"requestId": request_id})
    show.told(target.as_json, done, f"Approved {', '.join(done['node']['commands'])}.")


@command.command("reject")
@click.argument("request_id")
@target_options
def reject(target: Target, request_id: str) -> None:
    """Refuse a request."""
    show.told(target.as_json, call(target, "node.pair.reject", {"requestId": request_id}), "Rejected.")


@command.command("remove")
@click.argument("node")
@target_options
def remove(target: Target, node: str) -> None:
    """Take every approval of a node back."""
    with Wire(target) as wire:
        done = wire.request("node.pair.remove", {"nodeId": _find(wire, node)})
    show.told(target.as_json, done, "Removed.")


@command.command("rename")
@click.argument("node")
@click.argument("name")
@target_options
def rename(target: Target, node: str, name: str) -> None:
    """Give a node another name."""
    with Wire(target) as wire:
        done = wire.request("node.rename", {"nodeId": _find(wire, node), "displayName": name})
    show.told(target.as_json, done, f"Renamed to {name}.")


@command.command("invoke")
@click.argument("node")
@click.argument("command_name", metavar="COMMAND")
@click.option("--params", default="{}", help="A JSON object.")
@click.option("--timeout", "timeout_s", type=click.FloatRange(0.1, 86_400), default=30.0, show_default=True, help="Seconds.")
@target_options
def invoke(target: Target, node: str, command_name: str, params: str, timeout_s: float) -> None:
    """Have a node do something; prints its answer as JSON."""
    try:
        value = json.loads(params)
    except json.JSONDecodeError as error:
        raise UserError(f"--params is not JSON ({error}); write for example '{{\"limit\": 5}}'.") from error
    if not isinstance(value, dict):
        raise UserError("--params must be a JSON object, such as '{\"limit\": 5}'.")
    patient = Target(target.state_dir, target.url, target.token, target.as_json, timeout_s + 5)
    with Wire(patient) as wire:
        asked = {"nodeId": _find(wire, node), "command": command_name, "params": value, "timeoutMs": int(timeout_s * 1000)}
        answer = wire.request("node.invoke", {**asked, "idempotencyKey": str(uuid.uuid4())})
    show.print_json(answer["payload"])


def _find(wire: Wire, name: str) -> str:
    """A node by its id, the beginning of it, or its name. Raises `UserError` for none and for several."""
    nodes = wire.request("node.list").get("nodes") or []
    exact = [node["nodeId"] for node in nodes if name in (node["nodeId"], node.get("displayName"))]
    found = exact or [node["nodeId"] for node in nodes if node["nodeId"].startswith(name)]
    if len(found) == 1:
        return str(found[0])
    if not found:
        raise UserError(f"There is no node {name!r}; `jupyter openclaw nodes list` shows them all.")
    raise UserError(f"{name!r} names {len(found)} nodes; give an id from `jupyter openclaw nodes list`.")


def _line(node: dict[str, Any]) -> str:
    state = "connected" if node.get("connected") else "away"
    name = node.get("notebook") or node.get("displayName") or ""
    blocked = node.get("blockedCommands") or ()
    waits = f"  waits for approval: {', '.join(blocked)}" if blocked else ""
    return f"{node['nodeId'][:40]}  {name}  {state}  {', '.join(node.get('commands') or ()) or 'nothing approved'}{waits}"
