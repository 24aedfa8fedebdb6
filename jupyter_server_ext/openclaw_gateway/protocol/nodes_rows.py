"""A node as it is known: what it says of itself, what was approved, and its JSON (protocol section 5, `node.*`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Wire = dict[str, Any]


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What a node declared in `connect`. `commands` are those the policy permits; `node_id` is its device's id, or a name of
    ours for a kernel or window of this very installation."""

    node_id: str
    display_name: str = ""
    platform: str = ""
    version: str = ""
    device_family: str = ""
    model_identifier: str = ""
    remote_ip: str = ""
    client_id: str = ""
    client_mode: str = ""
    caps: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    permissions: Mapping[str, Any] = field(default_factory=dict)

    def described(self) -> Wire:
        """The keys shared by lists and events; empty ones left out."""
        wire = {
            "nodeId": self.node_id,
            "displayName": self.display_name,
            "platform": self.platform,
            "version": self.version,
            "deviceFamily": self.device_family,
            "modelIdentifier": self.model_identifier,
            "remoteIp": self.remote_ip,
            "clientId": self.client_id,
            "clientMode": self.client_mode,
        }
        return {key: value for key, value in wire.items() if value}


@dataclass(frozen=True, slots=True)
class NodeRequest:
    """A node whose commands wait for a person's yes."""

    request_id: str
    facts: NodeFacts
    ts: int
    is_repair: bool = False

    def to_wire(self) -> Wire:
        """`node.pair.requested`, and a row of `pending` in `node.pair.list`."""
        return self.facts.described() | {
            "requestId": self.request_id,
            "caps": list(self.facts.caps),
            "commands": list(self.facts.commands),
            "permissions": dict(self.facts.permissions),
            "silent": False,
            "isRepair": self.is_repair,
            "ts": self.ts,
        }


@dataclass(frozen=True, slots=True)
class PairedNode:
    """A node whose commands a person approved. Others that it declares later stay blocked until they are approved too."""

    node_id: str
    display_name: str
    platform: str
    commands: tuple[str, ...]
    caps: tuple[str, ...]
    created_at: int
    approved_at: int

    def to_wire(self, *, connected: bool) -> Wire:
        """A row of `paired` in `node.pair.list`."""
        wire: Wire = {
            "nodeId": self.node_id,
            "displayName": self.display_name,
            "platform": self.platform,
            "commands": list(self.commands),
            "caps": list(self.caps),
            "createdAtMs": self.created_at,
            "approvedAtMs": self.approved_at,
            "connected": connected,
        }
        return {key: value for key, value in wire.items() if value != ""}


def encode(node: PairedNode) -> Wire:
    """The ledger row."""
    row = node.to_wire(connected=False)
    del row["connected"]
    return row


def decode(row: Mapping[str, Any]) -> PairedNode:
    """The inverse of `encode`. Raises `KeyError` for a row without its keys."""
    return PairedNode(
        node_id=row["nodeId"],
        display_name=row.get("displayName", ""),
        platform=row.get("platform", ""),
        commands=tuple(row["commands"]),
        caps=tuple(row.get("caps", ())),
        created_at=row["createdAtMs"],
        approved_at=row["approvedAtMs"],
    )
