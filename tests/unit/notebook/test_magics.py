"""`%claw`, `%%claw` and `Assistant` in an ordinary Python kernel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from openclaw_kernel.notebook.magics import BadUse, _read, questions
from tests.flow.kernels import LIMIT_S, PYTHON, Kernel, running_kernel


@pytest.fixture
async def kernel(tmp_path: Path) -> AsyncIterator[Kernel]:
    async with running_kernel(tmp_path, spec=PYTHON) as kernel:
        yield kernel


def test_options_stand_before_the_message() -> None:
    options, message = _read("--session work --model builtin/offline what is --session?", None)
    assert (options.session, options.model, message) == ("work", "builtin/offline", "what is --session?")
    options, message = _read("--no-stream", "two\nlines\n")
    assert (options.no_stream, message) == (True, "two\nlines\n")
    options, message = _read("it's 5 o'clock", None)
    assert message == "it's 5 o'clock"
    with pytest.raises(BadUse, match="--loud"):
        _read("--loud hello", None)


def test_a_question_is_no_look_up_of_help() -> None:
    assert questions(["%claw what's up?\n"]) == ["get_ipython().run_line_magic('claw', \"what's up?\")\n"]
    assert questions(["if x:\n", "    %claw why?  \n"]) == ["if x:\n", "    get_ipython().run_line_magic('claw', 'why?')\n"]
    for kept in ("%claw?\n", "%claw hello\n", "%%claw why?\n", "claw why?\n", "print('%claw why?')\n"):
        assert questions([kept]) == [kept]


async def test_magics_say_nothing_when_loaded_and_show_an_answer(kernel: Kernel) -> None:
    ran = await kernel.run("%load_ext openclaw_kernel")
    assert (ran.status, ran.text.strip(), ran.outputs) == ("ok", "", [])

    ran = await kernel.run("%claw hello?")
    assert ran.status == "ok" and "built-in" in ran.text.lower()
    assert [data for data in ran.outputs if "text/markdown" in data]

    ran = await kernel.run("%%claw --session work --no-stream\nhello")
    assert ran.status == "ok" and "built-in" in ran.outputs[0]["text/markdown"].lower()

    assert "agent:main:dashboard:kernel-" in (await kernel.run("%claw status")).text
    ran = await kernel.run("%claw --loud hello")
    assert (
        ran.status == "error"
        and "--loud" in ran.reply["evalue"]
        and "notebook/magics.py" not in "".join(ran.reply["traceback"])
    )


async def test_a_question_in_the_cell_that_loads_the_extension(kernel: Kernel) -> None:
    ran = await kernel.run("it = 1\n%load_ext openclaw_kernel\n%claw hello, what is it?")
    assert ran.status == "ok" and "built-in" in ran.text.lower() and "Type:" not in str(ran.reply.get("payload"))
    ran = await kernel.run("it?")
    assert "int" in str(ran.reply["payload"])


async def test_the_assistant_from_python(kernel: Kernel) -> None:
    ran = await kernel.run("from openclaw_kernel import Assistant")
    assert ran.text.strip() == ""
    ran = await kernel.run("answer = Assistant().ask('hello')\nprint(type(answer).__name__, answer.model)\nanswer")
    assert ran.streams.strip() == "Answer offline" and "built-in" in ran.outputs[0]["text/markdown"].lower()
    ran = await kernel.run("pieces = list(Assistant().stream('hello'))\nprint(''.join(pieces) == answer.text, len(pieces) > 0)")
    assert ran.streams.strip() == "True True"
    ran = await kernel.run("print((await Assistant().aask('hello')).text == answer.text)")
    assert ran.streams.strip() == "True"
    ran = await kernel.run("print(''.join([p async for p in Assistant().astream('hello')]) == answer.text)")
    assert ran.streams.strip() == "True"


async def test_a_question_is_asked_on_stdin_or_by_a_callback(kernel: Kernel) -> None:
    await kernel.run("%load_ext openclaw_kernel\nfrom openclaw_kernel import Assistant")
    ran = await kernel.run("%claw run `echo from-the-shell`", answer="y")
    assert ran.status == "ok" and len(ran.questions) == 1 and "from-the-shell" in ran.text.split("✓ exec")[-1]
    ran = await kernel.run("%claw run `echo never > proof`")
    assert ran.status == "ok" and "denied" in ran.text
    assert not list(kernel.state.rglob("proof"))
    code = "seen = []\ndef approve(request):\n    seen.append(request['command'])\n    return 'allow-once'\n"
    ran = await kernel.run(f"{code}print(Assistant(approve=approve).ask('run `echo called-back`'), seen)")
    assert "called-back" in ran.streams and "['echo called-back']" in ran.streams


async def test_interrupt_of_a_magic_stops_the_run(kernel: Kernel) -> None:
    await kernel.run("%load_ext openclaw_kernel\nfrom openclaw_kernel import Assistant")
    asked = asyncio.Event()
    cell = asyncio.ensure_future(kernel.run("%claw run `echo x`", answer=lambda _question: asked.set()))
    await asyncio.wait_for(asked.wait(), LIMIT_S)
    await kernel.interrupt()
    ran = await cell
    assert (ran.status, ran.reply["ename"]) == ("error", "KeyboardInterrupt")
    code = (
        "from openclaw_kernel.notebook.session import current_link\nlink = current_link()\n"
        "print(link.run(link.request('exec.approval.list', {})))"
    )
    assert (await kernel.run(code)).streams.strip() == "[]"


async def test_a_session_and_a_model_that_do_not_exist(kernel: Kernel) -> None:
    await kernel.run("%load_ext openclaw_kernel")
    ran = await kernel.run("%claw --model nobody/nothing hello")
    assert ran.status == "error" and "nobody/nothing" in ran.reply["evalue"]
