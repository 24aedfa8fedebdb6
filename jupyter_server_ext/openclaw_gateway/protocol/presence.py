"""Who is here: the list that `presence`, `hello-ok` and `system-presence` show."""

from __future__ import annotations

import platform
import socket
from collections.abc import Iterable
from typing import Any

from openclaw_gateway.protocol.connection import Connection

SILENT_MODES = frozenset({"cli", "backend", "probe"})
"""Clients that come and go with every command: listed, but not announced."""


def gateway_entry(version: str, instance_id: str, now: int) -> dict[str, Any]:
    """The gateway itself, always first."""
    host = socket.gethostname()
    return {
        "host": host,
        "version": version,
        "platform": f"{platform.system().lower()} {platform.release()}",
        "deviceFamily": platform.system(),
        "mode": "gateway",
        "reason": "self",
        "instanceId": instance_id,
        "text": f"Gateway: {host} · app {version} · mode gateway · reason self",
        "ts": now,
    }


def client_entry(connection: Connection) -> dict[str, Any]:
    """One live connection; empty keys are left out."""
    client = connection.client
    name = client.display_name or client.id
    entry = {
        "host": name,
        "ip": connection.peer.remote_ip,
        "version": client.version,
        "platform": client.platform,
        "deviceFamily": client.device_family,
        "modelIdentifier": client.model_identifier,
        "mode": client.mode,
        "reason": "connect",
        "instanceId": client.instance_id or connection.conn_id,
        "deviceId": connection.device_id,
        "roles": [connection.role],
        "scopes": list(connection.scopes),
        "text": f"{'Node' if connection.role == 'node' else 'Client'}: {name} · mode {client.mode}",
        "onlineSince": connection.opened_at,
        "ts": connection.last_request_at,
    }
    return {key: value for key, value in entry.items() if value not in (None, "", [])}


def listing(gateway: dict[str, Any], connections: Iterable[Connection]) -> list[dict[str, Any]]:
    """The gateway, then every open connection but probes."""
    return [gateway, *(client_entry(connection) for connection in connections if connection.client.mode != "probe")]
