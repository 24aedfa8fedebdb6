"""Where a command of a session runs: in the sandbox, on the host, or nowhere (SAF-18, SAF-19)."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.config.schema.sandbox import SandboxSettings
from openclaw_kernel.safety.sandbox.choose import Choice, backends, choose
from openclaw_kernel.safety.sandbox_api import Command, Profile, SandboxBackend, SandboxError, Wrapped
from openclaw_kernel.safety.sandbox_policy import sandboxing, settings_of
from openclaw_kernel.store.paths import ensure_private_dir

_PASSED = re.compile(r"^(?:LANG|LANGUAGE|LC_[A-Z]+|TZ|TERM|PATH|PAGER|GIT_PAGER|GIT_TERMINAL_PROMPT|COLUMNS|LINES|NO_COLOR)$")
"""What of the environment means anything inside."""

FOLDER = "sandboxes"
"""In the state directory: the private folders that stand in for a workspace, one a scope."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """A sandbox for one command of one session."""

    backend: SandboxBackend
    profile: Profile

    @asynccontextmanager
    async def wrapped(self, argv: Sequence[str], env: Mapping[str, str]) -> AsyncIterator[Wrapped]:
        """The host command to run in its stead; leaving the context leaves nothing running. Raises `SandboxError`."""
        passed = {name: value for name, value in env.items() if _PASSED.match(name)}
        made = await self.backend.wrap(Command(tuple(argv), passed), self.profile)
        try:
            yield made
        finally:
            await asyncio.shield(self.backend.end(made))


class Sandboxes:
    """The sandboxes of a gateway. Probing begins at `start` and is waited for by the first command."""

    def __init__(
        self,
        config: Callable[[], OpenClawConfig],
        state_dir: Path,
        *,
        env: Mapping[str, str] = os.environ,
        candidates: Callable[[SandboxSettings, Mapping[str, str]], list[SandboxBackend]] = backends,
    ) -> None:
        self._config = config
        self._state_dir = state_dir
        self._env = env
        self._candidates = candidates
        self._task: asyncio.Task[Choice] | None = None
        self._wanted: tuple[str, str, float] | None = None

    def start(self) -> None:
        """Begins to probe, unless the config wants no sandbox at all."""
        if self._off() is None:
            self._probing()

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def place(self, session_key: str, agent_id: str, workspace: Path) -> Place | None:
        """The sandbox of a session; `None` means the host. Raises `SandboxError` where the config insists and none works."""
        found = sandboxing(self._config(), agent_id, session_key)
        settings, host = found.settings, self._config().tools.exec.host
        if not found.applies:
            return None
        choice = await asyncio.shield(self._probing())
        if choice.backend is None:
            if host == "sandbox":
                raise SandboxError(f"tools.exec.host is sandbox, but none works on this machine. {choice.reason}")
            return None
        return Place(choice.backend, await self._profile(settings, session_key, agent_id, workspace))

    def status(self) -> dict[str, Any]:
        """For `status`: where commands run and why. `pending` while the probe is under way."""
        if (off := self._off()) is not None:
            return {"backend": None, "runsIn": "gateway", "reason": off}
        if self._task is None or not self._task.done() or self._task.cancelled() or self._task.exception():
            return {"backend": None, "runsIn": "pending", "reason": "the sandbox is being probed"}
        choice = self._task.result()
        probes = {
            name: {"usable": probe.usable, "version": probe.version, "reason": probe.reason}
            for name, probe in choice.probes.items()
        }
        if choice.backend is None:
            where = "nowhere" if self._config().tools.exec.host == "sandbox" else "gateway"
            reason = f"No sandbox works here, so commands run on the host under allowlist and ask. {choice.reason}"
            return {"backend": None, "runsIn": where, "reason": reason, "probes": probes}
        mode = self._config().agents.defaults.sandbox.mode
        return {"backend": choice.backend.name, "runsIn": "sandbox", "mode": mode, "probes": probes}

    def _off(self) -> str | None:
        config = self._config()
        if config.tools.exec.host == "gateway":
            return "tools.exec.host is gateway"
        modes = {config.agents.defaults.sandbox.mode, *(settings_of(config, agent.id).mode for agent in config.agents.list)}
        if config.tools.exec.host == "auto" and modes == {"off"}:
            return "agents.defaults.sandbox.mode is off"
        return None

    def _probing(self) -> asyncio.Task[Choice]:
        """The probe of the backends the config wants now; a changed wish probes again."""
        settings = self._config().agents.defaults.sandbox
        wanted = (settings.backend, settings.docker.image, settings.docker.cpus)
        if self._task is None or self._wanted != wanted or (self._task.done() and self._task.cancelled()):
            self._wanted = wanted
            self._task = asyncio.ensure_future(self._probe(settings))
        return self._task

    async def _probe(self, settings: SandboxSettings) -> Choice:
        choice = await choose(self._candidates(settings, self._env))
        if choice.backend is None:
            log.warning("no sandbox works here, so commands run on the host under allowlist and ask. %s", choice.reason)
        else:
            log.info("commands run in %s %s", choice.backend.name, choice.probes[choice.backend.name].version)
        return choice

    async def _profile(self, settings: SandboxSettings, session_key: str, agent_id: str, workspace: Path) -> Profile:
        limits = settings.limits
        if settings.workspace_access == "none":
            workspace = self._state_dir / FOLDER / scope_folder(settings.scope, session_key, agent_id)
            await asyncio.to_thread(ensure_private_dir, workspace)
        return Profile(
            workspace=workspace,
            access=settings.workspace_access,
            network=settings.network,
            memory_bytes=limits.memory_mb << 20,
            cpu_seconds=limits.cpu_seconds,
            processes=limits.processes,
            tmp_bytes=limits.tmp_mb << 20,
            file_bytes=limits.file_mb << 20,
        )


def scope_folder(scope: str, session_key: str, agent_id: str) -> str:
    """The name of the folder that the commands of a scope share."""
    match scope:
        case "shared":
            return "shared"
        case "session":
            return "session-" + hashlib.sha256(session_key.encode()).hexdigest()[:16]
        case _:
            return f"agent-{agent_id}"
