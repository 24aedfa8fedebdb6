"""Commands that outlive their turn: the session is told when they end, and nothing of them outlives the gateway (TOL-02)."""

from __future__ import annotations

import asyncio
import json
import os
import select
from pathlib import Path
from typing import Any

from tests.fakes.model_server import FakeModelServer
from tests.flow.processes import messages, provider, running
from tests.flow.wire import client

HOST: dict[str, Any] = {"exec": {"security": "full", "ask": "off", "host": "gateway", "backgroundMs": 50}}


def calls(tool: str, **arguments: Any) -> str:
    return f"[[tool {tool} {json.dumps(arguments)}]]"


def ends(pid: int) -> bool:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], 10)[0])
    finally:
        os.close(handle)


async def test_the_end_of_a_slow_command_starts_a_turn_of_its_session(tmp_path: Path) -> None:
    async with (
        FakeModelServer() as model,
        running(tmp_path / "state", provider(model.openai_url, tools=HOST)) as live,
        client(live.ws, live.token) as peer,
    ):
        command = "while [ ! -e go ]; do read -t 0.02 <> <(:); done; echo built"
        await peer.final(await peer.say(calls("exec", command=command)))
        result = next(row for row in messages(live.state_dir) if row["role"] == "toolResult")
        assert "Still running in the background as job-" in result["content"][0]["text"]
        before = len(model.requests)
        (live.state_dir / "workspace" / "go").touch()
        async with asyncio.timeout(20):
            while len(model.requests) == before:
                await peer.event("chat")
                await asyncio.sleep(0.02)
        woken = json.dumps(model.requests[-1].body["messages"][-1])
        assert "has ended (exit code 0)" in woken and "built" not in woken


async def test_a_stop_of_the_gateway_leaves_no_child(tmp_path: Path) -> None:
    async with FakeModelServer() as model, running(tmp_path / "state", provider(model.openai_url, tools=HOST)) as live:
        workspace = live.state_dir / "workspace"
        async with client(live.ws, live.token) as peer:
            command = "echo $$ > leader; setsid sleep 600 & echo $! > daemon; wait"
            await peer.final(await peer.say(calls("exec", command=command)))
        pids = [int((workspace / name).read_text()) for name in ("leader", "daemon")]
    assert [pid for pid in pids if not await asyncio.to_thread(ends, pid)] == []


async def test_a_program_at_a_terminal_is_steered_over_several_turns(tmp_path: Path) -> None:
    async with FakeModelServer() as model, running(tmp_path / "state", provider(model.openai_url, tools=HOST)) as live:
        async with client(live.ws, live.token) as peer:
            await peer.final(await peer.say(calls("exec", command="read -p 'name? ' n; echo hello $n", pty=True)))
            job = next(row["details"]["job"] for row in messages(live.state_dir) if row["role"] == "toolResult")
            await peer.final(await peer.say(calls("process", action="submit", job=job, text="Ada", wait_s=5)))
            await peer.final(await peer.say(calls("process", action="log", job=job)))
        shown = [row["content"][0]["text"] for row in messages(live.state_dir) if row["role"] == "toolResult"]
        assert "hello Ada" in shown[-1] and "exit code 0" in shown[-1]
