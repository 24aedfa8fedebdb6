"""Both backends as the tools use them. What this machine cannot offer is skipped by name, or fails where it is required."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.safety.sandbox.bubblewrap import Bubblewrap
from openclaw_kernel.safety.sandbox.docker import Docker
from openclaw_kernel.safety.sandbox.service import Sandboxes
from openclaw_kernel.safety.sandbox_api import SandboxBackend
from openclaw_kernel.tools.api import ToolContext, ToolResult
from openclaw_kernel.tools.exec import ExecArgs, exec_tool
from openclaw_kernel.values.stream import AbortSignal
from tests.needs import need
from tests.unit.sandbox import engine

LIMITS = {"memoryMb": 128, "cpuSeconds": 20, "processes": 64, "tmpMb": 16, "fileMb": 32}
SECRET = "s3cret-of-the-gateway-9f2c"


@pytest.fixture(scope="session")
def docker_host() -> Iterator[str]:
    reason = engine.missing()
    need("docker", not reason, reason)
    with engine.engine() as host:
        yield host


@pytest.fixture(params=["bubblewrap", "docker"])
def backend(request: pytest.FixtureRequest) -> SandboxBackend:
    if request.param == "docker":
        return Docker(engine.IMAGE, env={"DOCKER_HOST": request.getfixturevalue("docker_host")})
    bubblewrap = Bubblewrap()
    probe = asyncio.run(bubblewrap.probe())
    need("bubblewrap", probe.usable, probe.reason)
    return bubblewrap


@dataclass
class Room:
    """A workspace, a state directory beside it that holds a secret, and `exec` in the sandbox."""

    workspace: Path
    state: Path
    backend: SandboxBackend
    signal: AbortSignal

    @property
    def secret(self) -> Path:
        return self.state / "gateway-token"

    def context(self, key: str = "agent:main:main", agent: str = "main") -> ToolContext:
        env = {**os.environ, "OPENCLAW_GATEWAY_TOKEN": SECRET, "ANTHROPIC_API_KEY": SECRET, "HARMLESS": SECRET}
        return ToolContext("r", key, agent, self.workspace, self.signal, lambda text, part: None, env)

    async def run(
        self, command: str, timeout_s: float = 60, key: str = "agent:main:main", agent: str = "main", **sandbox: Any
    ) -> ToolResult:
        settings = {"limits": LIMITS, **sandbox}
        config = OpenClawConfig.model_validate(
            {"agents": {"defaults": {"sandbox": settings}}, "tools": {"exec": {"host": "sandbox"}}}
        )
        sandboxes = Sandboxes(lambda: config, self.state, candidates=lambda *_: [self.backend])
        result = await exec_tool(timeout_s, sandboxes).run(ExecArgs(command=command), self.context(key, agent))
        assert result.details["sandbox"] == self.backend.name
        return result

    async def output(self, command: str, **more: Any) -> str:
        return str((await self.run(command, **more)).details["output"])


@pytest.fixture
def room(tmp_path: Path, backend: SandboxBackend) -> Room:
    workspace, state = tmp_path / "workspace", tmp_path / "state"
    workspace.mkdir()
    state.mkdir()
    (state / "gateway-token").write_text(SECRET)
    return Room(workspace, state, backend, AbortSignal())
