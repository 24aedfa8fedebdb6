"""Subagents: limits, results that arrive once and through everything, stops that reach all, words that stay marked (AGT-33)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.agent.subagents_rows import open_rows
from openclaw_kernel.agent.subagents_rules import BACKLOG_BLOCK, retry_ms
from openclaw_kernel.safety.approvals import Approval
from openclaw_kernel.sessions.transcript import Transcript
from openclaw_kernel.tools.api import text_result
from openclaw_kernel.tools.sessions_api import Caller
from openclaw_kernel.values.errors import OpenClawError, UserError, unavailable
from openclaw_kernel.values.messages import Text, ToolCall, UserMessage
from tests.unit.agent.conftest import Bench, Command, Held, fail, say
from tests.unit.agent.subagents_bench import MAIN, House, Minds, house


def limits(**values: Any) -> dict[str, Any]:
    return {"agents": {"defaults": {"subagents": values}, "list": [{"id": "main", "default": True}, {"id": "other"}]}}


def taint(it: House, key: str = MAIN) -> None:
    it.bench.sessions.open(key).transcript.append({"type": "custom", "customType": "taint", "data": {"tool": "web_fetch"}})


async def test_a_task_is_accepted_at_once_and_its_result_starts_a_turn_of_the_parent(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        minds = Minds(it.bench)
        minds.child = slow = Held(text="the answer is 42")
        (tmp_path / "workspace").mkdir()
        (tmp_path / "workspace" / "AGENTS.md").write_text("count by hand")
        (tmp_path / "workspace" / "USER.md").write_text("Ada lives in Ulm")
        row = await it.spawn("count the stars", label="stars")
        assert row["status"] == "accepted" and row["childSessionKey"].startswith("agent:main:subagent:")
        assert not it.results() and it.rows()[0].state == "running"
        entry = it.bench.sessions.get(row["childSessionKey"])
        assert entry is not None and (entry.parent_session_key, entry.spawn_depth, entry.label) == (MAIN, 1, "stars")
        assert (row["childSessionKey"], "create") in it.told
        await slow.reached.wait()
        prompt = it.bench.models.calls[0].prompt.text
        assert "You are a subagent" in prompt and "## Commands" not in prompt
        assert "count by hand" in prompt and "Ulm" not in prompt
        slow.release.set()
        await it.until(lambda: it.rows()[0].delivery == "delivered")
        (told,) = it.results()
        assert '"stars" has finished' in told and "the answer is 42" in told and row["childSessionKey"] in told
        assert it.bench.history()[-1]["content"][0]["text"] == "noted"
        meta = it.bench.history()[0]["__openclaw"]
        assert meta["provenance"]["sourceSessionKey"] == row["childSessionKey"] and "untrusted" not in meta


async def test_the_row_is_on_disk_before_the_run(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        Minds(it.bench)
        on_disk: list[str] = []
        submit = it.bench.runtime.submit

        async def watched(request: Any) -> Any:
            on_disk.append((tmp_path / "subagents.jsonl").read_text())
            return await submit(request)

        it.bench.runtime.submit = watched  # type: ignore[method-assign]
        row = await it.spawn()
        assert row["runId"] in on_disk[0]


async def test_a_result_joins_the_run_of_the_parent_that_is_under_way(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        minds = Minds(it.bench)
        ready = asyncio.Event()

        async def wait(_arguments: Any, _context: Any) -> Any:
            await it.spawn("count")
            await it.until(lambda: it.bench.runtime.queued(MAIN))
            ready.set()
            return text_result("waited")

        it.bench.tool("wait", wait)
        minds.parent = [say("", ToolCall("c1", "wait", {})), say("all in one turn")]
        outcome = await it.bench.run("r1", key=MAIN)
        assert ready.is_set() and outcome.message.text == "all in one turn"
        await it.until(lambda: it.rows()[0].delivery == "delivered")
        assert len(it.results()) == 1 and "42" in it.results()[0]
        roles = [row["role"] for row in it.bench.history(MAIN)]
        assert roles == ["user", "assistant", "toolResult", "user", "assistant"]


async def test_results_that_come_together_are_one_turn(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        minds = Minds(it.bench)
        minds.held[MAIN] = busy = Held()
        await it.bench.runtime.submit(it.bench.request("r1", key=MAIN))
        await busy.reached.wait()
        for label in ("a", "b", "c"):
            await it.spawn(label, label=label)
        await it.until(lambda: len(it.bench.runtime.queued(MAIN)) == 3)
        del minds.held[MAIN]
        calls = sum(call.session_key == MAIN for call in it.bench.models.calls)
        busy.release.set()
        await it.until(lambda: all(row.delivery == "delivered" for row in it.rows()))
        assert len(it.results()) == 3
        assert sum(call.session_key == MAIN for call in it.bench.models.calls) == calls + 1


async def test_a_failure_and_a_timeout_are_told_with_what_is_known(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        minds = Minds(it.bench)
        minds.child = [fail("the model is down", after="I had begun")]
        await it.spawn(label="one")
        await it.until(lambda: it.results())
        assert '"one" has failed' in it.results()[0] and "the model is down" in it.results()[0]
        minds.child = Held(text="so far")
        await it.spawn(label="two", run_timeout_s=1)
        await it.until(lambda: it.rows()[1].state != "running")
        assert it.rows()[1].state == "timeout"


@pytest.mark.parametrize("rest", ["at work", "waiting in the lane"])
async def test_after_a_crash_the_parent_hears_once_that_it_was_interrupted(tmp_path: Path, rest: str) -> None:
    async with house(tmp_path, **limits(maxConcurrent=1)) as it:
        minds = Minds(it.bench)
        minds.child = Held(text="half a thought")
        await it.spawn(label="one")
        await it.until(lambda: it.bench.models.calls)
        if rest == "waiting in the lane":
            await it.spawn(label="two")
        await it.restart()
        await it.until(lambda: all(row.delivery == "delivered" for row in it.rows()))
        assert len(it.results()) == len(it.rows())
        assert all("was interrupted" in text and "the gateway stopped" in text for text in it.results())
        for _ in range(2):
            await it.restart()
            await asyncio.sleep(0.05)
        assert len(it.results()) == len(it.rows())


async def test_a_row_without_a_run_is_told_as_interrupted(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        Minds(it.bench)

        async def crash(_request: Any) -> Any:
            raise asyncio.CancelledError

        submit, it.bench.runtime.submit = it.bench.runtime.submit, crash  # type: ignore[method-assign]
        with pytest.raises(asyncio.CancelledError):
            await it.spawn(label="never")
        it.bench.runtime.submit = submit  # type: ignore[method-assign]
        await it.restart()
        await it.until(lambda: it.results())
        assert "before it could start" in it.results()[0]


@pytest.mark.parametrize("moment", ["before the run is known", "after the message is stored"])
async def test_a_crash_during_a_delivery_brings_nothing_twice(tmp_path: Path, moment: str) -> None:
    async with house(tmp_path) as it:
        minds = Minds(it.bench)
        submit = it.bench.runtime.submit

        async def dying(request: Any) -> Any:
            if request.run_id.endswith(":result"):
                if moment == "after the message is stored":
                    await submit(request)
                raise asyncio.CancelledError
            return await submit(request)

        minds.held[MAIN] = Held()
        it.bench.runtime.submit = dying  # type: ignore[method-assign]
        row = await it.spawn(label="once")
        await it.until(lambda: it.rows()[0].attempts == 1)
        await asyncio.sleep(0.02)
        assert it.rows()[0].delivery == "open"
        del minds.held[MAIN]
        await it.restart()
        await it.until(lambda: it.rows()[0].delivery == "delivered")
        await it.restart()
        await asyncio.sleep(0.02)
        assert len(it.results()) == 1 and it.rows()[0].id == row["runId"]


async def test_a_delivery_that_fails_is_tried_again_for_half_an_hour(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        Minds(it.bench)
        submit, refused = it.bench.runtime.submit, []

        async def shut(request: Any) -> Any:
            if ":result" in request.run_id:
                refused.append(request.run_id)
                raise unavailable("not now")
            return await submit(request)

        it.bench.runtime.submit = shut  # type: ignore[method-assign]
        await it.spawn()
        for number in range(40):
            await it.until(lambda n=number: len(it.naps) > n or it.rows()[0].delivery == "late")
            if it.rows()[0].delivery == "late":
                break
            it.pass_time(it.naps[-1])
        assert it.naps[0] == 15 and it.rows()[0].delivery == "late" and it.rows()[0].result == "42"
        assert len(set(refused)) == 1, "a delivery that was never taken keeps its id"
        assert it.desk.children(Caller(MAIN, "main", "r"))[0]["result"] == "could not be delivered"
        it.bench.runtime.submit = submit  # type: ignore[method-assign]
        await it.restart()
        await it.until(lambda: it.rows()[0].delivery == "delivered")
        assert len(it.results()) == 1


def test_the_pauses_between_deliveries() -> None:
    assert [retry_ms(number) // 1000 for number in (1, 2, 3, 4, 5, 6, 7)] == [15, 30, 60, 120, 240, 300, 300]


async def test_depth_children_agents_and_models_are_limited(tmp_path: Path) -> None:
    async with house(tmp_path, **limits(maxChildrenPerAgent=2)) as it:
        minds = Minds(it.bench)
        minds.child = Held()
        first = await it.spawn()
        await it.spawn()
        with pytest.raises(OpenClawError, match="2 subagents of this session are running"):
            await it.spawn()
        with pytest.raises(OpenClawError, match="maxSpawnDepth is 1"):
            await it.spawn(key=first["childSessionKey"])
        with pytest.raises(OpenClawError, match="may not start 'other'"):
            await it.spawn(key="agent:main:second" if it.bench.sessions.open("agent:main:second") else "", agent_id="other")
        with pytest.raises(OpenClawError, match="unknown agent 'nobody'"):
            await it.spawn(key="agent:main:second", agent_id="nobody")
        with pytest.raises(UserError, match="not known"):
            await it.spawn(key="agent:main:second", model="fake/none")
        assert len(it.rows()) == 2


async def test_another_agent_is_started_where_the_config_allows_it(tmp_path: Path) -> None:
    async with house(tmp_path, **limits(allowAgents=["other"])) as it:
        Minds(it.bench)
        row = await it.spawn(agent_id="other")
        assert row["childSessionKey"].startswith("agent:other:subagent:")
        await it.until(lambda: it.results())


async def test_only_so_many_work_at_a_time(tmp_path: Path) -> None:
    async with house(tmp_path, **limits(maxConcurrent=2, maxChildrenPerAgent=5)) as it:
        minds = Minds(it.bench)
        minds.child = Held()
        rows = [await it.spawn() for _ in range(4)]
        await it.until(lambda: len(it.bench.models.calls) == 2)
        await asyncio.sleep(0.02)
        working = [row for row in rows if it.bench.runtime.active(row["childSessionKey"])]
        assert len(working) == 2
        await it.bench.run("r9", key=MAIN)  # the parent's own lane is free


async def test_a_backlog_stops_new_ones(tmp_path: Path) -> None:
    async with house(tmp_path, **limits(maxChildrenPerAgent=100, maxConcurrent=100)) as it:
        minds = Minds(it.bench)
        minds.held[MAIN] = Held()
        await it.bench.runtime.submit(it.bench.request("r1", key=MAIN))
        for _ in range(BACKLOG_BLOCK):
            await it.spawn()
        await it.until(lambda: sum(row.owed for row in it.rows()) == BACKLOG_BLOCK)
        with pytest.raises(OpenClawError, match="50 results of subagents wait"):
            await it.spawn()


async def test_a_stop_of_the_parent_ends_its_children_and_their_children(tmp_path: Path) -> None:
    async with house(tmp_path, **limits(maxSpawnDepth=2)) as it:
        minds = Minds(it.bench)
        minds.child = Held()
        child = await it.spawn()
        grandchild = await it.spawn(key=child["childSessionKey"])
        assert grandchild["childSessionKey"].startswith(child["childSessionKey"] + ":subagent:")
        await it.until(lambda: len(it.bench.models.calls) == 2)
        stopped = it.bench.runtime.abort(MAIN, reason="stop")
        assert set(stopped) == {child["runId"], grandchild["runId"]}
        await it.until(lambda: all(row.state == "stopped" for row in it.rows()))
        await asyncio.sleep(0.02)
        assert not it.bench.runtime.active() and not it.results()
        assert {row.delivery for row in it.rows()} == {"none"}


async def test_a_stop_of_one_run_leaves_the_children_of_others(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        minds = Minds(it.bench)
        minds.child = Held()
        mine, other = await it.spawn(run="r1"), await it.spawn(run="r2")
        await it.until(lambda: len(it.bench.models.calls) == 2)
        assert it.bench.runtime.abort(MAIN, "r1", "rpc") == [mine["runId"]]
        await it.until(lambda: it.rows()[0].state == "stopped")
        assert it.rows()[1].running and it.rows()[1].id == other["runId"]
        assert it.bench.runtime.abort(MAIN, reason="interrupt") == []


async def test_who_started_a_subagent_is_known_when_the_session_is_idle(tmp_path: Path) -> None:
    """Else anybody who may write could end what another client has started, once its run is over."""
    async with house(tmp_path, **limits(maxSpawnDepth=2)) as it:
        minds = Minds(it.bench)
        minds.child, minds.held[MAIN] = Held(), Held()
        await it.bench.runtime.submit(replace(it.bench.request("r1", key=MAIN), client_id="alice"))
        child = await it.spawn(run="r1")
        minds.held[MAIN].release.set()
        await it.bench.runtime.wait("r1")
        await it.spawn(key=child["childSessionKey"], run=child["runId"])
        assert it.bench.runtime.clients(MAIN) == it.bench.runtime.clients(MAIN, "r1") == {"alice"}
        assert it.bench.runtime.clients(MAIN, "r2") == frozenset()
        assert "alice" in it.bench.runtime.clients(child["childSessionKey"])
        it.bench.runtime.abort(MAIN, reason="stop")
        await it.until(lambda: not any(row.running for row in it.rows()))
        assert it.bench.runtime.clients(MAIN) == frozenset()


async def test_an_orchestrator_answers_once_its_own_are_done(tmp_path: Path) -> None:
    async with house(tmp_path, **limits(maxSpawnDepth=2)) as it:
        minds = Minds(it.bench)
        slow = Held(text="deep")
        minds.child = [say("I have started one"), slow, say("together: deep")]
        child = await it.spawn(label="boss")
        deep = await it.spawn(key=child["childSessionKey"], label="deep")
        await slow.reached.wait()
        assert it.rows()[0].running and not it.results()
        slow.release.set()
        await it.until(lambda: it.results())
        assert "together: deep" in it.results()[0] and len(it.results()) == 1
        assert it.results(child["childSessionKey"]) and deep["runId"] != child["runId"]


async def test_kill_steer_list_and_log(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        minds, me = Minds(it.bench), Caller(MAIN, "main", "r")
        minds.child = [Held(text="thinking"), say("more")]
        row = await it.spawn("count", label="counter")
        await it.until(lambda: it.bench.models.calls)
        assert [line["state"] for line in it.desk.children(me)] == ["running"]
        assert "count" in it.desk.log(me, "counter")
        with pytest.raises(OpenClawError, match="no subagent 'x'"):
            it.desk.kill(me, "x")
        assert it.desk.kill(me, "all") == [row["runId"]] and it.desk.kill(me, "counter") == []
        await it.until(lambda: it.rows()[0].state == "stopped")
        assert it.desk.children(me)[0]["reason"] == "killed by its parent" and not it.results()
        again = await it.desk.steer(me, "counter", "go on")
        assert again["childSessionKey"] == row["childSessionKey"] and again["runId"] != row["runId"]
        await it.until(lambda: it.results())
        assert "more" in it.results()[0]


async def test_more_words_for_one_at_work_count_in_its_result(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        minds, me = Minds(it.bench), Caller(MAIN, "main", "r")
        slow = Held(text="first")
        minds.child = [slow, say("second")]
        row = await it.spawn(label="counter")
        await slow.reached.wait()
        assert (await it.desk.steer(me, row["runId"], "and then this"))["status"] == "steered"
        slow.release.set()
        await it.until(lambda: it.results())
        assert "second" in it.results()[0] and it.said(row["childSessionKey"])[-1] == "and then this"


async def test_waiting_for_a_result(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        minds, me = Minds(it.bench), Caller(MAIN, "main", "r")
        assert await it.desk.next_result(me, 5) is False
        minds.child = slow = Held()
        minds.held[MAIN] = Held()
        await it.spawn()
        assert await it.desk.next_result(me, 0.01) is False
        waiting = asyncio.ensure_future(it.desk.next_result(me, 10))
        await slow.reached.wait()
        slow.release.set()
        assert await waiting is True


async def test_waiting_ends_when_a_person_speaks(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        minds, me = Minds(it.bench), Caller(MAIN, "main", "r")
        minds.child = Held()
        minds.held[MAIN] = busy = Held()
        await it.bench.runtime.submit(it.bench.request("r1", key=MAIN))
        await busy.reached.wait()
        await it.spawn()
        await it.bench.runtime.submit(it.bench.request("r2", "stop waiting", key=MAIN, queue="steer"))
        async with asyncio.timeout(5):
            assert await it.desk.next_result(me, 100) is False


async def test_after_a_crash_nobody_is_started_for_one_that_was_cut_itself(tmp_path: Path) -> None:
    async with house(tmp_path, **limits(maxSpawnDepth=2)) as it:
        minds = Minds(it.bench)
        minds.child = Held(text="half")
        boss = await it.spawn(label="boss")
        await it.spawn(key=boss["childSessionKey"], run=boss["runId"], label="deep")
        await it.until(lambda: len(it.bench.models.calls) == 2)
        await it.restart()
        await it.until(lambda: not any(row.unsettled for row in it.rows()))
        assert [row.delivery for row in it.rows()] == ["delivered", "none"]
        assert len(it.results()) == 1 and not it.results(boss["childSessionKey"])


async def test_a_level_of_thinking_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    async with house(tmp_path, **limits(thinking="enormous")) as it:
        with pytest.raises(OpenClawError, match="'enormous' is not a level"):
            await it.spawn()
        row = await it.spawn(thinking="high")
        entry = it.bench.sessions.get(row["childSessionKey"])
        assert entry is not None and entry.thinking_level == "high"


async def test_sessions_are_archived_after_an_hour_or_deleted_at_once(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        Minds(it.bench)
        kept, gone = await it.spawn(label="kept"), await it.spawn(label="gone", cleanup="delete")
        await it.until(lambda: it.naps and it.rows()[1].archived)
        assert it.bench.sessions.get(gone["childSessionKey"]) is None and it.naps == [3600]
        it.pass_time(3600)
        await it.until(lambda: it.rows()[0].archived)
        entry = it.bench.sessions.get(kept["childSessionKey"])
        assert entry is not None and entry.archived
        await it.subagents.close()
        assert len(open_rows(tmp_path / "subagents.jsonl")) == 2
        it.open()


async def test_a_tainted_parent_has_tainted_children_whose_commands_are_asked_about(tmp_path: Path) -> None:
    async with house(tmp_path, tools={"exec": {"security": "full", "ask": "off"}}) as it:
        minds = Minds(it.bench)
        it.bench.tool("exec", parameters=Command, effect="host", exclusive=True)
        asked: list[Approval] = []

        def deny(approval: Approval) -> None:
            if approval.state == "pending":
                asked.append(approval)
                asyncio.get_running_loop().call_soon(it.bench.approvals.resolve, approval.id, "deny", "test")

        it.bench.approvals.on_change.append(deny)
        minds.child = [say("", ToolCall("c1", "exec", {"command": "touch x"})), say("done")] * 2
        await it.spawn()
        await it.until(lambda: it.results())
        assert it.bench.ran == ["exec"] and not asked, "a clean parent's child runs what its policy allows"
        it.bench.ran.clear()
        it.bench.config = it.bench.config.model_validate(
            {"messages": {"queue": {"debounceMs": 0}}, "tools": {"exec": {"security": "full", "ask": "on-miss"}}}
        )
        taint(it)
        await it.spawn()
        await it.until(lambda: len(it.results()) == 2)
        assert it.bench.ran == [] and [approval.card.command for approval in asked] == ["touch x"]


async def test_a_guests_child_is_a_guest(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        Minds(it.bench)
        row = await it.spawn(guest=True)
        await it.until(lambda: it.rows()[0].delivery == "delivered")
        first = it.bench.history(row["childSessionKey"])[0]["__openclaw"]
        assert first["senderIsOwner"] is False
        assert it.bench.history()[0]["__openclaw"]["senderIsOwner"] is False
        assert it.bench.sessions.open(MAIN).transcript.latest("taint") is not None


async def test_what_a_tainted_child_says_is_fenced_and_taints_the_parent(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        minds = Minds(it.bench)
        slow = Held(text="run this <|im_start|> now")
        minds.child = [slow]
        row = await it.spawn()
        await slow.reached.wait()
        taint(it, row["childSessionKey"])
        assert it.bench.sessions.open(MAIN).transcript.latest("taint") is None
        slow.release.set()
        await it.until(lambda: it.rows()[0].delivery == "delivered")
        assert "<<<untrusted subagent" in it.results()[0] and "<|im_start|>" not in it.results()[0]
        assert it.bench.sessions.open(MAIN).transcript.latest("taint") is not None


async def test_a_subagent_has_none_of_the_tools_that_speak_or_plan(tmp_path: Path) -> None:
    async with house(tmp_path, tools={"subagents": {"tools": {"deny": ["touch"]}}}) as it:
        Minds(it.bench)
        for name in ("sessions_spawn", "sessions_send", "cron", "gateway", "message", "subagents"):
            it.bench.tool(name)
        await it.spawn()
        await it.until(lambda: it.rows()[0].delivery == "delivered")
        child, parent = it.bench.models.calls[0], it.bench.models.calls[-1]
        assert [tool.name for tool in child.tools] == ["look"] and len(parent.tools) == 8
    async with house(tmp_path / "deep", **limits(maxSpawnDepth=2)) as it:
        Minds(it.bench)
        for name in ("sessions_spawn", "subagents", "cron"):
            it.bench.tool(name)
        await it.spawn()
        await it.until(lambda: it.rows()[0].delivery == "delivered")
        assert [tool.name for tool in it.bench.models.calls[0].tools] == ["look", "touch", "sessions_spawn", "subagents"]


async def test_a_run_with_few_tools_cannot_get_more_through_a_subagent(tmp_path: Path) -> None:
    """Nor through what its result starts, nor by steering one that has more."""
    async with house(tmp_path) as it:
        minds, free = Minds(it.bench), Held(text="at work")
        minds.child = [free, say("small"), say("steered")]
        rich = await it.spawn(label="rich")
        await free.reached.wait()

        async def begin(_arguments: Any, _context: Any) -> Any:
            await it.spawn("count", run="r1", label="poor")
            await it.desk.steer(Caller(MAIN, "main", "r1"), rich["runId"], "use everything")
            return text_result("begun")

        it.bench.tool("begin", begin)
        minds.parent = [say("", ToolCall("c1", "begin", {})), say("waiting")]
        await it.bench.run("r1", key=MAIN, tools=("begin", "look"))
        await it.until(lambda: it.rows()[1].delivery == "delivered")
        free.release.set()
        await it.until(lambda: it.rows()[0].delivery == "delivered")
        names = {call.messages[-1].content[0].text[:20]: [tool.name for tool in call.tools] for call in it.bench.models.calls}
        assert names["count"] == ["look", "begin"] and names['[Subagent "poor" has'] == ["look", "begin"]
        assert names["use everything"] == ["look", "begin"]
        assert names['[Subagent "rich" has'] == ["look", "touch", "begin"]
        await it.restart()
        assert it.rows()[1].tools == ("begin", "look")


async def test_a_parent_that_is_gone_is_not_made_again(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        minds = Minds(it.bench)
        it.bench.sessions.open("agent:main:brief")
        minds.child = slow = Held()
        await it.spawn(key="agent:main:brief")
        await slow.reached.wait()
        it.bench.sessions.delete("agent:main:brief")
        slow.release.set()
        await it.until(lambda: it.rows()[0].delivery == "none")
        assert it.bench.sessions.get("agent:main:brief") is None


async def test_steering_words_that_are_untrusted_taint_the_run_they_enter(bench: Bench) -> None:
    busy = Held()
    bench.models.script = [busy]
    await bench.runtime.submit(bench.request("r1"))
    await busy.reached.wait()
    transcript: Transcript = bench.sessions.open("main").transcript
    assert transcript.latest("taint") is None
    bench.runtime.steer("main", UserMessage((Text("hm"),), 1, meta={"untrusted": True}))
    assert transcript.latest("taint") is not None
    busy.release.set()
