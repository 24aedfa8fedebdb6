"""The OpenClaw kernel as a Jupyter client sees it, with a real gateway behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.flow.kernels import LIMIT_S, Kernel, running_kernel


@pytest.fixture
async def kernel(tmp_path: Path) -> AsyncIterator[Kernel]:
    async with running_kernel(tmp_path) as kernel:
        yield kernel


async def test_a_cell_is_a_message_and_python_shares_the_namespace(kernel: Kernel) -> None:
    ran = await kernel.run("hello")
    assert ran.status == "ok" and "built-in" in ran.text.lower()
    assert ran.reply["execution_count"] == 1

    ran = await kernel.run("%%python\ncat = 'Miso'\nprint(cat.upper())")
    assert (ran.status, ran.streams.strip()) == ("ok", "MISO")
    assert ran.reply["execution_count"] == 2
    assert (await kernel.run("%time len(cat)")).status == "ok"
    assert "Miso" in (await kernel.run("!echo $cat")).streams


async def test_a_command_is_answered_by_the_gateway(kernel: Kernel) -> None:
    ran = await kernel.run("/status")
    assert ran.status == "ok" and "agent:main:dashboard:kernel-" in ran.text


async def test_a_notebook_has_its_session_and_a_variable_overrides_it(tmp_path: Path) -> None:
    path = "/home/ada/penguins.ipynb"
    async with running_kernel(tmp_path, JPY_SESSION_NAME=path) as kernel:
        first = await kernel.run("/status")
        assert "agent:main:dashboard:notebook-penguins-" in first.text
        await kernel.run("%%python\nopenclaw_session = 'agent:main:lab'")
        assert "`agent:main:lab`" in (await kernel.run("/status")).text


async def test_a_command_waits_for_the_answer_on_stdin(kernel: Kernel) -> None:
    ran = await kernel.run("run `echo from-the-shell`", answer="y")
    assert ran.status == "ok" and len(ran.questions) == 1
    assert "echo from-the-shell" in ran.questions[0] and "Folder" in ran.questions[0]
    assert "✓ exec" in ran.text and "from-the-shell" in ran.text
    assert "<details" in ran.html and "from-the-shell" in ran.html and "--jp-border-color2" in ran.html


async def test_without_stdin_a_command_is_denied(kernel: Kernel) -> None:
    ran = await kernel.run("run `echo never-run > proof`")
    assert ran.status == "ok" and not ran.questions
    assert "denied" in ran.text
    assert not list(kernel.state.rglob("proof"))


async def test_interrupt_ends_a_turn_that_waits_and_the_next_cell_runs(kernel: Kernel) -> None:
    asked = asyncio.Event()

    def never(_question: str) -> None:
        asked.set()

    turn = asyncio.ensure_future(kernel.run("run `echo x`", answer=never))
    await asyncio.wait_for(asked.wait(), LIMIT_S)
    await kernel.interrupt()
    ran = await turn
    assert (ran.status, ran.reply["ename"]) == ("error", "Interrupted")

    ran = await kernel.run("%%python\nprint('alive')")
    assert (ran.status, ran.streams.strip()) == ("ok", "alive")


@pytest.mark.parametrize("code", ["import time; print('on', flush=True); time.sleep(60)", "await wait()", "!sleep 60"])
async def test_interrupt_ends_python_as_in_any_notebook(kernel: Kernel, code: str) -> None:
    begin = "%%python\nimport asyncio\nasync def wait():\n    print('on', flush=True)\n    await asyncio.sleep(60)"
    assert (await kernel.run(begin)).status == "ok"
    began = asyncio.Event()

    def heard(message: dict[str, Any]) -> None:
        if message["msg_type"] in ("stream", "execute_input"):
            began.set()

    cell = asyncio.ensure_future(kernel.run(code if code.startswith("!") else f"%%python\n{code}", on_output=heard))
    await asyncio.wait_for(began.wait(), LIMIT_S)
    async with asyncio.timeout(LIMIT_S):
        while not cell.done():
            await kernel.interrupt()
            await asyncio.wait({cell}, timeout=1.0)
    assert (await cell).reply.get("ename") in ("KeyboardInterrupt", "CancelledError") or code.startswith("!")
    assert (await kernel.run("hello")).status == "ok"


async def test_a_gateway_that_cannot_start_is_one_sentence(tmp_path: Path) -> None:
    async with running_kernel(tmp_path, config="{ not a configuration") as kernel:
        for _ in range(2):
            ran = await kernel.run("hello")
            assert ran.status == "error" and "serve.log" in ran.reply["evalue"]
        assert (await kernel.run("%%python\nprint(6 * 7)")).streams.strip() == "42"


async def test_completion_help_and_line_ends(kernel: Kernel) -> None:
    await kernel.run("%%python\npenguins = [1, 2, 3]")
    await kernel.run("hello")

    async def complete(text: str) -> list[str]:
        message_id = kernel.client.complete(text)
        while True:
            reply = await kernel.client.get_shell_msg(timeout=LIMIT_S)
            if reply["parent_header"].get("msg_id") == message_id:
                return list(reply["content"]["matches"])

    assert await complete("/sta") == ["/status"]
    assert await complete("look at @pen") == ["@penguins"]
    assert "builtin/offline" in await complete("/model bui")
    assert await complete("hello /sta") == []
    assert any("penguins" in match for match in await complete("%%python\npengu"))

    reply = await kernel.client.inspect("/status", 3, reply=True, timeout=LIMIT_S)
    assert reply["content"]["found"] and "/status" in reply["content"]["data"]["text/plain"]
    reply = await kernel.client.inspect("plot @penguins", 8, reply=True, timeout=LIMIT_S)
    assert "`list`, 3 long" in reply["content"]["data"]["text/plain"]

    for text, status in [("hello", "complete"), ("look:\n```", "incomplete"), ("%%python\nfor i in x:", "incomplete")]:
        reply = await kernel.client.is_complete(text, reply=True, timeout=LIMIT_S)
        assert reply["content"]["status"] == status, text


async def test_the_assistants_python_runs_in_the_cell_that_asked_and_ends_with_it(kernel: Kernel) -> None:
    await kernel.run("%%python\ncats = 40")
    ran = await kernel.run("python `cats = cats + 2`", answer="y")
    assert ran.status == "ok" and "✓ python" in ran.text
    assert (await kernel.run("%%python\nprint(cats)")).streams.strip() == "42"

    ready = asyncio.Event()

    def say_yes(_question: str) -> str:
        ready.set()
        return "y"

    for code in ("import time; time.sleep(60)", "while True: pass"):
        ready.clear()
        cell = asyncio.ensure_future(kernel.run(f"python `{code}`", answer=say_yes))
        await asyncio.wait_for(ready.wait(), LIMIT_S)
        await asyncio.wait({cell}, timeout=0.5)  # the code runs by now, or is about to
        await kernel.interrupt()
        async with asyncio.timeout(5):
            ran = await cell
        assert (ran.status, ran.reply["ename"]) == ("error", "Interrupted")
        assert (await kernel.run("%%python\nprint(cats)")).streams.strip() == "42"
