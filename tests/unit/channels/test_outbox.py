"""The outbox: on disk before it is sent, never sent twice, patient with a platform that is not (CHN-10, CHN-11)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from openclaw_gateway.channels.contract import ChannelError, Sent
from openclaw_gateway.channels.ledger_rows import Delivery
from openclaw_gateway.channels.outbox import ATTEMPTS, LEASE_MS, RENEW_S, Outbox
from openclaw_kernel.values.envelope import Outbound, Peer
from openclaw_kernel.values.errors import OpenClawError
from tests.unit.channels.world import FakeTime, settle


class Platform:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.sent: list[str] = []
        self.at: list[int] = []
        self.errors: list[Exception] = []
        self.up = True
        self.hold: asyncio.Event | None = None

    async def send(self, row: Delivery) -> Sent:
        on_disk = [json.loads(line) for line in self.path.read_text().splitlines()]
        assert [line["state"] for line in on_disk if line.get("id") == row.id][-1] == "attempting"
        if self.hold is not None:
            await self.hold.wait()
        if self.errors:
            raise self.errors.pop(0)
        self.sent.append(row.outbound.text)
        return Sent(f"m{len(self.sent)}")


Make = Callable[[], Awaitable[Outbox]]


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    return Platform(tmp_path / "outbox.jsonl")


def outbox(platform: Platform, time: FakeTime, gap_ms: int = 0) -> Outbox:
    return Outbox(platform.path, platform.send, ready=lambda _c, _a: platform.up, gap_ms=lambda _c: gap_ms, timing=time.timing)


def part(text: str, peer: str = "ann", name: str = "") -> Outbound:
    return Outbound("fake", Peer("direct", peer), name or text, text)


async def test_parts_of_a_conversation_keep_their_order_and_are_sent_once(platform: Platform, time: FakeTime) -> None:
    box = outbox(platform, time)
    assert box.post(part("one")) and box.post(part("two")) and not box.post(part("one"))
    await settle()
    assert platform.sent == ["one", "two"]
    row = await box.settled("two")
    assert row.state == "done" and row.sent == Sent("m2")
    assert not box.post(part("two"))
    await box.close()
    again = outbox(platform, time)
    again.resume()
    assert not again.post(part("two")), "known after a restart too"
    await again.close()


async def test_a_send_that_a_crash_cut_off_is_marked_and_never_repeated(platform: Platform, time: FakeTime) -> None:
    platform.hold = asyncio.Event()
    box = outbox(platform, time)
    box.post(part("one"))
    box.post(part("two"))
    await settle()
    # The process dies here: a new one reads the same file.
    platform2 = Platform(platform.path)
    again = outbox(platform2, time)
    again.resume()
    await settle()
    assert platform2.sent == ["two"]
    assert [(row.id, row.state) for row in again.dead()] == [("one", "recovered")]
    again.resubmit("one")
    await settle()
    assert platform2.sent == ["two", "one"] and again.dead() == []
    await again.close()
    await box.close()


async def test_retries_wait_longer_each_time_and_end_as_a_dead_letter(platform: Platform, time: FakeTime) -> None:
    platform.errors = [ChannelError("down")] * ATTEMPTS
    box = outbox(platform, time)
    box.post(part("one"))
    await time.advance(0.9)
    assert len(platform.errors) == ATTEMPTS - 1
    await time.advance(0.2)
    assert len(platform.errors) == ATTEMPTS - 2
    await time.advance(2.1)
    assert platform.errors == [] and [row.state for row in box.dead()] == ["failed"]
    with pytest.raises(OpenClawError, match="no dead letter"):
        box.resubmit("two")
    assert box.abandon("one").state == "abandoned" and box.dead() == []
    await box.close()


async def test_retry_after_is_honoured_to_the_millisecond_for_the_whole_account(platform: Platform, time: FakeTime) -> None:
    platform.errors = [ChannelError("slow down", "retry", 7.5)]
    box = outbox(platform, time)
    box.post(part("one"))
    await settle()
    box.post(part("other", peer="bob"))
    await time.advance(7.4)
    assert platform.sent == []
    await time.advance(0.2)
    assert sorted(platform.sent) == ["one", "other"]
    await box.close()


async def test_an_account_speaks_no_faster_than_its_gap(platform: Platform, time: FakeTime) -> None:
    box = outbox(platform, time, gap_ms=400)
    for number in range(4):
        box.post(part(f"p{number}", peer=f"person {number}"))
    await settle()
    assert len(platform.sent) == 1
    await time.advance(0.41)
    assert len(platform.sent) == 2
    await time.advance(0.8)
    assert len(platform.sent) == 4
    await box.close()


async def test_refused_markup_goes_out_once_as_plain_text(platform: Platform, time: FakeTime) -> None:
    platform.errors = [ChannelError("cannot parse entities", "markup")]
    box = outbox(platform, time)
    box.post(part("<b>x</b>", name="n"), plain="**x**")
    await settle()
    assert platform.sent == ["**x**"]
    platform.errors = [ChannelError("again", "markup")] * 2
    box.post(part("<i>y</i>", name="n2"), plain="*y*")
    await settle()
    assert [row.state for row in box.dead()] == ["failed"] and len(platform.sent) == 1
    await box.close()


@pytest.mark.parametrize(("kind", "state"), [("ambiguous", "recovered"), ("refused", "failed"), ("fatal", "failed")])
async def test_what_is_not_to_be_repeated_is_not(platform: Platform, time: FakeTime, kind: str, state: str) -> None:
    platform.errors = [ChannelError("no", kind)]  # type: ignore[arg-type]
    box = outbox(platform, time)
    box.post(part("one"))
    await time.advance(3_600)
    assert platform.sent == [] and [row.state for row in box.dead()] == [state]
    await box.close()


async def test_an_unforeseen_failure_may_have_sent_it(platform: Platform, time: FakeTime) -> None:
    platform.errors = [RuntimeError("bug")]
    box = outbox(platform, time)
    box.post(part("one"))
    await settle()
    assert [row.state for row in box.dead()] == ["recovered"]
    await box.close()


async def test_messages_wait_for_their_account(platform: Platform, time: FakeTime) -> None:
    platform.up = False
    box = outbox(platform, time)
    box.post(part("one"))
    await time.advance(600)
    assert platform.sent == [] and box.pending()[0].attempts == 0
    platform.up = True
    box.wake("fake", "default")
    await settle()
    assert platform.sent == ["one"]
    await box.close()


async def test_the_lease_is_renewed_while_a_send_is_under_way(platform: Platform, time: FakeTime) -> None:
    platform.hold = asyncio.Event()
    box = outbox(platform, time)
    box.post(part("one"))
    await settle()
    first = box.pending()[0].lease_until
    assert first == time.now + LEASE_MS
    await time.advance(RENEW_S + 1)
    assert box.pending()[0].lease_until == first + int(RENEW_S * 1000)
    platform.hold.set()
    await settle()
    assert box.pending() == [] and platform.sent == ["one"]
    await box.close()


async def test_an_edit_cut_off_by_a_crash_is_done_again_because_it_changes_nothing_twice(
    platform: Platform, time: FakeTime
) -> None:
    platform.hold = asyncio.Event()
    box = outbox(platform, time)
    box.post(part("whole"), edits=Sent("m0"))
    await settle()
    platform2 = Platform(platform.path)
    again = outbox(platform2, time)
    again.resume()
    await settle()
    assert platform2.sent == ["whole"] and again.dead() == []
    await again.close()
    await box.close()
