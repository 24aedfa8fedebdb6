"""`memory.dream.*`: a night now, what it proposes, and the answers. Reading takes the reader's scope, changing notes the
admin's.

The command of the terminal asks the same through `answer`, which needs no gateway.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from openclaw_gateway.automation.dreams import Dreams
from openclaw_gateway.methods.services import GatewayServices, Params, parts
from openclaw_gateway.protocol.dispatch import Call, Method
from openclaw_kernel.values.errors import invalid

if TYPE_CHECKING:
    from openclaw_kernel.memory.dreaming_page import Shown

PAGE_BYTES = 500_000
Id = Annotated[str, Field(min_length=1, max_length=64)]


class DreamParams(Params):
    agent_id: str | None = None


class RunParams(DreamParams):
    dry_run: bool = False
    apply: bool = False


class ApplyParams(DreamParams):
    ids: list[Id] | None = Field(default=None, max_length=1_000)


class RejectParams(DreamParams):
    ids: list[Id] = Field(min_length=1, max_length=1_000)


async def _run(dreams: Dreams, agent_id: str, params: RunParams) -> dict[str, Any]:
    """`proposals` are all that wait, `fresh` how many are new; with `apply` they are applied at once."""
    dream = await dreams.ask(agent_id, lambda dreamer: dreamer.dream(keep=not params.dry_run))
    found = {
        "agentId": agent_id,
        "enabled": dreams.settings(agent_id).enabled,
        "notes": dream.notes,
        "groups": dream.groups,
        "recalls": dream.recalls,
        "themes": list(dream.themes),
        "fresh": len(dream.fresh),
        "proposals": _wire(dream.waiting),
    }
    if params.apply and not params.dry_run and dream.waiting:
        found |= await _apply(dreams, agent_id, ApplyParams(ids=dream.ids))
    return found


async def _list(dreams: Dreams, agent_id: str, _params: DreamParams) -> dict[str, Any]:
    waiting = await dreams.ask(agent_id, lambda dreamer: dreamer.waiting())
    return {"agentId": agent_id, "enabled": dreams.settings(agent_id).enabled, "proposals": _wire(waiting)}


async def _apply(dreams: Dreams, agent_id: str, params: ApplyParams) -> dict[str, Any]:
    done = await dreams.change(agent_id, lambda dreamer: dreamer.apply(params.ids))
    return {"agentId": agent_id, "applied": _wire(done.applied), "stale": list(done.stale)}


async def _reject(dreams: Dreams, agent_id: str, params: RejectParams) -> dict[str, Any]:
    return {"agentId": agent_id, "rejected": await dreams.ask(agent_id, lambda dreamer: dreamer.reject(params.ids))}


async def _revert(dreams: Dreams, agent_id: str, _params: DreamParams) -> dict[str, Any]:
    return {"agentId": agent_id, "reverted": await dreams.change(agent_id, lambda dreamer: dreamer.revert())}


Ask = Callable[[Dreams, str, Any], Awaitable[dict[str, Any]]]
ASKS: Mapping[str, tuple[type[DreamParams], Ask, str]] = {
    "memory.dream.list": (DreamParams, _list, "operator.read"),
    "memory.dream.run": (RunParams, _run, "operator.admin"),
    "memory.dream.apply": (ApplyParams, _apply, "operator.admin"),
    "memory.dream.reject": (RejectParams, _reject, "operator.admin"),
    "memory.dream.revert": (DreamParams, _revert, "operator.admin"),
}
"""Name → parameters, what answers, and the scope."""


async def answer(name: str, params: Mapping[str, Any], dreams: Dreams, agent_id: str) -> dict[str, Any]:
    """One of `ASKS` without a gateway. Raises `UserError`."""
    model, ask, _ = ASKS[name]
    return await ask(dreams, agent_id, model.model_validate(params))


async def diary(params: DreamParams, call: Call) -> dict[str, Any]:
    """DREAMS.md as it is, for the original's clients."""
    services = parts(call)
    agent_id = _agent(services, params.agent_id)
    path = services.workspace(agent_id) / "DREAMS.md"
    found = await asyncio.to_thread(_page, path)
    return {"agentId": agent_id, "path": str(path), **found}


def _page(path: Path) -> dict[str, Any]:
    if path.is_symlink() or not path.is_file():
        return {"found": False}
    with path.open("rb") as file:
        text = file.read(PAGE_BYTES).decode("utf-8", "replace")
    return {"found": True, "content": text, "updatedAtMs": path.stat().st_mtime_ns // 1_000_000}


def _wire(shown: Sequence[Shown]) -> list[dict[str, Any]]:
    return [
        {
            "id": one.row.id,
            "kind": one.row.kind,
            "text": one.text,
            "source": f"{one.row.path}#L{one.row.line}",
            "score": round(one.row.score, 3),
            "signals": one.row.signals,
            "day": one.row.day,
        }
        for one in shown
    ]


def _agent(services: GatewayServices, agent_id: str | None) -> str:
    wanted = agent_id or services.default_agent
    if wanted not in services.agent_ids():
        raise invalid(f"unknown agent {wanted!r}; known: {', '.join(services.agent_ids())}")
    return wanted


def _method(name: str, model: type[DreamParams], ask: Ask, scope: str) -> Method[Any]:
    async def handler(params: DreamParams, call: Call) -> dict[str, Any]:
        services = parts(call)
        return await ask(services.dreams, _agent(services, params.agent_id), params)

    return Method(name, model, handler, scope)


METHODS = [
    *(_method(name, *row) for name, row in ASKS.items()),
    Method("doctor.memory.dreamDiary", DreamParams, diary, "operator.read"),
]
