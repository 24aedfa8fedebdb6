"""A gateway that is killed while a notebook skill runs leaves no kernel behind and nothing unsaid (SKL-09)."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import psutil

from tests.flow import processes
from tests.flow.wire import client
from tests.unit.skills.put import code, header, notebook

GONE_S = 15
"""ipykernel looks after its parent once a second."""


async def test_kill_9_takes_the_kernel_along_and_the_run_is_marked(tmp_path: Path) -> None:
    pipe, state = tmp_path / "pipe", tmp_path / "state"
    os.mkfifo(pipe)
    source = f"import os, time\nopen({str(pipe)!r}, 'w').write(str(os.getpid()))\ntime.sleep(300)"
    live = await processes.start(state, {})
    notebook(state / "workspace" / "skills", "slow", header("slow"), code("n: int = 1", "parameters"), code(source))
    async with client(live.ws, live.token) as peer:
        await peer.say("run the skill slow with n=7")
        asked = await peer.event("exec.approval.requested")
        await peer.call("exec.approval.resolve", {"id": asked["id"], "decision": "allow-once"})
        kernel = psutil.Process(int(await asyncio.wait_for(asyncio.to_thread(pipe.read_text), 30)))
        await live.kill()
    await asyncio.to_thread(psutil.wait_procs, [kernel], GONE_S)
    assert not kernel.is_running() or kernel.status() == psutil.STATUS_ZOMBIE
    [kept] = (state / "skill-runs").glob("*.ipynb")
    assert "n = 7" in kept.read_text(), "what was about to run is on disk before it runs"
    async with processes.running(state) as again, client(again.ws, again.token) as peer:
        history = await peer.call("chat.history", {"sessionKey": "agent:main:main"})
        [result] = [message for message in history["messages"] if message["role"] == "toolResult"]
        assert result["isError"] and "interrupted" in json.dumps(result)
    assert len(list((state / "skill-runs").glob("*.ipynb"))) == 1, "it is not run again"
