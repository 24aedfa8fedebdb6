"""A task of forty steps through each wire format, steered half-way; then its transcript is replayed (three times over).

A fresh gateway shows the same history; it sends a model the same conversation again; and the tool calls of the transcript,
run once more in a new workspace, leave the same files.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.agent.workspace import ensure_workspace
from openclaw_kernel.safety.environment import child_env
from openclaw_kernel.tools.api import ToolContext, ToolError
from openclaw_kernel.tools.builtin import builtin_tools
from openclaw_kernel.tools.registry import Toolbox
from openclaw_kernel.values.stream import AbortSignal
from tests.fakes.model_script import Script, conversation
from tests.fakes.model_script import messages as sent_messages
from tests.fakes.model_server import FakeModelServer
from tests.flow.long_task import ANSWER, STEERING, STEPS, TASK, THANKS
from tests.flow.processes import messages, running
from tests.flow.wire import Client, client, text_of

FORMATS = {"anthropic-messages": "sig_", "openai-completions": '"role": "tool"', "openai-responses": "enc_"}
"""With a mark of each that a request must carry: signed and sealed thoughts go back to where they came from."""
SESSION = "agent:main:main"
TASK_LIMIT_S = 90
NOT_FILES = {".openclaw", ".git", "__pycache__"}


def config(server: FakeModelServer, api: str) -> dict[str, Any]:
    address = server.url if api == "anthropic-messages" else server.openai_url
    row = {"id": "fake-1", "reasoning": True, "contextWindow": 200_000, "maxTokens": 8_000}
    fake = {"baseUrl": address, "apiKey": "good-key", "api": api, "models": [row]}
    return {
        "models": {"providers": {"fake": fake}},
        "agents": {"defaults": {"model": "fake/fake-1", "thinkingDefault": "low"}},
        "tools": {"exec": {"security": "allowlist", "ask": "on-miss"}},
    }


@asynccontextmanager
async def person(peer: Client) -> AsyncIterator[list[str]]:
    """Says yes to every question: for good where it is about the check, once otherwise. The commands that were asked about."""
    asked: list[str] = []

    async def answer() -> None:
        while True:
            async with peer.changed:
                await peer.changed.wait_for(lambda: len(questions(peer)) > len(asked))
            for question in questions(peer)[len(asked) :]:
                command = question["request"]["command"]
                asked.append(command)
                decision = "allow-always" if "check.py" in command else "allow-once"
                await peer.call("exec.approval.resolve", {"id": question["id"], "decision": decision})

    task = asyncio.ensure_future(answer())
    try:
        yield asked
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def questions(peer: Client) -> list[dict[str, Any]]:
    return [frame["payload"] for frame in peer.events if frame["event"] == "exec.approval.requested"]


async def steer(peer: Client, run_id: str, workspace: Path) -> None:
    """Says something while the waiting command runs, then lets the command go on."""

    def waits() -> bool:
        return any(
            frame["payload"].get("runId") == run_id
            and frame["payload"].get("stream") == "tool"
            and "go-on" in json.dumps(frame)
            for frame in peer.events
        )

    await patiently(peer, waits)
    second = await peer.say(STEERING, queueMode="steer")
    await asyncio.to_thread((workspace / "go-on").write_text, "")
    assert "message" not in await peer.final(second)


async def patiently(peer: Client, ready: Callable[[], bool]) -> None:
    """Half a task is longer than what a flow test waits for otherwise."""
    async with asyncio.timeout(TASK_LIMIT_S), peer.changed:
        await peer.changed.wait_for(ready)


async def history(peer: Client) -> list[dict[str, Any]]:
    page = await peer.call("chat.history", {"sessionKey": "main", "limit": 1000})
    assert not page["hasMore"]
    return list(page["messages"])


@pytest.mark.timeout(300)
@pytest.mark.parametrize("api", FORMATS)
async def test_forty_steps_and_their_replay(api: str, tmp_path: Path) -> None:
    state, again = tmp_path / "state", tmp_path / "again"
    script = Script(STEPS)
    async with FakeModelServer(script=script) as model:
        async with running(state, config(model, api)) as live, client(live.ws, live.token, caps=["tool-events"]) as peer:
            async with person(peer) as asked:
                run_id = await peer.say(TASK)
                await steer(peer, run_id, state / "workspace")
                await patiently(peer, lambda: any(row["state"] in ("final", "error", "aborted") for row in peer.chat(run_id)))
                final = await peer.final(run_id)
            assert script.problems == [] and text_of(final) == ANSWER, final
            before = await history(peer)
        last = model.requests[-1].body
        assert FORMATS[api] in json.dumps(last)
        assert script.at == len(STEPS) - 1 == len(model.requests) >= 40
        assert len([command for command in asked if "check.py" in command]) < sum("check.py" in str(step) for step in STEPS)

        async with running(state) as live, client(live.ws, live.token) as peer:
            assert await history(peer) == before
            await peer.final(await peer.say(THANKS))
        now = model.requests[-1].body
        assert script.problems == [] and script.at == len(STEPS)
        assert sent_messages(now)[: len(sent_messages(last))] == sent_messages(last)
        assert conversation(now)[len(conversation(last)) :] == [("assistant", ANSWER), ("user", THANKS)]
    await replay(state, again)
    assert await asyncio.to_thread(files, again) == await asyncio.to_thread(files, state / "workspace")
    assert (again / "dist" / "till.txt").exists() and not (again / "never.txt").exists()


async def replay(state: Path, workspace: Path) -> None:
    """Runs every tool call of the transcript that was run then, in its order, in a new workspace."""
    await asyncio.to_thread(ensure_workspace, workspace)
    await asyncio.to_thread((workspace / "go-on").write_text, "")
    tools = Toolbox(builtin_tools())
    rows = messages(state)
    results = {row["toolCallId"]: row for row in rows if row["role"] == "toolResult"}
    context = ToolContext("replay", SESSION, "main", workspace, AbortSignal(), lambda _text, _part: None, child_env(os.environ))
    for part in [part for row in rows if row["role"] == "assistant" for part in row["content"] if part["type"] == "toolCall"]:
        if "Not run" in json.dumps(results[part["id"]]["content"]):
            continue
        tool = tools.get(part["name"])
        assert tool is not None
        try:
            failed = (await tool.run(tool.parameters.model_validate(part["arguments"]), context)).is_error
        except ToolError:
            failed = True
        assert failed is results[part["id"]]["isError"], part


def files(workspace: Path) -> dict[str, bytes]:
    found = {path.relative_to(workspace): path for path in workspace.rglob("*") if path.is_file()}
    return {name.as_posix(): path.read_bytes() for name, path in found.items() if NOT_FILES.isdisjoint(name.parts)}
