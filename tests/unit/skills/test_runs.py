"""Running a notebook skill: a fresh kernel, progress, results, and every way it can end badly (SKL-09)."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from openclaw_kernel.skills.execute import Limits
from openclaw_kernel.skills.loader import read_skill
from openclaw_kernel.skills.runs import KEPT_RUNS, Runner, SkillRun
from openclaw_kernel.skills.skill import SkillProblem
from openclaw_kernel.values.stream import AbortSignal
from tests.unit.skills.put import code, header, markdown, notebook, text

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n picture").decode()
SURFACE = [{"version": "v0.9", "deleteSurface": {"surfaceId": "s"}}]


async def run(
    tmp_path: Path, *cells: dict[str, Any], values: dict[str, Any] | None = None, limits: Limits | None = None, **more: Any
) -> SkillRun:
    path = notebook(tmp_path / "skills", "probe", header("probe"), *cells)
    (tmp_path / "work").mkdir(exist_ok=True)
    env = more.pop("env", {"PATH": os.environ["PATH"], "HOME": str(tmp_path)})
    runner = Runner(tmp_path / "runs", limits or Limits(cell_s=30))
    return await asyncio.wait_for(
        runner.run(read_skill(path, "workspace"), values or {}, cwd=tmp_path / "work", env=env, **more), 60
    )


async def test_parameters_progress_results_and_the_notebook_that_is_kept(tmp_path: Path) -> None:
    steps: list[tuple[str, float | None]] = []
    shown = "from IPython.display import Image, Markdown, display\n"
    done = await run(
        tmp_path,
        code("word: str\ntimes: int = 2  # how often", "parameters"),
        text("In between."),
        code("print('not told')"),
        code(f"{shown}print(word * times)\ndisplay(Markdown('**bold**'))", "result"),
        code(f"display({{'image/png': {PNG!r}, 'text/plain': '<Figure>'}}, raw=True)", "result"),
        code(f"display({{'application/a2ui+json': {SURFACE!r}}}, raw=True)\n1 + 1", "result"),
        code("'after'"),
        values={"word": "ab", "times": "3"},
        progress=lambda text, fraction: steps.append((text, fraction)),
    )
    assert (done.status, done.sentence, done.text) == ("ok", "", "ababab\n\n**bold**\n\n2")
    assert done.surfaces == (SURFACE,)
    [picture] = done.media
    assert (tmp_path / "runs" / picture["name"]).read_bytes() == base64.b64decode(PNG)
    assert picture["path"] == str(tmp_path / "runs" / picture["name"]) and picture["mediaType"] == "image/png"
    assert steps[0] == ("starting a kernel", 0.0)
    assert steps[1][0] == "cell 2: word: str" and steps[-1][0] == "cell 8: 'after'"
    fractions = [fraction for _, fraction in steps if fraction is not None]
    assert fractions == sorted(fractions) and fractions[-1] < 1
    kept = json.loads(done.notebook.read_text())
    assert done.notebook.parent == tmp_path / "runs" and done.notebook.stat().st_mode & 0o777 == 0o600
    assert kept["metadata"]["openclaw"]["status"] == "ok"
    injected = kept["cells"][2]
    assert injected["metadata"]["tags"] == ["injected-parameters"] and "times = 3" in "".join(injected["source"])
    assert all(cell["execution_count"] for cell in kept["cells"] if cell["cell_type"] == "code")


async def test_without_result_cells_the_last_one_speaks(tmp_path: Path) -> None:
    assert (await run(tmp_path, code("print('first')"), code("6 * 7"))).text == "42"


async def test_an_error_names_the_cell_as_its_author_counts(tmp_path: Path) -> None:
    done = await run(tmp_path, code("n = 1", "parameters"), text("x"), code("1 / (n - 5)"), code("2"), values={"n": 5})
    assert (done.status, done.sentence) == ("failed", "Cell 4 failed: ZeroDivisionError: division by zero.")
    assert done.text == "" and json.loads(done.notebook.read_text())["metadata"]["openclaw"]["cell"] == 4


async def test_a_cell_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    done = await run(tmp_path, code("while True: pass"), limits=Limits(cell_s=1))
    assert (done.status, done.sentence) == ("timeout", "Cell 2 took longer than 1 seconds and was stopped.")


async def test_a_cell_that_prints_for_ever_is_stopped(tmp_path: Path) -> None:
    done = await run(tmp_path, code("while True: print('x' * 1000)"), limits=Limits(cell_s=30, output_bytes=200_000))
    assert (done.status, done.sentence) == ("too-much", "Cell 2 put out more than 200000 bytes and was stopped.")
    assert done.notebook.stat().st_size < 600_000


async def test_a_kernel_that_dies_is_said(tmp_path: Path) -> None:
    done = await run(tmp_path, code("import os; os._exit(1)"))
    assert done.status == "failed" and done.sentence.startswith("Cell 2 ended its kernel")


async def test_nobody_can_be_asked(tmp_path: Path) -> None:
    done = await run(tmp_path, code("input('?')"))
    assert done.status == "failed" and "StdinNotImplementedError" in done.sentence


async def test_an_abort_kills_the_kernel_and_what_it_started(tmp_path: Path) -> None:
    stop = AbortSignal()
    pipe = tmp_path / "pids"
    os.mkfifo(pipe)
    child = "import subprocess, os\np = subprocess.Popen(['sleep', '300'])\n"
    tell = f"open({str(pipe)!r}, 'w').write(f'{{os.getpid()}} {{p.pid}}')\np.wait()"
    task = asyncio.ensure_future(run(tmp_path, code(child + tell), signal=stop))
    pids = [int(pid) for pid in (await asyncio.wait_for(asyncio.to_thread(pipe.read_text), 30)).split()]
    before = asyncio.get_running_loop().time()
    stop.abort("stop")
    done = await asyncio.wait_for(task, 5)
    assert asyncio.get_running_loop().time() - before < 2
    assert (done.status, done.sentence) == ("aborted", "It was stopped (stop).")
    assert not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in pids)


async def test_the_kernel_sees_no_secret_but_what_was_granted(tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "OPENAI_API_KEY": "sk-1234567890abcdefgh", "OPENCLAW_X": "1"}
    look = (
        "import os\nprint([os.environ.get(n) for n in ('OPENAI_API_KEY', 'OPENCLAW_X', 'GRANTED', 'SKILL_DIR')], os.getcwd())"
    )
    done = await run(tmp_path, code(look), env=env, more_env={"GRANTED": "yes"})
    assert done.text == f"[None, None, 'yes', '{tmp_path / 'skills' / 'probe'}'] {tmp_path / 'work'}"


async def test_two_runs_share_nothing(tmp_path: Path) -> None:
    first, second = await asyncio.gather(
        run(tmp_path / "a", code("import os\nx = 5\nos.getpid()")),
        run(tmp_path / "b", code("import os\n'x' in globals(), os.getpid()")),
    )
    assert second.text.startswith("(False") and first.text not in second.text


async def test_the_gateways_signal_handlers_stay(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    heard = asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, lambda: None)
    loop.add_signal_handler(signal.SIGTERM, heard.set)
    try:
        await run(tmp_path, code("1"))
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(heard.wait(), 5)
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
        loop.remove_signal_handler(signal.SIGUSR1)


async def test_what_cannot_begin_is_refused(tmp_path: Path) -> None:
    runner = Runner(tmp_path / "runs")
    plain = read_skill(markdown(tmp_path, "plain", "description: d"), "workspace")
    with pytest.raises(SkillProblem, match="plain is no notebook"):
        await runner.run(plain, {}, cwd=tmp_path, env={})
    book = read_skill(notebook(tmp_path, "book", header("book"), code("1")), "workspace")
    with pytest.raises(SkillProblem, match=r"x is no parameter\. Parameters are: none"):
        await runner.run(book, {"x": 1}, cwd=tmp_path, env={})
    twice = notebook(tmp_path, "twice", header("twice"), code("a = 1", "parameters"), code("b = 1", "parameters"))
    with pytest.raises(SkillProblem, match="cells 2 and 3 are both tagged parameters"):
        await runner.run(read_skill(twice, "workspace"), {}, cwd=tmp_path, env={})
    assert not (tmp_path / "runs").exists()


async def test_old_runs_make_room(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    for number in range(KEPT_RUNS):
        old = tmp_path / "runs" / f"20200101-old-{number:08}.ipynb"
        old.write_text("{}")
        os.utime(old, (number, number))
    (tmp_path / "runs" / "20200101-old-00000000-1.png").write_text("")
    done = await run(tmp_path, code("1"))
    left = sorted(path.name for path in (tmp_path / "runs").iterdir())
    assert len(left) == KEPT_RUNS and done.notebook.name in left and "20200101-old-00000001.ipynb" in left
