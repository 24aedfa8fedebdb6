"""OpenClaw kernels in processes of their own, driven as a front end drives them."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

from openclaw_kernel.store.runtime_file import read_runtime
from tests.processes import free_port

LIMIT_S = 60

OPENCLAW = KernelSpec(
    argv=[sys.executable, "-m", "openclaw_kernel", "-f", "{connection_file}"],
    display_name="OpenClaw",
    language="openclaw",
    interrupt_mode="message",
)
PYTHON = KernelSpec(
    argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"], display_name="Python", language="python"
)


@dataclass
class Ran:
    """What a cell answered and showed. `outputs` are the displays as they stand at the end, in order of appearance."""

    reply: dict[str, Any] = field(default_factory=dict)
    outputs: list[dict[str, Any]] = field(default_factory=list)
    streams: str = ""
    questions: list[str] = field(default_factory=list)
    updates: int = 0
    widgets: list[str] = field(default_factory=list)

    @property
    def status(self) -> str:
        return str(self.reply["status"])

    @property
    def text(self) -> str:
        """Everything as plain text."""
        return "\n".join([*(str(data.get("text/plain", "")) for data in self.outputs), self.streams])

    @property
    def html(self) -> str:
        return "\n".join(str(data.get("text/html", "")) for data in self.outputs)


@dataclass
class Kernel:
    """A running kernel and its client."""

    manager: AsyncKernelManager
    client: AsyncKernelClient
    state: Path

    async def run(
        self,
        code: str,
        answer: str | Callable[[str], str | None] | None = None,
        *,
        on_output: Callable[[dict[str, Any]], None] = lambda _message: None,
        limit_s: float = LIMIT_S,
    ) -> Ran:
        """Runs a cell to its end. `answer` is what is typed when it asks; without one the cell has no stdin."""
        ran = Ran()
        places: dict[str, int] = {}

        def output(message: dict[str, Any]) -> None:
            _keep(message, ran, places)
            on_output(message)

        def asked(message: dict[str, Any]) -> None:
            ran.questions.append(message["content"]["prompt"])
            typed = answer(ran.questions[-1]) if callable(answer) else answer
            if typed is not None:
                self.client.input(typed)

        reply = await self.client.execute_interactive(
            code, output_hook=output, stdin_hook=asked, allow_stdin=answer is not None, timeout=limit_s
        )
        ran.reply = reply["content"]
        return ran

    async def interrupt(self) -> None:
        """Presses stop and waits until the kernel has heard it, so that it cannot meet the cell after.

        A message goes through the client: the manager counts its own under the same name, and a cell that got the number of
        an interrupt would take what is said about that for its own.
        """
        if self.manager.kernel_spec.interrupt_mode != "message":
            await self.manager.interrupt_kernel()
            return
        message = self.client.session.msg("interrupt_request", {})
        self.client.control_channel.send(message)
        reply = await self.client.get_control_msg(timeout=LIMIT_S)
        assert reply["parent_header"]["msg_id"] == message["header"]["msg_id"] and reply["content"]["status"] == "ok"


def _keep(message: dict[str, Any], ran: Ran, places: dict[str, int]) -> None:
    kind, content = message["msg_type"], message["content"]
    if kind in ("display_data", "execute_result", "update_display_data"):
        name = content.get("transient", {}).get("display_id")
        if kind == "update_display_data":
            ran.updates += 1
            ran.outputs[places[name]] = content["data"]
            return
        if name is not None:
            places[name] = len(ran.outputs)
        ran.outputs.append(content["data"])
    elif kind == "stream":
        ran.streams += content["text"]
    elif kind == "error":
        ran.outputs.append({"text/plain": content["evalue"]})
    elif kind == "comm_open":
        ran.widgets.append(content["comm_id"])


@asynccontextmanager
async def running_kernel(
    folder: Path, *, spec: KernelSpec = OPENCLAW, config: str | None = None, **environment: str
) -> AsyncIterator[Kernel]:
    """A kernel with a home and a state directory of its own below `folder`; the gateway it started ends with it."""
    state = folder / "state"
    if not state.exists():
        state.mkdir(mode=0o700, parents=True)
        (state / "openclaw.json").write_text(config or f'{{"gateway": {{"port": {free_port()}}}}}')
    manager = AsyncKernelManager()
    manager._kernel_spec = spec
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("OPENCLAW_", "JPY_"))}
    home = {"OPENCLAW_STATE_DIR": str(state), "IPYTHONDIR": str(folder / "ipython")}
    await manager.start_kernel(env={**clean, **home, **environment})
    client = manager.client()
    client.start_channels()
    try:
        await client.wait_for_ready(LIMIT_S)
        yield Kernel(manager, client, state)
    finally:
        client.stop_channels()
        await manager.shutdown_kernel(now=True)
        await end_gateway(state)


async def end_gateway(state: Path) -> None:
    """Ends the gateway of a state directory, if one runs, and waits for its end."""
    running = read_runtime(state)
    if running is None:
        return
    try:
        process = psutil.Process(running.pid)
        process.terminate()
        await asyncio.to_thread(process.wait, LIMIT_S)
    except psutil.NoSuchProcess:
        return
