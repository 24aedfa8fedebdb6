"""Commands of a real gateway run in the sandbox by default, under the same policy and the same questions (SAF-18)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.safety.sandbox.bubblewrap import Bubblewrap
from tests.fakes.model_server import FakeModelServer
from tests.flow.processes import Live, messages, provider, running
from tests.flow.wire import client
from tests.needs import need

UNASKED: dict[str, Any] = {"exec": {"security": "full", "ask": "off"}}


@pytest.fixture(autouse=True)
async def bubblewrap() -> None:
    probe = await Bubblewrap().probe()
    need("bubblewrap", probe.usable, probe.reason)


async def call(live: Live, tool: str, arguments: dict[str, Any]) -> str:
    """What one tool call of a turn came to."""
    async with client(live.ws, live.token) as peer:
        await peer.final(await peer.say(f"[[tool {tool} {json.dumps(arguments)}]]"))
    results = [row for row in messages(live.state_dir) if row["role"] == "toolResult"]
    return json.dumps(results[-1])


async def test_a_command_and_a_program_run_inside_and_status_says_so(tmp_path: Path) -> None:
    async with FakeModelServer() as model, running(tmp_path / "state", provider(model.openai_url, tools=UNASKED)) as live:
        said = await call(
            live, "exec", {"command": f"pwd; hostname; cat {live.state_dir}/openclaw.json; echo kept > inside.txt"}
        )
        assert "/workspace" in said and "sandbox" in said and "baseUrl" not in said
        assert (live.state_dir / "workspace" / "inside.txt").read_text() == "kept\n"
        code = f"import os, sys; print(os.getcwd(), sys.version_info[:2], os.listdir({str(live.state_dir)!r}))"
        said = await call(live, "python", {"code": code})
        assert f"/workspace ({sys.version_info[0]}, {sys.version_info[1]}) ['workspace']" in said
        async with client(live.ws, live.token) as peer:
            status = await peer.call("status")
    assert status["sandbox"]["backend"] == "bubblewrap" and status["sandbox"]["runsIn"] == "sandbox"


async def test_policy_and_questions_hold_inside_too(tmp_path: Path) -> None:
    async with FakeModelServer() as model, running(tmp_path / "state", provider(model.openai_url)) as live:
        async with client(live.ws, live.token) as peer:
            run_id = await peer.say('[[tool exec {"command": "touch asked.txt"}]]')
            asked = await peer.event("exec.approval.requested")
            assert not (live.state_dir / "workspace" / "asked.txt").exists()
            await peer.call("exec.approval.resolve", {"id": asked["id"], "decision": "allow-once"})
            await peer.final(run_id)
        assert (live.state_dir / "workspace" / "asked.txt").exists()


async def test_the_host_is_used_where_the_config_says_so(tmp_path: Path) -> None:
    tools = {"exec": {**UNASKED["exec"], "host": "gateway"}}
    async with FakeModelServer() as model, running(tmp_path / "state", provider(model.openai_url, tools=tools)) as live:
        said = await call(live, "exec", {"command": "pwd"})
        assert str(live.state_dir / "workspace") in said
        async with client(live.ws, live.token) as peer:
            assert (await peer.call("status"))["sandbox"]["reason"] == "tools.exec.host is gateway"
