"""The OpenClaw kernel: a cell is a message to the assistant, `%%python`, `%` and `!` are Python in the same namespace.

It is an IPython kernel with another default language, so comms, widgets, magics, completion and the user's variables are
those of any notebook. The assistant itself lives in the gateway; the kernel finds it or starts it, and is its client.
"""

from __future__ import annotations

import asyncio
import contextvars
import importlib
import logging
import os
import signal
from collections.abc import Awaitable
from typing import Any, cast

from ipykernel.ipkernel import IPythonKernel
from IPython.display import display
from jupyter_client.session import Session

from openclaw_kernel._version import __version__
from openclaw_kernel.notebook import asking, live, magics, session
from openclaw_kernel.notebook.asking import Ask
from openclaw_kernel.notebook.cellturn import CellTurn
from openclaw_kernel.notebook.complete import Completer
from openclaw_kernel.notebook.interrupt import python_runs, python_section
from openclaw_kernel.notebook.screen import CellScreen, Screen, TerminalScreen

log = logging.getLogger(__name__)

PYTHON_MARKS = ("%", "!")
JOIN_AFTER_S = 1.0
"""A kernel that has just started lets its front end finish before it looks for a gateway."""

Reply = dict[str, Any]
Message = dict[str, Any]


def is_python(code: str) -> bool:
    """Whether a cell is Python by its first mark; everything else is said to the assistant."""
    return code.lstrip().startswith(PYTHON_MARKS)


def python_of(code: str) -> str:
    """The Python in a cell: what stands under `%%python`, else the cell itself."""
    first, _, rest = code.lstrip().partition("\n")
    return rest if first.strip() == "%%python" else code


def _nothing() -> None:
    """Wakes a loop."""


class KernelStdin:
    """The stdin channel, see `asking.Stdin`."""

    def __init__(self, kernel: OpenClawKernel) -> None:
        self._kernel = kernel
        self._session = cast(Session, kernel.session)
        self._ident = kernel._get_shell_context_var(kernel._shell_parent_ident)
        self._parent = kernel.get_parent("shell")

    def send(self, prompt: str) -> None:
        socket = self._kernel.stdin_socket
        while self._session.recv(socket)[1] is not None:
            pass
        content = {"prompt": prompt, "password": False}
        self._session.send(socket, "input_request", content, self._parent, ident=self._ident)

    def receive(self) -> str | None:
        _, reply = self._session.recv(self._kernel.stdin_socket)
        return None if reply is None else str(reply["content"].get("value", ""))


class OpenClawKernel(IPythonKernel):  # type: ignore[misc]
    """IPython with the assistant as its default language."""

    implementation = "openclaw"
    implementation_version = __version__
    banner = "OpenClaw: a cell is a message to your assistant; start it with %%python for Python."

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.language_info = {
            "name": "openclaw",
            "mimetype": "text/x-markdown",
            "codemirror_mode": "markdown",
            "pygments_lexer": "markdown",
            "file_extension": ".md",
        }
        self._turns: set[CellTurn] = set()
        self._line_clients: set[str] = set()
        self._widget_clients = False
        self._open_comm = self.shell_handlers["comm_open"]
        self.shell_handlers["comm_open"] = self._comm_open
        self.link = session.current_link()
        self.link.session_key = self.session_key
        self._completer = Completer(self.link, self.shell)
        self._joining: asyncio.Task[None] | None = None
        magics.register(self.shell)

    def start(self) -> None:
        super().start()
        self.io_loop.call_later(JOIN_AFTER_S, self._join)

    def _join(self) -> asyncio.Task[None]:
        """From now on the assistant can reach this kernel; a gateway that runs is joined, none is started."""
        if self._joining is None:
            self._joining = asyncio.get_running_loop().create_task(self._become_node())
        return self._joining

    async def _become_node(self) -> None:
        node = await asyncio.to_thread(importlib.import_module, "openclaw_kernel.notebook.node")
        node.start_node(self.link, self.shell, asyncio.get_running_loop())
        self.link.start()

    async def do_shutdown(self, restart: bool) -> Reply:
        reply = super().do_shutdown(restart)
        if isinstance(reply, Awaitable):
            reply = await reply
        self.stop_turns()
        await asyncio.to_thread(self.link.close)
        return cast(Reply, reply)

    def session_key(self) -> str:
        """One session per notebook; `openclaw_session` in the namespace chooses another."""
        name = self.shell.user_ns.get("openclaw_session") if self.shell is not None else None
        return str(name) if name else session.session_key_for(os.environ.get("JPY_SESSION_NAME"), self.ident)

    # --- running a cell -----------------------------------------------------------------------------------------------

    async def do_execute(
        self,
        code: str,
        silent: bool,
        store_history: bool = True,
        user_expressions: dict[str, Any] | None = None,
        allow_stdin: bool = False,
        *,
        cell_meta: dict[str, Any] | None = None,
        cell_id: str | None = None,
        **more: Any,
    ) -> Reply:
        """Python when the cell says so, else a turn. Never raises: an escaping exception would leave the client waiting."""
        try:
            if silent or is_python(code) or not code.strip():
                options = {"cell_meta": cell_meta, "cell_id": cell_id, **more}
                return await self._run_python(code, silent, store_history, user_expressions, allow_stdin, options)
            reply = await self._run_turn(code, allow_stdin, self._is_line_client(cell_id))
            return self._counted(code, reply, store_history)
        except KeyboardInterrupt:
            return self._failed("KeyboardInterrupt", "Interrupted.")
        except asyncio.CancelledError:
            return self._failed("Interrupted", "Stopped.")
        except Exception as error:
            log.exception("a cell failed")
            return self._failed(type(error).__name__, str(error))

    async def _run_python(
        self,
        code: str,
        silent: bool,
        store_history: bool,
        user_expressions: dict[str, Any] | None,
        allow_stdin: bool,
        options: dict[str, Any],
    ) -> Reply:
        with python_section():
            return cast(
                Reply,
                await super().do_execute(python_of(code), silent, store_history, user_expressions, allow_stdin, **options),
            )

    async def _run_turn(self, code: str, allow_stdin: bool, lines: bool) -> Reply:
        await asyncio.shield(self._join())
        screen: Screen = TerminalScreen() if lines else CellScreen()
        turn = CellTurn(self.link, self.session_key(), code, screen, self._ask(allow_stdin, lines))
        here = contextvars.copy_context()
        leave = live.push_panel(live.CellPanel(lambda widget: here.run(display, widget), screen.new_group))
        self._turns.add(turn)
        try:
            outcome = await turn.run()
        finally:
            self._turns.discard(turn)
            leave()
        if outcome is None or outcome.status == "aborted":
            return self._failed("Interrupted", "Stopped.")
        if outcome.status == "error":
            return self._failed("OpenClaw", outcome.sentence)
        return {"status": "ok", "payload": [], "user_expressions": {}}

    def _ask(self, allow_stdin: bool, lines: bool) -> Ask:
        if self._widget_clients and not lines and asking.has_widgets():
            return asking.by_buttons
        return asking.on_stdin(KernelStdin(self)) if allow_stdin else asking.deny

    def _counted(self, code: str, reply: Reply, store_history: bool) -> Reply:
        """A message has its number and its place in the input history, as a Python cell has."""
        shell: Any = self.shell
        count = shell.execution_count
        if store_history:
            shell.history_manager.store_inputs(count, code, code)
            shell.execution_count = count + 1
        return reply | {"execution_count": count}

    def _failed(self, name: str, sentence: str) -> Reply:
        content = {"ename": name, "evalue": sentence, "traceback": [sentence]}
        self.send_response(self.iopub_socket, "error", content)
        return {"status": "error", "execution_count": self.execution_count, **content}

    # --- interrupt ----------------------------------------------------------------------------------------------------

    def stop_turns(self) -> bool:
        """Cancels every running turn with its tools and questions; whether there was one. From any thread."""
        turns = tuple(self._turns)
        for turn in turns:
            turn.stop()
        return bool(turns)

    async def interrupt_request(self, stream: Any, ident: Any, parent: Message) -> None:
        """Cancels the turn and interrupts Python, whichever runs. On the control thread."""
        stopped = self.stop_turns()
        if stopped and not python_runs():
            cast(Session, self.session).send(stream, "interrupt_reply", {"status": "ok"}, parent, ident=ident)
        else:
            await super().interrupt_request(stream, ident, parent)
            # The signal handler of an awaiting cell only marks its loop, which may be asleep until the cell's own time is up.
            self.io_loop.add_callback(_nothing)

    def pre_handler_hook(self) -> None:
        """Between the lines of somebody's Python SIGINT never raises; there it stops the turn, or nothing."""
        self.saved_sigint_handler = signal.signal(signal.SIGINT, lambda *_: self.stop_turns() and None)

    # --- who is there -------------------------------------------------------------------------------------------------

    def _is_line_client(self, cell_id: str | None) -> bool:
        """A terminal asks for its history or whether its input is complete, and runs no cell of a document. Its displays cannot
        change."""
        header = self.get_parent("shell").get("header") or {}
        return cell_id is None and header.get("session") in self._line_clients

    async def is_complete_request(self, stream: Any, ident: Any, parent: Message) -> None:
        self._line_clients.add(str(parent["header"].get("session")))
        await super().is_complete_request(stream, ident, parent)

    async def history_request(self, stream: Any, ident: Any, parent: Message) -> None:
        self._line_clients.add(str(parent["header"].get("session")))
        await super().history_request(stream, ident, parent)

    async def comm_info_request(self, stream: Any, ident: Any, parent: Message) -> None:
        """A widget manager asks for its comms when it meets a kernel."""
        if parent["content"].get("target_name") == "jupyter.widget":
            self._widget_clients = True
        await super().comm_info_request(stream, ident, parent)

    def _comm_open(self, stream: Any, ident: Any, parent: Message) -> Any:
        if parent["content"].get("target_name") == "jupyter.widget.control":
            self._widget_clients = True
        return self._open_comm(stream, ident, parent)

    # --- help while typing --------------------------------------------------------------------------------------------

    async def do_complete(self, code: str, cursor_pos: int | None) -> Reply:
        position = len(code) if cursor_pos is None else cursor_pos
        if is_python(code):
            return cast(Reply, super().do_complete(code, position))
        return await self._completer.complete(code, position)

    async def do_inspect(self, code: str, cursor_pos: int, detail_level: int = 0, omit_sections: Any = ()) -> Reply:
        if not is_python(code) and (help_text := await self._completer.describe(code, cursor_pos)) is not None:
            data = {"text/plain": help_text, "text/markdown": help_text} if help_text else {}
            return {"status": "ok", "found": bool(help_text), "data": data, "metadata": {}}
        return cast(Reply, super().do_inspect(code, cursor_pos, detail_level, omit_sections))

    async def do_is_complete(self, code: str) -> Reply:
        """A message ends with its line, unless a code fence is open or a backslash asks for more."""
        if is_python(code):
            return cast(Reply, super().do_is_complete(code))
        is_open = code.rstrip(" ").endswith("\\") or code.count("```") % 2 == 1
        return {"status": "incomplete", "indent": ""} if is_open else {"status": "complete"}
