"""The sandboxes of a gateway: probed shortly after the start, so that the start itself pays nothing."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from openclaw_kernel.config.service import ConfigStore
from openclaw_kernel.safety.sandbox.service import Sandboxes

PROBE_AFTER_S = 0.5


def open_sandboxes(stack: AsyncExitStack, config: ConfigStore, state_dir: Path) -> Sandboxes:
    """A command that comes before the probe is over waits for it."""
    sandboxes = Sandboxes(lambda: config.current.config, state_dir)
    timer = asyncio.get_running_loop().call_later(PROBE_AFTER_S, sandboxes.start)
    stack.push_async_callback(sandboxes.stop)
    stack.callback(timer.cancel)
    return sandboxes
