"""Devices that do something: `node.*` (protocol section 5)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import Field

from openclaw_gateway.methods.services import NoParams, Params, parts
from openclaw_gateway.protocol.dispatch import Call, Method
from openclaw_gateway.protocol.nodes import INVOKE_TIMEOUT_S
from openclaw_gateway.protocol.nodes_policy import ADMIN_COMMANDS
from openclaw_kernel.values.errors import invalid

PAIRING = "operator.pairing"
MAX_TEXT = 16_384


class NodeIdParams(Params):
    node_id: str = Field(min_length=1, max_length=256)


class RenameParams(NodeIdParams):
    display_name: str = Field(min_length=1, max_length=200)


class RequestIdParams(Params):
    request_id: str = Field(min_length=1)


class InvokeParams(NodeIdParams):
    command: str = Field(min_length=1, max_length=128)
    params: Any = None
    timeout_ms: int | None = Field(default=None, ge=0)
    idempotency_key: str = Field(min_length=1, max_length=256)
    session_key: str | None = None
    turn_source_channel: str | None = None
    turn_source_to: str | None = None
    turn_source_account_id: str | None = None
    turn_source_thread_id: str | int | None = None


class ErrorParams(Params):
    code: str | None = None
    message: str | None = None


class ResultParams(Params):
    id: str = Field(min_length=1)
    node_id: str = Field(min_length=1)
    ok: bool
    payload: Any = None
    payload_json: str | None = Field(default=None, alias="payloadJSON")
    error: ErrorParams | None = None


class ProgressParams(Params):
    invoke_id: str = Field(min_length=1)
    node_id: str = Field(min_length=1)
    seq: int = Field(ge=0)
    chunk: str = Field(max_length=MAX_TEXT)


class EventParams(Params):
    event: str = Field(min_length=1, max_length=128)
    payload: Any = None
    payload_json: str | None = Field(default=None, alias="payloadJSON")


async def node_list(_params: NoParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    return {"ts": services.clock(), "nodes": services.nodes.listing()}


async def describe(params: NodeIdParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    return {"ts": services.clock()} | services.nodes.describe(params.node_id)


async def pair_list(_params: NoParams, call: Call) -> dict[str, Any]:
    return parts(call).nodes.pair_list()


async def approve(params: RequestIdParams, call: Call) -> dict[str, Any]:
    nodes = parts(call).nodes
    node = nodes.pairing.approve(params.request_id, approver=call.scopes)
    await nodes.pairing.flush()
    return {"requestId": params.request_id, "node": node.to_wire(connected=nodes.get(node.node_id) is not None)}


async def reject(params: RequestIdParams, call: Call) -> dict[str, Any]:
    request = parts(call).nodes.pairing.reject(params.request_id)
    return {"requestId": params.request_id, "nodeId": request.facts.node_id}


async def remove(params: NodeIdParams, call: Call) -> dict[str, Any]:
    nodes = parts(call).nodes
    nodes.pairing.remove(params.node_id)
    await nodes.pairing.flush()
    return {"nodeId": params.node_id}


async def rename(params: RenameParams, call: Call) -> dict[str, Any]:
    parts(call).nodes.rename(params.node_id, params.display_name)
    return {"nodeId": params.node_id, "displayName": params.display_name}


def scope_of_invoke(params: InvokeParams) -> str:
    """Commands that run programs take admin over the wire (PRO-12)."""
    return "operator.admin" if params.command in ADMIN_COMMANDS else "operator.write"


async def invoke(params: InvokeParams, call: Call) -> dict[str, Any]:
    """`{ok, nodeId, command, payload, payloadJSON}`. A caller that leaves does not stop the node; its key may ask again."""
    services = parts(call)
    caller = call.connection.device_id or call.connection.client.id
    digest = orjson.dumps([params.node_id, params.command, params.params], option=orjson.OPT_SORT_KEYS)
    key = f"{caller}\n{params.idempotency_key}"
    answer = services.node_calls.find(key, digest)
    if answer is None:
        seconds = params.timeout_ms / 1000 if params.timeout_ms else INVOKE_TIMEOUT_S
        if params.params is not None and not isinstance(params.params, dict):
            raise invalid("invalid node.invoke params: at /params: must be object")
        work = services.nodes.invoke(
            params.node_id,
            params.command,
            params.params,
            timeout_s=seconds,
            idempotency_key=params.idempotency_key,
        )
        answer = asyncio.ensure_future(work)
        answer.add_done_callback(_heard)
        services.node_calls.keep(key, digest, answer)
    payload = await asyncio.shield(answer)
    text = orjson.dumps(payload).decode()
    return {"ok": True, "nodeId": params.node_id, "command": params.command, "payload": payload, "payloadJSON": text}


def _heard(answer: asyncio.Future[dict[str, Any]]) -> None:
    """Marks the failure as seen when the caller has left meanwhile."""
    if not answer.cancelled():
        answer.exception()


async def result(params: ResultParams, call: Call) -> dict[str, Any]:
    """A result nobody waits for is no error: the caller may have given up."""
    nodes = parts(call).nodes
    live = nodes.of(call.connection)
    taken = live.node_id == params.node_id and nodes.result(call.connection, params.model_dump(by_alias=True))
    return {"ok": True} if taken else {"ok": True, "ignored": True}


async def progress(params: ProgressParams, call: Call) -> dict[str, Any]:
    nodes = parts(call).nodes
    nodes.of(call.connection)
    return {"ok": True} if nodes.progress(call.connection, params.invoke_id, params.chunk) else {"ok": True, "ignored": True}


async def event(params: EventParams, call: Call) -> dict[str, Any]:
    """What a node tells of its own accord; an event nobody knows is answered, not refused."""
    reason = await parts(call).nodes.heard(call.connection, params.event, _object(params))
    told: dict[str, Any] = {"ok": True, "event": params.event, "handled": not reason}
    return told | ({"reason": reason} if reason else {})


def _object(params: EventParams) -> Mapping[str, Any]:
    value = params.payload
    if value is None and params.payload_json:
        try:
            value = orjson.loads(params.payload_json)
        except orjson.JSONDecodeError:
            raise invalid("invalid node.event params: at /payloadJSON: must be JSON") from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid("invalid node.event params: at /payload: must be object")
    return value


METHODS = [
    Method("node.list", NoParams, node_list, "operator.read"),
    Method("node.describe", NodeIdParams, describe, "operator.read"),
    Method("node.invoke", InvokeParams, invoke, "dynamic", scope_of=scope_of_invoke),
    Method("node.rename", RenameParams, rename, PAIRING),
    Method("node.pair.list", NoParams, pair_list, PAIRING),
    Method("node.pair.approve", RequestIdParams, approve, PAIRING),
    Method("node.pair.reject", RequestIdParams, reject, PAIRING),
    Method("node.pair.remove", NodeIdParams, remove, PAIRING),
    Method("node.event", EventParams, event, "node"),
    Method("node.invoke.result", ResultParams, result, "node"),
    Method("node.invoke.progress", ProgressParams, progress, "node"),
]
