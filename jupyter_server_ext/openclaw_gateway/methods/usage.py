"""`usage.*` and `sessions.usage`: what was spent, by day, session, model and agent. No transcript is read for it (MOD-18)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any, Literal

from pydantic import Field

from openclaw_gateway.methods.services import GatewayServices, NoParams, Params, parts
from openclaw_gateway.protocol.dispatch import Call, Method
from openclaw_kernel.agent.failover import account_for
from openclaw_kernel.models.api import Account
from openclaw_kernel.models.budget import Limit
from openclaw_kernel.models.usage import Cell, Spent, by, total
from openclaw_kernel.values.errors import invalid
from openclaw_kernel.values.session_key import parse

RANGES = {"7d": 7, "30d": 30, "90d": 90, "1y": 365}
DAYS = 30
Day = Field(default=None, pattern=r"^\d{4}-\d{2}-\d{2}$")


class CostParams(Params):
    days: int | None = Field(default=None, ge=1, le=3660)
    start_date: str | None = Day
    end_date: str | None = Day
    mode: Literal["utc", "gateway", "specific"] | None = None
    utc_offset: str | None = None
    time_zone: str | None = None
    agent_id: str | None = None
    agent_scope: Literal["all"] | None = None
    refresh: bool | None = None


class SessionsUsageParams(Params):
    key: str | None = Field(default=None, min_length=1)
    agent_id: str | None = None
    agent_scope: Literal["all"] | None = None
    start_date: str | None = Day
    end_date: str | None = Day
    mode: Literal["utc", "gateway", "specific"] | None = None
    range: Literal["7d", "30d", "90d", "1y", "all"] | None = None
    group_by: Literal["instance", "family"] | None = None
    include_historical: bool | None = None
    utc_offset: str | None = None
    time_zone: str | None = None
    limit: int | None = Field(default=None, ge=1)
    include_context_weight: bool | None = None
    creator: str | None = None
    refresh: bool | None = None


def spent_row(spent: Spent) -> dict[str, Any]:
    """Totals as the protocol writes them; money in US dollars."""
    return {
        "input": spent.input,
        "output": spent.output,
        "cacheRead": spent.cache_read,
        "cacheWrite": spent.cache_write,
        "totalTokens": spent.tokens,
        "totalCost": spent.usd,
        "inputCost": spent.input_usd,
        "outputCost": spent.output_usd,
        "cacheReadCost": spent.cache_read_usd,
        "cacheWriteCost": spent.cache_write_usd,
        "missingCostEntries": spent.unpriced,
    }


def budget_rows(services: GatewayServices, account: Account) -> list[dict[str, Any]]:
    """The limits that hold for an account, with what is gone of each."""
    return [_limit_row(limit) for limit in services.models.budget.limits(account)]


def _limit_row(limit: Limit) -> dict[str, Any]:
    return {
        "key": limit.key,
        "scope": limit.scope,
        "tokens": limit.tokens,
        "usd": limit.usd,
        "spentTokens": limit.spent.tokens,
        "spentUsd": limit.spent.usd,
    }


async def status(_params: NoParams, call: Call) -> dict[str, Any]:
    """`providers` is for the quotas of subscriptions, which no provider here has; `budgets` are the owner's own."""
    services = parts(call)
    account = Account(services.default_agent)
    return {"updatedAt": services.clock(), "providers": [], "budgets": budget_rows(services, account)}


async def cost(params: CostParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    first, last = _days(services, params.start_date, params.end_date, params.days or DAYS)
    cells = _cells(services, first, last, params.agent_id)
    days = by(cells, lambda cell: cell.day)
    return {
        "updatedAt": services.clock(),
        "days": (last - first).days + 1,
        "daily": [{"date": day, **spent_row(days.get(day, Spent()))} for day in _each(first, last)],
        "totals": spent_row(total(days.values())),
        "cacheStatus": {"status": "fresh", "cachedFiles": 0, "pendingFiles": 0, "staleFiles": 0},
    }


async def sessions_usage(params: SessionsUsageParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    count = RANGES.get(params.range or "", DAYS) if params.range != "all" else 3660
    first, last = _days(services, params.start_date, params.end_date, count)
    cells = _cells(services, first, last, params.agent_id)
    if params.key:
        wanted = services.key(params.key, params.agent_id)
        cells = [cell for cell in cells if cell.session_key == wanted]
    sessions = by(cells, lambda cell: (cell.session_key, cell.session_id))
    rows = [_session(services, key, session_id, spent, cells) for (key, session_id), spent in sessions.items()]
    rows.sort(key=lambda row: -row["updatedAt"])
    return {
        "updatedAt": services.clock(),
        "startDate": first.isoformat(),
        "endDate": last.isoformat(),
        "sessions": rows[: params.limit],
        "totals": spent_row(total(sessions.values())),
        "aggregates": _aggregates(cells, len(rows)),
        "creatorOptions": [],
        "cacheStatus": {"status": "fresh", "cachedFiles": 0, "pendingFiles": 0, "staleFiles": 0},
    }


def _session(services: GatewayServices, key: str, session_id: str, spent: Spent, cells: list[Cell]) -> dict[str, Any]:
    own = [cell for cell in cells if (cell.session_key, cell.session_id) == (key, session_id)]
    latest = max(own, key=lambda cell: cell.updated_at)
    entry = services.sessions.get(key)
    row: dict[str, Any] = {
        "key": key,
        "sessionId": session_id,
        "scope": "instance",
        "updatedAt": latest.updated_at,
        "agentId": latest.agent_id,
        "modelProvider": latest.provider,
        "model": latest.model,
        "usage": spent_row(spent) | {"modelUsage": _models(own)},
    }
    if entry is not None and entry.label:
        row["label"] = entry.label
    return row


def _aggregates(cells: list[Cell], sessions: int) -> dict[str, Any]:
    return {
        "sessionCount": sessions,
        "messages": {
            "total": sum(cell.spent.calls for cell in cells),
            "user": 0,
            "assistant": sum(cell.spent.calls for cell in cells),
            "toolCalls": 0,
            "toolResults": 0,
            "errors": 0,
        },
        "tools": {"totalCalls": 0, "uniqueTools": 0, "tools": []},
        "byModel": _models(cells),
        "byProvider": _named(cells, "provider", lambda cell: cell.provider),
        "byAgent": _named(cells, "agentId", lambda cell: cell.agent_id),
        "byChannel": [],
        "byCreator": [],
        "costDaily": [{"date": day, **spent_row(spent)} for day, spent in sorted(by(cells, lambda cell: cell.day).items())],
        "dailyLatency": [],
        "modelDaily": [
            {"date": day, "provider": provider, "model": model, "tokens": spent.tokens, "cost": spent.usd, "count": spent.calls}
            for (day, provider, model), spent in sorted(
                by(cells, lambda cell: (cell.day, cell.provider, cell.model)).items(), key=lambda pair: pair[0]
            )
        ],
        "daily": [
            {"date": day, "tokens": spent.tokens, "cost": spent.usd, "messages": spent.calls, "toolCalls": 0, "errors": 0}
            for day, spent in sorted(by(cells, lambda cell: cell.day).items())
        ],
    }


def _models(cells: Iterable[Cell]) -> list[dict[str, Any]]:
    sums = by(cells, lambda cell: (cell.provider, cell.model))
    rows = sorted(sums.items(), key=lambda pair: -pair[1].tokens)
    return [
        {"provider": provider, "model": model, "count": spent.calls, "totals": spent_row(spent)}
        for (provider, model), spent in rows
    ]


def _named(cells: list[Cell], key: str, name: Callable[[Cell], str]) -> list[dict[str, Any]]:
    rows = sorted(by(cells, name).items(), key=lambda pair: -pair[1].tokens)
    return [{key: value, "count": spent.calls, "totals": spent_row(spent)} for value, spent in rows]


def _cells(services: GatewayServices, first: date, last: date, agent_id: str | None) -> list[Cell]:
    cells = services.models.usage.cells(first.isoformat(), last.isoformat())
    return [cell for cell in cells if agent_id is None or cell.agent_id == agent_id]


def _days(services: GatewayServices, start: str | None, end: str | None, count: int) -> tuple[date, date]:
    """First and last day, both included; local days, as they were booked."""
    try:
        last = date.fromisoformat(end) if end else date.fromisoformat(services.models.usage.day())
        first = date.fromisoformat(start) if start else last - timedelta(days=count - 1)
    except ValueError:
        raise invalid("startDate and endDate are days such as 2026-11-21") from None
    if first > last:
        raise invalid("startDate lies after endDate")
    return max(first, last - timedelta(days=3660)), last


def _each(first: date, last: date) -> list[str]:
    return [(first + timedelta(days=index)).isoformat() for index in range((last - first).days + 1)]


def usage_text(services: GatewayServices, key: str) -> str:
    """`/usage`: tokens and money of this session and today, and the limits."""
    entry = services.sessions.get(key)
    agent_id, usage = parse(key).agent, services.models.usage
    session_id = entry.session_id if entry is not None else ""
    account = Account(agent_id, key)
    if entry is not None:
        account = account_for(services.sessions, entry, entry.last_run_id or "")
    lines = ["Usage:"]
    if entry is not None and entry.last_run_id:
        lines.append(f"- last turn: {_words(usage.run(entry.last_run_id))}")
    lines.append(f"- this session: {_words(usage.session(session_id or key))}")
    lines.append(f"- today, all sessions: {_words(usage.today())}")
    models = by(usage.cells(usage.day(), usage.day()), lambda cell: f"{cell.provider}/{cell.model}")
    lines += [f"    - `{name}`: {_words(spent)}" for name, spent in sorted(models.items())]
    limits = [_limit_words(limit) for limit in services.models.budget.limits(account)]
    return "\n".join([*lines, *(limits or ["- budget: no limit is set (`budget` in openclaw.json)"])])


def _words(spent: Spent) -> str:
    unknown = f", {spent.unpriced} calls without a known price" if spent.unpriced else ""
    return f"{spent.tokens:,} tokens, ${spent.usd:.4f}{unknown}"


def _limit_words(limit: Limit) -> str:
    parts_ = [f"{limit.spent.tokens:,} of {limit.tokens:,} tokens"] if limit.tokens is not None else []
    parts_ += [f"${limit.spent.usd:.4f} of ${limit.usd:.2f}"] if limit.usd is not None else []
    return f"- budget for {limit.scope}: {', '.join(parts_)}"


METHODS = [
    Method("usage.status", NoParams, status, "operator.read"),
    Method("usage.cost", CostParams, cost, "operator.read"),
    Method("sessions.usage", SessionsUsageParams, sessions_usage, "operator.read"),
]
