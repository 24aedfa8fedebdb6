"""One child process, from start to the last trace of it (TOL-02, SAF-28).

The child leads its own process group, so a timeout or an abort ends everything it started. Output is streamed while it runs,
kept whole in a file when it is long, and shown with its middle cut.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal
from uuid import uuid4

from openclaw_kernel.safety.environment import child_env
from openclaw_kernel.safety.paths import ToolPathError, inside, shown_path
from openclaw_kernel.safety.sandbox_api import Wrapped
from openclaw_kernel.store.paths import PRIVATE_DIR
from openclaw_kernel.tools.api import ToolContext, ToolError

OUTPUT_CHARS = 16_000
"""What the model sees of an output (limits table, "tool result")."""
FILE_CHARS = 50_000_000
"""What is kept on disk; a program that never stops printing must not fill it."""
OUTPUT_FOLDER = ".openclaw/output"
PROGRESS_INTERVAL_S = 0.1
PROGRESS_CHARS = 4_000
TERM_GRACE_S = 2.0
DRAIN_S = 0.5

Ending = Literal["exited", "timeout", "aborted"]


@dataclass(frozen=True, slots=True)
class Finished:
    """How a process ended. `exit_code` is negative for a signal; `saved` is the workspace path of the whole output, if cut."""

    ending: Ending
    exit_code: int
    duration_ms: int
    output: str
    saved: str = ""


async def run_process(argv: Sequence[str], ctx: ToolContext, timeout_s: float, wrapped: Wrapped | None = None) -> Finished:
    """Runs `argv` in the workspace until it ends, `timeout_s` passes or the run is aborted. Raises `ToolError`.

    `wrapped` is run in its stead: the host command that runs `argv` in a sandbox.
    """
    started = time.monotonic()
    output = _Output(ctx)
    read_end, write_end = os.pipe()
    try:
        process = await _start(argv, ctx, write_end, wrapped)
    except BaseException:
        os.close(read_end)
        raise
    finally:
        os.close(write_end)
    reader, transport = await _reader(read_end)
    pump = asyncio.create_task(output.pump(reader))
    try:
        ending = await _until_end(process, ctx, timeout_s)
        _signal_group(process.pid, signal.SIGKILL)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(pump), DRAIN_S)
    finally:
        _signal_group(process.pid, signal.SIGKILL)
        pump.cancel()
        transport.close()
        output.close()
    duration_ms = round((time.monotonic() - started) * 1000)
    return Finished(ending, process.returncode or 0, duration_ms, output.text(), output.saved)


async def _start(argv: Sequence[str], ctx: ToolContext, stdout: int, wrapped: Wrapped | None) -> asyncio.subprocess.Process:
    if not ctx.workspace.is_dir():
        raise ToolError(f"The workspace {ctx.workspace} does not exist; create the folder and try again.")
    try:
        return await asyncio.create_subprocess_exec(
            *(wrapped.argv if wrapped else argv),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=stdout,
            stderr=stdout,
            cwd=wrapped.cwd if wrapped else ctx.workspace,
            env=wrapped.env if wrapped else child_env(ctx.env),
            start_new_session=True,
        )
    except OSError as error:
        raise ToolError(f"{argv[0]} could not be started: {error.strerror or error}.") from error


async def _reader(descriptor: int) -> tuple[asyncio.StreamReader, asyncio.BaseTransport]:
    """Our own pipe: asyncio's would make `wait()` hang for as long as a grandchild keeps it open."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb"))
    return reader, transport


async def _until_end(process: asyncio.subprocess.Process, ctx: ToolContext, timeout_s: float) -> Ending:
    waiter = asyncio.create_task(process.wait())
    aborted = asyncio.create_task(ctx.signal.wait())
    try:
        await asyncio.wait({waiter, aborted}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if waiter.done():
            return "exited"
        ending: Ending = "aborted" if aborted.done() else "timeout"
        _signal_group(process.pid, signal.SIGTERM)
        await asyncio.wait({waiter}, timeout=TERM_GRACE_S)
        if not waiter.done():
            _signal_group(process.pid, signal.SIGKILL)
            await waiter
        return ending
    finally:
        aborted.cancel()
        if not waiter.done():
            _signal_group(process.pid, signal.SIGKILL)
            waiter.cancel()


def _signal_group(leader: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


class _Output:
    """Text as it arrives: streamed, its head and tail kept, the whole in a file once it is too long to show."""

    def __init__(self, ctx: ToolContext) -> None:
        self._ctx = ctx
        self._head = ""
        self._tail = ""
        self._total = 0
        self._unsent = ""
        self._sent_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._file: IO[str] | None = None
        self.saved = ""

    async def pump(self, reader: asyncio.StreamReader) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while data := await reader.read(65_536):
            await self._add(decoder.decode(data))
        await self._add(decoder.decode(b"", final=True))

    async def _add(self, text: str) -> None:
        if not text:
            return
        before, self._total = self._total, self._total + len(text)
        if self._total > OUTPUT_CHARS and before <= FILE_CHARS:
            await asyncio.to_thread(self._save, text)
        if before < OUTPUT_CHARS:
            taken = text[: OUTPUT_CHARS - before]
            self._head += taken
            text_left = text[len(taken) :]
        else:
            text_left = text
        self._tail = (self._tail + text_left)[-OUTPUT_CHARS // 2 :]
        self._unsent = (self._unsent + text)[-PROGRESS_CHARS:]
        self._schedule()

    def _save(self, text: str) -> None:
        """Opens the file on the first call and writes what was only in memory so far."""
        if self._file is None:
            name = f"{OUTPUT_FOLDER}/{time.strftime('%Y%m%d-%H%M%S')}-{uuid4().hex[:8]}.txt"
            try:
                path: Path = inside(self._ctx.workspace, name)
            except ToolPathError as error:
                raise ToolError(f"The whole output cannot be saved: {error}") from error
            path.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_DIR)
            self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8")
            self.saved = shown_path(self._ctx.workspace, path)
            self._file.write(self._head)
        self._file.write(text)

    def _schedule(self) -> None:
        """Progress at most ten times a second, and never withheld longer than that."""
        loop = asyncio.get_running_loop()
        if self._timer is None:
            wait_s = max(0.0, self._sent_at + PROGRESS_INTERVAL_S - loop.time())
            self._timer = loop.call_later(wait_s, self._send)

    def _send(self) -> None:
        self._timer = None
        if self._unsent:
            text, self._unsent = self._unsent, ""
            self._sent_at = asyncio.get_running_loop().time()
            self._ctx.progress(text, None)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._send()
        if self._file is not None:
            self._file.close()

    def text(self) -> str:
        """All of it, or its two ends with a note of what is missing between."""
        if self._total <= OUTPUT_CHARS:
            return self._head
        half = OUTPUT_CHARS // 2
        tail = (self._head + self._tail)[-half:]
        cut = self._total - half - len(tail)
        return f"{self._head[:half]}\n… {cut} characters cut; the whole output is in {self.saved} …\n{tail}"
