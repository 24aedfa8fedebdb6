"""A paired device, its tokens and a request to be paired: values and their JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

Wire = dict[str, Any]


def hash_token(token: str) -> str:
    """SHA-256; a token has 256 random bits, so it needs no salt and no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A device token as kept on disk: never the token itself."""

    role: str
    scopes: tuple[str, ...]
    hash: str = field(repr=False)
    created_at: int


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What a device says of itself in `connect`, its signature verified."""

    device_id: str
    public_key: str
    role: str
    scopes: tuple[str, ...]
    display_name: str = ""
    platform: str = ""
    device_family: str = ""
    client_id: str = ""
    client_mode: str = ""
    remote_ip: str = ""
    browser_origin: str = ""

    def described(self) -> Wire:
        """The keys shared by pairing events and device lists; empty ones left out."""
        wire = {
            "deviceId": self.device_id,
            "publicKey": self.public_key,
            "displayName": self.display_name,
            "platform": self.platform,
            "deviceFamily": self.device_family,
            "clientId": self.client_id,
            "clientMode": self.client_mode,
        }
        return {key: value for key, value in wire.items() if value}


@dataclass(frozen=True, slots=True)
class PairRequest:
    """A device waiting for an operator's yes."""

    request_id: str
    facts: DeviceFacts
    ts: int
    is_repair: bool = False

    def to_wire(self) -> Wire:
        """`device.pair.requested`, and a row of `pending` in `device.pair.list`."""
        facts = self.facts
        wire = facts.described() | {
            "requestId": self.request_id,
            "role": facts.role,
            "roles": [facts.role],
            "scopes": list(facts.scopes),
            "silent": False,
            "isRepair": self.is_repair,
            "ts": self.ts,
        }
        if facts.remote_ip:
            wire["remoteIp"] = facts.remote_ip
        if facts.browser_origin:
            wire["browserOrigin"] = facts.browser_origin
        return wire


@dataclass(frozen=True, slots=True)
class PairedDevice:
    """An approved device. `uncollected` are the roles whose first token the device may fetch with its signature alone."""

    facts: DeviceFacts
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    approved_via: str
    created_at: int
    approved_at: int
    last_seen_at: int = 0
    tokens: tuple[TokenRow, ...] = ()
    uncollected: tuple[str, ...] = ()

    @property
    def device_id(self) -> str:
        return self.facts.device_id

    def without_tokens(self, role: str) -> PairedDevice:
        kept = tuple(token for token in self.tokens if token.role != role)
        return replace(self, tokens=kept, uncollected=tuple(name for name in self.uncollected if name != role))

    def to_wire(self, *, connected: bool) -> Wire:
        """A row of `paired` in `device.pair.list`; of several tokens of a role the newest."""
        newest = {token.role: token for token in self.tokens}
        return self.facts.described() | {
            "role": self.facts.role,
            "roles": list(self.roles),
            "scopes": list(self.scopes),
            "approvedVia": self.approved_via,
            "createdAtMs": self.created_at,
            "approvedAtMs": self.approved_at,
            "lastSeenAtMs": self.last_seen_at,
            "connected": connected,
            "tokens": [
                {"role": token.role, "scopes": list(token.scopes), "createdAtMs": token.created_at} for token in newest.values()
            ],
        }


def encode(device: PairedDevice) -> Wire:
    """The ledger row."""
    return device.facts.described() | {
        "role": device.facts.role,
        "roles": list(device.roles),
        "scopes": list(device.scopes),
        "approvedVia": device.approved_via,
        "createdAt": device.created_at,
        "approvedAt": device.approved_at,
        "lastSeenAt": device.last_seen_at,
        "uncollected": list(device.uncollected),
        "tokens": [
            {"role": token.role, "scopes": list(token.scopes), "hash": token.hash, "createdAt": token.created_at}
            for token in device.tokens
        ],
    }


def decode(row: Mapping[str, Any]) -> PairedDevice:
    """The inverse of `encode`. Raises `KeyError` for a row without its keys."""
    scopes = tuple(row["scopes"])
    facts = DeviceFacts(
        device_id=row["deviceId"],
        public_key=row["publicKey"],
        role=row["role"],
        scopes=scopes,
        display_name=row.get("displayName", ""),
        platform=row.get("platform", ""),
        device_family=row.get("deviceFamily", ""),
        client_id=row.get("clientId", ""),
        client_mode=row.get("clientMode", ""),
    )
    tokens = tuple(
        TokenRow(token["role"], tuple(token["scopes"]), token["hash"], token["createdAt"]) for token in row["tokens"]
    )
    return PairedDevice(
        facts=facts,
        roles=tuple(row["roles"]),
        scopes=scopes,
        approved_via=row["approvedVia"],
        created_at=row["createdAt"],
        approved_at=row["approvedAt"],
        last_seen_at=row.get("lastSeenAt", 0),
        tokens=tokens,
        uncollected=tuple(row.get("uncollected", ())),
    )
