"""The inbox: a message is kept before it is acknowledged, answered once, in order (CHN-09, CHN-12)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from openclaw_gateway.channels.inbox import ATTEMPTS, DEBOUNCE_MS, REMEMBER_MS, Inbox
from openclaw_gateway.channels.ledger_rows import Received
from openclaw_kernel.values.envelope import Attachment, Thread
from openclaw_kernel.values.errors import UserError, unavailable
from tests.unit.channels.world import FakeTime, message, settle

PICTURE = Attachment("image", ref="f1")


class Agent:
    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.runs: list[str] = []
        self.errors: list[Exception] = []
        self.hold: asyncio.Event | None = None

    async def answer(self, batch: Sequence[Received]) -> None:
        self.batches.append([row.inbound.text for row in batch])
        self.runs.append(batch[0].run_id)
        if self.hold is not None:
            await self.hold.wait()
        if self.errors:
            raise self.errors.pop(0)


@pytest.fixture
def agent() -> Agent:
    return Agent()


def inbox(tmp_path: Path, agent: Agent, time: FakeTime, debounce_ms: int = 0) -> Inbox:
    return Inbox(tmp_path / "inbox.jsonl", agent.answer, debounce_ms=lambda _c: debounce_ms, timing=time.timing)


async def test_the_row_is_on_disk_when_the_message_is_accepted(tmp_path: Path, agent: Agent, time: FakeTime) -> None:
    box = inbox(tmp_path, agent, time)
    assert box.accept(message("secret words")) == "accepted"
    row = json.loads((tmp_path / "inbox.jsonl").read_text().splitlines()[-1])
    assert row["state"] == "pending" and row["inbound"]["text"] == "secret words"
    await settle()
    assert agent.batches == [["secret words"]]
    assert box.pending() == [] and "secret" not in json.dumps((tmp_path / "inbox.jsonl").read_text().splitlines()[-1])
    await box.close()


async def test_a_duplicate_is_known_for_twenty_minutes_and_per_conversation(
    tmp_path: Path, agent: Agent, time: FakeTime
) -> None:
    box = inbox(tmp_path, agent, time)
    box.accept(message(id="1"))
    await settle()
    assert box.accept(message(id="1")) == "duplicate"
    assert box.accept(message(id="1", sender="bob")) == "accepted"
    assert box.accept(message(id="1", group="g")) == "accepted"
    assert box.accept(message(id="1", group="g", thread=Thread("t"))) == "accepted"
    await settle()
    time.now += REMEMBER_MS - 1
    assert box.accept(message(id="1")) == "duplicate"
    time.now += 2
    assert box.accept(message(id="1")) == "accepted"
    await box.close()


async def test_a_crash_after_the_row_answers_it_once_after_the_restart(tmp_path: Path, agent: Agent, time: FakeTime) -> None:
    dead = inbox(tmp_path, agent, time, debounce_ms=DEBOUNCE_MS)
    dead.accept(message("one"))
    # The process dies before the platform was told, so that it sends the message again.
    agent2 = Agent()
    box = inbox(tmp_path, agent2, time)
    box.resume()
    assert box.accept(message("one")) == "duplicate"
    await settle()
    assert agent2.batches == [["one"]]
    await box.close()
    await dead.close()
    assert agent.batches == []


async def test_a_run_cut_off_by_a_crash_keeps_its_name_and_its_messages(tmp_path: Path, agent: Agent, time: FakeTime) -> None:
    agent.hold = asyncio.Event()
    dead = inbox(tmp_path, agent, time, debounce_ms=100)
    dead.accept(message("one", id="1"))
    dead.accept(message("two", id="2"))
    await time.advance(0.2)
    dead.accept(message("three", id="3"))
    agent2 = Agent()
    box = inbox(tmp_path, agent2, time)
    box.resume()
    await settle()
    assert agent2.batches == [["one", "two"], ["three"]] and agent2.runs[0] == agent.runs[0]
    await box.close()
    await dead.close()


async def test_texts_in_a_row_are_one_message_files_and_commands_do_not_wait(
    tmp_path: Path, agent: Agent, time: FakeTime
) -> None:
    box = inbox(tmp_path, agent, time, debounce_ms=DEBOUNCE_MS)
    box.accept(message("one", id="1"))
    await time.advance(1.5)
    box.accept(message("two", id="2"))
    await time.advance(1.9)
    assert agent.batches == []
    await time.advance(0.2)
    assert agent.batches == [["one", "two"]]
    box.accept(message("look", id="3", attachments=(PICTURE,)))
    await settle()
    assert agent.batches[1:] == [["look"]]
    box.accept(message("wait", id="4"))
    box.accept(message("/stop", id="5"), command=True)
    await settle()
    assert agent.batches[2:] == [["/stop"]]
    box.accept(message("pic", id="6", attachments=(PICTURE,)))
    await settle()
    assert agent.batches[3:] == [["wait"], ["pic"]]
    await box.close()


async def test_people_in_a_room_are_not_mixed_and_rooms_do_not_wait_for_each_other(
    tmp_path: Path, agent: Agent, time: FakeTime
) -> None:
    agent.hold = asyncio.Event()
    box = inbox(tmp_path, agent, time)
    for number, (sender, group) in enumerate([("a", "g"), ("b", "g"), ("a", "h"), ("c", "")]):
        box.accept(message(f"{sender}{group}", sender, id=str(number), group=group))
    box.accept(message("/stop", "a", id="9", group="g"), command=True)
    await settle()
    assert sorted(map(tuple, agent.batches)) == [("/stop",), ("ag",), ("ah",), ("c",)]
    agent.hold.set()
    await settle()
    assert agent.batches[-1] == ["bg"]
    await box.close()


async def test_failures_are_tried_again_then_kept_as_dead_letters(tmp_path: Path, agent: Agent, time: FakeTime) -> None:
    agent.errors = [unavailable("busy"), UserError("disk full"), RuntimeError("bug")]
    box = inbox(tmp_path, agent, time)
    box.accept(message("one"))
    await time.advance(60)
    assert len(agent.batches) == ATTEMPTS
    [row] = box.dead()
    assert row.state == "failed" and row.error == "RuntimeError" and row.inbound.text == "one"
    box.resubmit(row.id)
    await settle()
    assert agent.batches[-1] == ["one"] and agent.runs[-1] != agent.runs[0] and box.dead() == []
    await box.close()


async def test_a_command_that_failed_is_tried_again(tmp_path: Path, agent: Agent, time: FakeTime) -> None:
    agent.errors = [unavailable("busy")]
    box = inbox(tmp_path, agent, time)
    box.accept(message("/status"), command=True)
    await time.advance(5)
    assert len(agent.batches) == 2 and box.pending() == []
    await box.close()


async def test_the_oldest_are_forgotten_beyond_five_thousand(tmp_path: Path, agent: Agent, time: FakeTime) -> None:
    box = inbox(tmp_path, agent, time)
    for number in range(5_600):
        box.accept(message(id=str(number), sender=str(number)))
    await settle()
    for _ in range(40):
        await settle()
    await box.close()
    again = inbox(tmp_path, Agent(), time)
    again.resume()
    assert again.accept(message(id="0", sender="0")) == "accepted"
    assert again.accept(message(id="5599", sender="5599")) == "duplicate"
    await again.close()
