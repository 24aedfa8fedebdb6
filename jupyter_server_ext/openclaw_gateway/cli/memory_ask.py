"""Where a memory command gets its answers: from the running gateway, or from the files themselves when none runs."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any

from openclaw_gateway.cli import show
from openclaw_gateway.cli.wire import Target, Wire

PATIENCE_S = 300.0
"""For what reads every note: a first index, an export, a forgetting."""


class Asker:
    """Open while a command runs. `alone` says that no gateway runs and this process owns the memory meanwhile."""

    def __init__(self, target: Target, agent_id: str | None = None) -> None:
        from openclaw_kernel.client.find import find_gateway

        self.alone = target.url is None and find_gateway(target.state_dir) is None
        self._target = Target(target.state_dir, target.url, target.token, target.as_json, PATIENCE_S)
        self._agent = {"agentId": agent_id} if agent_id else {}
        self._wire: Wire | None = None
        self._runner: asyncio.Runner | None = None
        self._stack = AsyncExitStack()
        self._desks: Any = None

    def __enter__(self) -> Asker:
        if not self.alone:
            self._wire = Wire(self._target).__enter__()
            return self
        from openclaw_gateway.parts.memory_alone import open_desks

        self._runner = asyncio.Runner().__enter__()
        self._desks = self._run(self._stack.enter_async_context(open_desks(self._target.state_dir, os.environ)))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._wire is not None:
            self._wire.__exit__(kind, error, trace)
        if self._runner is not None:
            try:
                self._run(self._stack.aclose())
            finally:
                self._runner.close()

    def __call__(self, method: str, **params: Any) -> dict[str, Any]:
        """The answer of `memory.<method>`. Raises `UserError` and `OpenClawError`."""
        wanted = {**self._agent, **params}
        if self._wire is not None:
            found: dict[str, Any] = self._wire.request(f"memory.{method}", wanted)
            return found
        from openclaw_gateway.methods.memory import answer

        with show.working("Reading the notes"):
            return dict(self._run(answer(f"memory.{method}", wanted, self._desks)))

    def pause(self, seconds: float) -> None:
        """Waits; what this process itself does in the background goes on."""
        if self._runner is None:
            time.sleep(seconds)
        else:
            self._run(asyncio.sleep(seconds))

    def _run(self, work: Any) -> Any:
        assert self._runner is not None
        return self._runner.run(work)
