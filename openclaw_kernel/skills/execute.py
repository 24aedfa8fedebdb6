"""Running a notebook from top to bottom in a kernel of its own (SKL-09).

nbclient executes the cells; the kernel's life is ours. nbclient's own `async_execute` installs signal handlers and removes
them at the end, which would take a gateway's away, and it leaves programs that a cell started behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal as signals
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import orjson

from openclaw_kernel.skills.notebook import source_of, tags_of
from openclaw_kernel.values.stream import AbortSignal

log = logging.getLogger(__name__)

KERNEL = "python3"
INJECTED_TAG = "injected-parameters"
"""The cell that sets this run's values; papermill's word for it."""
SETTLE_S = 5.0
"""How long a kernel that was killed may take to be gone."""

Status = Literal["ok", "failed", "timeout", "too-much", "aborted"]
Progress = Callable[[str, float | None], None]


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds for each cell and for the kernel's start, and bytes of output of a whole run."""

    cell_s: float = 600.0
    start_s: float = 60.0
    output_bytes: int = 16_000_000


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended. `cell` is the number of the cell it ended in, counted from 1 as its author sees it; 0 before any."""

    status: Status
    sentence: str = ""
    cell: int = 0


async def execute(
    notebook: Any,
    *,
    cwd: Path,
    env: Mapping[str, str],
    limits: Limits,
    progress: Progress,
    signal: AbortSignal,
    number: Callable[[int], int],
) -> Ending:
    """Runs `notebook` (an nbformat node, changed in place). Never raises for what goes wrong inside it.

    `number` turns an index into the cell number that is told. An abort kills the kernel and everything it started.
    """
    run = _Run(notebook, limits, progress, number)
    work = asyncio.ensure_future(run.whole(cwd, dict(env)))
    stop = asyncio.ensure_future(signal.wait())
    try:
        await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return work.result()
        run.kill()
        return Ending("aborted", f"It was stopped ({signal.reason or 'aborted'}).", run.cell)
    finally:
        stop.cancel()
        run.kill()
        await _gone(work)


async def _gone(work: asyncio.Future[Ending]) -> None:
    """Waits until the run has given back its sockets and files; its kernel is dead already."""
    if not work.done():
        work.cancel()
        await asyncio.wait({work}, timeout=SETTLE_S)
    if not work.done():
        log.warning("a notebook run does not end although its kernel was killed")
    elif not work.cancelled() and (error := work.exception()) is not None:
        log.debug("a notebook run ended with %r", error)


class _Run:
    """One run: the kernel manager, the nbclient that talks to it, and how far it got."""

    def __init__(self, notebook: Any, limits: Limits, progress: Progress, number: Callable[[int], int]) -> None:
        self._notebook = notebook
        self._limits = limits
        self._progress = progress
        self._number = number
        self._group = 0
        self._bytes = 0
        self._flooded = False
        self.cell = 0

    async def whole(self, cwd: Path, env: dict[str, str]) -> Ending:
        from jupyter_client.manager import AsyncKernelManager
        from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

        manager = AsyncKernelManager(kernel_name=KERNEL)
        client = self._client(manager)
        try:
            await self._start(manager, client, cwd, env)
            await self._cells(client)
        except CellTimeoutError:
            return self._ended("timeout", f"took longer than {self._limits.cell_s:g} seconds and was stopped")
        except CellExecutionError as error:
            return self._ended("failed", f"failed: {_one_line(f'{error.ename}: {error.evalue}')}")
        except DeadKernelError:
            if self._flooded:
                return self._ended("too-much", f"put out more than {self._limits.output_bytes} bytes and was stopped")
            return self._ended("failed", "ended its kernel (it may have run out of memory)")
        except (RuntimeError, TimeoutError, OSError) as error:
            log.warning("a skill's kernel did not start: %s", error)
            return Ending("failed", f"The kernel {KERNEL} did not start: {_one_line(str(error))}", self.cell)
        finally:
            await self._close(manager, client)
        return Ending("ok", cell=self.cell)

    def _client(self, manager: Any) -> Any:
        from nbclient import NotebookClient

        run = self

        class Client(NotebookClient):
            """Counts what comes back, so that a cell that prints for ever ends the run and not the gateway."""

            def process_message(self, message: dict[str, Any], cell: Any, cell_index: int) -> Any:
                return super().process_message(message, cell, cell_index) if run.take(message) else None

        timeout = max(1, round(self._limits.cell_s))
        return Client(self._notebook, km=manager, timeout=timeout, startup_timeout=round(self._limits.start_s),
                      coalesce_streams=True, record_timing=False)  # fmt: skip

    async def _start(self, manager: Any, client: Any, cwd: Path, env: dict[str, str]) -> None:
        self._progress("starting a kernel", 0.0)
        await manager.start_kernel(
            extra_arguments=["--HistoryManager.hist_file=:memory:"],
            cwd=str(cwd),
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._group = _group_of(manager)
        await client.async_start_new_kernel_client()

    async def _cells(self, client: Any) -> None:
        cells = self._notebook.cells
        code = [index for index, cell in enumerate(cells) if cell.cell_type == "code" and cell.source.strip()]
        for position, index in enumerate(code):
            self.cell = self._number(index)
            first = source_of(cells[index]).strip().partition("\n")[0][:80]
            if INJECTED_TAG not in tags_of(cells[index]):
                self._progress(f"cell {self.cell}: {first}", position / len(code))
            await client.async_execute_cell(cells[index], index, execution_count=position + 1)

    def take(self, message: Mapping[str, Any]) -> bool:
        """Whether a message may still be kept; the first that may not kills the kernel."""
        if message["msg_type"] in ("status", "execute_input"):
            return True
        self._bytes += len(orjson.dumps(message["content"], default=str))
        if self._bytes <= self._limits.output_bytes:
            return True
        self._flooded = True
        self.kill()
        return False

    def kill(self) -> None:
        """The kernel and every process of its group, at once."""
        if self._group:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._group, signals.SIGKILL)

    async def _close(self, manager: Any, client: Any) -> None:
        self.kill()
        if client.kc is not None:
            client.kc.stop_channels()
        try:
            await manager.shutdown_kernel(now=True)
        except (RuntimeError, ProcessLookupError) as error:
            log.debug("the kernel was gone already: %s", error)

    def _ended(self, status: Status, what: str) -> Ending:
        return Ending(status, f"Cell {self.cell} {what}.", self.cell)


def _group_of(manager: Any) -> int:
    """The process group of a kernel, which jupyter_client makes its own; 0 when it did not, so that ours is never killed."""
    group = int(getattr(manager.provisioner, "pgid", None) or 0)
    return group if group and group != os.getpgrp() else 0


def _one_line(text: str) -> str:
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= 400 else line[:399] + "…"
