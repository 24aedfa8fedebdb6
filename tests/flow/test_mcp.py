"""MCP servers under a real gateway: a turn uses one over stdio and one over HTTP, asked about, remembered, gone at the end."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from openclaw_kernel.store.process import is_alive
from tests.fakes.model_server import FakeModelServer
from tests.flow.processes import provider, running
from tests.flow.wire import Client, client, text_of
from tests.unit.tools.test_mcp import FAKE, HOSTILE, over_http


def _asked(peer: Client, run_id: str) -> dict[str, Any] | None:
    rows = [frame["payload"] for frame in peer.events if frame["event"] == "exec.approval.requested"]
    return next((row for row in rows if row["request"]["runId"] == run_id), None)


async def _answer(peer: Client, run_id: str, decision: str) -> dict[str, Any]:
    row: dict[str, Any] = await peer.until(lambda: _asked(peer, run_id))
    await peer.call("exec.approval.resolve", {"id": row["id"], "decision": decision})
    return row["request"]


def _results(model: FakeModelServer) -> str:
    return json.dumps(model.requests[-1].body["messages"])


async def test_a_turn_uses_servers_over_stdio_and_http(tmp_path: Path) -> None:
    async with FakeModelServer() as model, over_http() as url:
        servers = {"near": FAKE, "far": {"url": url}, "bad": HOSTILE, "gone": {"command": "/no/such/program"}}
        config = provider(model.openai_url, mcp={"servers": servers})
        async with running(tmp_path / "state", config) as live, client(live.ws, live.token) as peer:
            rows = (await peer.call("mcp.status"))["servers"]
            assert {row["name"]: row["state"] for row in rows} == dict.fromkeys(servers, "idle"), "nothing starts unasked"
            for name in servers:  # a turn waits three seconds at most, and a machine may be slow
                await peer.call("mcp.probe", {"name": name})
            for name, number in (("near", 3), ("far", 7)):
                run_id = await peer.say(f'[[tool {name}__add {{"a": 1, "b": {number - 1}}}]]', key=f"agent:main:{name}")
                request = await _answer(peer, run_id, "allow-once")
                assert f"{name}__add" in request["title"] and request["allowedDecisions"][-1] == "deny"
                await peer.final(run_id)
                assert f"\\n{number}\\n" in _results(model).replace("\\\\n", "\\n")
            rows = {row["name"]: row for row in (await peer.call("mcp.status"))["servers"]}
            assert [rows[name]["state"] for name in servers] == ["ready", "ready", "ready", "down"]
            assert "No such file" in rows["gone"]["reason"]
            offered = [tool["function"]["name"] for tool in model.requests[-1].body["tools"]]
            assert "bad__exec" in offered and offered.count("exec") == 1

            run_id = await peer.say("[[tool bad__exec {}]]", key="agent:main:bad")
            await _answer(peer, run_id, "allow-once")
            await peer.final(run_id)
            assert "<|im_start|>" not in _results(model) and "untrusted tool result" in _results(model)
            run_id = await peer.say('[[tool near__echo {"text": "again"}]]', key="agent:main:bad")
            request = await _answer(peer, run_id, "deny")
            assert "untrusted" in request["reason"].lower()
            await peer.final(run_id)

            run_id = await peer.say("[[tool near__child {}]]", key="agent:main:child")
            await _answer(peer, run_id, "allow-once")
            await peer.final(run_id)
            found = [word for word in _results(model).replace("\\n", " ").split() if word.isdigit() and int(word) > 100]
            pid = int(found[-1])
            assert is_alive(pid)
        assert not is_alive(pid), "what a server started ends with the gateway"


async def test_always_holds_for_this_server_until_it_is_another(tmp_path: Path) -> None:
    async with FakeModelServer() as model:
        state, say = tmp_path / "state", '[[tool f__echo {"text": "hello there"}]]'
        config = provider(model.openai_url, mcp={"servers": {"f": FAKE}})
        async with running(state, config) as live, client(live.ws, live.token) as peer:
            await peer.call("mcp.probe", {"name": "f"})
            run_id = await peer.say(say, key="agent:main:one")
            request = await _answer(peer, run_id, "allow-always")
            assert "allow-always" in request["allowedDecisions"]
            await peer.final(run_id)
            await peer.final(await peer.say(say, key="agent:main:two"))
            assert "hello there" in _results(model)
            assert len([frame for frame in peer.events if frame["event"] == "exec.approval.requested"]) == 1
        config["mcp"]["servers"]["f"] = {**FAKE, "args": ["-W", "ignore", *FAKE["args"]]}
        async with running(state, config) as live, client(live.ws, live.token) as peer:
            await peer.call("mcp.probe", {"name": "f"})
            run_id = await peer.say(say, key="agent:main:three")
            await _answer(peer, run_id, "deny")
            text_of(await peer.final(run_id))


async def test_the_command_line_adds_tests_and_removes_a_server(tmp_path: Path) -> None:
    state = tmp_path / "state"

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "openclaw_gateway", "mcp", *words, "--state-dir", str(state)]
        env = {**os.environ, "PYTHONPATH": str(FAKE["cwd"])}
        return subprocess.run(command, capture_output=True, text=True, timeout=120, env=env, check=False)

    async with FakeModelServer() as model, running(state, provider(model.openai_url)):
        ask = asyncio.to_thread
        more = ("--command", sys.executable, "--arg=-m", "--arg=tests.fakes.mcp_server", "--cwd", str(FAKE["cwd"]))
        added = await ask(run, "add", "f", *more, "--env", "MY_TOKEN=very-secret-value", "--include", "add,echo")
        assert added.returncode == 0, added.stderr
        assert "very-secret-value" not in (await ask(run, "show", "f")).stdout
        again = await ask(run, "add", "f", *more)
        assert again.returncode == 1 and "already" in again.stderr
        tested = await ask(run, "test", "f")
        assert tested.returncode == 0 and "f__add, f__echo" in tested.stdout, tested.stderr
        listed = await ask(run, "list", "--json")
        (row,) = json.loads(listed.stdout)
        assert row["state"] == "ready" and row["env"] == ["MY_TOKEN"] and "very-secret-value" not in listed.stdout
        assert (await ask(run, "remove", "f")).returncode == 0
        assert (await ask(run, "show", "f")).returncode == 1
