"""The kernel as a node: it offers `python.run`, `python.variables` and `canvas.*` to the assistant (NBK-03, TOL-07).

    node = start_node(link, shell, loop)          once per process; from then on the gateway can reach it
    node.canvas_acted(surface_id, action, model)  a person pressed something on a canvas of this kernel

It answers on the link's thread, so that a long computation neither loses the node nor delays a stop; the code itself runs on
the main thread, one piece at a time.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import sys
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openclaw_kernel.client.device import DeviceIdentity
from openclaw_kernel.client.node import Invocation, Node
from openclaw_kernel.notebook.node_output import surface_of
from openclaw_kernel.notebook.node_run import Job, MainThread
from openclaw_kernel.notebook.node_variables import DEFAULT_LIMIT, list_variables
from openclaw_kernel.notebook.session import KernelLink, current_link
from openclaw_kernel.values.errors import OpenClawError, UserError

if TYPE_CHECKING:
    from openclaw_kernel.client.connection import GatewayConnection

log = logging.getLogger(__name__)

DEVICE_FILE = "kernel-device.json"
"""One device for all kernels of a state directory; each kernel is a node of its own by its instance id."""
MAX_SURFACES = 50
MAX_MESSAGES = 1_000
STOP_GRACE_S = 2.0
"""How long code that was told to stop may take to do so before the assistant is told without its output."""
RETRY_S = 2.0
_KERNEL_ID = re.compile(r"kernel-(.+)\.json$")

Messages = list[Mapping[str, Any]]


class KernelNode:
    """Everything the assistant may do in this process. Made by `start_node`."""

    def __init__(self, link: KernelLink, shell: Any, loop: asyncio.AbstractEventLoop, kernel_id: str = "") -> None:
        self.main = MainThread(shell, loop)
        self.surfaces: OrderedDict[str, Messages] = OrderedDict()
        self._link = link
        self._shell = shell
        self._kernel_id = kernel_id
        self._canvases: OrderedDict[str, Any] = OrderedDict()
        self._bound = ""
        self.reachable = asyncio.Event()
        """Set while the gateway knows whose node this is; for the link's loop."""
        self._node = Node(
            {
                "python.run": self._python_run,
                "python.variables": self._python_variables,
                "canvas.present": self._canvas_present,
                "canvas.update": self._canvas_update,
                "canvas.hide": self._canvas_hide,
            },
            caps=("python", "canvas"),
            display_name=_name(kernel_id),
            instance_id=f"kernel-{kernel_id or os.getpid()}",
        )

    def start(self) -> None:
        """Joins whenever the link is connected; says anew whose it is when a cell has changed that."""
        self._link.on_connected(self._serve)
        self._shell.events.register("post_run_cell", self._rebind)

    def canvas_acted(self, surface_id: str, action: Mapping[str, Any], data_model: Any = None) -> None:
        """A press on a canvas of this kernel, told to the assistant. From any thread; nothing is lost for the caller when no
        gateway is there."""
        payload: dict[str, Any] = {"surfaceId": surface_id, "action": dict(action)}
        if data_model is not None:
            payload["dataModel"] = data_model
        if self._link.connected:
            self._link.submit(self._tell("canvas.action", payload))

    def canvas(self, surface_id: str) -> Any:
        """The canvas object that the assistant's code made under this id, with its own callback; `None` when there is none."""
        return self._canvases.get(surface_id)

    # --- being there --------------------------------------------------------------------------------------------------

    async def _serve(self, _operator: GatewayConnection) -> None:
        """On the link's loop, for as long as the link is connected."""
        device = await asyncio.to_thread(DeviceIdentity.load, self._link.folder / DEVICE_FILE)
        while (info := self._link.info) is not None:
            try:
                async with self._node.joined(info.url, token=info.token, device=device) as connection:
                    await self._node.attach(connection, ready=self._bind)
            except (OpenClawError, UserError, OSError) as error:
                log.info("this kernel is not reachable for the assistant: %s", error)
            finally:
                self.reachable.clear()
            await asyncio.sleep(RETRY_S)

    async def _bind(self) -> None:
        key = self._link.session_key()
        self._bound = key
        payload = {"sessionKeys": [key], "notebook": os.environ.get("JPY_SESSION_NAME", ""), "kernelId": self._kernel_id}
        await self._tell("session.bind", payload)
        self.reachable.set()

    def _rebind(self, _result: object = None) -> None:
        if self._link.connected and self._link.session_key() != self._bound:
            self._link.submit(self._bind())

    async def _tell(self, event: str, payload: Mapping[str, Any]) -> None:
        try:
            await self._node.tell(event, payload)
        except OpenClawError as error:
            log.info("the gateway did not take %s: %s", event, error)

    # --- python -------------------------------------------------------------------------------------------------------

    async def _python_run(self, call: Invocation) -> Mapping[str, Any]:
        """`{code, timeoutMs?}` → `{status, stdout, result, images, surfaces, error?}`."""
        code = call.params.get("code")
        if not isinstance(code, str) or not code.strip():
            raise UserError("python.run needs code, a text.")
        limit_ms = _number(call.params.get("timeoutMs"), call.timeout_ms or 0)
        job = Job(code)
        self.main.submit(job)
        waiting = asyncio.wrap_future(job.future)
        try:
            async with asyncio.timeout(limit_ms / 1000 if limit_ms else None):
                result = await asyncio.shield(waiting)
        except TimeoutError:
            job.stop(f"it was stopped after {limit_ms / 1000:g} s")
            result = await _soon(waiting)
        except asyncio.CancelledError:
            job.stop("the assistant was told to stop")
            raise
        self._keep_canvases(job.caught.canvases)
        return result

    async def _python_variables(self, call: Invocation) -> Mapping[str, Any]:
        """`{filter?, limit?}` → `{variables, total, truncated}`; answers while a cell runs."""
        hidden = getattr(self._shell, "user_ns_hidden", {})
        limit = _number(call.params.get("limit"), DEFAULT_LIMIT)
        return list_variables(self._shell.user_ns, hidden.keys(), str(call.params.get("filter") or ""), limit)

    def _keep_canvases(self, canvases: Sequence[Any]) -> None:
        """A canvas that the code made is shown live, and keeps its callback for as long as it is among the latest."""
        for canvas in canvases:
            surface = surface_of(canvas)
            self._canvases[surface["surfaceId"]] = canvas
            _trim(self._canvases)
            self._show(surface["surfaceId"], surface["messages"])

    # --- canvas -------------------------------------------------------------------------------------------------------

    async def _canvas_present(self, call: Invocation) -> Mapping[str, Any]:
        """`{surfaceId, messages}` → `{shown}`: whether a cell shows it already, or it waits for one."""
        surface_id, messages = _surface(call)
        return {"shown": self._show(surface_id, messages)}

    async def _canvas_update(self, call: Invocation) -> Mapping[str, Any]:
        surface_id, messages = _surface(call)
        if surface_id not in self.surfaces:
            raise UserError(f"No surface {surface_id!r} was presented in this kernel; present it first.")
        known = self.surfaces[surface_id]
        if len(known) + len(messages) > MAX_MESSAGES:
            raise UserError(f"Surface {surface_id!r} has had {len(known)} messages; present it anew.")
        known.extend(messages)
        self._on_panel(lambda panel: panel.update(surface_id, messages))
        return {"shown": _panel() is not None}

    async def _canvas_hide(self, call: Invocation) -> Mapping[str, Any]:
        surface_id = str(call.params.get("surfaceId") or "")
        known = self.surfaces.pop(surface_id, None) is not None
        self._canvases.pop(surface_id, None)
        self._on_panel(lambda panel: panel.hide(surface_id))
        return {"hidden": known}

    def show_stored(self, panel: Any) -> None:
        """For a panel that has just appeared: what was presented while there was none. On the main thread."""
        for surface_id, messages in self.surfaces.items():
            panel.present(surface_id, list(messages))

    def _show(self, surface_id: str, messages: Messages) -> bool:
        self.surfaces[surface_id] = list(messages)
        self.surfaces.move_to_end(surface_id)
        _trim(self.surfaces)
        self._on_panel(lambda panel: panel.present(surface_id, list(messages)))
        return _panel() is not None

    def _on_panel(self, act: Callable[[Any], object]) -> None:
        """Widgets belong to the main thread."""

        def run() -> None:
            panel = _panel()
            if panel is not None:
                act(panel)

        self.main.call(run)


_current: KernelNode | None = None


def current_node() -> KernelNode | None:
    """The node of this process, once `start_node` has made it."""
    return _current


def start_node(link: KernelLink, shell: Any, loop: asyncio.AbstractEventLoop | None = None) -> KernelNode:
    """Makes this process a node, once; later calls return the same. To be called on the main thread, whose running loop is
    meant when none is given."""
    global _current
    if _current is None:
        _current = KernelNode(link, shell, loop or asyncio.get_running_loop(), own_kernel_id())
        _current.start()
    return _current


def join(shell: Any) -> KernelNode:
    """Makes a process with this shell a node and joins a gateway that runs, now or later; for kernels that load us as an
    extension."""
    link = current_link()
    node = start_node(link, shell)
    link.start()
    return node


def own_kernel_id() -> str:
    """The id Jupyter knows this kernel by, from the name of its connection file; empty outside of a kernel."""
    from ipykernel.connect import get_connection_file

    try:
        found = _KERNEL_ID.search(get_connection_file())
    except RuntimeError:
        return ""
    return found[1] if found else ""


def _panel() -> Any:
    """The live panel that a cell shows now, or `None`; there can be none before its module was loaded."""
    live = sys.modules.get("openclaw_kernel.notebook.live")
    return live.current_panel() if live is not None else None


def _name(kernel_id: str) -> str:
    notebook = os.environ.get("JPY_SESSION_NAME", "")
    return Path(notebook).name if notebook else f"kernel {kernel_id[:8] or os.getpid()}"


def _surface(call: Invocation) -> tuple[str, Messages]:
    surface_id, messages = call.params.get("surfaceId"), call.params.get("messages")
    if not isinstance(surface_id, str) or not surface_id or not isinstance(messages, list):
        raise UserError(f"{call.command} needs surfaceId and messages.")
    if len(messages) > MAX_MESSAGES or not all(isinstance(message, dict) for message in messages):
        raise UserError(f"{call.command} takes at most {MAX_MESSAGES} messages, each an object.")
    return surface_id, messages


def _number(value: object, default: int) -> int:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else default


async def _soon(waiting: asyncio.Future[dict[str, Any]]) -> dict[str, Any]:
    """The result of code that was told to stop; it may be deaf, in an extension's loop for instance."""
    try:
        async with asyncio.timeout(STOP_GRACE_S):
            return await asyncio.shield(waiting)
    except TimeoutError:
        sentence = "the code was told to stop and still runs; interrupt or restart the kernel"
        told = {"ename": "Interrupted", "evalue": sentence, "traceback": sentence}
        return {"status": "error", "stdout": "", "result": "", "images": [], "surfaces": [], "error": told}


def _trim(entries: OrderedDict[str, Any]) -> None:
    while len(entries) > MAX_SURFACES:
        entries.popitem(last=False)
