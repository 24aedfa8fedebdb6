"""The OpenClaw kernel as a Jupyter client sees it, with a real gateway behind it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

from openclaw_kernel.store.runtime_file import read_runtime
from tests.processes import free_port

TIMEOUT = 60


@pytest.fixture
async def kernel(tmp_path: Path) -> AsyncIterator[AsyncKernelClient]:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "openclaw.json").write_text(f'{{"gateway": {{"port": {free_port()}}}}}')
    manager = AsyncKernelManager()
    manager._kernel_spec = KernelSpec(
        argv=[sys.executable, "-m", "openclaw_kernel", "-f", "{connection_file}"],
        display_name="OpenClaw",
        language="openclaw",
        interrupt_mode="message",
    )
    await manager.start_kernel(env={**os.environ, "OPENCLAW_STATE_DIR": str(state), "IPYTHONDIR": str(tmp_path / "ipython")})
    client = manager.client()
    client.start_channels()
    client.manager = manager  # type: ignore[attr-defined]
    try:
        await client.wait_for_ready(TIMEOUT)
        yield client
    finally:
        client.stop_channels()
        await manager.shutdown_kernel(now=True)
        running = read_runtime(state)
        if running is not None:
            os.kill(running.pid, 15)


async def run(client: AsyncKernelClient, code: str, answer: str | None = None) -> tuple[dict, str]:
    """The reply, and all text the cell showed."""
    shown: list[str] = []

    def on_output(message: dict) -> None:
        content = message["content"]
        if message["msg_type"] in ("display_data", "update_display_data", "execute_result"):
            data = content["data"]
            shown.append(data.get("text/markdown") or data.get("text/html") or data.get("text/plain", ""))
        elif message["msg_type"] == "stream":
            shown.append(content["text"])
        elif message["msg_type"] == "error":
            shown.append(content["evalue"])

    def on_stdin(message: dict) -> None:
        assert answer is not None, f"unexpected question: {message['content']['prompt']}"
        shown.append(message["content"]["prompt"])
        client.input(answer)

    reply = await client.execute_interactive(
        code, output_hook=on_output, stdin_hook=on_stdin, allow_stdin=answer is not None, timeout=TIMEOUT
    )
    return reply["content"], "\n".join(shown)


async def test_a_cell_is_a_message_and_python_shares_the_namespace(kernel: AsyncKernelClient) -> None:
    reply, shown = await run(kernel, "hello")
    assert reply["status"] == "ok"
    assert "built-in" in shown.lower()

    reply, shown = await run(kernel, "%%python\ncat = 'Miso'\nprint(cat.upper())")
    assert (reply["status"], shown.strip()) == ("ok", "MISO")


async def test_a_command_waits_for_the_answer_on_stdin(kernel: AsyncKernelClient) -> None:
    reply, shown = await run(kernel, "run `echo from-the-shell`", answer="y")
    assert reply["status"] == "ok"
    assert "Allow this command?" in shown
    assert "from-the-shell" in shown.split("[n] no:")[-1]


async def test_without_stdin_a_command_is_denied(kernel: AsyncKernelClient) -> None:
    reply, shown = await run(kernel, "run `echo never-run > proof`")
    assert reply["status"] == "ok"
    assert "Allow this command?" not in shown


async def test_interrupt_ends_a_turn_that_waits_and_the_next_cell_runs(kernel: AsyncKernelClient) -> None:
    asked = asyncio.Event()
    turn = asyncio.ensure_future(
        kernel.execute_interactive(
            "run `echo x`", output_hook=lambda _: None, stdin_hook=lambda _: asked.set(), allow_stdin=True, timeout=TIMEOUT
        )
    )
    await asyncio.wait_for(asked.wait(), TIMEOUT)
    await kernel.manager.interrupt_kernel()  # type: ignore[attr-defined]
    reply = (await turn)["content"]
    assert (reply["status"], reply["ename"]) == ("error", "Interrupted")

    reply, shown = await run(kernel, "%%python\nprint('alive')")
    assert (reply["status"], shown.strip()) == ("ok", "alive")
