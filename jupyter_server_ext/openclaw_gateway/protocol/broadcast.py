"""One event to everyone who may hear it: serialised once, numbered per connection (protocol sections 1, 3.5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from openclaw_gateway.protocol import scopes
from openclaw_gateway.protocol.connection import Connection
from openclaw_gateway.protocol.frames import EncodedEvent

Only = Callable[[Connection], bool]


class Broadcaster:
    """The open connections. An event that nobody hears is not even serialised."""

    def __init__(self) -> None:
        self._connections: dict[str, Connection] = {}

    def __iter__(self) -> Iterator[Connection]:
        return iter(list(self._connections.values()))

    def __len__(self) -> int:
        return len(self._connections)

    def get(self, conn_id: str) -> Connection | None:
        return self._connections.get(conn_id)

    def add(self, connection: Connection) -> None:
        self._connections[connection.conn_id] = connection

    def remove(self, connection: Connection) -> None:
        self._connections.pop(connection.conn_id, None)

    def send(
        self,
        event: str,
        payload: Mapping[str, Any],
        *,
        scope: str | None = scopes.READ,
        session_key: str | None = None,
        only: Only | None = None,
        state_version: Mapping[str, int] | None = None,
    ) -> int:
        """Sends to each connection that may and wants to hear; returns how many did.

        `scope` is for events the protocol does not gate itself (`scopes.event_scope`). `session_key` is matched against
        subscriptions; it defaults to the payload's `sessionKey` or `key`. `only` narrows further.
        """
        needed = scopes.event_scope(event, scope)
        caps = frozenset(scopes.event_caps(event, payload))
        key = session_key if session_key is not None else payload.get("sessionKey", payload.get("key"))
        encoded: EncodedEvent | None = None
        heard = 0
        for connection in list(self._connections.values()):
            if not connection.hears(event, needed, caps, key) or (only is not None and not only(connection)):
                continue
            if encoded is None:
                encoded = EncodedEvent(event, payload, state_version)
            connection.send_encoded(encoded)
            heard += 1
        return heard

    def tick(self, now: int) -> None:
        """The keep-alive; clients give up after two silent intervals."""
        self.send("tick", {"ts": now})
