"""The connected nodes: what each may do, whose session it serves, and the way to make it do something (PRO-12, TOL-16).

A node is a device that offers commands: a phone, a kernel, a JupyterLab window. `node.invoke.request` goes to its socket, its
`node.invoke.result` comes back; a node that leaves in between fails what it owed at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from posixpath import basename
from typing import Any

import orjson

from openclaw_gateway.protocol.broadcast import Broadcaster
from openclaw_gateway.protocol.connection import Connection
from openclaw_gateway.protocol.nodes_choice import Candidate, choose
from openclaw_gateway.protocol.nodes_live import LiveNode, node_id_of
from openclaw_gateway.protocol.nodes_pairing import NodePairing
from openclaw_gateway.protocol.nodes_policy import CommandPolicy
from openclaw_gateway.protocol.nodes_rows import NodeRequest
from openclaw_kernel.values.clock import Clock, NewId, new_id, system_clock
from openclaw_kernel.values.errors import OpenClawError, invalid, unavailable

log = logging.getLogger(__name__)

INVOKE_TIMEOUT_S = 30.0
"""Without a word from the caller: the reference client's own patience (protocol section 1)."""
MAX_TIMEOUT_S = 86_400.0
MAX_UNDER_WAY = 64
"""Invocations one node may owe; a caller beyond them hears `UNAVAILABLE`."""

Progress = Callable[[str], None]
EventHandler = Callable[[LiveNode, Mapping[str, Any]], Awaitable[str]]
"""Answers an empty text when the event was taken, else why not."""


@dataclass(slots=True)
class _Invocation:
    id: str
    conn_id: str
    command: str
    result: asyncio.Future[dict[str, Any]]
    progress: Progress | None


class Nodes:
    """The registry. The hub tells it of connections (`opened`, `closed`), methods bring results and events.

    `policy` and `silent` are asked anew each time: the configuration may change under a connected node.
    """

    def __init__(
        self,
        pairing: NodePairing,
        broadcaster: Broadcaster,
        *,
        policy: Callable[[], CommandPolicy] = CommandPolicy,
        silent: Callable[[], bool] = lambda: True,
        clock: Clock = system_clock,
        new_id: NewId = new_id,
    ) -> None:
        self.pairing = pairing
        self.handlers: dict[str, EventHandler] = {}
        self._broadcaster = broadcaster
        self._policy = policy
        self._silent = silent
        self._clock = clock
        self._new_id = new_id
        self._live: dict[str, LiveNode] = {}
        self._by_connection: dict[str, str] = {}
        self._owed: dict[str, _Invocation] = {}
        pairing.on_requested.append(self._pair_requested)
        pairing.on_resolved.append(self._pair_resolved)

    # --- who is here ---

    def opened(self, connection: Connection) -> None:
        """A connection finished its handshake. A node that comes back replaces the socket it had."""
        if connection.role != "node":
            return
        node_id = node_id_of(connection)
        live = LiveNode(node_id, connection, self._clock())
        before = self._live.get(node_id)
        self._live[node_id] = live
        self._by_connection[connection.conn_id] = node_id
        if before is not None:
            self._fail(before.connection, "the node connected anew")
            before.connection.close(1000, "replaced by a newer connection of this node")
        self._ask_for(live)

    def closed(self, connection: Connection) -> None:
        """A socket is gone: what its node owed fails now, not at its timeout."""
        node_id = self._by_connection.pop(connection.conn_id, None)
        if node_id is None:
            return
        self._fail(connection, "the node disconnected")
        live = self._live.get(node_id)
        if live is not None and live.connection is connection:
            del self._live[node_id]
            self.pairing.withdraw(node_id)

    def of(self, connection: Connection) -> LiveNode:
        """The node behind a connection. Raises `OpenClawError` for one that has been replaced."""
        live = self._live.get(self._by_connection.get(connection.conn_id, ""))
        if live is None or live.connection is not connection:
            raise invalid("this connection is no longer the node's")
        live.active_at = self._clock()
        return live

    def get(self, node_id: str) -> LiveNode | None:
        return self._live.get(node_id)

    def connected(self) -> frozenset[str]:
        return frozenset(self._live)

    def commands(self, live: LiveNode) -> frozenset[str]:
        """What the node may be asked to do now: permitted by policy, and approved by a person or silently."""
        approved = self.pairing.approved(live.node_id)
        silent = live.silently_approved if self._silent() else frozenset()
        return frozenset(name for name in self._permitted(live) if name in approved or name in silent)

    def blocked(self, live: LiveNode) -> tuple[str, ...]:
        """Declared and permitted, not yet approved."""
        free = self.commands(live)
        return tuple(name for name in self._permitted(live) if name not in free)

    def listing(self) -> list[dict[str, Any]]:
        """`nodes` of `node.list`: the connected ones, then those that are approved and away."""
        here = [self.row(live) for live in self._live.values()]
        away = [self._away(node.node_id) for node in self.pairing.paired() if node.node_id not in self._live]
        return here + away

    def describe(self, node_id: str) -> dict[str, Any]:
        """One row. Raises `OpenClawError` for an id nobody knows."""
        live = self._live.get(node_id)
        if live is not None:
            return self.row(live)
        if self.pairing.get(node_id) is None:
            raise invalid("unknown nodeId")
        return self._away(node_id)

    def row(self, live: LiveNode) -> dict[str, Any]:
        node = self.pairing.get(live.node_id)
        commands = self.commands(live)
        return live.to_wire() | {
            "displayName": node.display_name if node is not None and node.display_name else live.name,
            "commands": sorted(commands),
            "blockedCommands": list(self.blocked(live)),
            "paired": bool(commands) or node is not None,
            "connected": True,
        }

    def _away(self, node_id: str) -> dict[str, Any]:
        node = self.pairing.get(node_id)
        row = node.to_wire(connected=False) if node is not None else {"nodeId": node_id, "connected": False}
        return row | {"paired": node is not None}

    def pair_list(self) -> dict[str, Any]:
        """Result of `node.pair.list`. A request that has expired under a connected node is made again: somebody looks."""
        for live in self._live.values():
            self._ask_for(live)
        return self.pairing.to_wire(self.connected())

    def rename(self, node_id: str, name: str) -> None:
        """Raises `OpenClawError` for an id nobody knows."""
        live = self._live.get(node_id)
        if self.pairing.get(node_id) is not None:
            self.pairing.rename(node_id, name)
        elif live is None:
            raise invalid("unknown nodeId")
        if live is not None:
            live.name = name

    # --- whom a session reaches ---

    def for_session(self, session_key: str, command: str) -> str | None:
        """The node that serves `command` in a session, or `None`; see `nodes_choice.choose`."""
        return choose(session_key, command, self._candidates())

    def place(self, node_id: str, session_key: str) -> tuple[str, str]:
        """Where a call of this session on that node would act: in words for a person, and the kernel id of the notebook.

        A window may show several notebooks; the one of a kernel bound to the session comes before the one in front.
        """
        live = self._live[node_id]
        if not live.open_kernel_ids:
            return (f"notebook {basename(live.notebook)}" if live.notebook else live.name), live.kernel_id
        for other in self._live.values():
            if session_key in other.session_keys and other.kernel_id in live.open_kernel_ids:
                return f"notebook {basename(other.notebook)}", other.kernel_id
        return f"notebook {basename(live.notebook)}", live.focus_kernel_id

    def _candidates(self) -> list[Candidate]:
        return [live.candidate(self.commands(live)) for live in self._live.values()]

    # --- doing something ---

    async def invoke(
        self,
        node_id: str,
        command: str,
        params: Mapping[str, Any] | None = None,
        *,
        timeout_s: float = INVOKE_TIMEOUT_S,
        idempotency_key: str = "",
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        """What the node answered. Cancelling tells the node to stop.

        Raises `OpenClawError`: INVALID_REQUEST for a command that is not declared or not approved, UNAVAILABLE for a node that
        is away, leaves, does not answer in `timeout_s` seconds, or fails.
        """
        live = self._may(node_id, command)
        connection = live.connection
        if sum(one.conn_id == connection.conn_id for one in self._owed.values()) >= MAX_UNDER_WAY:
            raise unavailable(f"node {live.name} has too much to do; try again", nodeId=node_id)
        seconds = min(timeout_s, MAX_TIMEOUT_S)
        loop = asyncio.get_running_loop()
        owed = _Invocation(self._new_id(), connection.conn_id, command, loop.create_future(), progress)
        self._owed[owed.id] = owed
        request = {
            "id": owed.id,
            "nodeId": node_id,
            "command": command,
            "paramsJSON": orjson.dumps(dict(params or {})).decode(),
            "timeoutMs": int(seconds * 1000),
            "idempotencyKey": idempotency_key or owed.id,
        }
        answered = False
        try:
            connection.send_event("node.invoke.request", request)
            async with asyncio.timeout(seconds):
                answer = await owed.result
            answered = True
            return answer
        except TimeoutError:
            raise unavailable(f"node {live.name} did not finish {command} in {seconds:g} s", nodeId=node_id) from None
        except OpenClawError:
            answered = True
            raise
        finally:
            del self._owed[owed.id]
            if not answered:
                connection.send_event("node.invoke.cancel", {"id": owed.id, "nodeId": node_id})

    def _may(self, node_id: str, command: str) -> LiveNode:
        live = self._live.get(node_id)
        if live is None:
            raise unavailable("node not connected", code="NOT_CONNECTED", nodeId=node_id)
        if command not in live.declared:
            raise invalid(f"node {live.name} does not offer {command}", code="COMMAND_NOT_DECLARED", nodeId=node_id)
        if not self._policy().permits(command, live.platform):
            sentence = f"{command} is not allowed for {live.platform or 'this'} nodes; name it in gateway.nodes.allowCommands"
            raise invalid(sentence, code="COMMAND_NOT_ALLOWED", nodeId=node_id)
        if command not in self.commands(live):
            self._ask_for(live)
            sentence = f"{command} of node {live.name} waits for approval; see `jupyter openclaw nodes pending`"
            raise invalid(sentence, code="COMMAND_NOT_APPROVED", nodeId=node_id)
        return live

    def result(self, connection: Connection, params: Mapping[str, Any]) -> bool:
        """`node.invoke.result`: false when nobody waits for it any more, or another node was asked."""
        owed = self._owed.get(str(params.get("id", "")))
        if owed is None or owed.conn_id != connection.conn_id or owed.result.done():
            return False
        if params.get("ok"):
            owed.result.set_result(_payload(params))
            return True
        error = params.get("error")
        told = dict(error) if isinstance(error, Mapping) else {}
        sentence = str(told.get("message") or f"the node could not do {owed.command}")[:2000]
        owed.result.set_exception(OpenClawError("UNAVAILABLE", sentence, {"nodeError": told, "command": owed.command}))
        return True

    def progress(self, connection: Connection, invoke_id: str, chunk: str) -> bool:
        """`node.invoke.progress`: a piece of what is going on."""
        owed = self._owed.get(invoke_id)
        if owed is None or owed.conn_id != connection.conn_id:
            return False
        if owed.progress is not None:
            owed.progress(chunk)
        return True

    async def heard(self, connection: Connection, event: str, payload: Mapping[str, Any]) -> str:
        """`node.event`: empty when it was taken, else the reason why not."""
        live = self.of(connection)
        handler = self.handlers.get(event)
        if handler is not None:
            return await handler(live, payload)
        return live.take(event, payload)

    # --- inside ---

    def _permitted(self, live: LiveNode) -> Sequence[str]:
        policy = self._policy()
        return [name for name in live.declared if policy.permits(name, live.platform)]

    def _ask_for(self, live: LiveNode) -> None:
        """Puts what is blocked before the operators, unless they have said no to this very connection."""
        blocked = self.blocked(live)
        if not blocked or live.rejected:
            return
        try:
            self.pairing.request(live.facts(blocked))
        except OpenClawError as error:
            log.warning("node %s cannot ask for approval: %s", live.node_id, error)

    def _fail(self, connection: Connection, why: str) -> None:
        for owed in list(self._owed.values()):
            if owed.conn_id == connection.conn_id and not owed.result.done():
                owed.result.set_exception(unavailable(f"{why} before {owed.command} was done", code="NOT_CONNECTED"))

    def _pair_requested(self, request: NodeRequest) -> None:
        self._broadcaster.send("node.pair.requested", request.to_wire())

    def _pair_resolved(self, request: NodeRequest, decision: str) -> None:
        live = self._live.get(request.facts.node_id)
        if live is not None and decision == "rejected":
            live.rejected = True
        payload = {"requestId": request.request_id, "nodeId": request.facts.node_id, "decision": decision, "ts": self._clock()}
        self._broadcaster.send("node.pair.resolved", payload)


def _payload(params: Mapping[str, Any]) -> dict[str, Any]:
    """The answer as an object; a bare value comes back under `value`."""
    value = params.get("payload")
    text = params.get("payloadJSON")
    if value is None and isinstance(text, str) and text:
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            value = text
    if value is None:
        return {}
    return value if isinstance(value, dict) else {"value": value}
