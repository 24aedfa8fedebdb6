"""One state directory has one gateway, whoever asks for a second."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from tests.flow.processes import refused, running, start
from tests.flow.wire import client


async def test_the_second_refuses_and_names_the_first(tmp_path: Path) -> None:
    async with running(tmp_path / "s") as first:
        said = await refused(tmp_path / "s")
        assert str(first.process.pid) in said and str(tmp_path / "s") in said and said.count("\n") == 1
        async with client(first.ws, first.token) as peer:
            assert (await peer.call("health"))["ok"]
        runtime = json.loads((tmp_path / "s" / "gateway.json").read_text())
        assert runtime["pid"] == first.process.pid and runtime["url"] == first.url


async def test_a_dead_gateway_does_not_keep_the_directory(tmp_path: Path) -> None:
    first = await start(tmp_path / "s")
    await first.kill()
    async with running(tmp_path / "s") as second:
        assert second.token == first.token and second.process.pid != first.process.pid


async def test_a_command_becomes_a_client_of_the_one_that_runs(tmp_path: Path) -> None:
    async with running(tmp_path / "s") as first:
        command = ["-m", "openclaw_gateway", "agent", "--state-dir", str(tmp_path / "s"), "--message", "hi", "--json"]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=pipe, stderr=pipe)
        out, err = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0, err.decode()
        assert json.loads(out)
        assert json.loads((tmp_path / "s" / "gateway.json").read_text())["pid"] == first.process.pid
