"""A turn inside a running cell: steps come from the link's thread, drawing and asking happen on the cell's loop."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections import deque
from typing import Any

from openclaw_kernel.notebook.asking import Ask
from openclaw_kernel.notebook.screen import Screen
from openclaw_kernel.notebook.session import KernelLink
from openclaw_kernel.notebook.turn import Asked, Emit, Outcome, Settled, Step, converse
from openclaw_kernel.values.errors import OpenClawError, UserError

ABORT_WAIT_S = 0.2
"""How long an interrupted cell waits for the gateway's word that the run ended; the whole interrupt stays under 300 ms."""


class CellTurn:
    """One message and its answer. `run` once; `stop` from any thread, at any time."""

    def __init__(self, link: KernelLink, session_key: str, message: str, screen: Screen, ask: Ask) -> None:
        self._link = link
        self._session_key = session_key
        self._message = message
        self._screen = screen
        self._ask = ask
        self._steps: deque[Step] = deque()
        self._news = asyncio.Event()
        self._gone = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._work: concurrent.futures.Future[Outcome] | None = None
        self._stopped = False
        self._asking: dict[str, asyncio.Task[None]] = {}

    def stop(self) -> None:
        """Ends the turn: the gateway hears it at once, even while this cell's thread is busy."""
        self._stopped = True
        if self._work is not None:
            self._work.cancel()
        self._loop.call_soon_threadsafe(self._news.set)

    async def run(self) -> Outcome | None:
        """The outcome; `None` when the turn was stopped. A failure is an outcome too."""
        outcome: Outcome | None = None
        try:
            if not self._stopped:
                self._work = self._link.submit(self._converse(self._post))
                self._work.add_done_callback(lambda _: self._loop.call_soon_threadsafe(self._news.set))
                outcome = await self._follow(self._work)
        except BaseException:
            self.stop()
            raise
        finally:
            for task in self._asking.values():
                task.cancel()
            await asyncio.gather(*self._asking.values(), return_exceptions=True)
            self._screen.finish(outcome)
        return outcome

    async def _follow(self, work: concurrent.futures.Future[Outcome]) -> Outcome | None:
        while not self._stopped:
            await self._wait_for_news()
            ended = work.done()  # before the steps are taken: what was told before the end is shown before it
            while self._steps and not self._stopped:
                self._take(self._steps.popleft())
            if ended and not self._stopped:
                return work.result()
        work.cancel()
        await _within(self._gone.wait(), ABORT_WAIT_S)
        return None

    async def _wait_for_news(self) -> None:
        if not await _within(self._news.wait(), self._screen.due()):
            self._screen.flush()
        self._news.clear()

    def _take(self, step: Step) -> None:
        match step:
            case Asked(approval_id):
                self._screen.flush()
                self._screen.new_group()
                self._asking[approval_id] = self._loop.create_task(self._answer(step))
            case Settled(approval_id):
                if (task := self._asking.get(approval_id)) is not None:
                    task.cancel()
            case _:
                self._screen.show(step)

    async def _answer(self, asked: Asked) -> None:
        decision = await self._ask(asked.request)
        params = {"id": asked.approval_id, "decision": decision}
        try:
            await self._link.wrap(self._link.request("exec.approval.resolve", params))
        except OpenClawError as error:
            if error.code != "APPROVAL_NOT_FOUND":  # answered elsewhere in the same moment
                raise

    async def _converse(self, emit: Emit) -> Outcome:
        """On the link's loop."""
        try:
            return await converse(await self._link.connection_for_turn(), self._session_key, self._message, emit)
        except (OpenClawError, UserError, OSError) as error:
            return Outcome("error", sentence=str(error))
        finally:
            self._loop.call_soon_threadsafe(self._gone.set)

    def _post(self, step: Step) -> None:
        self._steps.append(step)
        self._loop.call_soon_threadsafe(self._news.set)


async def _within(work: Any, seconds: float | None) -> bool:
    """Whether `work` ended in time."""
    try:
        async with asyncio.timeout(seconds):
            await work
    except TimeoutError:
        return False
    return True
