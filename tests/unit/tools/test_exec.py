"""Child processes: streamed, capped, scrubbed, and gone when they should be (TOL-02, SAF-16, SAF-28)."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from openclaw_kernel.tools.api import RESULT_CHARS, ToolContext, ToolResult
from openclaw_kernel.tools.exec import exec_tool
from openclaw_kernel.tools.python import python_tool
from openclaw_kernel.values.messages import Text
from openclaw_kernel.values.stream import AbortSignal
from tests.processes import gone

EXEC = exec_tool()


@dataclass
class Bench:
    workspace: Path
    signal: AbortSignal = field(default_factory=AbortSignal)
    seen: list[str] = field(default_factory=list)
    said: asyncio.Event = field(default_factory=asyncio.Event)

    def progress(self, text: str, fraction: float | None) -> None:
        self.seen.append(text)
        self.said.set()

    def ctx(self, **env: str) -> ToolContext:
        env = {"PATH": os.environ["PATH"], **env}
        return ToolContext("r", "agent:main:main", "main", self.workspace, self.signal, self.progress, env)

    async def bash(self, command: str, timeout_s: float | None = None, **env: str) -> ToolResult:
        arguments = {"command": command} | ({"timeout_s": timeout_s} if timeout_s else {})
        return await EXEC.run(EXEC.parameters.model_validate(arguments), self.ctx(**env))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def text(result: ToolResult) -> str:
    return "".join(part.text for part in result.content if isinstance(part, Text))


def alive(pid: int) -> bool:
    """Whether a process still runs; one that is dead but not yet collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except FileNotFoundError:
        return False


async def test_details_say_what_ran(bench: Bench) -> None:
    result = await bench.bash("pwd; echo oops >&2; exit 3")
    assert result.is_error
    assert text(result) == f"{bench.workspace}\noops\n\nExit code 3."
    details = dict(result.details)
    assert details.pop("durationMs") >= 0
    assert details == {"command": "pwd; echo oops >&2; exit 3", "cwd": str(bench.workspace), "exitCode": 3,
                       "output": f"{bench.workspace}\noops\n"}  # fmt: skip


async def test_silence_is_said(bench: Bench) -> None:
    result = await bench.bash("true")
    assert (text(result), result.is_error) == ("(no output)", False)


async def test_standard_input_is_empty(bench: Bench) -> None:
    assert text(await bench.bash("cat; echo done")) == "done"


async def test_secrets_do_not_reach_the_child(bench: Bench) -> None:
    (bench.workspace / "hook").write_text("echo hooked")
    shown = text(await bench.bash("env", OPENAI_API_KEY="swordfish", HARMLESS="sk-" + "a" * 30, BASH_ENV="hook", LANG="C"))
    assert "LANG=C" in shown
    assert not any(word in shown for word in ("swordfish", "sk-aaa", "hooked"))


async def test_long_output_loses_its_middle_but_is_saved(bench: Bench) -> None:
    result = await bench.bash("seq 1 20000")
    shown = text(result)
    assert len(shown) < RESULT_CHARS + 200
    assert shown.startswith("1\n2\n")
    assert shown.endswith("19999\n20000")
    assert "characters cut" in shown
    saved = bench.workspace / result.details["outputFile"]
    assert saved.parent == bench.workspace / ".openclaw/output"
    assert saved.read_text() == "".join(f"{n}\n" for n in range(1, 20_001))
    assert saved.stat().st_mode & 0o777 == 0o600


async def test_output_is_streamed_while_it_runs(bench: Bench) -> None:
    (bench.workspace / "gate").touch()
    running = asyncio.create_task(bench.bash("echo first; while [ -e gate ]; do sleep 0.01; done; echo second"))
    await asyncio.wait_for(bench.said.wait(), 10)
    assert "".join(bench.seen) == "first\n"
    (bench.workspace / "gate").unlink()
    assert text(await running) == "first\nsecond"
    assert "".join(bench.seen) == "first\nsecond\n"


async def test_abort_kills_the_whole_group(bench: Bench) -> None:
    running = asyncio.create_task(bench.bash("trap '' TERM; sleep 300 & sleep 300 & echo $$ $(jobs -p); wait"))
    await asyncio.wait_for(bench.said.wait(), 10)
    pids = [int(word) for word in "".join(bench.seen).split()]
    assert len(pids) == 3
    assert all(map(alive, pids))
    bench.signal.abort("user")
    result = await asyncio.wait_for(running, 10)
    assert result.is_error
    assert result.details["status"] == "aborted"
    assert text(result).endswith("Stopped: user.")
    assert all(map(gone, pids))


async def test_cancelling_the_task_kills_the_group_too(bench: Bench) -> None:
    running = asyncio.create_task(bench.bash("sleep 300 & echo $!; wait"))
    await asyncio.wait_for(bench.said.wait(), 10)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert gone(int(bench.seen[0]))


async def test_a_timeout_stops_it(bench: Bench) -> None:
    result = await bench.bash("echo begun; sleep 300", timeout_s=0.3)
    assert result.details["status"] == "timeout"
    assert text(result) == "begun\n\nStopped after 0.3 seconds, together with everything it had started."


async def test_a_child_left_behind_does_not_hold_the_call(bench: Bench) -> None:
    result = await asyncio.wait_for(bench.bash("sleep 300 & echo $!"), 10)
    assert gone(int(text(result)))


async def test_the_model_may_only_shorten_the_timeout(tmp_path: Path) -> None:
    tool = exec_tool(timeout_s=0.2)
    arguments = tool.parameters.model_validate({"command": "sleep 300", "timeout_s": 900})
    assert "0.2 seconds" in text(await tool.run(arguments, Bench(tmp_path).ctx()))


async def test_python_is_isolated(bench: Bench) -> None:
    (bench.workspace / "json.py").write_text("raise SystemExit('hijacked')")
    tool = python_tool()
    arguments = tool.parameters.model_validate({"code": "import json, os; print(json.dumps(os.getcwd()))"})
    result = await tool.run(arguments, bench.ctx(PYTHONPATH=str(bench.workspace)))
    assert text(result) == f'"{bench.workspace}"'
