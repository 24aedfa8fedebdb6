"""Interrupts at random moments: the kernel lives, answers the next cell, and leaves nothing running."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import psutil

from tests.fakes.model_server import FakeModelServer
from tests.flow.kernels import LIMIT_S, Kernel, Ran, running_kernel
from tests.flow.processes import provider
from tests.processes import free_port

ROUNDS = 100
SEED = 20_261_121
LATEST_S = 0.7  # a moment after the cell began
AGAIN_S = 1.0
"""An interrupt that comes before the cell has begun means nothing, here as in every kernel; a person presses again."""

SLOW_CELLS = {
    "model silent in its answer": "[[hang]] tell me",
    "model slow to begin": "[[sleep 30]] tell me",
    "tool running": '[[tool exec {"command": "sleep 7777"}]] do it',
    "question open": '[[tool exec {"command": "sleep 8888; true"}]] do it',
    "Python in C": "%%python\nimport time; time.sleep(60)",
    "Python in a loop": "%%python\nwhile True: pass",
    "Python awaiting": "%%python\nimport asyncio; await asyncio.sleep(60)",
    "shell": "!sleep 60",
}


def config(openai_url: str) -> str:
    allow_sleep = {"tools": {"exec": {"safeBins": ["sleep"], "ask": "on-miss"}}}
    return json.dumps({"gateway": {"port": free_port()}, **provider(openai_url), **allow_sleep})


def sleepers() -> Iterator[int]:
    for process in psutil.process_iter(["cmdline"]):
        if (process.info["cmdline"] or [])[:2] in (["sleep", "7777"], ["sleep", "8888"]):
            yield process.pid


async def interrupted(kernel: Kernel, code: str, after_s: float) -> tuple[Ran, float, int]:
    """What became of a cell interrupted `after_s` after it was sent; the time from the last interrupt to its reply; how many
    interrupts it took."""
    cell = asyncio.ensure_future(kernel.run(code, answer=lambda _question: None))
    await asyncio.wait({cell}, timeout=after_s)
    for presses in range(1, 10):
        pressed = time.perf_counter()
        await kernel.interrupt()
        await asyncio.wait({cell}, timeout=AGAIN_S)
        if cell.done():
            return await cell, time.perf_counter() - pressed, presses
    raise AssertionError(f"{code!r} could not be interrupted")


async def test_a_hundred_interrupts_at_random_moments(tmp_path: Path) -> None:
    dice = random.Random(SEED)
    times: dict[str, list[float]] = {name: [] for name in SLOW_CELLS}
    pressed_twice = 0
    async with FakeModelServer() as model, running_kernel(tmp_path, config=config(model.openai_url)) as kernel:
        assert (await kernel.run("[[echo warm]]")).text.count("warm") == 1
        pid = (await kernel.run("%%python\nimport os; print(os.getpid())")).streams.strip()
        for number in range(ROUNDS):
            name = dice.choice(list(SLOW_CELLS))
            ran, seconds, presses = await interrupted(kernel, SLOW_CELLS[name], dice.uniform(0, LATEST_S))
            assert ran.status == "error" or name == "shell", (number, name, ran)
            times[name].append(seconds)
            pressed_twice += presses > 1
            # The fake model reads every message it has not answered yet, so the next one starts afresh.
            assert (await kernel.run("/new")).status == "ok", (number, name)
            ran = await kernel.run(f"[[echo answer {number}]]")
            assert ran.status == "ok" and f"answer {number}" in ran.text, (number, name, ran)
        assert (await kernel.run("%%python\nprint(os.getpid())")).streams.strip() == pid
        assert not list(sleepers()), "an interrupted turn left its tool running"
        open_questions = await approvals_left(kernel)
        assert open_questions == [], "an interrupted turn left its question open"
    turns = [seconds for name, some in times.items() if not name.startswith(("Python", "shell")) for seconds in some]
    report = {name: f"{len(some)} × {median(some) * 1e3:.0f} ms" for name, some in times.items() if some}
    print(json.dumps({**report, "turns p95": f"{quantiles(turns, n=20)[-1] * 1e3:.0f} ms", "pressed twice": pressed_twice}))
    assert quantiles(turns, n=20)[-1] < 0.3
    assert pressed_twice <= ROUNDS / 10


async def approvals_left(kernel: Kernel) -> list[Any]:
    code = (
        "%%python\nimport json\nfrom openclaw_kernel.notebook.session import current_link\n"
        "link = current_link()\nprint(json.dumps(link.run(link.request('exec.approval.list', {}))))"
    )
    async with asyncio.timeout(LIMIT_S):
        return list(json.loads((await kernel.run(code)).streams))


async def test_an_idle_interrupt_means_nothing_to_the_next_cells(tmp_path: Path) -> None:
    async with running_kernel(tmp_path) as kernel:
        for presses in range(1, 6):
            for _ in range(presses):
                await kernel.interrupt()
            for number in range(presses):
                ran = await kernel.run(f"%%python\nprint('cell {presses}.{number}')")
                assert ran.status == "ok" and ran.streams == f"cell {presses}.{number}\n", (presses, number, ran)
