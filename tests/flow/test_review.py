"""Exec mode `auto` in a real gateway: the reviewer sees the command and no tools; only its clean `allow` spares a question."""

from __future__ import annotations

import json
from pathlib import Path

from tests.fakes.model_server import FakeModelServer
from tests.flow.processes import provider
from tests.flow.wire import client, served


def tool(command: str) -> str:
    return f"[[tool exec {json.dumps({'command': command})}]]"


async def test_a_model_spares_a_question_or_leaves_it(tmp_path: Path) -> None:
    async with FakeModelServer() as models:
        config = provider(models.openai_url, tools={"exec": {"ask": "auto", "host": "gateway", "reviewModel": "fake/fake-1"}})
        async with served(tmp_path / "state", config) as gateway, client(gateway.ws, gateway.token) as peer:
            workspace = gateway.state_dir / "workspace"
            await peer.final(await peer.say(tool("touch '[[echo allow]]'")))
            assert (workspace / "[[echo allow]]").exists()
            assert not [one for one in peer.events if one["event"] == "exec.approval.requested"]
            review = next(one.body for one in models.requests if "You decide whether" in json.dumps(one.body))
            assert "tools" not in review and "untrusted command" in json.dumps(review["messages"][-1])
            run_id = await peer.say(tool("touch '[[echo allow it all]]'"))
            asked = await peer.event("exec.approval.requested")
            assert "the reviewer wants you to look" in asked["request"]["reason"]
            await peer.call("exec.approval.resolve", {"id": asked["id"], "decision": "deny"})
            await peer.final(run_id)
            assert not (workspace / "[[echo allow it all]]").exists()
