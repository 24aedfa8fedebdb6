"""Processes in the background: read, typed into, killed, forgotten, and gone with everything they started (TOL-02, TOL-03)."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.safety.sandbox.bubblewrap import Bubblewrap
from openclaw_kernel.safety.sandbox.service import Place
from openclaw_kernel.safety.sandbox_api import Profile
from openclaw_kernel.tools import terminal
from openclaw_kernel.tools.api import ToolContext, ToolError, ToolResult
from openclaw_kernel.tools.background import KEEP_FINISHED, KEEP_MS, MAX_RUNNING, Ended, Jobs
from openclaw_kernel.tools.exec import exec_tool
from openclaw_kernel.tools.output import Output, plain
from openclaw_kernel.tools.process_tool import process_tool
from openclaw_kernel.values.messages import Text
from openclaw_kernel.values.stream import AbortSignal
from tests.processes import gone


def text(result: ToolResult) -> str:
    return "".join(part.text for part in result.content if isinstance(part, Text))


@dataclass
class Bench:
    workspace: Path
    jobs: Jobs
    background_s: float = 10.0
    signal: AbortSignal = field(default_factory=AbortSignal)
    guest: bool = False
    woken: list[Ended] = field(default_factory=list)
    told: asyncio.Event = field(default_factory=asyncio.Event)

    async def wake(self, ended: Ended) -> None:
        if ended.wanted():
            self.woken.append(ended)
            self.told.set()

    def ctx(self) -> ToolContext:
        env = {"PATH": os.environ["PATH"]}
        return ToolContext("r", "agent:main:main", "main", self.workspace, self.signal, lambda *_: None, env, guest=self.guest)

    async def exec(self, command: str, **more: Any) -> ToolResult:
        tool = exec_tool(60, None, self.jobs, self.background_s)
        return await tool.run(tool.parameters.model_validate({"command": command, **more}), self.ctx())

    async def start(self, command: str, **more: Any) -> str:
        return str((await self.exec(command, background=True, **more)).details["job"])

    async def process(self, action: str, job: str | None = None, key: str = "agent:main:main", **more: Any) -> ToolResult:
        tool = process_tool(self.jobs)
        arguments = {"action": action, **({"job": job} if job else {}), **more}
        return await tool.run(tool.parameters.model_validate(arguments), replace(self.ctx(), session_key=key))

    async def until(self, job: str, words: str) -> str:
        """Waits until its log has these words."""
        async with asyncio.timeout(20):
            while words not in (seen := text(await self.process("log", job))):
                assert self.jobs.get("agent:main:main", job).process.running, seen
                await self.process("poll", job, wait_s=2)
        return seen


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    jobs = Jobs()
    bench = Bench(tmp_path, jobs)
    jobs.wake = bench.wake
    yield bench
    await jobs.close()


async def test_what_is_quick_is_not_put_in_the_background(bench: Bench) -> None:
    result = await bench.exec("echo quick")
    assert text(result) == "quick" and "job" not in result.details
    assert text(await bench.process("list")) == "Nothing runs in the background."


async def test_what_is_slow_goes_on_and_wakes_its_session(bench: Bench) -> None:
    bench.background_s = 0.2
    result = await bench.exec("echo first; while [ ! -e go ]; do sleep 0.02; done; echo last; exit 3")
    job = result.details["job"]
    assert text(result).startswith("first\n\nStill running in the background as job-")
    assert result.details["status"] == "running" and not result.is_error
    assert bench.woken == []
    (bench.workspace / "go").touch()
    await asyncio.wait_for(bench.told.wait(), 10)
    (ended,) = bench.woken
    assert (ended.session_key, ended.id, ended.guest) == ("agent:main:main", f"{job}:ended", False)
    assert "exit code 3" in ended.text and "last" not in ended.text
    shown = text(await bench.process("poll", job))
    assert "last" in shown and "first" not in shown and shown.endswith("exit code 3")


async def test_what_a_guest_started_wakes_the_session_as_a_guest(bench: Bench) -> None:
    bench.guest = True
    await bench.start("true")
    await asyncio.wait_for(bench.told.wait(), 10)
    assert bench.woken[0].guest


async def test_who_waits_for_the_end_is_not_woken_too(bench: Bench) -> None:
    job = await bench.start("while [ ! -e go ]; do sleep 0.02; done")
    waiting = asyncio.ensure_future(bench.process("poll", job, wait_s=20))
    await asyncio.sleep(0)
    (bench.workspace / "go").touch()
    assert "exit code 0" in text(await waiting)
    assert bench.woken == []


async def test_a_pipe_is_written_to_and_ended(bench: Bench) -> None:
    job = await bench.start("cat; echo bye")
    assert "one" in text(await bench.process("write", job, text="one\n", wait_s=5))
    await bench.process("write", job, text="two\n", eof=True)
    await bench.until(job, "exit code 0")
    assert text(await bench.process("log", job)).startswith("one\ntwo\nbye\n")
    with pytest.raises(ToolError, match="takes no input"):
        await bench.process("write", job, text="x")


async def test_a_shell_at_a_terminal(bench: Bench) -> None:
    """A real interactive bash: a prompt, job control, Ctrl-C reaches the program in front and not the shell."""
    job = await bench.start("bash --norc -i", pty=True)
    await bench.process("submit", job, text="PS1='ready> '; tty")
    await bench.until(job, "/dev/pts/")
    await bench.process("submit", job, text="sh -c 'echo sta\"\"rts; exec sleep 300'")
    await bench.until(job, "starts")
    await bench.process("send-keys", job, keys=["C-c"])
    await bench.process("submit", job, text="echo back $?; stty size")
    shown = await bench.until(job, "40 120")
    assert "back 130" in shown and "\x1b" not in shown
    await bench.process("submit", job, text="sleep 300 & echo chi''ld $!")
    log = await bench.until(job, "\nchild ")
    await bench.process("kill", job)
    pid = int(next(line.split()[1] for line in log.splitlines() if line.startswith("child ") and line.split()[1].isdigit()))
    assert await asyncio.to_thread(gone, pid)


async def test_ctrl_c_works_under_a_gateway_that_was_started_in_the_background(bench: Bench) -> None:
    """`serve &` in a script and `nohup serve` ignore signals, and a child inherits that."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)}
    try:
        job = await bench.start("bash --norc -i", pty=True)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    await bench.process("submit", job, text="sh -c 'echo sta\"\"rts; exec sleep 300'")
    await bench.until(job, "starts")
    await bench.process("send-keys", job, keys=["C-c"])
    await bench.process("submit", job, text="echo back $?")
    await bench.until(job, "back 130")


async def test_pasted_text_is_not_run_before_enter(bench: Bench) -> None:
    job = await bench.start("bash --norc -i", pty=True)
    await bench.process("submit", job, text="bind 'set enable-bracketed-paste on'; PS1='go> '")
    await bench.until(job, "go>")
    await bench.process("paste", job, text="touch one\ntouch two\n")
    await bench.process("poll", job, wait_s=0.3)
    assert not (bench.workspace / "one").exists()
    await bench.process("send-keys", job, keys=["Enter"])
    await bench.process("submit", job, text="echo do''ne")
    await bench.until(job, "done")
    assert (bench.workspace / "two").exists()


async def test_a_kill_ends_what_left_the_process_group(bench: Bench) -> None:
    command = "setsid sleep 600 & echo $! > far; (setsid sh -c 'echo $$ > orphan; echo up; exec sleep 600' &); wait"
    job = await bench.start(command)
    await bench.until(job, "up")
    assert "killed" in text(await bench.process("kill", job))
    for name in ("far", "orphan"):
        assert await asyncio.to_thread(gone, int((bench.workspace / name).read_text())), name
    assert bench.woken == []


async def test_a_stop_of_its_run_ends_it(bench: Bench) -> None:
    job = await bench.start("echo $$; exec sleep 600")
    pid = int((await bench.until(job, "\n")).split()[0])
    bench.signal.abort("stop")
    assert await asyncio.to_thread(gone, pid)
    await bench.until(job, "killed")


async def test_closing_leaves_nothing_running(bench: Bench) -> None:
    job = await bench.start("echo $$; trap '' TERM HUP; while :; do sleep 1; done")
    pid = int((await bench.until(job, "\n")).split()[0])
    await bench.jobs.close()
    assert await asyncio.to_thread(gone, pid)


async def test_a_session_sees_only_its_own(bench: Bench) -> None:
    job = await bench.start("sleep 600")
    with pytest.raises(ToolError, match="no process"):
        await bench.process("poll", job, key="agent:main:other")
    assert "Nothing runs" in text(await bench.process("list", key="agent:main:other"))


async def test_a_session_has_only_so_many(bench: Bench) -> None:
    for _ in range(MAX_RUNNING):
        await bench.start("sleep 600")
    with pytest.raises(ToolError, match="20 processes run in the background"):
        await bench.start("sleep 600")


async def test_ended_ones_are_forgotten_after_a_while(bench: Bench) -> None:
    now = 1_000_000
    bench.jobs.clock = lambda: now
    job = await bench.start("true")
    await bench.until(job, "exit code 0")
    now += KEEP_MS - 1
    assert job in text(await bench.process("list"))
    now += 1
    assert "Nothing runs" in text(await bench.process("list"))


async def test_fifty_ended_ones_are_kept(bench: Bench) -> None:
    for _ in range(KEEP_FINISHED + 2):
        await bench.until(await bench.start("true"), "exit code 0")
    assert len((await bench.process("list")).details["jobs"]) == KEEP_FINISHED
    assert "Forgot 50 ended processes." in text(await bench.process("clear"))


async def test_only_reading_is_free_of_policy() -> None:
    tool = process_tool(Jobs())
    effects = {action: tool.effect_for({"action": action}) for action in ("list", "poll", "log", "clear", "kill", "write", "?")}
    assert effects == {"list": "none", "poll": "none", "log": "none", "clear": "none", "kill": "workspace", "write": "host",
                       "?": "host"}  # fmt: skip


async def test_a_terminal_inside_the_sandbox(bench: Bench) -> None:
    backend = Bubblewrap()
    probe = await backend.probe()
    if not probe.usable:
        pytest.skip(f"bubblewrap: {probe.reason}")

    class Inside:
        async def place(self, *_: object) -> Place:
            return Place(backend, Profile(bench.workspace))

    tool = exec_tool(60, Inside(), bench.jobs, 10)  # type: ignore[arg-type]
    arguments = tool.parameters.model_validate({"command": "bash --norc -i", "pty": True, "background": True})
    job = (await tool.run(arguments, bench.ctx())).details["job"]
    await bench.process("submit", job, text="sh -c 'echo in\"\"side; exec sleep 300'")
    await bench.until(job, "inside")
    await bench.process("send-keys", job, keys=["C-c"])
    await bench.process("submit", job, text="echo back $?")
    await bench.until(job, "back 130")
    await bench.process("submit", job, text="exit 4")
    await bench.until(job, "exit code 4")


def test_keys_have_names() -> None:
    assert terminal.keys(["C-c", "Up", "x", "M-f", "ctrl+d", "Enter"]) == b"\x03\x1b[Ax\x1bf\x04\r"
    with pytest.raises(ToolError, match="no key 'Hyper'"):
        terminal.keys(["Hyper"])
    assert terminal.paste("a\x1b[201~b") == b"\x1b[200~a[201~b\x1b[201~"


def test_terminal_output_is_readable() -> None:
    assert plain("\x1b[31mred\x1b[0m\r\n10%\r100%\n\x1b]0;title\x07end") == "red\n100%\nend"


async def test_the_buffer_keeps_the_newest(tmp_path: Path) -> None:
    output = Output(tmp_path)
    reader = asyncio.StreamReader(limit=1 << 24)
    reader.feed_data("".join(f"{n}\n" for n in range(60_000)).encode())
    reader.feed_eof()
    await output.pump(reader)
    output.close()
    lines = output.lines()
    assert lines[-1] == "59999" and 200_000 - 10 <= len("\n".join(lines)) <= 200_000
    assert (tmp_path / output.saved).read_text().startswith("0\n1\n")
