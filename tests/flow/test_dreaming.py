"""Dreaming through a real gateway: searches are counted, a night proposes, a yes writes; the command works without one."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from openclaw_gateway.cli.app import run
from tests.flow.processes import write_config
from tests.flow.wire import Client, client, served, text_of

LOW = {"minRecallCount": 2, "minUniqueQueries": 2, "minScore": 0.3}


async def say(peer: Client, words: str, key: str) -> str:
    return text_of(await peer.final(await peer.say(words, key)))


def config(**dreaming: Any) -> dict[str, Any]:
    return {"memory": {"dreaming": {"enabled": True, **LOW, **dreaming}}}


async def until(ready: Callable[[], Any]) -> None:
    """Waits for what is on disk, which tells nobody."""
    async with asyncio.timeout(20):
        while not await asyncio.to_thread(ready):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def recalled(peer: Client, state: Path, rows: int) -> None:
    """Says a fact, has it found by `rows` questions, and waits for the counting behind them."""
    await say(peer, "remember that the greenhouse key hangs behind the blue door", "main")
    for number, words in enumerate(("greenhouse key", "blue door", "key behind door")[:rows]):
        assert "greenhouse" in await say(peer, f"recall {words}", f"other{number}")
    ledger = state / "memory/main/recalls.jsonl"
    await until(lambda: ledger.exists() and len(ledger.read_bytes().splitlines()) >= rows)


async def test_searches_are_counted_and_a_yes_writes(tmp_path: Path) -> None:
    state = tmp_path / "s"
    async with served(state, config()) as gateway, client(gateway.ws, gateway.token) as peer:
        await recalled(peer, state, 3)
        curated = state / "workspace/MEMORY.md"
        before = curated.read_text() if curated.exists() else None
        dry = await peer.call("memory.dream.run", {"dryRun": True})
        assert dry["fresh"] == 1 and (await peer.call("memory.dream.list"))["proposals"] == []
        [one] = (await peer.call("memory.dream.run"))["proposals"]
        assert "greenhouse key" in one["text"] and (curated.read_text() if curated.exists() else None) == before
        diary = await peer.call("doctor.memory.dreamDiary")
        assert diary["found"] and one["id"] in diary["content"]
        [done] = (await peer.call("memory.dream.apply", {"ids": [one["id"]]}))["applied"]
        assert done["id"] == one["id"] and "greenhouse key" in curated.read_text()
        assert "MEMORY.md" in await say(peer, "recall greenhouse key", "later"), "and it is found there at once"
        assert (await peer.call("memory.dream.revert"))["reverted"] == [one["id"]]
        assert "greenhouse" not in (curated.read_text() if curated.exists() else "")
        assert (await peer.fails("memory.dream.apply", {"ids": ["nothing"]}))["message"].startswith("No proposal 'nothing'")
    async with served(state, config()) as gateway, client(gateway.ws, gateway.token, scopes=["operator.read"]) as guest:
        assert (await guest.call("memory.dream.list"))["proposals"] == []
        for method in ("run", "apply", "revert"):
            assert (await guest.fails(f"memory.dream.{method}"))["code"] == "FORBIDDEN"


async def test_nothing_is_counted_while_dreaming_is_off(tmp_path: Path) -> None:
    state = tmp_path / "s"
    async with served(state, {}) as gateway, client(gateway.ws, gateway.token) as peer:
        await say(peer, "remember that the greenhouse key hangs behind the blue door", "main")
        assert "greenhouse" in await say(peer, "recall greenhouse key", "other")
        assert not (await peer.call("memory.dream.run", {"dryRun": True}))["enabled"]
    assert (state / "memory/main/recalls.jsonl").read_bytes() == b"" and not (state / "memory/nights.jsonl").exists()


async def test_a_night_that_was_missed_is_made_up_for_and_told_once(tmp_path: Path) -> None:
    state = tmp_path / "s"
    async with served(state, config(apply="auto")) as gateway, client(gateway.ws, gateway.token) as peer:
        await recalled(peer, state, 3)
    nights = state / "memory/nights.jsonl"
    [first] = [json.loads(line) for line in nights.read_bytes().splitlines()]
    nights.write_text(json.dumps({**first, "slotMs": first["slotMs"] - 3 * 86_400_000}) + "\n")
    for _ in range(2):
        async with served(state) as gateway, client(gateway.ws, gateway.token) as peer:
            await until(lambda: '"done"' in nights.read_text())
            history = await peer.call("chat.history", {"sessionKey": "main"})
            assert json.dumps(history).count("I went through my notes") == 1
    assert (state / "workspace/MEMORY.md").read_text().count("greenhouse key") == 1
    assert [json.loads(line)["state"] for line in nights.read_bytes().splitlines()].count("claimed") == 1


def test_the_command_works_without_a_gateway(tmp_path: Path, capsys: Any, monkeypatch: Any) -> None:
    state = tmp_path / "s"
    monkeypatch.setattr(sys, "argv", ["jupyter-openclaw"])
    write_config(state, json.dumps(config(minRecallCount=1, minUniqueQueries=1, minScore=0.2)))
    notes = state / "workspace/memory"
    notes.mkdir(parents=True)
    for days in (0, 1):
        day = f"{datetime.now() - timedelta(days=days):%Y-%m-%d}"
        (notes / f"{day}.md").write_text(f"# {day}\n\n- 10:00 The boiler is serviced every May\n")
    assert run(["memory", "dream", "--state-dir", str(state), "--json"]) == 0
    [one] = json.loads(capsys.readouterr().out)["proposals"]
    assert one["text"] == "The boiler is serviced every May" and not (state / "workspace/MEMORY.md").exists()
    assert run(["memory", "dream", "list", "--state-dir", str(state)]) == 0
    assert one["id"] in capsys.readouterr().out
    assert run(["memory", "dream", "--apply", "--state-dir", str(state)]) == 0
    assert "boiler" in (state / "workspace/MEMORY.md").read_text()
    capsys.readouterr()
    assert run(["memory", "dream", "reject", one["id"], "--state-dir", str(state)]) == 1
    assert "No proposal" in capsys.readouterr().err
    assert run(["memory", "dream", "revert", "--state-dir", str(state)]) == 0
    assert (state / "workspace/MEMORY.md").read_text() == ""
