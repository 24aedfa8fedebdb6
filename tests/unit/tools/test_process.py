"""A child process is never lost: not by a stop while it starts, and not when the gateway itself is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from openclaw_kernel.tools.api import ToolContext
from openclaw_kernel.tools.guardian import Guardian
from openclaw_kernel.tools.process import Input, Process
from openclaw_kernel.values.stream import AbortSignal
from tests.processes import gone


def context(folder: Path) -> ToolContext:
    env = {"PATH": os.environ["PATH"]}
    return ToolContext("r", "agent:main:main", "main", folder, AbortSignal(), lambda *_: None, env)


def alive(mark: str) -> list[int]:
    """Processes that have `mark` among their words; one that is dead and not yet fetched has no words."""
    found = []
    for process in psutil.process_iter():
        try:
            if mark in process.cmdline():
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


@pytest.mark.parametrize("stdin", ["none", "pipe", "terminal"])
async def test_a_stop_at_any_moment_of_the_start_leaves_nothing(tmp_path: Path, stdin: Input) -> None:
    mark = f"7654{os.getpid()}"
    await Process(("true",), "true", context(tmp_path), 60, None, stdin).result()
    before = len(os.listdir("/proc/self/fd"))
    for moment in range(12):
        process = Process(("sleep", mark), "sleep", context(tmp_path), 60, None, stdin)
        for _ in range(moment):
            await asyncio.sleep(0)
        await asyncio.wait_for(process.destroy(), 20)
        left = [pid for pid in alive(mark) if not await asyncio.to_thread(gone, pid, 20)]
        assert left == [], f"after {moment} steps"
    await asyncio.sleep(0)
    assert len(os.listdir("/proc/self/fd")) <= before


def test_what_runs_is_ended_when_the_gateway_is_killed(tmp_path: Path) -> None:
    code = (
        "import asyncio, os, sys\n"
        "from pathlib import Path\n"
        "from tests.unit.tools.test_process import context\n"
        "from openclaw_kernel.tools.process import Process\n"
        "async def main():\n"
        "    done = Process(('sh', '-c', 'exit 0'), 'x', context(Path(sys.argv[1])), 60)\n"
        "    await done.result()\n"
        "    script = 'sleep 600 | sleep 600 & echo $! $$; wait'\n"
        "    runs = Process(('sh', '-c', script), 'x', context(Path(sys.argv[1])), 60)\n"
        "    while runs.output.text().count('\\n') < 1:\n"
        "        await runs.output.changed()\n"
        "    print(runs.output.text(), flush=True)\n"
        "    await runs.result()\n"
        "asyncio.run(main())\n"
    )
    root = Path(__file__).parents[3]
    gateway = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=root)
    assert gateway.stdout is not None
    with gateway:
        children = [int(word) for word in gateway.stdout.readline().split()]
        assert len(children) == 2 and all(map(psutil.pid_exists, children))
        gateway.send_signal(signal.SIGKILL)
    assert all(gone(pid, 20) for pid in children)


def test_what_was_forgotten_is_left_alone_and_a_second_guardian_starts_anew() -> None:
    guard = Guardian()
    kept, ended = (subprocess.Popen(["sleep", "600"], start_new_session=True) for _ in range(2))
    try:
        for process in (kept, ended):
            guard.watch(process.pid)
        guard.forget(kept.pid)
        guard.close()
        assert ended.wait(20) == -signal.SIGKILL and kept.poll() is None
        guard.watch(kept.pid)
        guard.close()
        assert kept.wait(20) == -signal.SIGKILL
    finally:
        for process in (kept, ended):
            process.kill()
            process.wait()
