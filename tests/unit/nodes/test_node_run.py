"""The assistant's Python in a namespace: caught output, results, errors, stopping (NBK-03)."""

from __future__ import annotations

import asyncio
import base64
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import Image, display

from openclaw_kernel.notebook.node_run import Job, MainThread

LIMIT_S = 20
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==")


@pytest.fixture
def shell() -> Iterator[Any]:
    """IPython without a kernel; its display pieces are what `display` finds."""
    shell = InteractiveShell.instance()
    before = sys.displayhook
    yield shell
    shell.reset(new_session=False)
    InteractiveShell.clear_instance()
    sys.displayhook = before


async def run(shell: Any, code: str) -> dict[str, Any]:
    main = MainThread(shell, asyncio.get_running_loop())
    job = Job(code)
    main.submit(job)
    try:
        return await asyncio.wait_for(asyncio.wrap_future(job.future), LIMIT_S)
    finally:
        main.close()


async def test_output_and_the_last_value(shell: Any) -> None:
    ran = await run(shell, "import sys\nx = 20\nprint('hello')\nprint('oh', file=sys.stderr)\nx + 1")
    assert ran == {"status": "ok", "stdout": "hello\noh\n", "result": "21", "images": [], "surfaces": []}
    assert (await run(shell, "x += 1; x;"))["result"] == ""
    assert shell.user_ns["x"] == 21 and "21" not in str(shell.user_ns["Out"]) and shell.execution_count == 1


async def test_nothing_reaches_the_cell_of_somebody_else(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    shell.user_ns["other"] = other = asyncio.Event()

    async def draws() -> None:
        await other.wait()
        print("mine")
        display("shown")

    drawing = asyncio.ensure_future(draws())
    ran = await run(shell, "import asyncio\nprint('one')\nother.set()\nawait asyncio.sleep(0.01)\nprint('two')")
    await drawing
    assert ran["stdout"] == "one\ntwo\n"
    assert "mine" in capsys.readouterr().out and sys.stdout is not None and not hasattr(sys.stdout, "_under")


async def test_pictures(shell: Any) -> None:
    shell.user_ns |= {"Image": Image, "PNG": PNG, "display": display}
    ran = await run(shell, "display(Image(PNG))\ndisplay('text')\nImage(PNG)")
    assert [base64.b64decode(image["base64"]) for image in ran["images"]] == [PNG, PNG]
    assert ran["images"][0]["mediaType"] == "image/png" and "'text'" in ran["stdout"]


@pytest.mark.parametrize(
    ("code", "name", "text"),
    [
        ("def f():\n    return 1 / 0\nf()", "ZeroDivisionError", "return 1 / 0"),
        ("1 +", "SyntaxError", "invalid syntax"),
        ("raise SystemExit(3)", "SystemExit", "3"),
        ("class E(Exception):\n    def __str__(self): raise ValueError\nraise E", "E", "E"),
    ],
)
async def test_errors_begin_at_the_code_itself(shell: Any, code: str, name: str, text: str) -> None:
    ran = await run(shell, f"print('before')\n{code}")
    assert ran["status"] == "error" and ran["error"]["ename"] == name
    assert text in ran["error"]["traceback"] and "node_run" not in ran["error"]["traceback"]
    assert ran["stdout"] == ("" if name == "SyntaxError" else "before\n")


@pytest.mark.parametrize(
    "code",
    [
        "import time\nprint('in')\ntime.sleep(60)",
        "import asyncio\nprint('in')\nawait asyncio.sleep(60)",
        "import asyncio, time\nprint('in')\nawait asyncio.sleep(0)\ntime.sleep(60)",
        "print('in')\nwhile True: pass",
        "import asyncio\nprint('in')\ntry:\n    await asyncio.sleep(60)\nfinally:\n    print('tidied')",
    ],
)
async def test_it_is_stopped_and_the_next_one_runs(shell: Any, code: str) -> None:
    main = MainThread(shell, asyncio.get_running_loop())
    job, after = Job(code), Job("1 + 1")
    main.submit(job)
    main.submit(after)

    def stop() -> None:
        while "in" not in job.caught.text:
            threading.Event().wait(0.01)
        job.stop("it was stopped after 3 s")

    thread = threading.Thread(target=stop)
    thread.start()
    ran = await asyncio.wait_for(asyncio.wrap_future(job.future), LIMIT_S)
    thread.join()
    assert ran["error"] == {
        "ename": "Interrupted",
        "evalue": "it was stopped after 3 s",
        "traceback": "Interrupted: it was stopped after 3 s",
    }
    assert ran["stdout"].startswith("in\n") and ("tidied" in ran["stdout"]) == ("tidied" in code)
    assert (await asyncio.wait_for(asyncio.wrap_future(after.future), LIMIT_S))["result"] == "2"
    main.close()


async def test_never_inside_a_running_cell(shell: Any) -> None:
    main = MainThread(shell, asyncio.get_running_loop())
    shell.events.trigger("pre_run_cell", None)
    job = Job("1")
    main.submit(job)
    await asyncio.sleep(0.02)
    assert not job.future.running()
    with main.lending():
        assert (await asyncio.wait_for(asyncio.wrap_future(job.future), LIMIT_S))["result"] == "1"
    late = Job("2")
    main.submit(late)
    await asyncio.sleep(0.02)
    assert not late.future.running()
    shell.events.trigger("post_run_cell", None)
    assert (await asyncio.wait_for(asyncio.wrap_future(late.future), LIMIT_S))["result"] == "2"
    main.close()


async def test_a_blocking_cell_lends_its_thread(shell: Any) -> None:
    main = MainThread(shell, asyncio.get_running_loop())
    jobs = [Job("print('a'); 5"), Job("import asyncio\nawait asyncio.sleep(0)")]
    done: Any = jobs[1].future
    threading.Thread(target=lambda: [main.submit(job) for job in jobs]).start()
    main.lend(done)
    assert jobs[0].future.result()["result"] == "5"
    assert "await" in jobs[1].future.result()["error"]["evalue"]
    main.close()


async def test_long_output_keeps_its_ends(shell: Any) -> None:
    ran = await run(shell, "print('begin')\nfor i in range(100_000): print('x' * 20)\nprint('end')")
    assert len(ran["stdout"]) < 210_000 and ran["stdout"].startswith("begin") and ran["stdout"].endswith("end\n")
    assert "characters left out" in ran["stdout"]


async def test_magics_and_shell_lines(shell: Any) -> None:
    ran = await run(shell, "%time 1\nnames = !echo one\nnames")
    assert ran["status"] == "ok" and "one" in ran["result"], ran
