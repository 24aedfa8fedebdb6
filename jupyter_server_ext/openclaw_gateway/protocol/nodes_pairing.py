"""Which commands of which node a person has approved (PRO-12). The device itself is paired by `devices.py` before that."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

from openclaw_gateway.protocol import scopes as scope_rules
from openclaw_gateway.protocol.nodes_policy import needs_admin
from openclaw_gateway.protocol.nodes_rows import NodeFacts, NodeRequest, PairedNode, decode, encode
from openclaw_gateway.protocol.waiting import Waiting
from openclaw_kernel.store.ledger import Ledger
from openclaw_kernel.values.clock import Clock, NewId, new_id, system_clock
from openclaw_kernel.values.errors import invalid

FILE_NAME = "nodes.jsonl"


class NodePairing:
    """The ledger of approved nodes, and the requests waiting for an answer.

    `on_requested`, `on_resolved` and `on_changed` (node id) tell the registry, which tells the clients.
    """

    def __init__(self, path: Path, *, clock: Clock = system_clock, new_id: NewId = new_id) -> None:
        self._ledger: Ledger[PairedNode] = Ledger(path, key=lambda node: node.node_id, encode=encode, decode=decode)
        self._waiting: Waiting[NodeRequest] = Waiting("nodes wait to be approved", "node.pair.list", clock)
        self._clock = clock
        self._new_id = new_id
        self.on_requested = self._waiting.on_requested
        self.on_resolved = self._waiting.on_resolved
        self.on_changed: list[Callable[[str], None]] = []

    def get(self, node_id: str) -> PairedNode | None:
        return self._ledger.get(node_id)

    def paired(self) -> list[PairedNode]:
        return self._ledger.rows()

    def approved(self, node_id: str) -> frozenset[str]:
        """The commands approved for this node."""
        node = self.get(node_id)
        return frozenset(node.commands) if node is not None else frozenset()

    def pending(self) -> list[NodeRequest]:
        """Requests of the last five minutes, oldest first."""
        return self._waiting.rows()

    def to_wire(self, connected: Collection[str]) -> dict[str, Any]:
        """Result of `node.pair.list`."""
        return {
            "pending": [request.to_wire() for request in self.pending()],
            "paired": [node.to_wire(connected=node.node_id in connected) for node in self.paired()],
        }

    def request(self, facts: NodeFacts) -> NodeRequest:
        """Asks the operators for `facts.commands`; the same node asking for the same keeps its request, for more replaces it.

        Raises `OpenClawError` when too many are waiting.
        """
        before = next((row for row in self.pending() if row.facts.node_id == facts.node_id), None)
        if before is not None and before.facts.commands == facts.commands:
            return before
        known = self.get(facts.node_id) is not None
        request = NodeRequest(self._new_id(), facts, self._clock(), is_repair=known)
        return self._waiting.put(request, instead_of=before)

    def approve(self, request_id: str, *, approver: Collection[str] | None = None) -> PairedNode:
        """Unblocks the commands of the request. `approver` are the caller's scopes: commands that run programs take admin."""
        request = self._waiting.find(request_id)
        facts = request.facts
        if approver is not None and needs_admin(facts.commands) and scope_rules.ADMIN not in scope_rules.expand(approver):
            raise scope_rules.missing_scope(scope_rules.ADMIN)
        now = self._clock()
        known = self.get(facts.node_id)
        name = known.display_name if known is not None and known.display_name else facts.display_name
        commands = tuple(dict.fromkeys((*(known.commands if known is not None else ()), *facts.commands)))
        created = known.created_at if known is not None else now
        node = PairedNode(facts.node_id, name, facts.platform, commands, facts.caps, created, now)
        self._ledger.put(node)
        self._waiting.resolve(request, "approved")
        self._changed(facts.node_id)
        return node

    def reject(self, request_id: str) -> NodeRequest:
        request = self._waiting.find(request_id)
        self._waiting.resolve(request, "rejected")
        return request

    def withdraw(self, node_id: str) -> None:
        """The node left, or was unblocked in another way: its open request is moot."""
        for request in self.pending():
            if request.facts.node_id == node_id:
                self._waiting.resolve(request, "withdrawn")

    def remove(self, node_id: str) -> None:
        """Takes every approval of the node back. Raises `OpenClawError` for a node that has none."""
        self._known(node_id)
        self._ledger.delete(node_id)
        self._changed(node_id)

    def rename(self, node_id: str, name: str) -> PairedNode:
        node = replace(self._known(node_id), display_name=name)
        self._ledger.put(node)
        self._changed(node_id)
        return node

    async def flush(self) -> None:
        await self._ledger.flush()

    def close(self) -> None:
        self._ledger.close()

    def _known(self, node_id: str) -> PairedNode:
        node = self.get(node_id)
        if node is None:
            raise invalid("unknown nodeId")
        return node

    def _changed(self, node_id: str) -> None:
        for listener in self.on_changed:
            listener(node_id)
