"""Running the assistant's Python in somebody's namespace: with its output caught, its end kept in reach (NBK-03).

The code is compiled and run here and not handed to the shell as a cell: it takes no number, enters no history, prints into
nobody's output. What it prints and shows is caught by context, so a cell that draws at the same time keeps its own output.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import linecache
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from types import CodeType, FrameType, TracebackType
from typing import Any

from openclaw_kernel.notebook.interrupt import python_section
from openclaw_kernel.notebook.node_output import Caught, catching

MAX_TRACEBACK = 8_000
_FRAMES = 20

Result = dict[str, Any]


class Job:
    """One `python.run`. `future` gets its result; `stop` ends it from any thread, before it starts or while it runs."""

    _count = 0

    def __init__(self, code: str) -> None:
        Job._count += 1
        self.code = code
        self.filename = f"<openclaw-{Job._count}>"
        self.future: Future[Result] = Future()
        self.caught = Caught()
        self._reason = ""
        self._open = False
        self._task: asyncio.Task[Any] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def stop(self, reason: str) -> None:
        """Ends it with `reason`; what it printed so far is in its result."""
        if self.future.done():
            return
        self._reason = reason
        if not self.future.running():
            self._settle(self._stopped())
            return
        _interrupt_main()

    async def run(self, shell: Any) -> None:
        """On the main thread's loop."""
        if not self.future.set_running_or_notify_cancel():
            return
        self._loop = asyncio.get_running_loop()
        self._settle(await self._guarded(shell))

    def run_blocking(self, shell: Any) -> None:
        """On the main thread, inside a cell that waits for the assistant: nothing can be awaited there."""
        if not self.future.set_running_or_notify_cancel():
            return
        work = self._guarded(shell)
        try:
            work.send(None)
        except StopIteration as done:
            self._settle(done.value)
        else:
            work.close()
            sentence = "a cell is waiting for the assistant, and code with await cannot run until it ends"
            self._settle(self._failed("RuntimeError", sentence, sentence))

    async def _guarded(self, shell: Any) -> Result:
        try:
            with python_section(), self._heeding_sigint():
                return await self._execute(shell)
        except KeyboardInterrupt:
            return self._stopped()

    async def _execute(self, shell: Any) -> Result:
        try:
            body, last = self._compile(shell)
        except (SyntaxError, ValueError, RecursionError) as error:
            return self._error(error, None)
        try:
            self._open = True
            with catching(shell, self.caught):
                value = await self._evaluate(body, last, shell.user_ns)
                self.caught.show_figures()
                self.caught.take_result(shell, value)
        except (KeyboardInterrupt, asyncio.CancelledError):
            return self._stopped()
        except BaseException as error:  # noqa: BLE001 - SystemExit of somebody's code must not end the kernel either
            return self._error(error, error.__traceback__)
        finally:
            self._open = False
        return {"status": "ok", **self.caught.to_wire()}

    def _compile(self, shell: Any) -> tuple[CodeType | None, CodeType | None]:
        """Statements, and the last one apart when it is an expression; `%` and `!` lines as in a cell."""
        source = shell.transform_cell(self.code)
        linecache.cache[self.filename] = (len(source), None, source.splitlines(keepends=True), self.filename)
        tree = ast.parse(source, self.filename)
        last: ast.Expression | None = None
        if tree.body and isinstance(tree.body[-1], ast.Expr) and not source.rstrip().endswith(";"):
            last = ast.Expression(tree.body.pop().value)
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        body = compile(tree, self.filename, "exec", flags, dont_inherit=True) if tree.body else None
        return body, compile(last, self.filename, "eval", flags, dont_inherit=True) if last is not None else None

    async def _evaluate(self, body: CodeType | None, last: CodeType | None, namespace: dict[str, Any]) -> Any:
        value = None
        for code in (body, last):
            if code is None:
                continue
            value = eval(code, namespace)
            if code.co_flags & inspect.CO_COROUTINE:
                value = await self._awaited(value)
        return value if last is not None else None

    async def _awaited(self, work: Coroutine[Any, Any, Any]) -> Any:
        """As a task of its own, so that an interrupt can cancel it and nothing else."""
        if self._loop is None:
            work.close()
            raise RuntimeError("a cell is waiting for the assistant, and code with await cannot run until it ends")
        self._task = self._loop.create_task(work)
        try:
            return await self._task
        finally:
            self._task = None

    # --- interrupt ----------------------------------------------------------------------------------------------------

    @contextmanager
    def _heeding_sigint(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGINT, self._on_sigint)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _on_sigint(self, _signum: int, frame: FrameType | None) -> None:
        """Raises where the code itself is on the stack; while it only awaits, its task is cancelled instead, because an
        exception in the event loop would end the kernel."""
        task = self._task
        if task is None:
            if self._open:
                raise KeyboardInterrupt
            return
        while frame is not None:
            if frame.f_code.co_filename == self.filename:
                raise KeyboardInterrupt
            frame = frame.f_back
        task.get_loop().call_soon_threadsafe(task.cancel)

    # --- results ------------------------------------------------------------------------------------------------------

    def _settle(self, result: Result) -> None:
        linecache.cache.pop(self.filename, None)
        if not self.future.done():
            self.future.set_result(result)

    def _stopped(self) -> Result:
        sentence = self._reason or "interrupted"
        return self._failed("Interrupted", sentence, f"Interrupted: {sentence}")

    def _error(self, error: BaseException, trace: TracebackType | None) -> Result:
        """The traceback from the code's own first line on."""
        while trace is not None and trace.tb_frame.f_code.co_filename != self.filename:
            trace = trace.tb_next
        text = "".join(traceback.format_exception(type(error), error, trace, limit=_FRAMES))
        return self._failed(type(error).__name__, _text_of(error), text[-MAX_TRACEBACK:])

    def _failed(self, name: str, value: str, text: str) -> Result:
        told = {"ename": name, "evalue": value[:2_000], "traceback": text}
        return {"status": "error", **self.caught.to_wire(), "error": told}


class MainThread:
    """The one thread that may run Python in a kernel. Jobs are taken in order, one at a time, never inside a running cell.

    A cell that itself waits for the assistant lends its thread: `lending()` around an awaited wait, `lend(future)` in place of
    a blocking one.
    """

    def __init__(self, shell: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._shell = shell
        self._loop = loop
        self._jobs: list[Job] = []
        self._news = threading.Condition()
        self._worker: asyncio.Task[None] | None = None
        self._cell_runs = False
        self._lent = 0
        self._idle = asyncio.Event()
        self._idle.set()
        shell.events.register("pre_run_cell", self._cell_begins)
        shell.events.register("post_run_cell", self._cell_ends)

    def submit(self, job: Job) -> None:
        """From any thread."""
        with self._news:
            self._jobs.append(job)
            self._news.notify_all()
        self._loop.call_soon_threadsafe(self._wake)

    def call(self, function: Callable[..., object], *arguments: Any) -> None:
        """`function` on the main thread, soon. From any thread."""
        self._loop.call_soon_threadsafe(function, *arguments)

    @contextmanager
    def lending(self) -> Iterator[None]:
        """For a cell that awaits the assistant: meanwhile the assistant's Python may run."""
        self._lent += 1
        self._idle.set()
        try:
            yield
        finally:
            self._lent -= 1
            if self._cell_runs and not self._lent:
                self._idle.clear()

    def lend(self, future: Future[Any]) -> None:
        """Waits for `future` on the main thread and runs the assistant's Python meanwhile. Ctrl-C is the caller's."""
        future.add_done_callback(lambda _done: self._tell())
        while not future.done():
            with self._news:
                job = self._jobs.pop(0) if self._jobs else None
                if job is None:
                    self._news.wait(0.2)
            if job is not None:
                job.run_blocking(self._shell)

    def close(self) -> None:
        self._shell.events.unregister("pre_run_cell", self._cell_begins)
        self._shell.events.unregister("post_run_cell", self._cell_ends)

    def _tell(self) -> None:
        with self._news:
            self._news.notify_all()

    def _wake(self) -> None:
        if self._worker is None or self._worker.done():
            self._worker = self._loop.create_task(self._work())

    async def _work(self) -> None:
        while self._jobs:
            await self._idle.wait()
            with self._news:
                job = self._jobs.pop(0) if self._jobs else None
            if job is not None:
                await job.run(self._shell)

    def _cell_begins(self, _info: object = None) -> None:
        self._cell_runs = True
        if not self._lent:
            self._idle.clear()

    def _cell_ends(self, _result: object = None) -> None:
        self._cell_runs = False
        self._idle.set()


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as broken:  # noqa: BLE001 - somebody's __str__; the type's name is what is left to tell
        return f"({type(broken).__name__} in its own text)"


def _interrupt_main() -> None:
    """SIGINT to the main thread, so that a blocking call there ends too."""
    main = threading.main_thread().ident
    if main is not None and hasattr(signal, "pthread_kill"):
        signal.pthread_kill(main, signal.SIGINT)
    else:
        signal.raise_signal(signal.SIGINT)
    sys.stdout.flush()
