"""The `process` tool: what runs in the background of this session (TOL-03)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Literal, assert_never

from pydantic import BaseModel, ConfigDict, Field

from openclaw_kernel.tools import terminal
from openclaw_kernel.tools.api import Effect, Tool, ToolContext, ToolError, ToolResult, text_result
from openclaw_kernel.tools.background import Job, Jobs, state_of
from openclaw_kernel.tools.process import NOTE_CHARS

POLL_S = 30.0
LOG_LINES = 200
"""TOL-03."""

Action = Literal["list", "poll", "log", "write", "send-keys", "paste", "submit", "kill", "clear"]
_EFFECTS: Mapping[str, Effect] = {
    "list": "none", "poll": "none", "log": "none", "clear": "none",
    "kill": "workspace", "write": "host", "send-keys": "host", "paste": "host", "submit": "host",
}  # fmt: skip


class ProcessArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    action: Action
    job: str | None = Field(None, description="Id, for all but list and clear")
    text: str | None = Field(None, max_length=60_000, description="For write, paste, submit")
    keys: list[str] = Field(default_factory=list, max_length=200, description="For send-keys: Enter, C-c, Up, x")
    eof: bool = Field(False, description="For write: end the input after it")
    wait_s: float = Field(0, ge=0, le=POLL_S, description="For poll: seconds to wait for news")
    offset: int | None = Field(None, ge=1, description="For log: first line; else the last lines")
    limit: int = Field(LOG_LINES, ge=1, le=2_000, description="For log: lines")


def process_tool(jobs: Jobs) -> Tool:
    """The tool over the jobs of one gateway."""

    async def run(args: ProcessArgs, ctx: ToolContext) -> ToolResult:
        match args.action:
            case "list":
                return _list(jobs.of(ctx.session_key))
            case "clear":
                return _clear(jobs, ctx.session_key, args.job)
        if args.job is None:
            raise ToolError(f"{args.action} needs the id of a job; use list to see them.")
        job = jobs.get(ctx.session_key, args.job)
        match args.action:
            case "poll":
                return await _poll(job, args.wait_s)
            case "log":
                return _log(job, args.offset, args.limit, ctx.result_chars - NOTE_CHARS)
            case "kill":
                return await _kill(job)
            case "write" | "send-keys" | "paste" | "submit":
                await job.process.write(_typed(job, args), last=args.eof and job.process.input == "pipe")
                return await _poll(job, min(args.wait_s, POLL_S) or 0.2)
            case _:
                assert_never(args.action)

    return Tool(
        "process",
        "See and steer what exec runs in the background: list, poll for new output, log, write, send-keys, paste, submit "
        "(text and Enter), kill, clear.",
        ProcessArgs,
        run,
        effect="host",
        effect_of=lambda arguments: _EFFECTS.get(str(arguments.get("action")), "host"),
        groups=frozenset({"runtime"}),
        title=_title,
    )


def _title(arguments: Mapping[str, Any]) -> str:
    return f"Process {arguments.get('action', '')} {arguments.get('job') or ''}".strip()


def _typed(job: Job, args: ProcessArgs) -> bytes:
    """The bytes of an input action; a pipe has lines where a terminal has keys."""
    at_terminal = job.process.input == "terminal"
    text = args.text or ""
    match args.action:
        case "send-keys":
            if not at_terminal:
                raise ToolError(f"{job.id} has no terminal; use write, or start it with pty set.")
            return terminal.keys(args.keys)
        case "paste":
            return terminal.paste(text) if at_terminal else text.encode()
        case "submit":
            return (text + ("\r" if at_terminal else "\n")).encode()
        case _:
            return text.encode() + (b"\x04" if args.eof and at_terminal else b"")


def _row(job: Job) -> dict[str, Any]:
    process = job.process
    row: dict[str, Any] = {"job": job.id, "status": state_of(job), "command": process.shown, "pid": process.pid}
    if process.place is not None:
        row["sandbox"] = process.place.backend.name
    return row


def _list(jobs: list[Job]) -> ToolResult:
    rows = [_row(job) for job in jobs]
    lines = [f"{row['job']}  {row['status']}  {row['command'].strip().splitlines()[0][:100]}" for row in rows]
    return text_result("\n".join(lines) or "Nothing runs in the background.", jobs=rows)


async def _poll(job: Job, wait_s: float) -> ToolResult:
    """What is new, waiting for it at most `wait_s`; the end is told once it has come."""
    process = job.process
    if process.running and wait_s > 0:
        job.watchers += 1
        waits = [asyncio.ensure_future(process.output.changed()), asyncio.ensure_future(_end(job))]
        try:
            await asyncio.wait(waits, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            job.watchers -= 1
            for wait in waits:
                wait.cancel()
    job.seen = not process.running
    news = process.output.news().rstrip()
    status = state_of(job)
    text = f"{news}\n\n{job.id}: {status}" if news else f"{job.id}: {status}; nothing new."
    return text_result(text, **_row(job), output=news)


async def _end(job: Job) -> None:
    try:
        await job.process.result()
    except ToolError:
        return  # told by `state_of`


def _log(job: Job, offset: int | None, limit: int, room: int) -> ToolResult:
    lines = job.process.output.lines()
    first = offset or max(1, len(lines) - limit + 1)
    chosen = lines[first - 1 : first - 1 + limit]
    while len(chosen) > 1 and sum(map(len, chosen)) + len(chosen) > room:
        chosen = chosen[len(chosen) // 2 :] if offset is None else chosen[: len(chosen) // 2]
    if offset is None:
        first = len(lines) - len(chosen) + 1
    job.seen = job.seen or not job.process.running
    text = "\n".join(chosen)
    if chosen:
        text += f"\n\nLines {first} to {first + len(chosen) - 1} of {len(lines)} kept. {job.id}: {state_of(job)}"
    else:
        text = f"{job.id} has {len(lines)} lines. It is: {state_of(job)}."
    return text_result(text, **_row(job), output="\n".join(chosen), first=first, lines=len(lines))


async def _kill(job: Job) -> ToolResult:
    if not job.process.running:
        job.seen = True
        return text_result(f"{job.id} has ended already: {state_of(job)}.", **_row(job))
    job.seen = True
    job.process.kill()
    await _end(job)
    return text_result(f"{job.id} was killed, with everything it had started.", **_row(job))


def _clear(jobs: Jobs, session_key: str, job_id: str | None) -> ToolResult:
    chosen = [jobs.get(session_key, job_id)] if job_id is not None else jobs.of(session_key)
    done = [job for job in chosen if not job.process.running]
    if job_id is not None and not done:
        raise ToolError(f"{job_id} still runs; kill it first.")
    for job in done:
        jobs.forget(job)
    return text_result(f"Forgot {len(done)} ended {'process' if len(done) == 1 else 'processes'}.", cleared=len(done))
