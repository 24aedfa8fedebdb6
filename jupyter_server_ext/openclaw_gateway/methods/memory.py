"""`memory.*`: what a person asks of an agent's memory. Reading takes the reader's scope; what changes notes takes the admin's.

The commands of the terminal ask the same through `answer`, which needs no gateway.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

from pydantic import Field

from openclaw_gateway.methods.services import GatewayServices, Params, parts
from openclaw_gateway.protocol.dispatch import Call, Method
from openclaw_kernel.memory.api import WINDOW_LINES, Kind, Selector
from openclaw_kernel.memory.backend import memory_folder
from openclaw_kernel.memory.desk import Desk
from openclaw_kernel.values.errors import invalid

MOST = 50
"""Hits of one search, as the tool gives them."""
PathText = Annotated[str, Field(min_length=1, max_length=4_096)]


class AgentParams(Params):
    agent_id: str | None = None


class SearchParams(AgentParams):
    query: str = Field(min_length=1, max_length=500)
    limit: int | None = Field(default=None, ge=1, le=MOST)
    sources: list[str] = Field(default_factory=list, max_length=2)


class GetParams(AgentParams):
    path: PathText
    start: int = Field(default=1, ge=1)
    lines: int = Field(default=WINDOW_LINES, ge=1, le=WINDOW_LINES)


class IndexParams(AgentParams):
    force: bool = False


class ForgetParams(AgentParams):
    session_key: str = Field(default="", max_length=1_000)
    path: str = Field(default="", max_length=4_096)
    text: str = Field(default="", max_length=4_000)
    sessions: bool = False


class LogParams(AgentParams):
    limit: int = Field(default=50, ge=1, le=1_000)


class UndoParams(AgentParams):
    id: str = Field(min_length=1, max_length=200)


class PromoteParams(AgentParams):
    ref: PathText
    triggers: list[str] = Field(default_factory=list, max_length=10)


class ImportParams(AgentParams):
    path: PathText
    everything: bool = False
    dry_run: bool = False


async def _status(desk: Desk, _params: AgentParams) -> dict[str, Any]:
    return await desk.status()


async def _doctor(desk: Desk, _params: AgentParams) -> dict[str, Any]:
    """The same in the words of the original's doctor."""
    found = await desk.status()
    embedding = {"ok": True} if found["semantic"] else {"ok": False, "error": found["sentence"]}
    return {"agentId": found["agentId"], "provider": found["model"] or found["backend"], "embedding": embedding}


async def _search(desk: Desk, params: SearchParams) -> dict[str, Any]:
    known: dict[str, Kind] = {"memory": "memory", "sessions": "session"}
    unknown = [name for name in params.sources if name not in known]
    if unknown:
        raise invalid(f"sources may be memory and sessions, not {unknown[0]!r}")
    return await desk.search(params.query, params.limit, [known[name] for name in params.sources])


async def _get(desk: Desk, params: GetParams) -> dict[str, Any]:
    return await desk.get(params.path, params.start, params.lines)


async def _index(desk: Desk, params: IndexParams) -> dict[str, Any]:
    return await desk.index(params.force)


async def _forget(desk: Desk, params: ForgetParams) -> dict[str, Any]:
    return await desk.forget(Selector(params.session_key, params.path, params.text), params.sessions)


async def _log(desk: Desk, params: LogParams) -> dict[str, Any]:
    return await desk.log(params.limit)


async def _undo(desk: Desk, params: UndoParams) -> dict[str, Any]:
    return await desk.undo(params.id)


async def _promote(desk: Desk, params: PromoteParams) -> dict[str, Any]:
    return await desk.promote(params.ref, params.triggers)


async def _export(desk: Desk, _params: AgentParams) -> dict[str, Any]:
    return await desk.export()


async def _import(desk: Desk, params: ImportParams) -> dict[str, Any]:
    return await desk.bring_in(params.path, params.everything, params.dry_run)


Ask = Callable[[Desk, Any], Awaitable[dict[str, Any]]]
ASKS: Mapping[str, tuple[type[AgentParams], Ask, str]] = {
    "memory.status": (AgentParams, _status, "operator.read"),
    "doctor.memory.status": (AgentParams, _doctor, "operator.read"),
    "memory.search": (SearchParams, _search, "operator.read"),
    "memory.get": (GetParams, _get, "operator.read"),
    "memory.log": (LogParams, _log, "operator.read"),
    "memory.index": (IndexParams, _index, "operator.write"),
    "memory.export": (AgentParams, _export, "operator.admin"),
    "memory.forget": (ForgetParams, _forget, "operator.admin"),
    "memory.undo": (UndoParams, _undo, "operator.admin"),
    "memory.promote": (PromoteParams, _promote, "operator.admin"),
    "memory.import": (ImportParams, _import, "operator.admin"),
}
"""Name → parameters, what answers, and the scope."""


async def answer(name: str, params: Mapping[str, Any], desk: Callable[[str | None], Desk]) -> dict[str, Any]:
    """One of `ASKS` without a gateway. Raises `UserError`, and `OpenClawError` for an agent that is not configured."""
    model, ask, _ = ASKS[name]
    wanted = model.model_validate(params)
    return await ask(desk(wanted.agent_id), wanted)


def desk_of(services: GatewayServices, agent_id: str | None) -> Desk:
    """The desk of an agent, the default one when none is named."""
    wanted = agent_id or services.default_agent
    if wanted not in services.agent_ids():
        raise invalid(f"unknown agent {wanted!r}; known: {', '.join(services.agent_ids())}")
    folder = memory_folder(services.state_dir, wanted)
    place = services.workspace(wanted)
    return Desk(services.memories, wanted, place, folder, services.clock, services.redactor.text, services.forget)


def _method(name: str, model: type[AgentParams], ask: Ask, scope: str) -> Method[Any]:
    async def handler(params: AgentParams, call: Call) -> dict[str, Any]:
        return await ask(desk_of(parts(call), params.agent_id), params)

    return Method(name, model, handler, scope)


METHODS = [_method(name, *row) for name, row in ASKS.items()]
