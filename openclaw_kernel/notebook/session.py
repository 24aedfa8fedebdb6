"""The link of a Python process to its gateway: one connection for all cells, kept on a thread of its own.

The thread keeps answering while a cell's Python holds the main thread, so that the gateway hears an interrupt at once and a
node is not lost during a long computation. Everything that talks to the gateway runs on the link's loop:

    link = current_link()
    link.on_connected(callback)               once for every (re)connection, on the link's loop
    link.run(ask())                           from a thread without a loop; Ctrl-C cancels
    await link.wrap(ask())                    from another loop; cancelling cancels
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import hashlib
import inspect
import logging
import os
import re
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from openclaw_kernel.store.paths import state_dir
from openclaw_kernel.values.errors import OpenClawError, UserError, unavailable

if TYPE_CHECKING:
    from openclaw_kernel.client.connection import GatewayConnection, GatewayEvent
    from openclaw_kernel.store.runtime_file import RuntimeInfo

log = logging.getLogger(__name__)

T = TypeVar("T")
Callback = Callable[["GatewayConnection"], Awaitable[None] | None]
Listener = Callable[["GatewayEvent"], None]

CLIENT = ("gateway-client", "backend")
"""Keeps its scopes on loopback with the secret and without a device (protocol section 3.3)."""
SCOPES = ("operator.admin", "operator.read", "operator.write", "operator.approvals")
CAPS = ("tool-events",)

LOOK_EVERY_S = 5.0
"""How often an idle link looks for a gateway that somebody else started: one small file is read."""
NODE_WAIT_S = 2.0
"""Once this was not enough (the node may wait for its pairing), no later turn waits."""
BACKOFF_S = (0.2, 0.5, 1.0, 2.0, 5.0)
_SLUG = re.compile(r"[^a-z0-9]+")
_NOTEBOOK = re.compile(r"agent:[^:]+:dashboard:notebook-(?:([a-z0-9-]+)-)?[0-9a-f]{8}")


def session_key_for(path: str | None, ident: str) -> str:
    """The session of a notebook at `path` (stable over restarts of its kernel), else of the kernel `ident`."""
    if not path:
        return f"agent:main:dashboard:kernel-{ident[:8]}"
    name = _SLUG.sub("-", Path(path).stem.lower()).strip("-")[:40]
    digest = hashlib.sha256(path.encode()).hexdigest()[:8]
    return f"agent:main:dashboard:notebook-{name}-{digest}" if name else f"agent:main:dashboard:notebook-{digest}"


def title_of(session_key: str) -> str:
    """What a person calls the session of such a key: the notebook, this kernel, or what follows the agent's name."""
    if found := _NOTEBOOK.fullmatch(session_key):
        return f"notebook {found[1]}" if found[1] else "this notebook"
    if ":dashboard:kernel-" in session_key:
        return "this kernel"
    return session_key.split(":", 2)[-1] if session_key.startswith("agent:") else session_key


def default_session_key() -> str:
    """From `JPY_SESSION_NAME`, which Jupyter sets to the notebook's path; without it one per process."""
    return session_key_for(os.environ.get("JPY_SESSION_NAME"), f"{os.getpid():08d}")


class KernelLink:
    """Owns the connection. `session_key` says which session this process speaks for; it may change between two calls.

    Nothing happens before `start`, `run`, `wrap` or `submit`. `start` joins a gateway that runs; `connection` starts one.
    """

    def __init__(self, folder: Path | None = None, session_key: Callable[[], str] = default_session_key) -> None:
        self.folder = folder or state_dir()
        self.session_key = session_key
        self.info: RuntimeInfo | None = None
        self._callbacks: list[Callback] = []
        self._listeners: list[Listener] = []
        self._connection: GatewayConnection | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        self._wanted: asyncio.Event
        self._waiters: set[asyncio.Future[GatewayConnection]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._keeper: asyncio.Task[None] | None = None
        self._thread: threading.Thread | None = None
        self._closed = False
        self._node_answers = True

    # --- from any thread ----------------------------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        return self._connection is not None and not self._connection.closed

    def on_connected(self, callback: Callback) -> None:
        """Calls `callback(connection)` on the link's loop now and after every reconnection. One that is asynchronous runs as a
        task and is cancelled when its connection ends; an error in it is logged and hurts nobody else."""
        with self._lock:
            if self._loop is None:
                self._callbacks.append(callback)
                return
        self.call_soon(self._add, callback)

    def on_event(self, listener: Listener) -> Callable[[], None]:
        """Every event of every connection, on the link's loop, from now until the returned function is called."""
        self._listeners.append(listener)

        def stop() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return stop

    def start(self) -> asyncio.AbstractEventLoop:
        """Starts the thread if it does not run; returns at once."""
        with self._lock:
            if self._closed:
                raise unavailable("this kernel's link to the gateway is closed; restart the kernel")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._wanted = asyncio.Event()
                self._thread = threading.Thread(target=self._serve, name="openclaw-link", daemon=True)
                self._thread.start()
                atexit.register(self.close)
            return self._loop

    def submit(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Runs `work` on the link's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.start())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs `work` on the link's loop and waits. An interrupt of the calling thread cancels it."""
        future = self.submit(work)
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise

    def wrap(self, work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        """Runs `work` on the link's loop; to be awaited on the caller's."""
        return asyncio.wrap_future(self.submit(work))

    def call_soon(self, callback: Callable[..., object], *arguments: Any) -> None:
        """`callback(*arguments)` on the link's loop, soon; nothing when the link does not run."""
        if self._loop is not None and not self._closed:
            self._loop.call_soon_threadsafe(callback, *arguments)

    def close(self) -> None:
        """Ends the connection and the thread; safe to call twice and from any other thread."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            loop, thread = self._loop, self._thread
        atexit.unregister(self.close)
        if loop is None or thread is None:
            return
        loop.call_soon_threadsafe(self._stop)
        if thread is not threading.current_thread():
            thread.join(timeout=2.0)

    # --- on the link's loop -------------------------------------------------------------------------------------------

    async def connection(self) -> GatewayConnection:
        """The open connection; a gateway is started when none runs.

        Raises `UserError` or `OpenClawError` when there is none to be had.
        """
        if self._connection is not None and not self._connection.closed:
            return self._connection
        waiter: asyncio.Future[GatewayConnection] = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        self._wanted.set()
        try:
            return await waiter
        finally:
            self._waiters.discard(waiter)

    async def connection_for_turn(self) -> GatewayConnection:
        """As `connection`, and waits a moment for this process's node: the first step of the assistant may already need it."""
        connection = await self.connection()
        module = sys.modules.get("openclaw_kernel.notebook.node")
        node = module.current_node() if module is not None else None
        if node is not None and self._node_answers:
            try:
                async with asyncio.timeout(NODE_WAIT_S):
                    await node.reachable.wait()
            except TimeoutError:
                self._node_answers = False
        return connection

    async def request(self, method: str, params: dict[str, Any] | None = None, **options: Any) -> Any:
        """`connection.request` over whichever connection is open."""
        return await (await self.connection()).request(method, params, **options)

    def _serve(self) -> None:
        loop = self._loop
        if loop is None:
            raise AssertionError("the thread starts after its loop is made")
        asyncio.set_event_loop(loop)
        self._keeper = loop.create_task(self._keep())
        try:
            loop.run_forever()
        finally:
            loop.close()

    def _stop(self) -> None:
        async def end() -> None:
            tasks = {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=1.0) if tasks else None
            asyncio.get_running_loop().stop()

        self._stopping = asyncio.ensure_future(end())

    async def _keep(self) -> None:
        """Connects whenever a gateway runs or somebody waits for one, for as long as the link lives."""
        failures = 0
        while True:
            try:
                if await self._connect_once():
                    failures = 0
            except (UserError, OpenClawError, OSError) as error:
                self._fail(error)
                failures += 1
                log.info("no connection to the gateway: %s", error)
                await self._pause(BACKOFF_S[min(failures, len(BACKOFF_S)) - 1])
            except Exception as error:
                log.exception("the link to the gateway failed")
                self._fail(unavailable(f"the link to the gateway failed: {error}"))
                await self._pause(BACKOFF_S[-1])

    async def _connect_once(self) -> bool:
        """One connection from its start to its end; false when no gateway runs and nobody asked for one."""
        from openclaw_kernel.client.connection import connect
        from openclaw_kernel.client.find import ensure_gateway, find_gateway

        info = find_gateway(self.folder)
        if self._wanted.is_set():
            info = await ensure_gateway(self.folder)
        if info is None:
            await self._pause(LOOK_EVERY_S)
            return False
        client_id, mode = CLIENT
        async with connect(info.url, token=info.token, client_id=client_id, mode=mode, scopes=SCOPES, caps=CAPS) as connection:
            self.info = info
            self._begin(connection)
            try:
                await self._hear(connection)
            finally:
                self._end()
        return True

    def _begin(self, connection: GatewayConnection) -> None:
        self._connection = connection
        self._wanted.clear()
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(connection)
        for callback in self._callbacks:
            self._greet(callback, connection)

    async def _hear(self, connection: GatewayConnection) -> None:
        events = connection.listen()
        while (event := await events.get()) is not None:
            for listener in tuple(self._listeners):
                try:
                    listener(event)
                except Exception:
                    log.exception("a listener to the gateway failed on %s", event.event)

    def _end(self) -> None:
        self._connection = None
        for task in self._tasks:
            task.cancel()

    def _fail(self, error: Exception) -> None:
        self._wanted.clear()
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(error)

    async def _pause(self, seconds: float) -> None:
        """Until somebody wants a gateway, `seconds` at most."""
        try:
            await asyncio.wait_for(self._wanted.wait(), seconds)
        except TimeoutError:
            return

    def _add(self, callback: Callback) -> None:
        self._callbacks.append(callback)
        if self._connection is not None and not self._connection.closed:
            self._greet(callback, self._connection)

    def _greet(self, callback: Callback, connection: GatewayConnection) -> None:
        async def finish(work: Awaitable[None]) -> None:
            try:
                await work
            except Exception:
                log.exception("what was attached to the gateway connection failed")

        try:
            work = callback(connection)
        except Exception:
            log.exception("what was attached to the gateway connection failed")
            return
        if inspect.isawaitable(work):
            task = asyncio.ensure_future(finish(work))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


_current: KernelLink | None = None
_current_lock = threading.Lock()


def current_link() -> KernelLink:
    """The one link of this process, made on first use and not yet started."""
    global _current
    with _current_lock:
        if _current is None:
            _current = KernelLink()
        return _current
