"""The devices that may connect: pairing, and the tokens that stand for it (protocol section 3.4)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from openclaw_gateway.protocol import scopes as scope_rules
from openclaw_gateway.protocol.auth import same
from openclaw_gateway.protocol.device_rows import DeviceFacts, PairedDevice, PairRequest, TokenRow, decode, encode, hash_token
from openclaw_gateway.protocol.waiting import Waiting
from openclaw_kernel.store.ledger import Ledger
from openclaw_kernel.values.clock import Clock, NewId, new_id, system_clock
from openclaw_kernel.values.errors import invalid

FILE_NAME = "devices.jsonl"

_TOKEN_BYTES = 32  # 43 characters base64url
_TOKENS_PER_ROLE = 8
_SEEN_STEP_MS = 60_000

Revoked = Callable[[str, str | None, str | None], None]
"""Device id, role (`None` for all), and the connection that asked and may stay."""


class Devices:
    """The ledger of paired devices, and the requests waiting for an answer.

    `on_requested`, `on_resolved` and `on_revoked` tell the hub, which tells the clients.
    """

    def __init__(self, path: Path, *, clock: Clock = system_clock, new_id: NewId = new_id) -> None:
        self._ledger: Ledger[PairedDevice] = Ledger(path, key=lambda device: device.device_id, encode=encode, decode=decode)
        self._waiting: Waiting[PairRequest] = Waiting("devices wait to be paired", "device.pair.list", clock)
        self._clock = clock
        self._new_id = new_id
        self.on_requested = self._waiting.on_requested
        self.on_resolved = self._waiting.on_resolved
        self.on_revoked: list[Revoked] = []

    # --- reading ---

    def get(self, device_id: str) -> PairedDevice | None:
        return self._ledger.get(device_id)

    def paired(self) -> list[PairedDevice]:
        return self._ledger.rows()

    def pending(self) -> list[PairRequest]:
        """Requests of the last five minutes, oldest first."""
        return self._waiting.rows()

    def to_wire(self, connected: Collection[str]) -> dict[str, Any]:
        """Result of `device.pair.list`; `connected` are the device ids with a live socket."""
        return {
            "pending": [request.to_wire() for request in self.pending()],
            "paired": [device.to_wire(connected=device.device_id in connected) for device in self.paired()],
        }

    # --- pairing ---

    def allows(self, facts: DeviceFacts) -> bool:
        """Whether the device is paired for this role and these scopes."""
        device = self.get(facts.device_id)
        return device is not None and facts.role in device.roles and scope_rules.covers(device.scopes, facts.scopes)

    def may_collect(self, facts: DeviceFacts) -> bool:
        """Whether its approved first token still waits, so that the signature is proof enough."""
        device = self.get(facts.device_id)
        return device is not None and facts.role in device.uncollected and self.allows(facts)

    def request(self, facts: DeviceFacts) -> PairRequest:
        """Asks the operators; the same device asking for the same again keeps its request. Raises when too many are waiting."""
        same_one = (facts.device_id, facts.role)
        before = next((row for row in self.pending() if (row.facts.device_id, row.facts.role) == same_one), None)
        if before is not None and scope_rules.covers(before.facts.scopes, facts.scopes):
            return before
        known = self.get(facts.device_id) is not None
        request = PairRequest(self._new_id(), facts, self._clock(), is_repair=known)
        return self._waiting.put(request, instead_of=before)

    def approve(self, request_id: str, *, approver: Collection[str] | None = None) -> PairedDevice:
        """Pairs the device; it collects its token at its next `connect`.

        `approver` are the caller's scopes: nobody may give away more than they have.
        Raises `OpenClawError` for that or an unknown id.
        """
        request = self._waiting.find(request_id)
        if approver is not None:
            lacking = sorted(set(request.facts.scopes) - scope_rules.expand(approver))
            if lacking:
                raise scope_rules.missing_scope(lacking[0])
        device = self._pair(request.facts, "operator")
        if request.facts.role not in device.uncollected:
            device = replace(device, uncollected=(*device.uncollected, request.facts.role))
        self._ledger.put(device)
        self._waiting.resolve(request, "approved")
        return device

    def reject(self, request_id: str) -> PairRequest:
        request = self._waiting.find(request_id)
        self._waiting.resolve(request, "rejected")
        return request

    def approve_silently(self, facts: DeviceFacts) -> PairedDevice:
        """For a device on loopback that knows the shared secret."""
        device = self._pair(facts, "silent")
        self._ledger.put(device)
        return device

    def remove(self, device_id: str) -> None:
        """Forgets the device and closes its sockets. Raises `OpenClawError` for an unknown id."""
        self._known(device_id)
        self._ledger.delete(device_id)
        self._revoked(device_id, None, None)

    def rename(self, device_id: str, name: str) -> PairedDevice:
        device = self._known(device_id)
        device = replace(device, facts=replace(device.facts, display_name=name))
        self._ledger.put(device)
        return device

    # --- tokens ---

    def issue(self, device_id: str, role: str, scopes: Iterable[str]) -> str:
        """A new token bound to device, role and scopes; only its hash is kept. A role's newest eight stay good."""
        device = self._known(device_id)
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        row = TokenRow(role, tuple(scopes), hash_token(token), self._clock())
        others = tuple(kept for kept in device.tokens if kept.role != role)
        own = tuple(kept for kept in device.tokens if kept.role == role)[-(_TOKENS_PER_ROLE - 1) :]
        uncollected = tuple(name for name in device.uncollected if name != role)
        seen = self._clock()
        self._ledger.put(replace(device, tokens=(*others, *own, row), uncollected=uncollected, last_seen_at=seen))
        return token

    def check_token(self, device_id: str, role: str, token: str) -> TokenRow | None:
        """The token's row if it is this device's and this role's and not revoked."""
        device = self.get(device_id)
        if device is None or not token:
            return None
        digest = hash_token(token)
        found = None
        for row in device.tokens:
            if same(row.hash, digest) and row.role == role:
                found = row
        if found is not None and self._clock() - device.last_seen_at > _SEEN_STEP_MS:
            self._ledger.put(replace(device, last_seen_at=self._clock()))
        return found

    def rotate(self, device_id: str, role: str, scopes: Iterable[str] | None = None, *, keep: str | None = None) -> str:
        """A new token in place of all of that role. Sockets of the role are closed, save connection `keep`.

        Raises `OpenClawError` for an unknown device or role, or for scopes beyond those it was paired with.
        """
        device = self._with_role(device_id, role)
        wanted = tuple(scopes) if scopes is not None else _last_scopes(device, role)
        if not scope_rules.covers(device.scopes, wanted):
            raise invalid("device token scopes exceed the approved scopes; pair the device again with more scopes")
        self._ledger.put(device.without_tokens(role))
        token = self.issue(device_id, role, wanted)
        self._revoked(device_id, role, keep)
        return token

    def revoke(self, device_id: str, role: str, *, keep: str | None = None) -> None:
        """No token of that role is good any more, and its sockets are closed."""
        device = self._with_role(device_id, role)
        self._ledger.put(device.without_tokens(role))
        self._revoked(device_id, role, keep)

    async def flush(self) -> None:
        await self._ledger.flush()

    def close(self) -> None:
        self._ledger.close()

    # --- inside ---

    def _pair(self, facts: DeviceFacts, via: str) -> PairedDevice:
        now = self._clock()
        device = self.get(facts.device_id)
        if device is None:
            return PairedDevice(facts, (facts.role,), facts.scopes, via, now, now)
        roles = tuple(dict.fromkeys((*device.roles, facts.role)))
        scopes = tuple(dict.fromkeys((*device.scopes, *facts.scopes)))
        name = device.facts.display_name or facts.display_name
        return replace(
            device, facts=replace(facts, display_name=name), roles=roles, scopes=scopes, approved_via=via, approved_at=now
        )

    def _known(self, device_id: str) -> PairedDevice:
        device = self.get(device_id)
        if device is None:
            raise invalid("unknown deviceId")
        return device

    def _with_role(self, device_id: str, role: str) -> PairedDevice:
        device = self._known(device_id)
        if role not in device.roles:
            raise invalid("unknown deviceId/role")
        return device

    def _revoked(self, device_id: str, role: str | None, keep: str | None) -> None:
        for listener in self.on_revoked:
            listener(device_id, role, keep)


def _last_scopes(device: PairedDevice, role: str) -> tuple[str, ...]:
    own = [token.scopes for token in device.tokens if token.role == role]
    return own[-1] if own else device.scopes
