"""Gateways in processes of their own, for tests that kill them, starve them or start them where they cannot run."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIMIT_S = 60
PROVIDER_KEY = "a-key-the-fake-provider-takes"


@dataclass
class Live:
    """A gateway that is ready. `stderr` is the file its stderr goes to."""

    process: asyncio.subprocess.Process
    url: str
    token: str
    state_dir: Path
    stderr: Path

    @property
    def ws(self) -> str:
        return self.url.replace("http", "ws", 1) + "/"

    @property
    def said(self) -> str:
        """What it wrote on stderr so far."""
        return self.stderr.read_text()

    @property
    def alive(self) -> bool:
        return self.process.returncode is None

    async def kill(self) -> None:
        """`kill -9`."""
        self.process.kill()
        await self.process.wait()

    async def stop(self) -> None:
        if self.alive:
            self.process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(self.process.wait(), LIMIT_S)


async def start(state_dir: Path, config: dict[str, Any] | None = None) -> Live:
    """`serve --json --port 0` over `state_dir`, when it is ready."""
    if config is not None:
        await asyncio.to_thread(write_config, state_dir, json.dumps(config))
    stderr = state_dir.with_name(state_dir.name + ".stderr")
    process = await spawn(state_dir, "--port", "0", stderr=stderr)
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), LIMIT_S)
    assert line, stderr.read_text()
    ready = json.loads(line)
    assert ready["ready"] is True and ready["pid"] == process.pid
    return Live(process, ready["url"], ready["token"], state_dir, stderr)


@asynccontextmanager
async def running(state_dir: Path, config: dict[str, Any] | None = None) -> AsyncIterator[Live]:
    """A gateway that ends with the block, and ends well."""
    live = await start(state_dir, config)
    try:
        yield live
    finally:
        await live.stop()
    assert live.process.returncode in (0, -signal.SIGKILL) and "Traceback" not in live.said


async def refused(state_dir: Path, *arguments: str) -> str:
    """What a gateway that cannot start says on stderr. It prints nothing else, shows no traceback, and exits with 1."""
    process = await spawn(state_dir, *(arguments or ("--port", "0")))
    out, err = await asyncio.wait_for(process.communicate(), LIMIT_S)
    said = err.decode()
    assert process.returncode == 1 and out == b"" and "Traceback" not in said, said
    return said


async def spawn(state_dir: Path, *arguments: str, stderr: Path | None = None) -> asyncio.subprocess.Process:
    command = ["-m", "openclaw_gateway", "serve", "--json", "--state-dir", str(state_dir), *arguments]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OPENCLAW_")}
    target: Any = asyncio.subprocess.PIPE
    if stderr is not None:
        target = os.open(stderr, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return await asyncio.create_subprocess_exec(
            sys.executable, *command, stdout=asyncio.subprocess.PIPE, stderr=target, env=environment
        )
    finally:
        if stderr is not None:
            os.close(target)


def write_config(state_dir: Path, text: str) -> None:
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    (state_dir / "openclaw.json").write_text(text)


def provider(openai_url: str, key: str = PROVIDER_KEY, **more: Any) -> dict[str, Any]:
    """A configuration whose only model is the fake server's."""
    fake = {"baseUrl": openai_url, "apiKey": key, "api": "openai-completions", "models": [{"id": "fake-1", "name": "Fake"}]}
    return {
        "models": {"providers": {"fake": fake}},
        "agents": {"defaults": {"model": {"primary": "fake/fake-1"}}},
        **more,
    }


def records(state_dir: Path) -> Iterator[dict[str, Any]]:
    """Every whole line of every transcript, as it is on disk now."""
    for path in sorted((state_dir / "agents").glob("*/sessions/*.jsonl")):
        if path.name != "index.jsonl":
            for line in path.read_bytes().split(b"\n"):
                if line:
                    yield json.loads(line)


def messages(state_dir: Path) -> list[dict[str, Any]]:
    return [record["message"] for record in records(state_dir) if record.get("type") == "message"]
