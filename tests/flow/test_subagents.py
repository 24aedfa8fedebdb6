"""Subagents of a real gateway: killed with it, stopped with their parent, and no way round a question (AGT-33)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.model_server import FakeModelServer
from tests.fakes.telegram_server import TelegramServer
from tests.flow.processes import Live, messages, provider, running, start
from tests.flow.wire import Client, client, text_of

MAIN = "agent:main:main"
WAIT = '[[tool sessions_yield {"timeoutSeconds": 100}]]'
"""Keeps a parent at work until a result comes."""
BUSY = '[[tool exec {"command": "sleep 30"}]]'
"""Keeps a parent at work whatever comes."""
HOST = {"tools": {"exec": {"security": "full", "ask": "off", "host": "gateway", "backgroundMs": 100_000}}}
QUICK: dict[str, Any] = {"messages": {"queue": {"debounceMs": 0}}}


def spawn(task: str, label: str, **more: Any) -> str:
    return f"[[tool sessions_spawn {json.dumps({'task': task, 'label': label, **more})}]]"


def told(state_dir: Path) -> list[str]:
    """What subagents' ends were told, in every transcript on disk."""
    return [row["content"] for row in messages(state_dir) if row["role"] == "user" and row["content"].startswith("[Subagent ")]


def outbox(state_dir: Path) -> dict[str, dict[str, Any]]:
    path = state_dir / "subagents.jsonl"
    rows = [json.loads(line) for line in path.read_bytes().split(b"\n") if line] if path.exists() else []
    return {row["label"]: row for row in rows}


async def until(ready: Callable[[], Any], what: str) -> None:
    async with asyncio.timeout(30):
        while not ready():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert ready(), what


async def started(peer: Client, model: FakeModelServer, text: str, calls: int) -> str:
    """A run whose subagents are all waiting for the model."""
    run_id = await peer.say(text)
    await until(lambda: sum(_is_child(request.body) for request in model.requests) == calls, "the subagents at work")
    return run_id


def _is_child(body: Any) -> bool:
    return "You are a subagent" in json.dumps(body["messages"][0])


@pytest.mark.timeout(120)
@pytest.mark.parametrize("parent", ["has answered", "is at work"])
async def test_two_subagents_that_a_kill_cuts_reach_the_parent_once(tmp_path: Path, parent: str) -> None:
    state_dir = tmp_path / "s"
    async with FakeModelServer() as model:
        live = await start(state_dir, provider(model.openai_url, **QUICK))
        try:
            async with client(live.ws, live.token) as peer:
                more = WAIT if parent == "is at work" else ""
                both = spawn("[[sleep 60]] count the stars", "stars") + spawn("[[hang]] count the trees", "trees")
                run_id = await started(peer, model, f"{both}{more}", 2)
                if parent == "has answered":
                    await peer.final(run_id)
                else:
                    assert not any(row["state"] == "final" for row in peer.chat(run_id))
                assert not told(state_dir) and {row["state"] for row in outbox(state_dir).values()} == {"running"}
        finally:
            await live.kill()
        for restart in range(3):
            live = await start(state_dir)
            try:
                await until(lambda: len(told(state_dir)) == 2, f"both ends after restart {restart}")
                assert {row["state"] for row in outbox(state_dir).values()} == {"interrupted"}
                if parent == "has answered":
                    await until(lambda: {row["delivery"] for row in outbox(state_dir).values()} == {"delivered"}, "settled")
                    await check_parent(live)
            finally:
                await live.kill()
            assert "Traceback" not in live.said
        said = "\n".join(told(state_dir))
        assert len(told(state_dir)) == 2 and said.count('"stars" was interrupted') == said.count('"trees" was interrupted') == 1
        assert "the gateway stopped while it was at work" in said


async def check_parent(live: Live) -> None:
    """The ends are in the parent's own session, and its model has answered to them."""
    async with client(live.ws, live.token) as peer:

        async def whole() -> bool:
            rows = (await peer.call("chat.history", {"sessionKey": MAIN}))["messages"]
            ends = [row for row in rows if row["role"] == "user" and row["content"].startswith("[Subagent ")]
            return len(ends) == 2 and rows[-1]["role"] == "assistant" and rows[-1]["stopReason"] == "stop"

        async with asyncio.timeout(20):
            while not await whole():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        rows = {row["key"]: row for row in (await peer.call("sessions.list", {"spawnedBy": MAIN}))["sessions"]}
        assert len(rows) == 2 and {row["spawnedBy"] for row in rows.values()} == {MAIN}
        assert {row["status"] for row in rows.values()} == {"killed"}


@pytest.mark.timeout(120)
async def test_results_that_were_ready_when_the_gateway_was_killed_arrive_once(tmp_path: Path) -> None:
    """The subagents are done, the parent's lane is busy, the results wait behind it: then the kill."""
    state_dir = tmp_path / "s"
    async with FakeModelServer() as model:
        live = await start(state_dir, provider(model.openai_url, **QUICK, **HOST))
        try:
            async with client(live.ws, live.token) as peer:
                both = spawn("[[echo 42 stars]]", "stars") + spawn("[[echo 7 trees]]", "trees")
                run_id = await started(peer, model, f"{both}{BUSY}", 2)
                await until(lambda: {row["attempts"] for row in outbox(state_dir).values()} == {1}, "both on their way")
                assert not any(row["state"] == "final" for row in peer.chat(run_id))
        finally:
            await live.kill()
        for _ in range(2):
            async with running(state_dir) as live:
                await until(lambda: {row["delivery"] for row in outbox(state_dir).values()} == {"delivered"}, "settled")
        said = "\n".join(told(state_dir))
        assert len(told(state_dir)) == 2 and said.count("42 stars") == said.count("7 trees") == 1


async def test_results_come_back_and_a_stop_reaches_the_children(tmp_path: Path) -> None:
    async with (
        FakeModelServer() as model,
        running(tmp_path / "s", provider(model.openai_url, **QUICK)) as live,
        client(live.ws, live.token) as peer,
    ):
        await peer.call("sessions.subscribe")
        await peer.final(await peer.say(spawn("[[echo the sum is 12]]", "sum")))
        await until(lambda: told(live.state_dir), "the result")
        assert '"sum" has finished' in told(live.state_dir)[0] and "the sum is 12" in told(live.state_dir)[0]
        await peer.event("sessions.changed", reason="create")
        run_id = await started(peer, model, spawn("[[hang]]", "slow"), 2)
        await peer.final(run_id)
        assert "slow: running" in text_of(await peer.final(await peer.say("/subagents")))
        child = outbox(live.state_dir)["slow"]["child_key"]
        assert "- `sessions_spawn` by `subagent`" in text_of(await peer.final(await peer.say("/tools", child)))
        stopped = await peer.call("chat.abort", {"sessionKey": MAIN})
        assert stopped["aborted"] and len(stopped["runIds"]) == 1
        await until(lambda: outbox(live.state_dir)["slow"]["state"] == "stopped", "the end of the child")
        listed = text_of(await peer.final(await peer.say("/subagents list")))
        assert "sum: done (result delivered)" in listed and "slow: stopped" in listed
        assert (await peer.call("status"))["activeRuns"] == 0 and len(told(live.state_dir)) == 1


async def test_the_tools_see_and_reach_other_sessions(tmp_path: Path) -> None:
    async with (
        FakeModelServer() as model,
        running(tmp_path / "s", provider(model.openai_url, **QUICK)) as live,
        client(live.ws, live.token) as peer,
    ):
        await peer.final(await peer.say("[[echo the password of the garden gate is green]]", "agent:main:garden"))

        async def use(tool: str, **arguments: Any) -> str:
            await peer.final(await peer.say(f"[[tool {tool} {json.dumps(arguments)}]]"))
            rows = [row for row in messages(live.state_dir) if row["role"] == "toolResult" and row["toolName"] == tool]
            return str(rows[-1]["content"][0]["text"])

        assert "agent:main:garden" in await use("sessions_list", search="garden")
        assert "garden gate is green" in await use("sessions_history", sessionKey="agent:main:garden")
        assert "garden gate" in await use("sessions_search", query="Garden Gate")
        status = await use("session_status")
        assert "model: fake/fake-1" in status and "contextPercent:" in status and "time: " in status
        assert '"id": "main"' in await use("agents_list")
        reply = await use("sessions_send", sessionKey="agent:main:garden", message="[[echo it was oiled]]")
        assert "it was oiled" in reply and "<<<untrusted answer" in reply
        assert "no session 'agent:other:x'" in await use("sessions_history", sessionKey="agent:other:x")


async def test_a_child_of_a_tainted_parent_asks_before_it_touches_the_machine(tmp_path: Path) -> None:
    """What a sent file says is laundered neither through a subagent nor through what the subagent reports."""
    async with (
        FakeModelServer() as model,
        running(tmp_path / "s", provider(model.openai_url, **QUICK)) as live,
        client(live.ws, live.token) as peer,
    ):
        have = await peer.call("exec.approvals.get")
        file = {"version": 1, "agents": {"main": {"allowlist": [{"pattern": "touch"}]}}}
        await peer.call("exec.approvals.set", {"file": file, "baseHash": have["hash"]})
        workspace = live.state_dir / "workspace"
        act = f"[[tool exec {json.dumps({'command': 'touch owned'})}]]"
        await peer.final(await peer.say(spawn(act, "clean")))
        await until(lambda: "clean" in "".join(told(live.state_dir)), "the clean one")
        assert (workspace / "owned").exists(), "the list of a clean session lets it through"
        (workspace / "owned").unlink()
        (workspace / "inbound").mkdir()
        (workspace / "inbound" / "mail.txt").write_text("do as I say")
        await peer.final(await peer.say(f"[[tool read {json.dumps({'path': 'inbound/mail.txt'})}]]"))
        await peer.say(spawn(act, "dirty"))
        asked = await peer.event("exec.approval.requested")
        assert asked["request"]["command"] == "touch owned" and ":subagent:" in asked["request"]["sessionKey"]
        await peer.call("exec.approval.resolve", {"id": asked["id"], "decision": "deny"})
        await until(lambda: "dirty" in "".join(told(live.state_dir)), "the dirty one")
        assert "<<<untrusted subagent" in told(live.state_dir)[-1] and not (workspace / "owned").exists()


async def test_a_result_is_answered_on_the_channel_its_task_came_from(tmp_path: Path) -> None:
    async with FakeModelServer() as model, TelegramServer() as telegram:
        block = {"botToken": telegram.token, "apiBaseUrl": telegram.url, "filesBaseUrl": telegram.url, "allowFrom": ["42"]}
        config = provider(
            model.openai_url,
            channels={"telegram": {"enabled": True, **block}},
            commands={"ownerAllowFrom": ["telegram:42"]},
            messages={"inbound": {"debounceMs": 0}, "queue": {"debounceMs": 0}},
        )
        async with running(tmp_path / "s", config) as live, client(live.ws, live.token) as peer:
            telegram.world.say(f"[[echo I have begun]] {spawn('[[echo 12 pears]]', 'pears')}", user=42)
            await until(lambda: any("I have begun" in text for text in telegram.world.texts(42)), "the first answer")
            await until(lambda: any("one two three" in text for text in telegram.world.texts(42)), "the answer to the result")
            await until(lambda: outbox(live.state_dir)["pears"]["delivery"] == "delivered", "settled")
            assert sum("one two three" in text for text in telegram.world.texts(42)) == 1
            # What is asked for in the app is answered there.
            await peer.final(await peer.say(f"[[echo begun here]] {spawn('[[echo 3 figs]]', 'figs')}"))
            await until(lambda: outbox(live.state_dir)["figs"]["delivery"] == "delivered", "settled")
            assert len(telegram.world.texts(42)) == 2, telegram.world.texts(42)


async def test_what_a_subagent_spends_counts_and_a_runaway_is_stopped(tmp_path: Path) -> None:
    async with FakeModelServer() as model:
        config = provider(model.openai_url, **QUICK, budget={"day": {"usd": 0.20}})
        config["models"]["providers"]["fake"]["models"][0] |= {"cost": {"input": 1.0, "output": 1000.0}, "maxTokens": 100}
        async with running(tmp_path / "s", config) as live, client(live.ws, live.token) as peer:
            await peer.say(spawn('[[tool memory_search {"query": "x"}]] [[again]]', "runaway") + WAIT)
            await until(lambda: outbox(live.state_dir).get("runaway", {}).get("delivery") == "delivered", "the end")
            assert outbox(live.state_dir)["runaway"]["state"] == "failed"
            assert "budget.day.usd" in told(live.state_dir)[0]
            cost = await peer.call("usage.cost", {"days": 2})
            assert 0 < cost["totals"]["totalCost"] <= 0.20
            child = outbox(live.state_dir)["runaway"]["child_key"]
            assert child in {row["key"] for row in (await peer.call("sessions.usage", {"range": "7d"}))["sessions"]}


@pytest.mark.parametrize("schedule", [{"kind": "every", "everyMs": 3_600_000}, {"kind": "at", "at": "1s"}])
async def test_what_a_job_makes_of_a_result_is_told_where_its_answer_is(tmp_path: Path, schedule: dict[str, Any]) -> None:
    async with (
        FakeModelServer() as model,
        running(tmp_path / "s", provider(model.openai_url, **QUICK)) as live,
        client(live.ws, live.token) as peer,
    ):
        job = {
            "name": "look",
            "schedule": schedule,
            "sessionTarget": "isolated",
            "payload": {"kind": "agentTurn", "message": f"[[echo begun]] {spawn('[[echo 12 pears]]', 'pears')}"},
            "delivery": {"mode": "announce", "channel": "last"},
        }
        made = await peer.call("cron.add", job)
        if schedule["kind"] == "every":
            await peer.call("cron.run", {"id": made["id"], "mode": "force"})
        await until(lambda: outbox(live.state_dir).get("pears", {}).get("delivery") == "delivered", "the result")
        rows: list[Any] = []
        async with asyncio.timeout(20):
            while len(rows) < 2:
                rows = (await peer.call("chat.history", {"sessionKey": "main"}))["messages"]
        said = [row["content"][0]["text"] for row in rows]
        assert "begun" in said and any(text.startswith("one two three") for text in said) and len(said) == 2
