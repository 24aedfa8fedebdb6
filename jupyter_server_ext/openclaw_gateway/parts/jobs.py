"""What runs in the background of a gateway's sessions, and who is woken when it ends (TOL-02)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AsyncExitStack

from openclaw_gateway.methods.services import GatewayServices
from openclaw_kernel.config.service import ConfigStore
from openclaw_kernel.tools.background import Jobs
from openclaw_kernel.values.clock import Clock
from openclaw_kernel.values.errors import OpenClawError, UserError

log = logging.getLogger(__name__)

BUSY_WAIT_S = 600.0


def open_jobs(stack: AsyncExitStack, config: ConfigStore, services: Callable[[], GatewayServices], clock: Clock) -> Jobs:
    """Nothing of it is left running when the stack ends."""

    async def wake(session_key: str, text: str, event_id: str, wanted: Callable[[], bool]) -> None:
        """A line for the session once its run is over, unless that run has seen the end itself."""
        house = services()
        try:
            while running := house.runtime.active(session_key):
                await house.runtime.wait(running[0].run_id, BUSY_WAIT_S)
            if wanted() and house.accepting:
                await house.automation.wake("now", session_key, text, event_id)
        except (UserError, OpenClawError) as error:
            log.info("session %s was not told that %s", session_key, f"{event_id}: {error}")

    jobs = Jobs(
        wake,
        keep_ms=lambda: config.current.config.tools.exec.cleanup_ms,
        notify=lambda: config.current.config.tools.exec.notify_on_exit,
        clock=clock,
    )
    stack.push_async_callback(jobs.close)
    return jobs
