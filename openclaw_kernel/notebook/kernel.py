"""The OpenClaw kernel: a cell is a message to the assistant, `%%python`, `%` and `!` are Python in the same namespace.

It is an IPython kernel with another default language, so comms, widgets, magics, completion and the user's variables are
those of any notebook. The assistant itself lives in the gateway; the kernel finds it or starts it, and is its client.
"""

from __future__ import annotations

import asyncio
import html
import logging
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any, cast

from ipykernel.ipkernel import IPythonKernel
from IPython.display import HTML, DisplayHandle, Markdown, display
from jupyter_client.session import Session

from openclaw_kernel._version import __version__
from openclaw_kernel.client.connection import GatewayConnection, connect
from openclaw_kernel.client.find import ensure_gateway
from openclaw_kernel.notebook.turn import TurnFailed, converse
from openclaw_kernel.store.paths import state_dir
from openclaw_kernel.values.errors import OpenClawError, UserError

log = logging.getLogger(__name__)

UPDATE_INTERVAL_S = 1 / 15  # Markdown is redrawn at most 15 times a second (reference: ui rules, answer)
STDIN_POLL_S = 0.03
PYTHON_MARKS = ("%", "!")
SCOPES = ("operator.admin", "operator.read", "operator.write", "operator.approvals")

Reply = dict[str, Any]


class CellScreen:
    """Shows a turn in a cell's output: one Markdown display that grows, one line for each tool."""

    def __init__(self, kernel: OpenClawKernel, *, allow_stdin: bool) -> None:
        self._kernel = kernel
        self._allow_stdin = allow_stdin
        self._handle: DisplayHandle | None = None
        self._drawn_at = 0.0

    def text(self, markdown: str, *, final: bool) -> None:
        now = time.monotonic()
        if not final and now - self._drawn_at < UPDATE_INTERVAL_S:
            return
        self._drawn_at = now
        if self._handle is None:
            self._handle = display(Markdown(markdown), display_id=True)
        else:
            self._handle.update(Markdown(markdown))

    def tool(self, name: str, title: str, state: str) -> None:
        if state == "running":
            display(HTML(f"<small>▸ {html.escape(name)} · {html.escape(title)}</small>"))
        elif state == "failed":
            display(HTML(f"<small>✕ {html.escape(name)} failed</small>"))

    async def approve(self, request: Mapping[str, Any]) -> str:
        if not self._allow_stdin:
            return "deny"
        question = (
            f"Allow this command?\n  {request.get('command', '')}\n  in {request.get('cwd', '')}\n"
            f"  {request.get('reason', '')}\n[y] once  [a] always  [n] no: "
        )
        answer = await self._kernel.ask(question)
        return {"y": "allow-once", "a": "allow-always"}.get(answer.strip().lower()[:1], "deny")


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
        self._turn: asyncio.Task[str] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def do_execute(
        self,
        code: str,
        silent: bool,
        store_history: bool = True,
        user_expressions: dict[str, Any] | None = None,
        allow_stdin: bool = False,
        **kwargs: Any,
    ) -> Reply:
        """Python when the cell says so, else a turn. Never raises: an escaping exception would leave the client waiting."""
        if silent or code.lstrip().startswith(PYTHON_MARKS) or not code.strip():
            return await self._run_python(code, silent, store_history, user_expressions, allow_stdin, kwargs)
        return await self._run_turn(code, allow_stdin)

    async def _run_python(
        self,
        code: str,
        silent: bool,
        store_history: bool,
        user_expressions: dict[str, Any] | None,
        allow_stdin: bool,
        kwargs: dict[str, Any],
    ) -> Reply:
        first, _, rest = code.lstrip().partition("\n")
        if first.strip() == "%%python":
            code = rest
        reply: Reply = await super().do_execute(code, silent, store_history, user_expressions, allow_stdin, **kwargs)
        return reply

    async def _run_turn(self, code: str, allow_stdin: bool) -> Reply:
        self._loop = asyncio.get_running_loop()
        self._turn = self._loop.create_task(self._converse(code, CellScreen(self, allow_stdin=allow_stdin)))
        try:
            await self._turn
        except asyncio.CancelledError:
            return self._failed("Interrupted", "Stopped.")
        except (TurnFailed, OpenClawError, UserError, OSError) as error:
            return self._failed(type(error).__name__, str(error))
        except Exception as error:
            log.exception("a turn failed")
            return self._failed(type(error).__name__, str(error))
        finally:
            self._turn = None
        return {"status": "ok", "execution_count": self.execution_count, "payload": [], "user_expressions": {}}

    async def _converse(self, code: str, screen: CellScreen) -> str:
        async with AsyncExitStack() as stack:
            gateway = await self._connect(stack)
            return await converse(gateway, self._session_key(), code, screen)

    async def _connect(self, stack: AsyncExitStack) -> GatewayConnection:
        info = await ensure_gateway(state_dir())
        return await stack.enter_async_context(
            connect(
                info.url, token=info.token, client_id="gateway-client", mode="backend", scopes=SCOPES, caps=("tool-events",)
            )
        )

    async def ask(self, question: str) -> str:
        """Asks on stdin and waits without a thread: a thread blocked in `input()` would outlive an interrupt and swallow
        the next reply."""
        session = cast(Session, self.session)
        ident = self._get_shell_context_var(self._shell_parent_ident)
        while session.recv(self.stdin_socket)[1] is not None:
            pass  # a reply to a question nobody waits for any more
        content = {"prompt": question, "password": False}
        session.send(self.stdin_socket, "input_request", content, self.get_parent("shell"), ident=ident)
        while True:
            _, reply = session.recv(self.stdin_socket)
            if reply is not None:
                return str(reply["content"].get("value", ""))
            await asyncio.sleep(STDIN_POLL_S)

    def _session_key(self) -> str:
        """One session per kernel; a notebook may choose another by setting `openclaw_session`."""
        name = self.shell.user_ns.get("openclaw_session") if self.shell is not None else None
        return str(name) if name else f"agent:main:dashboard:kernel-{self.ident[:8]}"

    def _failed(self, name: str, sentence: str) -> Reply:
        content = {"ename": name, "evalue": sentence, "traceback": [sentence]}
        self.send_response(self.iopub_socket, "error", content)
        return {"status": "error", "execution_count": self.execution_count, **content}

    async def interrupt_request(self, stream: Any, ident: Any, parent: Any) -> None:
        """Cancels the turn with its tools; without a turn, interrupts Python as usual. Runs on the control thread."""
        if self._turn is None or self._loop is None:
            await super().interrupt_request(stream, ident, parent)
            return
        self._loop.call_soon_threadsafe(self._turn.cancel)
        session = cast(Session, self.session)
        session.send(stream, "interrupt_reply", {"status": "ok"}, parent, ident=ident)
