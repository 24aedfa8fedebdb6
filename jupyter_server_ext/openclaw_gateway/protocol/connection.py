"""One client: who it is, what it may do, what it listens to, and the way back to it. Knows no web framework."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from openclaw_gateway.protocol import frames, scopes
from openclaw_gateway.protocol.policy import Policy
from openclaw_gateway.protocol.scopes import Role
from openclaw_kernel.values.errors import OpenClawError

log = logging.getLogger(__name__)

SendText = Callable[[str], Any]
"""Hands a text frame to the transport. May return an asyncio future that is done when the bytes are flushed."""
Close = Callable[[int, str], Any]
State = Literal["handshake", "open", "closed"]

_REASON_BYTES = 123  # RFC 6455 section 5.5: a control frame carries 125 bytes, two of them the code


@dataclass(frozen=True, slots=True)
class Peer:
    """Where a connection comes from. `preauthenticated`: Jupyter's own authentication has let it in."""

    remote_ip: str = "127.0.0.1"
    origin: str | None = None
    host: str = ""
    preauthenticated: bool = False


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """`client` of `connect` (protocol section 3.1)."""

    id: str
    mode: str
    version: str
    platform: str
    display_name: str = ""
    device_family: str = ""
    model_identifier: str = ""
    instance_id: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """What the handshake decided; `scopes` as the client asked for them, `auth_method` how it proved itself.

    `local`: it holds the gateway's own secret on this machine, or came through Jupyter's login.
    """

    client: ClientInfo
    role: Role
    scopes: tuple[str, ...]
    auth_method: str
    device_id: str | None = None
    caps: frozenset[str] = frozenset()
    commands: tuple[str, ...] = ()
    permissions: Mapping[str, Any] = field(default_factory=dict)
    local: bool = False


_NOBODY = Grant(ClientInfo("", "", "", ""), "operator", (), "")


class Connection:
    """A client's end of the wire. Made by `Hub.connect`; feed it with `receive`, tell it `closed()` when the socket is gone."""

    def __init__(
        self,
        conn_id: str,
        peer: Peer,
        send_text: SendText,
        close: Close,
        *,
        policy: Policy,
        nonce: str,
        opened_at: int,
        buffered: Callable[[], int] | None = None,
        on_receive: Callable[[Connection, str | bytes], Awaitable[None]],
        on_closed: Callable[[Connection], None],
    ) -> None:
        self.conn_id = conn_id
        self.peer = peer
        self.nonce = nonce
        self.opened_at = opened_at
        self.last_request_at = opened_at
        self.state: State = "handshake"
        self.grant = _NOBODY
        self.effective_scopes: frozenset[str] = frozenset()
        self.session_list_subscribed = False
        self.session_keys: dict[str, bool] = {}
        self.seq = 0
        self._policy = policy
        self._send_text = send_text
        self._close = close
        self._buffered = buffered
        self._unflushed = 0
        self._on_receive = on_receive
        self._on_closed = on_closed

    def __repr__(self) -> str:
        return f"Connection({self.conn_id}, {self.grant.client.id or 'unknown'}, {self.state})"

    # --- who ---

    @property
    def client(self) -> ClientInfo:
        return self.grant.client

    @property
    def role(self) -> Role:
        return self.grant.role

    @property
    def device_id(self) -> str | None:
        return self.grant.device_id

    @property
    def caps(self) -> frozenset[str]:
        return self.grant.caps

    @property
    def scopes(self) -> tuple[str, ...]:
        """The granted scopes, without what they imply."""
        return self.grant.scopes

    def has_scope(self, scope: str) -> bool:
        return scope in self.effective_scopes

    def open(self, grant: Grant) -> None:
        """The handshake succeeded."""
        self.grant = grant
        self.effective_scopes = scopes.expand(grant.scopes)
        self.state = "open"

    # --- what it listens to ---

    def subscribe_sessions(self) -> None:
        """`sessions.subscribe`: `sessions.changed`, and messages of every session."""
        self.session_list_subscribed = True

    def unsubscribe_sessions(self) -> None:
        self.session_list_subscribed = False

    def subscribe_session(self, key: str, *, approvals: bool = False) -> None:
        """`sessions.messages.subscribe` of one canonical session key."""
        self.session_keys[key] = approvals

    def unsubscribe_session(self, key: str) -> None:
        self.session_keys.pop(key, None)

    def hears(self, event: str, scope: str | None, caps: frozenset[str], session_key: str | None) -> bool:
        """Whether this connection is sent the event: open, scope, capability, subscription (protocol sections 3.1, 3.5, 4)."""
        if self.state != "open" or (scope is not None and scope not in self.effective_scopes):
            return False
        if caps and not caps & self.grant.caps:
            return False
        if event in scopes.LIST_EVENTS:
            return self.session_list_subscribed
        if event in scopes.MESSAGE_EVENTS:
            return self.session_list_subscribed or session_key in self.session_keys
        if session_key is not None and event in ("chat", "agent") and scopes.CAP_SESSION_SCOPED in self.grant.caps:
            return session_key in self.session_keys
        return True

    # --- the wire ---

    async def receive(self, data: str | bytes) -> None:
        """One frame from the transport. Never raises for what a client sent; returns before slow handlers end."""
        if self.state != "closed":
            await self._on_receive(self, data)

    def send_event(self, event: str, payload: Mapping[str, Any], state_version: Mapping[str, int] | None = None) -> None:
        """An event to this connection alone, whatever its subscriptions."""
        self.send_encoded(frames.EncodedEvent(event, payload, state_version))

    def send_encoded(self, event: frames.EncodedEvent) -> None:
        if self.state == "open":
            self.seq += 1
            self._send(event.with_seq(self.seq))

    def send_challenge(self, payload: Mapping[str, Any]) -> None:
        """`connect.challenge`, the one event before the handshake and without `seq`."""
        self._send(frames.EncodedEvent("connect.challenge", payload).with_seq(None))

    def respond(self, request_id: str, payload: Mapping[str, Any]) -> None:
        self._send(frames.encode_response(request_id, payload))

    def fail(self, request_id: str, error: OpenClawError) -> None:
        self._send(frames.encode_error(request_id, error))

    @property
    def buffered_bytes(self) -> int:
        """Bytes handed to the transport and not yet flushed, as far as it tells."""
        return self._unflushed + (self._buffered() if self._buffered is not None else 0)

    def _send(self, text: str) -> None:
        if self.state == "closed":
            return
        flushed = self._send_text(text)
        if hasattr(flushed, "add_done_callback"):
            self._count(flushed, len(text))
        if self.buffered_bytes > self._policy.max_buffered_bytes:
            log.warning("closing %r: it reads too slowly, %d bytes are waiting", self, self.buffered_bytes)
            self.close(1008, "slow consumer")

    def _count(self, flushed: Any, size: int) -> None:
        self._unflushed += size

        def done(future: Any) -> None:
            self._unflushed -= size
            if not future.cancelled() and future.exception() is not None:
                log.debug("%r: frame not delivered: %s", self, future.exception())
                self.closed()

        flushed.add_done_callback(done)

    def close(self, code: int, reason: str = "") -> None:
        """Closes the socket from our side; later frames in either direction are dropped."""
        if self.state == "closed":
            return
        self.closed()
        self._close(code, reason.encode()[:_REASON_BYTES].decode(errors="ignore"))

    def closed(self) -> None:
        """The socket is gone. Idempotent."""
        if self.state != "closed":
            was_open = self.state == "open"
            self.state = "closed"
            self._on_closed(self)
            if was_open:
                self.session_keys.clear()
