"""Jobs an agent makes: capped to its tools, told to its owner alone, hidden from every other run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.automation.agent_jobs import MAX_JOBS, AgentJobs
from openclaw_kernel.tools.api import ToolContext, ToolError
from openclaw_kernel.tools.cron import CronArgs, cron_tool
from openclaw_kernel.values.errors import OpenClawError
from openclaw_kernel.values.stream import AbortSignal
from tests.unit.automation.conftest import HOUR, Bench

MAIN = "agent:main:main"
ADD = {"name": "look", "schedule": {"kind": "every", "every": "2h"}, "payload": {"kind": "agentTurn", "message": "look"}}


@pytest.fixture
def jobs(bench: Bench) -> AgentJobs:
    ids = iter(f"job-{number}" for number in range(1000))
    return AgentJobs(lambda: bench.cron, lambda agent: ("read", "cron"), clock=lambda: bench.now, new_id=lambda: next(ids))


def own(job_id: str) -> str:
    return f"agent:main:cron:{job_id}:run:1"


async def test_a_job_has_no_tool_its_maker_had_not(bench: Bench, jobs: AgentJobs) -> None:
    greedy = {**ADD, "payload": {**ADD["payload"], "toolsAllow": ["exec", "read", "*"]}}  # type: ignore[dict-item]
    for wire in (ADD, greedy, {**ADD, "delivery": {"mode": "webhook", "to": "https://evil.test/"}}):
        made = await jobs(MAIN, "main", "add", wire)
        job = bench.cron.get(made["id"])
        assert set(job.payload.tools or ()) <= {"read", "cron"} and not job.trusted
        assert job.delivery.mode == "none" and "scheduledToolPolicy" not in made
    told = await jobs(MAIN, "main", "add", {**ADD, "delivery": {"mode": "announce", "channel": "telegram", "to": "42"}})
    assert told["delivery"] == {"mode": "announce", "channel": "last"}
    edited = await jobs(MAIN, "main", "edit", {"id": told["id"], "payload": {"toolsAllow": ["exec"]}})
    assert edited["payload"]["toolsAllow"] == []


async def test_a_run_sees_and_removes_only_itself(bench: Bench, jobs: AgentJobs) -> None:
    first = (await jobs(MAIN, "main", "add", ADD))["id"]
    second = (await jobs(MAIN, "main", "add", ADD))["id"]
    assert [row["id"] for row in (await jobs(own(first), "main", "list", {}))["jobs"]] == [first]
    for action in ("remove", "run", "edit"):
        with pytest.raises(OpenClawError, match="unknown cron job"):
            await jobs(own(first), "main", action, {"id": second})
    with pytest.raises(OpenClawError, match="cannot plan further"):
        await jobs(own(first), "main", "add", ADD)
    assert await jobs(own(first), "main", "remove", {}) == {"removed": True}
    assert [job.id for job in bench.cron.jobs()] == [second]


async def test_other_agents_jobs_are_out_of_reach(bench: Bench, jobs: AgentJobs) -> None:
    mine = (await jobs(MAIN, "main", "add", ADD))["id"]
    assert (await jobs("agent:work:main", "work", "list", {}))["jobs"] == []
    with pytest.raises(OpenClawError):
        await jobs("agent:work:main", "work", "remove", {"id": mine})
    made = await jobs("agent:work:main", "work", "add", {**ADD, "agentId": "main", "sessionKey": MAIN})
    assert bench.cron.get(made["id"]).agent_id == "work", "an agent plans for itself alone"


async def test_a_run_may_put_off_its_next_look(bench: Bench, jobs: AgentJobs) -> None:
    job_id = (await jobs(MAIN, "main", "add", ADD))["id"]
    await jobs(own(job_id), "main", "next_check", {"in": "5h"})
    assert bench.cron.next_due() == bench.now + 5 * HOUR
    for wait in ("1s", "30d", "soon", None):
        with pytest.raises(OpenClawError):
            await jobs(own(job_id), "main", "next_check", {"in": wait})
    with pytest.raises(OpenClawError):
        await jobs(MAIN, "main", "next_check", {"in": "1h"})


async def test_there_is_an_end_to_planning(jobs: AgentJobs) -> None:
    for _ in range(MAX_JOBS):
        await jobs(MAIN, "main", "add", ADD)
    with pytest.raises(OpenClawError, match="remove some first"):
        await jobs(MAIN, "main", "add", ADD)


async def test_the_tool_speaks_the_schedulers_language(tmp_path: Path) -> None:
    heard: list[tuple[Any, ...]] = []

    async def service(*words: Any) -> dict[str, Any]:
        heard.append(words)
        return {"id": "j"}

    tool = cron_tool(service)
    context = ToolContext("r", MAIN, "main", tmp_path, AbortSignal(), lambda _text, _part: None, {})
    args = {"action": "add", "name": "n", "message": "m", "schedule": {"cron": "0 9 * * *", "tz": "Europe/Berlin"}}
    await tool.run(CronArgs.model_validate(args), context)
    assert heard[0][:3] == (MAIN, "main", "add")
    assert heard[0][3] == {
        "name": "n",
        "schedule": {"kind": "cron", "expr": "0 9 * * *", "tz": "Europe/Berlin"},
        "payload": {"kind": "agentTurn", "message": "m"},
        "sessionTarget": "isolated",
        "delivery": {"mode": "announce"},
    }
    with pytest.raises(ToolError, match="exactly one"):
        await tool.run(CronArgs.model_validate({"action": "add", "schedule": {"at": "1h", "every": "1h"}}), context)
