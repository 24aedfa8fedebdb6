"""A press on a canvas comes back to the agent: `canvas.action`, from a screen or from a node (CAN-06).

A person's press on a surface that the assistant showed starts a run in its session. A press on a canvas that the person's own
code made is a quiet line, which the agent sees with its next message.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import Field, ValidationError

from openclaw_gateway.methods.services import GatewayServices, Params, parts
from openclaw_gateway.protocol.dispatch import Call, Method
from openclaw_gateway.protocol.nodes_live import LiveNode
from openclaw_kernel.agent.api import RunRequest
from openclaw_kernel.values.envelope import fence
from openclaw_kernel.values.errors import OpenClawError, invalid
from openclaw_kernel.values.events import MessageStored
from openclaw_kernel.values.messages import Text, UserMessage
from openclaw_kernel.values.session_key import parse

MAX_BYTES = 65_536
"""Of context and data model together, as the model is told them."""


class Action(Params):
    """What A2UI's client reports of a press (a2ui reference, actions)."""

    name: str = Field(min_length=1, max_length=200)
    surface_id: str = Field(default="", max_length=200)
    source_component_id: str = Field(default="", max_length=200)
    timestamp: str | int = ""
    context: dict[str, Any] = Field(default_factory=dict)


class ActionParams(Params):
    surface_id: str = Field(min_length=1, max_length=200)
    action: Action
    data_model: Any = None
    quiet: bool = False


async def canvas_action(params: ActionParams, call: Call) -> dict[str, Any]:
    """A press in a face of ours. `{ok, runId, status}`, or `{ok, status: "noticed"}` for a quiet one."""
    return await act(parts(call), params, source=call.connection.device_id or call.connection.conn_id)


async def node_action(services: GatewayServices, live: LiveNode, payload: Mapping[str, Any]) -> str:
    """`node.event canvas.action`; empty when taken, else why not."""
    try:
        params = ActionParams.model_validate(dict(payload))
        row = services.surfaces.get(params.surface_id)
        if row is None:
            return _notice_of_own(services, live, params)
        if row.node_id != live.node_id and (row.node_id or not live.local):
            return "the surface is not shown by this node"
        await act(services, params, source=live.node_id)
    except ValidationError:
        return "invalid canvas.action payload"
    except OpenClawError as error:
        return error.message
    return ""


async def act(services: GatewayServices, params: ActionParams, *, source: str) -> dict[str, Any]:
    """Hands an action to the session that owns the surface. Raises `OpenClawError` for an unknown surface, or one pressed too
    often."""
    row = services.surfaces.get(params.surface_id)
    if row is None:
        raise invalid(f"no session has shown a surface {params.surface_id!r}; ask the assistant to show it again")
    if params.action.surface_id not in ("", params.surface_id):
        raise invalid("invalid canvas.action params: action.surfaceId is another surface's")
    text = sentence(params, row.title)
    if params.quiet:
        note(services, row.session_key, text)
        return {"ok": True, "status": "noticed", "sessionKey": row.session_key}
    services.surfaces.count(params.surface_id)
    run_id = _run_id(params)
    message = UserMessage(
        (Text(text),), services.clock(), f"{run_id}:user", {"source": "canvas", "surfaceId": params.surface_id}
    )
    receipt = await services.runtime.submit(RunRequest(run_id, row.session_key, message, client_id=source))
    return {"ok": True, "runId": receipt.run_id, "status": receipt.status, "sessionKey": row.session_key}


def sentence(params: ActionParams, title: str) -> str:
    """What the agent is told. Names and values came from a page that a model wrote and a person filled in: data, no orders."""
    told: dict[str, Any] = {"context": params.action.context}
    if params.data_model is not None:
        told["dataModel"] = params.data_model
    try:
        body = orjson.dumps(told).decode()
    except TypeError as error:
        raise invalid(f"invalid canvas.action params: {error}") from None
    if len(body) > MAX_BYTES:
        raise invalid(f"invalid canvas.action params: context and dataModel have more than {MAX_BYTES} bytes")
    facts = {"name": params.action.name, "surface": title or params.surface_id, "by": params.action.source_component_id}
    head = " ".join(f"{key}={orjson.dumps(value).decode()}" for key, value in facts.items() if value)
    name = " ".join(params.action.name.split()).replace("[", "(").replace("]", ")")[:80]
    data = fence("canvas action", f"{head}\n{body}")
    return f"[Canvas action] {name}\n{data}"


def note(services: GatewayServices, session_key: str, text: str) -> None:
    """A quiet line: stored, shown, answered by nobody until the session's next message. It never falls between a call and its
    result: while a run is under way it waits for the end."""
    runs = services.runtime.active(session_key)
    if runs:
        services.surfaces.later(_note_after(services, runs[0].run_id, session_key, text))
        return
    message = UserMessage((Text(text),), services.clock(), None, {"source": "canvas", "quiet": True})
    stored = services.sessions.append(services.sessions.open(session_key), message)
    services.projection.message(session_key, parse(session_key).agent, MessageStored(stored.entry_id, stored.seq, message))


async def _note_after(services: GatewayServices, run_id: str, session_key: str, text: str) -> None:
    await services.runtime.wait(run_id)
    note(services, session_key, text)


def _notice_of_own(services: GatewayServices, live: LiveNode, params: ActionParams) -> str:
    """A canvas that the notebook's own code made: its session hears of it, and nothing is started."""
    if not live.local or not live.session_keys:
        return "no session has shown this surface"
    services.surfaces.count(params.surface_id)
    key = sorted(live.session_keys)[0]
    if services.sessions.get(key) is None:
        return "the notebook's session has not begun"
    note(services, key, sentence(params, ""))
    return ""


def _run_id(params: ActionParams) -> str:
    """The same press told twice is one run: face and node may both report it."""
    action = params.action
    parts_ = (params.surface_id, action.source_component_id, action.name, str(action.timestamp))
    told = orjson.dumps([*parts_, action.context], option=orjson.OPT_SORT_KEYS)
    return f"canvas-{hashlib.sha256(told).hexdigest()[:32]}"


METHODS = [Method("canvas.action", ActionParams, canvas_action, "operator.write")]
