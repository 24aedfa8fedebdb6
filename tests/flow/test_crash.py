"""`kill -9` in the middle of a turn, twenty times over one state directory."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.model_server import FakeModelServer
from tests.flow.processes import Live, messages, provider, running, start
from tests.flow.wire import Client, client

KILLS = 20
HANGING = "agent:main:hanging"
SLEEPING = "agent:main:sleeping"
STEADY = "agent:main:steady"


def send(run_id: str, text: str, key: str) -> dict[str, Any]:
    return {"sessionKey": key, "message": text, "idempotencyKey": run_id}


def stored(state_dir: Path, text: str) -> int:
    """How many user messages on disk have this text."""
    return sum(1 for row in messages(state_dir) if row["role"] == "user" and row["content"] == text)


def answers(state_dir: Path) -> Counter[str]:
    """Run id → how many answers with words in them it has on disk."""
    said = [row for row in messages(state_dir) if row["role"] == "assistant" and row["content"]]
    return Counter(row["__openclaw"]["runId"] for row in said if row["stopReason"] == "stop")


class Story:
    """What was acknowledged over all rounds, to be found again after each of them."""

    def __init__(self, model: FakeModelServer, state_dir: Path) -> None:
        self.model = model
        self.state_dir = state_dir
        self.cut: dict[str, tuple[str, str]] = {}
        self.whole: dict[str, str] = {}

    async def say(self, peer: Client, text: str, key: str) -> str:
        """Sends, and looks at the disk in the moment of the acknowledgement."""
        run_id = str(uuid.uuid4())
        await peer.call("chat.send", send(run_id, text, key))
        on_disk = stored(self.state_dir, text) or text in (self.state_dir / "runs.jsonl").read_text()
        assert on_disk, f"{text!r} was acknowledged and is not on disk"
        return run_id

    async def round(self, live: Live, number: int) -> None:
        async with client(live.ws, live.token) as peer:
            await self.check(peer)
            if number % 5 == 0:
                text = f"[[echo whole {number}]] steady {number}"
                run_id = await self.say(peer, text, STEADY)
                assert (await peer.final(run_id))["state"] == "final"
                self.whole[run_id] = text
            key, verb = (HANGING, "hang") if number % 2 else (SLEEPING, "sleep 60")
            text = f"[[{verb}]] cut {number}"
            run_id = await self.say(peer, text, key)
            self.cut[run_id] = (text, key)
            if number % 4 == 1:  # mid-stream: the first words are out
                await peer.until(lambda: any(row["state"] == "delta" for row in peer.chat(run_id)))
            if number % 3 == 0:  # another one waits in the lane
                text = f"queued {number}"
                self.cut[await self.say(peer, text, key)] = (text, key)
            await live.kill()

    async def check(self, peer: Client) -> None:
        """Everything acknowledged is there, cut runs say so, and asking again with the old key starts nothing."""
        asked = len(self.model.requests)
        for run_id, (text, key) in self.cut.items():
            assert stored(self.state_dir, text) == 1, text
            ended = await peer.call("agent.wait", {"runId": run_id, "timeoutMs": 0})
            assert ended["status"] == "error" and ended["stopReason"] == "restart", ended
            again = await peer.call("chat.send", send(run_id, text, key))
            assert again == {"runId": run_id, "status": "error"}
        for run_id, text in self.whole.items():
            assert stored(self.state_dir, text) == 1, text
            assert await peer.call("chat.send", send(run_id, text, STEADY)) == {"runId": run_id, "status": "ok"}
        assert answers(self.state_dir) == Counter(dict.fromkeys(self.whole, 1))
        assert len(self.model.requests) == asked and not await self.active(peer)

    async def active(self, peer: Client) -> int:
        return int((await peer.call("status"))["activeRuns"])


@pytest.mark.timeout(180)
async def test_twenty_kills_lose_nothing_and_answer_nothing_twice(tmp_path: Path) -> None:
    state_dir = tmp_path / "s"
    async with FakeModelServer() as model:
        config = provider(model.openai_url)
        story = Story(model, state_dir)
        for number in range(KILLS):
            live = await start(state_dir, config if number == 0 else None)
            try:
                await story.round(live, number)
            finally:
                if live.alive:
                    await live.kill()
            assert "Traceback" not in live.said
        async with running(state_dir) as live, client(live.ws, live.token) as peer:
            await story.check(peer)
            for wanted in (HANGING, SLEEPING):
                page = await peer.call("chat.history", {"sessionKey": wanted, "limit": 1000})
                shown = [row["content"] for row in page["messages"] if row["role"] == "user"]
                assert sorted(shown) == sorted(text for text, key in story.cut.values() if key == wanted)
            stopped = [row for row in messages(state_dir) if row["role"] == "assistant" and row["stopReason"] == "aborted"]
            assert len(stopped) == len(story.cut)
            rows = {row["key"]: row for row in (await peer.call("sessions.list"))["sessions"]}
            assert rows[HANGING]["abortedLastRun"] is True and rows[SLEEPING]["abortedLastRun"] is True
            run_id = await peer.say("[[echo all is well]] afterwards", STEADY)
            assert (await peer.final(run_id))["message"]["content"][0]["text"] == "all is well"


async def test_a_key_used_before_the_crash_with_other_words(tmp_path: Path) -> None:
    async with FakeModelServer() as model:
        live = await start(tmp_path / "s", provider(model.openai_url))
        async with client(live.ws, live.token) as peer:
            run_id = await peer.say("[[hang]] first words")
            await live.kill()
        async with running(tmp_path / "s") as live, client(live.ws, live.token) as peer:
            error = await peer.fails("chat.send", send(run_id, "other words", "main"))
            assert error["code"] == "INVALID_REQUEST" and error["details"]["reason"] == "chat-request-conflict"


async def test_a_crash_while_a_person_is_asked(tmp_path: Path) -> None:
    """The command never runs, nobody can say yes to it any more, and the transcript has a result for the open call."""
    async with FakeModelServer() as model:
        live = await start(tmp_path / "s", provider(model.openai_url))
        async with client(live.ws, live.token) as peer:
            run_id = await peer.say('[[tool exec {"command": "touch ran.txt"}]]')
            asked = await peer.event("exec.approval.requested")
            await live.kill()
        async with running(tmp_path / "s") as live, client(live.ws, live.token) as peer:
            assert await peer.call("exec.approval.list") == []
            error = await peer.fails("exec.approval.resolve", {"id": asked["id"], "decision": "allow-once"})
            assert error["code"] == "APPROVAL_NOT_FOUND"
            ended = await peer.call("agent.wait", {"runId": run_id, "timeoutMs": 0})
            assert ended["status"] == "error" and ended["stopReason"] == "restart"
            assert [row["role"] for row in messages(live.state_dir)] == ["user", "assistant", "toolResult", "assistant"]
            assert not (live.state_dir / "workspace" / "ran.txt").exists() and len(model.requests) == 1


async def test_a_torn_last_line_is_moved_aside(tmp_path: Path) -> None:
    live = await start(tmp_path / "s")
    async with client(live.ws, live.token) as peer:
        await peer.final(await peer.say("hello"))
    await live.kill()
    path = next(p for p in (tmp_path / "s" / "agents").glob("*/sessions/*.jsonl") if p.name != "index.jsonl")
    await asyncio.to_thread(path.write_bytes, path.read_bytes() + b'{"type":"message","id":"torn')
    async with running(tmp_path / "s") as live, client(live.ws, live.token) as peer:
        assert (await peer.call("chat.history", {"sessionKey": "main"}))["totalMessages"] == 2
        assert (await peer.final(await peer.say("hello again")))["state"] == "final"
    assert b"torn" in path.with_name(f"{path.name}.torn-1").read_bytes() and b'"torn' not in path.read_bytes()
