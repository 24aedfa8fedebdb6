"""`kill -9` at fifty random moments between a Telegram message and its answer: nothing lost, nothing said or done twice."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.values.envelope import delivery_id
from tests.fakes.model_server import FakeModelServer
from tests.fakes.telegram_server import TelegramServer
from tests.flow.processes import messages, provider, start

KILLS = 50
PEOPLE = (41, 42, 43)
SEED = 20261121
FIRST = 1_000
"""The number of the message before the first kill."""


def config(model: FakeModelServer, telegram: TelegramServer, mode: str) -> dict[str, Any]:
    """Three known people, each in a session of their own; commands run without asking, so that their effects can be counted.
    `mode` is what becomes of a message that comes while a run is under way."""
    channel = {
        "enabled": True,
        "botToken": telegram.token,
        "apiBaseUrl": telegram.url,
        "filesBaseUrl": telegram.url,
        "dmPolicy": "allowlist",
        "allowFrom": [str(person) for person in PEOPLE],
    }
    return provider(
        model.openai_url,
        channels={"telegram": channel},
        session={"dmScope": "per-channel-peer"},
        commands={"ownerAllowFrom": [f"telegram:{person}" for person in PEOPLE]},
        messages={"inbound": {"debounceMs": 0}, "queue": {"mode": mode, "debounceMs": 0}},
        tools={"exec": {"security": "full", "ask": "off", "host": "gateway"}},
    )


def last_rows(path: Path, key: str = "id") -> dict[str, dict[str, Any]]:
    """The last row of each id in a ledger, as it is on disk; a torn last line does not count."""
    rows: dict[str, dict[str, Any]] = {}
    for line in path.read_bytes().split(b"\n")[:-1]:
        row = json.loads(line)
        rows[row[key]] = rows.get(row[key], {}) | row
    return rows


@dataclass
class Chain:
    """What was said over all rounds."""

    state_dir: Path
    telegram: TelegramServer
    said: dict[int, int] = field(default_factory=dict)

    def speak(self, number: int, person: int) -> None:
        self.said[number] = person
        effect = json.dumps({"command": f"sleep 0.05; echo {number} >> ran.txt"})
        self.telegram.world.say(f"[[tool exec {effect}]] [[echo reply-{number}.]] message-{number}.", chat=person, user=person)

    async def quiet(self) -> None:
        """Until Telegram has been told that everything was received, and nothing waits in either ledger."""
        async with asyncio.timeout(90):
            while self.telegram.world.updates or any(row["state"] in ("pending", "attempting") for row in self.rows()):  # noqa: ASYNC110
                await asyncio.sleep(0.1)

    def rows(self) -> list[dict[str, Any]]:
        folder = self.state_dir / "channels"
        return [*last_rows(folder / "inbox.jsonl").values(), *last_rows(folder / "outbox.jsonl").values()]

    def check(self) -> Counter[str]:
        """Every message: stored once, its effect at most once, and one end that its sender or the owner can see. One that
        joined the run of another is answered with that."""
        ends: Counter[str] = Counter()
        stored = [row for row in messages(self.state_dir) if row["role"] == "user"]
        ran = Counter((self.state_dir / "workspace" / "ran.txt").read_text().split())
        outbox = last_rows(self.state_dir / "channels" / "outbox.jsonl")
        runs = last_rows(self.state_dir / "runs.jsonl", "run_id")
        for number, person in self.said.items():
            mine = [row for row in stored if f"message-{number}." in str(row["content"])]
            assert len(mine) == 1, f"message {number} is stored {len(mine)} times"
            assert ran[str(number)] <= 1, f"the command of message {number} ran {ran[str(number)]} times"
            run_id = mine[0]["idempotencyKey"].removesuffix(":user")
            row = outbox.get(delivery_id(run_id, 0))
            if row is None:
                assert runs[run_id]["stop_reason"] == "steered", runs[run_id]
                ends["joined"] += 1
                continue
            heard = sum(f"reply-{number}." in text for text in self.telegram.world.texts(person))
            assert heard <= 1, f"message {number} was answered {heard} times"
            assert row["state"] in ("done", "recovered"), row
            ends["recovered" if row["state"] == "recovered" else "answered" if heard else "interrupted"] += 1
        return ends


async def one_whole_turn(chain: Chain, settings: dict[str, Any]) -> float:
    """How many seconds a turn of a fresh gateway takes here and now: the kills have to come before and after its steps."""
    live = await start(chain.state_dir, settings)
    try:
        begin = asyncio.get_running_loop().time()
        chain.speak(FIRST, PEOPLE[0])
        await chain.quiet()
        return asyncio.get_running_loop().time() - begin
    finally:
        await live.stop()


async def kill_again_and_again(state_dir: Path, seed: int, mode: str) -> Counter[str]:
    """Half of the kills, on a state directory, a bot and a model server of its own."""
    moment = random.Random(seed)
    async with FakeModelServer() as model, TelegramServer() as telegram:
        chain = Chain(state_dir, telegram)
        settings = config(model, telegram, mode)
        whole_s = await one_whole_turn(chain, settings)
        for number in range(KILLS // 2):
            live = await start(state_dir)
            try:
                chain.speak(number, PEOPLE[number % len(PEOPLE)])
                await asyncio.sleep(moment.uniform(0.1, max(1.6, whole_s)))
                if mode == "steer":
                    chain.speak(number + KILLS, PEOPLE[number % len(PEOPLE)])
                    await asyncio.sleep(moment.uniform(0, whole_s / 3))
            finally:
                await live.kill()
            assert "Traceback" not in live.said, live.said
        live = await start(state_dir)
        try:
            await chain.quiet()
        finally:
            await live.stop()
        ends = chain.check()
        notices = sum("was restarted" in text for person in PEOPLE for text in telegram.world.texts(person))
        assert notices <= ends["interrupted"] + ends["recovered"], ends
        return ends


@pytest.mark.timeout(600)
async def test_fifty_kills_between_message_and_answer(tmp_path: Path) -> None:
    modes = enumerate(("followup", "steer"))
    halves = await asyncio.gather(*(kill_again_and_again(tmp_path / mode, SEED + number, mode) for number, mode in modes))
    ends = halves[0] + halves[1]
    assert sum(ends.values()) == KILLS + KILLS // 2 + len(halves), ends
    assert ends["answered"] > len(halves) and ends["interrupted"], f"the kills came at one kind of moment only: {ends}"
    print(f"{KILLS} kills: {dict(ends)}")
