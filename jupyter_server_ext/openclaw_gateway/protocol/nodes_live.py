"""One connected node: its socket, what it declared, and which sessions and notebooks it says it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openclaw_gateway.protocol.connection import Connection
from openclaw_gateway.protocol.nodes_choice import Candidate
from openclaw_gateway.protocol.nodes_policy import declared, is_own
from openclaw_gateway.protocol.nodes_rows import NodeFacts
from openclaw_kernel.values.errors import OpenClawError
from openclaw_kernel.values.session_key import resolve

MAX_KEYS = 64
MAX_TEXT = 1024


def node_id_of(connection: Connection) -> str:
    """The device's id. Kernels and windows of this installation share one device or have none: theirs is `local:<instance>`.

    Only who holds the gateway's own secret, or came through Jupyter's login, can be local: no foreign node can take the name.
    """
    instance = connection.client.instance_id
    commands = declared(connection.grant.commands)
    if connection.grant.local and instance and commands and all(is_own(name) for name in commands):
        return f"local:{instance[:128]}"
    return connection.device_id or f"local:{connection.conn_id}"


class LiveNode:
    """A node while its socket is open. `rejected`: a person said no to what it asked for."""

    def __init__(self, node_id: str, connection: Connection, now: int) -> None:
        self.node_id = node_id
        self.connection = connection
        self.connected_at = now
        self.active_at = now
        self.rejected = False
        self.declared = declared(connection.grant.commands)
        self.name = connection.client.display_name or connection.client.device_family or node_id[:12]
        self.session_keys: frozenset[str] = frozenset()
        self.notebook = ""
        self.kernel_id = ""
        self.focus_kernel_id = ""
        self.open_kernel_ids: frozenset[str] = frozenset()
        self.focused_at = 0

    @property
    def platform(self) -> str:
        return self.connection.client.platform

    @property
    def local(self) -> bool:
        """Whether it is one of our own: it holds the gateway's secret on this machine, or Jupyter let it in."""
        return self.connection.grant.local

    @property
    def silently_approved(self) -> frozenset[str]:
        """What needs no person's word: our own families, of our own nodes."""
        return frozenset(name for name in self.declared if is_own(name)) if self.local else frozenset()

    def take(self, event: str, payload: Mapping[str, Any]) -> str:
        """`session.bind` and `notebook.focus`; empty when taken, else why not."""
        if event not in ("session.bind", "notebook.focus"):
            return "unknown event"
        if not self.local:
            return "only a kernel or window of this installation may say that"
        if event == "session.bind":
            self._bind(payload)
        else:
            self._focus(payload)
        return ""

    def _bind(self, payload: Mapping[str, Any]) -> None:
        self.session_keys = _keys(payload.get("sessionKeys"))
        self.notebook = _text(payload.get("notebook")) or self.notebook
        self.kernel_id = _text(payload.get("kernelId")) or self.kernel_id

    def _focus(self, payload: Mapping[str, Any]) -> None:
        """A window's notebook came to the front; an empty `path` says that none is there."""
        self.notebook = _text(payload.get("path"))
        self.focus_kernel_id = _text(payload.get("kernelId"))
        opened = payload.get("openKernelIds")
        self.open_kernel_ids = frozenset(map(_text, opened[:MAX_KEYS])) - {""} if isinstance(opened, list) else frozenset()
        self.focused_at = self.active_at if self.notebook else 0

    def candidate(self, commands: frozenset[str]) -> Candidate:
        return Candidate(
            self.node_id,
            commands,
            self.active_at,
            self.session_keys,
            self.kernel_id,
            self.focus_kernel_id,
            self.open_kernel_ids,
            self.focused_at,
        )

    def facts(self, commands: tuple[str, ...]) -> NodeFacts:
        """What a person is asked to approve."""
        client = self.connection.client
        return NodeFacts(
            node_id=self.node_id,
            display_name=self.name,
            platform=client.platform,
            version=client.version,
            device_family=client.device_family,
            model_identifier=client.model_identifier,
            remote_ip=self.connection.peer.remote_ip,
            client_id=client.id,
            client_mode=client.mode,
            caps=tuple(sorted(self.connection.caps)),
            commands=commands,
            permissions=self.connection.grant.permissions,
        )

    def to_wire(self) -> dict[str, Any]:
        """The part of a `node.list` row that the node itself is the source of."""
        wire = self.facts(()).described() | {
            "caps": sorted(self.connection.caps),
            "declaredCommands": list(self.declared),
            "permissions": dict(self.connection.grant.permissions),
            "connectedAtMs": self.connected_at,
            "lastActiveAtMs": self.active_at,
            "local": self.local,
        }
        bound = {"sessionKeys": sorted(self.session_keys), "notebook": self.notebook, "kernelId": self.kernel_id}
        return wire | {key: value for key, value in bound.items() if value}


def _text(value: object) -> str:
    return value[:MAX_TEXT] if isinstance(value, str) else ""


def _keys(value: object) -> frozenset[str]:
    """Canonical session keys; what is none is passed over."""
    found: set[str] = set()
    for item in value[:MAX_KEYS] if isinstance(value, list) else ():
        try:
            found.add(resolve(_text(item)))
        except OpenClawError:
            continue
    return frozenset(found)
