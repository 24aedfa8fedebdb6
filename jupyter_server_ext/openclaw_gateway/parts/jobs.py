"""What runs in the background of a gateway's sessions, and who is woken when it ends (TOL-02)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AsyncExitStack

from openclaw_gateway.automation.runner import house_message
from openclaw_gateway.methods.services import GatewayServices
from openclaw_kernel.agent.api import RunRequest
from openclaw_kernel.config.service import ConfigStore
from openclaw_kernel.tools.background import Ended, Jobs
from openclaw_kernel.values.clock import Clock, iso
from openclaw_kernel.values.errors import OpenClawError, UserError

log = logging.getLogger(__name__)

BUSY_WAIT_S = 600.0


def open_jobs(stack: AsyncExitStack, config: ConfigStore, services: Callable[[], GatewayServices], clock: Clock) -> Jobs:
    """Nothing of it is left running when the stack ends."""

    async def wake(ended: Ended) -> None:
        """A run of the session once its own is over, unless that one has seen the end itself."""
        house = services()
        try:
            while running := house.runtime.active(ended.session_key):
                await house.runtime.wait(running[0].run_id, BUSY_WAIT_S)
            if ended.wanted() and house.accepting:
                now = clock()
                message = house_message(ended.id, f"[System event {iso(now)}] {ended.text}", now, owner=not ended.guest)
                await house.runtime.submit(RunRequest(ended.id, ended.session_key, message, client_id="event"))
        except (UserError, OpenClawError) as error:
            log.info("session %s was not told of %s: %s", ended.session_key, ended.id, error)

    jobs = Jobs(
        wake,
        keep_ms=lambda: config.current.config.tools.exec.cleanup_ms,
        notify=lambda: config.current.config.tools.exec.notify_on_exit,
        clock=clock,
    )
    stack.push_async_callback(jobs.close)
    return jobs
