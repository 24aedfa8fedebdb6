"""Forgetting a conversation: a real gateway, and then every byte of its state directory and workspace."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from openclaw_gateway.channels.webhook.signature import sign
from tests.flow.processes import Live, running
from tests.flow.test_memory_faces import command, told
from tests.flow.wire import Client, client, text_of

WORD = "Zanzibarquokka"
"""Said in the conversation that is forgotten, and nowhere else."""
OTHER = "Tulipmeringue"
KEY = "agent:main:attic"
THIRD = "agent:main:third"
SECRET = "a secret of some length"
CONFIG: dict[str, Any] = {
    "channels": {"webhook": {"secret": SECRET, "dmPolicy": "open", "allowFrom": ["*"]}},
    "messages": {"inbound": {"debounceMs": 0}},
    "session": {"dmScope": "per-channel-peer"},
    "memory": {"sources": ["memory", "sessions"]},
}


def forms(word: str) -> Iterator[bytes]:
    """The word as it may be written: UTF-8, -16 and -32, lower case, and base64 at each of its three places."""
    for text in {word, word.lower(), word.upper()}:
        for code in ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le"):
            yield text.encode(code)
        for lead in range(3):
            whole = base64.b64encode(b"x" * lead + text.encode())
            yield whole[4 if lead else 0 : -4]


def traces(word: str, *roots: Path) -> list[str]:
    """Files that hold the word in any form, and files that are called by it."""
    sought = list(forms(word))
    found = []
    for root in roots:
        for path in sorted(root.rglob("*")):
            if word.lower() in path.name.lower():
                found.append(f"name of {path.relative_to(root)}")
            if path.is_file() and any(form in (data := path.read_bytes()) for form in sought):
                found.append(f"{path.relative_to(root)}: {len(data)} bytes")
    return found


async def say(peer: Client, text: str, key: str) -> str:
    return text_of(await peer.final(await peer.say(text, key)))


async def run_a_command(peer: Client, text: str, key: str) -> None:
    run_id = await peer.say(text, key)
    asked = await peer.event("exec.approval.requested")
    await peer.call("exec.approval.resolve", {"id": asked["id"], "decision": "allow-always"})
    await peer.final(run_id)


async def post(live: Live, **body: Any) -> Any:
    raw = json.dumps(body).encode()
    async with httpx.AsyncClient(timeout=30) as http:
        url = f"{live.url.rstrip('/')}/channels/webhook/default/webhook"
        answer = await http.post(url, content=raw, headers=sign(SECRET, raw, int(time.time())))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def fill(live: Live, peer: Client) -> str:
    """One conversation with the word in every place it can get to, one without; the key of the chat."""
    for word, key in ((OTHER, "agent:main:other"), (WORD, KEY)):
        assert (await say(peer, f"remember that the code is {word}", key)).startswith("Noted.")
        await say(peer, f"I like {word}", key)
    await run_a_command(peer, f"run `echo {WORD}`", KEY)
    await peer.call("sessions.patch", {"key": KEY, "label": f"about {WORD}"})
    assert (await peer.call("memory.search", {"query": WORD}))["results"]
    running_id = await peer.say("run `echo hello`", KEY)
    await peer.say(f"and {WORD} waits", KEY)
    await peer.call("chat.abort", {"sessionKey": KEY})
    await peer.final(running_id)
    await post(live, sender="ann", text=f"hello {WORD}", id="1", sync=True)
    keys = [row["key"] for row in (await peer.call("sessions.list"))["sessions"]]
    [chat] = [key for key in keys if "webhook" in key]
    return str(chat)


async def test_a_conversation_is_forgotten_to_the_last_byte(tmp_path: Path) -> None:
    state = tmp_path / "s"
    async with running(state, CONFIG) as live, client(live.ws, live.token) as peer:
        chat = await fill(live, peer)
        assert len(await asyncio.to_thread(traces, WORD, state)) > 5
        history = await peer.call("chat.history", {"sessionKey": "agent:main:other"})
        await _refused_at_work(state, peer)
        assert WORD in await say(peer, f"what do you remember about {WORD}", THIRD)
        status, out, err = await command(state, "forget", "--session", KEY, "--yes")
        assert status == 0 and f"Conversations gone: {KEY}" in out, (out, err)
        assert f"What was noted in it was recalled in {THIRD}" in out, out
        await told(state, "forget", "--session", THIRD, "--yes")
        gone = await told(state, "forget", "--session", chat, "--yes")
        assert gone["sessions"] == [chat] and gone["transcripts"] == 1
        assert await asyncio.to_thread(traces, WORD, state) == []
        assert not (state / "forgetting.jsonl").exists()
        assert await peer.call("chat.history", {"sessionKey": "agent:main:other"}) == history
        keys = [row["key"] for row in (await peer.call("sessions.list"))["sessions"]]
        assert KEY not in keys and chat not in keys and "agent:main:other" in keys
        assert (await peer.call("memory.search", {"query": OTHER}))["results"]
        assert (await peer.call("memory.search", {"query": WORD}))["results"] == []
        assert (await peer.call("chat.history", {"sessionKey": KEY}))["messages"] == []
        # The gateway goes on writing where it wrote.
        await say(peer, "hello again", KEY)
    assert await asyncio.to_thread(traces, WORD, state) == []
    async with running(state) as live, client(live.ws, live.token) as peer:
        assert len((await peer.call("chat.history", {"sessionKey": KEY}))["messages"]) == 2
        assert (await peer.call("memory.search", {"query": OTHER}))["results"]
    assert await asyncio.to_thread(traces, WORD, state) == []
    assert WORD not in live.said and await asyncio.to_thread(traces, OTHER, state)


async def _refused_at_work(state: Path, peer: Client) -> None:
    run_id = await peer.say("run `echo hello there`", KEY)
    await peer.until(lambda: any("hello there" in str(f) for f in peer.events if f["event"] == "exec.approval.requested"))
    status, _, err = await command(state, "forget", "--session", KEY, "--yes")
    assert status == 1 and "stop it first" in err and not (state / "forgetting.jsonl").exists()
    assert (await peer.call("chat.history", {"sessionKey": KEY}))["messages"]
    await peer.call("chat.abort", {"sessionKey": KEY})
    await peer.final(run_id)


async def killed(state: Path, limit: int, params: dict[str, Any]) -> int | None:
    """How many files were replaced or taken away; `None` when the process was killed at the one numbered `limit`."""
    line = [sys.executable, "-m", "tests.flow.forgetting_killed", str(state), str(limit), json.dumps(params)]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OPENCLAW_")}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*line, stdout=pipe, stderr=pipe, env=environment)
    out, err = await asyncio.wait_for(process.communicate(), 90)
    if process.returncode == -signal.SIGKILL:
        return None
    assert process.returncode == 0, err.decode()
    return int(out)


async def test_a_forgetting_that_is_killed_is_finished_at_the_next_start(tmp_path: Path) -> None:
    state, copy = tmp_path / "s", tmp_path / "copy"
    async with running(state, CONFIG) as live, client(live.ws, live.token) as peer:
        chat = await fill(live, peer)
    for params in ({"sessionKey": KEY}, {"text": f"the code is {WORD}"}):
        whole = await asyncio.to_thread(fresh_copy, state, copy)
        count = await killed(whole, 10_000, params)
        assert count is not None and count > 5
        points = (0, count // 3, 2 * count // 3, count - 2, count - 1) if "sessionKey" in params else (1, count // 2)
        for point in points:
            await asyncio.to_thread(fresh_copy, state, copy)
            assert await killed(copy, point, params) is None, "it was killed"
            assert await asyncio.to_thread(traces, WORD, copy)
            if "sessionKey" in params:
                if point == points[2]:
                    async with running(copy):
                        pass
                    assert not (copy / "forgetting.jsonl").exists()
                # The next command finishes what was cut short, too.
                await told(copy, "forget", "--session", chat, "--yes")
                assert await asyncio.to_thread(traces, WORD, copy) == [], point
            else:
                await told(copy, "status")
                for part in ("workspace", "memory"):
                    assert await asyncio.to_thread(traces, f"the code is {WORD}", copy / part) == [], point
            assert not (copy / "forgetting.jsonl").exists()


def fresh_copy(state: Path, copy: Path) -> Path:
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(state, copy, symlinks=True)
    return copy
