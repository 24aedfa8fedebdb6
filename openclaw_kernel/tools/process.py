"""One child process, from start to the last trace of it (TOL-02, SAF-28).

The child leads its own session, so a timeout, a stop or an abort ends everything it started, also what left its process group.
It outlives the call that started it when that call stops waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal
from uuid import uuid4

from openclaw_kernel.safety.environment import child_env
from openclaw_kernel.safety.sandbox.service import Place
from openclaw_kernel.safety.sandbox_api import SandboxError, Wrapped
from openclaw_kernel.tools.api import ToolContext, ToolError
from openclaw_kernel.tools.guardian import guardian
from openclaw_kernel.tools.output import Output
from openclaw_kernel.tools.processes import end_all, mark
from openclaw_kernel.tools.terminal import RELAY, TAKE_TERMINAL, TERM, open_terminal
from openclaw_kernel.values.stream import AbortSignal

NOTE_CHARS = 1_000
"""Room for what is said of an output beside it, so that a result is cut in its middle and not once more at its end."""
TERM_GRACE_S = 2.0
DRAIN_S = 0.5

Started = tuple[asyncio.subprocess.Process, list[asyncio.BaseTransport], asyncio.Task[None]]
"""A process, what to close after it, and the task that takes its output."""
Ending = Literal["exited", "timeout", "aborted", "killed"]
Input = Literal["none", "pipe", "terminal"]


@dataclass(frozen=True, slots=True)
class Finished:
    """How a process ended. `exit_code` is negative for a signal; `saved` is the workspace path of the whole output, if cut."""

    ending: Ending
    exit_code: int
    duration_ms: int
    output: str
    saved: str = ""


class Process:
    """Runs `argv` in the workspace, in the sandbox `place` if there is one, until it ends, `timeout_s` passes, the run is
    aborted or `kill` is called. Its output may be read at any time; `result` waits for the end."""

    def __init__(
        self,
        argv: Sequence[str],
        shown: str,
        ctx: ToolContext,
        timeout_s: float,
        place: Place | None = None,
        input: Input = "none",
    ) -> None:
        self.id = f"job-{uuid4().hex[:6]}"
        self.shown = shown
        self.session_key = ctx.session_key
        self.input: Input = input
        self.timeout_s = timeout_s
        self.place = place
        self.pid = 0
        self.started_at = time.time()
        self.finished: Finished | None = None
        self.failure = ""
        self.ctx = ctx
        self.output = Output(
            ctx.workspace, lambda text: ctx.progress(text, None), ctx.result_chars - NOTE_CHARS, terminal=input == "terminal"
        )
        self._argv = tuple(argv)
        self._killed = AbortSignal()
        self._writer: asyncio.StreamWriter | None = None
        self._begun = asyncio.Event()
        self._task = asyncio.ensure_future(self._run())

    @property
    def running(self) -> bool:
        return not self._task.done()

    async def begun(self) -> None:
        """Returns once it runs, or has failed to."""
        await self._begun.wait()

    async def result(self, wait_s: float | None = None) -> Finished | None:
        """How it ended; `None` when it still runs after `wait_s`. Raises `ToolError` when it could not be started. Cancelling
        the wait leaves the process alone."""
        await self._begun.wait()
        await asyncio.wait({self._task}, timeout=wait_s)
        return self._task.result() if self._task.done() else None

    def detach(self) -> None:
        """The call that started it is over: nothing of its turn is kept but what stops it."""
        self.output.progress = None
        self.output.news()
        self.ctx = replace(self.ctx, progress=_silent, services=None, nodes=None)

    def kill(self) -> None:
        """Ends it, politely first. Idempotent."""
        self._killed.abort("killed")

    async def destroy(self) -> None:
        """Ends it at once and waits until nothing of it is left."""
        self._task.cancel()
        await asyncio.wait({self._task})

    async def write(self, data: bytes, *, last: bool = False) -> None:
        """Types `data`; `last` closes its standard input. Raises `ToolError` when it takes no input."""
        if self._writer is None or not self.running:
            raise ToolError(f"{self.id} takes no input; start it with pty or background set.")
        try:
            self._writer.write(data)
            await self._writer.drain()
            if last:
                self._writer.close()
        except (OSError, RuntimeError) as error:
            raise ToolError(f"{self.id} no longer reads its input ({error}).") from error

    async def _run(self) -> Finished:
        try:
            if self.place is None:
                self.finished = await self._supervise(None)
            else:
                terminal = self.input == "terminal"
                argv = (*self.place.backend.python(RELAY), *self._argv) if terminal else self._argv
                env = {**self.ctx.env, "TERM": TERM} if terminal else self.ctx.env
                async with self.place.wrapped(argv, env) as wrapped:
                    self.finished = await self._supervise(wrapped)
        except SandboxError as error:
            self.failure = str(error)
            raise ToolError(str(error)) from error
        except ToolError as error:
            self.failure = str(error)
            raise
        finally:
            self._begun.set()
        return self.finished

    async def _supervise(self, wrapped: Wrapped | None) -> Finished:
        began = time.monotonic()
        cookie = mark(self.id)
        process, transports, pump = await self._started(wrapped, cookie)
        ending: Ending = "killed"
        try:
            ending = await self._until_end(process)
            _signal_group(process.pid, signal.SIGKILL)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(pump), DRAIN_S)
        finally:
            self._end((process, transports, pump), {} if ending == "exited" and self.input != "terminal" else cookie)
        duration_ms = round((time.monotonic() - began) * 1000)
        return Finished(ending, process.returncode or 0, duration_ms, self.output.text(), self.output.saved)

    async def _started(self, wrapped: Wrapped | None, cookie: dict[str, str]) -> Started:
        """A start is never left half-way: asyncio would lose a process whose start is cancelled, and its descriptors. It takes
        no longer than a fork, so a cancellation waits for it and then ends what was started."""
        starting = asyncio.ensure_future(self._start(wrapped, cookie))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            while not starting.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait({starting})
            if not starting.cancelled() and starting.exception() is None:
                self._end(starting.result(), cookie)
            raise

    def _end(self, started: Started, cookie: dict[str, str]) -> None:
        """Kills the group, and with a `cookie` also what left it, and closes everything."""
        process, transports, pump = started
        _signal_group(process.pid, signal.SIGKILL)
        if cookie:
            end_all(process.pid, cookie)
        guardian.forget(process.pid)
        pump.cancel()
        for transport in transports:
            transport.close()
        self.output.close()

    async def _start(self, wrapped: Wrapped | None, cookie: dict[str, str]) -> Started:
        ours, theirs = self._pipes()
        try:
            process = await self._spawn(wrapped, cookie, theirs)
        except BaseException:
            for descriptor in ours:
                os.close(descriptor)
            raise
        finally:
            for descriptor in set(theirs) - {asyncio.subprocess.DEVNULL}:
                os.close(descriptor)
        self.pid = process.pid
        if wrapped is None:  # a sandbox ends with us by itself
            guardian.watch(process.pid)
        reader, transport = await _reader(ours[0], terminal=self.input == "terminal")
        transports = [transport]
        if len(ours) > 1:
            self._writer = await _writer(ours[1])
            transports.append(self._writer.transport)
        self._begun.set()
        return process, transports, asyncio.create_task(self.output.pump(reader))

    def _pipes(self) -> tuple[list[int], tuple[int, int]]:
        """Descriptors: ours to read and perhaps to write, the child's stdin and stdout. Pipes of our own: asyncio's would make
        `wait()` hang for as long as a grandchild keeps one open."""
        if self.input == "terminal":
            master, slave = open_terminal(raw=self.place is not None)
            return [master, os.dup(master)], (slave, slave)
        read_end, write_end = os.pipe()
        if self.input == "none":
            return [read_end], (asyncio.subprocess.DEVNULL, write_end)
        stdin, ours = os.pipe()
        return [read_end, ours], (stdin, write_end)

    async def _spawn(
        self, wrapped: Wrapped | None, cookie: dict[str, str], theirs: tuple[int, int]
    ) -> asyncio.subprocess.Process:
        ctx = self.ctx
        if not ctx.workspace.is_dir():
            raise ToolError(f"The workspace {ctx.workspace} does not exist; create the folder and try again.")
        if wrapped is not None:
            argv, cwd, env = wrapped.argv, wrapped.cwd, {**wrapped.env, **cookie}
        else:
            argv, cwd, env = self._argv, ctx.workspace, {**child_env(ctx.env), **cookie}
            if self.input == "terminal":
                argv, env["TERM"] = (sys.executable, "-I", "-S", "-c", TAKE_TERMINAL, *argv), TERM
        try:
            return await asyncio.create_subprocess_exec(
                *argv, stdin=theirs[0], stdout=theirs[1], stderr=theirs[1], cwd=cwd, env=env, start_new_session=True
            )
        except OSError as error:
            raise ToolError(f"{self._argv[0]} could not be started: {error.strerror or error}.") from error

    async def _until_end(self, process: asyncio.subprocess.Process) -> Ending:
        waiter = asyncio.create_task(process.wait())
        aborted = asyncio.create_task(self.ctx.signal.wait())
        killed = asyncio.create_task(self._killed.wait())
        try:
            await asyncio.wait({waiter, aborted, killed}, timeout=self.timeout_s, return_when=asyncio.FIRST_COMPLETED)
            if waiter.done():
                return "exited"
            ending: Ending = "aborted" if aborted.done() else "killed" if killed.done() else "timeout"
            _signal_group(process.pid, signal.SIGTERM)
            await asyncio.wait({waiter}, timeout=TERM_GRACE_S)
            if not waiter.done():
                _signal_group(process.pid, signal.SIGKILL)
                await waiter
            return ending
        finally:
            aborted.cancel()
            killed.cancel()
            if not waiter.done():
                _signal_group(process.pid, signal.SIGKILL)
                waiter.cancel()


class _Terminal(asyncio.StreamReaderProtocol):
    """A terminal whose other side closed fails with EIO, which is its end of file."""

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(None if isinstance(exc, OSError) else exc)


async def _reader(descriptor: int, *, terminal: bool) -> tuple[asyncio.StreamReader, asyncio.BaseTransport]:
    reader = asyncio.StreamReader()
    protocol = _Terminal if terminal else asyncio.StreamReaderProtocol
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: protocol(reader), os.fdopen(descriptor, "rb", 0))
    return reader, transport


async def _writer(descriptor: int) -> asyncio.StreamWriter:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.connect_write_pipe(
        lambda: asyncio.streams.FlowControlMixin(loop), os.fdopen(descriptor, "wb", 0)
    )
    return asyncio.StreamWriter(transport, protocol, None, loop)


def _silent(_text: str, _fraction: float | None) -> None:
    """Nobody looks any more."""


def _signal_group(leader: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)
