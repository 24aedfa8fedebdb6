"""The heartbeat: when it beats, when it keeps quiet, and what of its words anybody hears."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.automation.contract import Announcement
from openclaw_gateway.automation.heartbeat import Heartbeat
from openclaw_gateway.automation.heartbeat_rules import Plan, has_task, plan_of, within, worth_saying
from openclaw_gateway.automation.runner import house_message
from openclaw_gateway.automation.system_events import SystemEvents
from openclaw_kernel.agent.api import ActiveRun, Outcome, Receipt, RunRequest
from openclaw_kernel.agent.workspace import HEARTBEAT
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.config.schema.cron import ActiveHours
from openclaw_kernel.values.messages import AssistantMessage, Text, Usage
from tests.unit.automation.conftest import HOUR, MINUTE, START

KEY = "agent:main:main"


@dataclass
class FakeRuntime:
    reply: str = "HEARTBEAT_OK"
    requests: list[RunRequest] = field(default_factory=list)
    busy: list[ActiveRun] = field(default_factory=list)
    waited: list[str] = field(default_factory=list)

    async def submit(self, request: RunRequest) -> Receipt:
        self.requests.append(request)
        return Receipt(request.run_id, request.session_key, "s", "started")

    async def wait(self, run_id: str, timeout_s: float | None = None) -> Outcome | None:
        self.waited.append(run_id)
        self.busy.clear()
        message = AssistantMessage((Text(self.reply),), 0, "a", "p", "m") if self.reply else None
        return Outcome(run_id, KEY, "s", "ok", 0, 0, message, None, "stop", Usage())

    def active(self, session_key: str | None = None) -> list[ActiveRun]:
        return self.busy

    def abort(self, session_key: str, run_id: str | None = None, reason: str = "rpc") -> list[str]:
        return []

    async def close(self, grace_s: float = 5.0) -> None: ...


@dataclass
class Chest:
    """A heartbeat with everything around it in the hand."""

    folder: Path
    config: dict[str, Any] = field(default_factory=dict)
    now: int = START
    runtime: FakeRuntime = field(default_factory=FakeRuntime)
    heard: list[Announcement] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    spoken: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        async def announce(note: Announcement) -> bool:
            self.heard.append(note)
            return True

        async def say(run_id: str, key: str, text: str) -> None:
            await self.runtime.submit(RunRequest(run_id, key, house_message(run_id, text, self.now)))

        async def known(run_id: str) -> bool:
            return False

        self.events = SystemEvents(self.folder / "events.jsonl", say=say, known=known, clock=lambda: self.now)
        self.beat = Heartbeat(
            plans=lambda: [self.plan()],
            workspace=lambda agent: self.folder,
            main_key=lambda agent: KEY,
            runtime=self.runtime,
            events=self.events,
            announce=announce,
            clock=lambda: self.now,
            tell=self.tell,
        )

    def tell(self, payload: Mapping[str, Any]) -> None:
        self.told.append(f"{payload['status']} {payload.get('reason', '')}".strip())
        self.spoken.set()

    def plan(self) -> Plan:
        config = OpenClawConfig.model_validate({"agents": {"defaults": {"heartbeat": self.config}}})
        return plan_of(config, "main", default_agent="main")

    def task(self, text: str = "- water the plants") -> None:
        (self.folder / "HEARTBEAT.md").write_text(text)

    async def pass_time(self, ms: int) -> None:
        self.now += ms
        await self.beat.tick()


@pytest.fixture
def chest(tmp_path: Path) -> Chest:
    made = Chest(tmp_path)
    made.beat.due(made.plan())
    return made


async def test_it_beats_every_half_hour_when_there_is_a_task(chest: Chest) -> None:
    chest.task()
    await chest.pass_time(29 * MINUTE)
    assert chest.runtime.requests == []
    await chest.pass_time(MINUTE)
    await chest.pass_time(MINUTE)
    assert len(chest.runtime.requests) == 1 and chest.told == ["ok-token"] and chest.heard == []
    await chest.pass_time(30 * MINUTE)
    assert len(chest.runtime.requests) == 2


async def test_no_model_is_called_while_the_file_holds_no_task(chest: Chest) -> None:
    for text in (None, "", HEARTBEAT, "# title\n\n- [ ]\n", "<!-- a\nb -->\n## x"):
        if text is not None:
            chest.task(text)
        await chest.pass_time(30 * MINUTE)
    assert chest.runtime.requests == [] and set(chest.told) == {"skipped empty-heartbeat-file"}


async def test_it_can_be_switched_off(chest: Chest) -> None:
    chest.config["every"] = "0m"
    chest.task()
    await chest.pass_time(24 * HOUR)
    assert chest.runtime.requests == [] and not chest.beat.active("main")


async def test_words_that_matter_reach_the_owner_once(chest: Chest) -> None:
    chest.task()
    chest.runtime.reply = "HEARTBEAT_OK The plants are dry: " + "water them. " * 40
    await chest.pass_time(30 * MINUTE)
    (note,) = chest.heard
    assert note.channel == "owner" and note.text.startswith("The plants are dry") and chest.told == ["sent"]
    chest.config["target"] = "none"
    await chest.pass_time(30 * MINUTE)
    assert len(chest.heard) == 1 and chest.told[-1] == "silent"


async def test_it_keeps_to_the_active_hours(chest: Chest) -> None:
    chest.task()
    chest.config["activeHours"] = {"start": "09:00", "end": "17:00", "timezone": "Europe/Berlin"}
    await chest.pass_time(30 * MINUTE)  # 01:30 in Berlin
    assert chest.runtime.requests == [] and chest.told == ["skipped quiet-hours"]
    await chest.pass_time(9 * HOUR)
    assert len(chest.runtime.requests) == 1


async def test_it_waits_while_the_session_works(chest: Chest) -> None:
    chest.task()
    chest.runtime.busy.append(ActiveRun("r-busy", KEY, "", START, ""))
    await chest.pass_time(30 * MINUTE)
    assert chest.runtime.waited[0] == "r-busy" and len(chest.runtime.requests) == 1


async def test_asking_often_does_not_beat_often(chest: Chest) -> None:
    chest.task()
    for _ in range(600):
        chest.beat.ask("main")
        await chest.pass_time(1_000)
    assert 19 <= len(chest.runtime.requests) <= 20, "one start every 30 s at most"


async def test_system_events_ride_with_the_next_beat_once(chest: Chest) -> None:
    chest.events.add("e1", KEY, "the build is green")
    chest.events.add("e1", KEY, "the build is green")
    await chest.pass_time(30 * MINUTE)
    (request,) = chest.runtime.requests
    text = "".join(part.text for part in request.message.content if isinstance(part, Text))
    assert text.count("the build is green") == 1 and "HEARTBEAT_OK" in text
    await chest.pass_time(30 * MINUTE)
    assert len(chest.runtime.requests) == 1 and chest.events.waiting() == []


async def test_an_isolated_beat_runs_beside_the_conversation(chest: Chest) -> None:
    chest.config |= {"isolatedSession": True, "model": "fake/x"}
    chest.task()
    await chest.pass_time(30 * MINUTE)
    (request,) = chest.runtime.requests
    assert request.session_key == f"{KEY}:heartbeat" and request.model == "fake/x"


async def test_the_timer_wakes_for_a_question_and_sleeps_else(chest: Chest) -> None:
    chest.task()
    chest.beat.start()
    await asyncio.sleep(0)
    chest.beat.ask("main")
    async with asyncio.timeout(5):
        await chest.spoken.wait()
    await chest.beat.stop()
    assert len(chest.runtime.requests) == 1


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("HEARTBEAT_OK", None),
        ("NO_REPLY", None),
        ("", None),
        ("**HEARTBEAT_OK**", None),
        ("All quiet. HEARTBEAT_OK", None),
        ("HEARTBEAT_OK " + "x" * 300, None),
        ("HEARTBEAT_OK " + "x" * 301, "x" * 301),
        ("The word HEARTBEAT_OK in the middle", "The word HEARTBEAT_OK in the middle"),
        ("Something burns.", "Something burns."),
    ],
)
def test_what_of_a_reply_is_said(reply: str, said: str | None) -> None:
    assert worth_saying(reply, 300) == said


def test_hours_over_midnight_and_across_zones() -> None:
    night = ActiveHours.model_validate({"start": "22:00", "end": "06:00", "timezone": "UTC"})
    at = lambda hour: int(datetime(2026, 1, 1, hour, 30, tzinfo=UTC).timestamp() * 1000)  # noqa: E731
    assert within(night, at(23)) and within(night, at(5)) and not within(night, at(12))
    assert within(None, 0) and not within(ActiveHours.model_validate({"start": "08:00", "end": "08:00"}), at(8))
    with pytest.raises(ValueError, match="pattern"):
        within(ActiveHours.model_validate({"start": "25:00"}), at(1))


def test_only_agents_with_a_block_of_their_own_beat_when_there_is_one() -> None:
    config = OpenClawConfig.model_validate({"agents": {"list": [{"id": "a"}, {"id": "b", "heartbeat": {"every": "5m"}}]}})
    assert plan_of(config, "a", default_agent="a").every_ms == 0
    assert plan_of(config, "b", default_agent="a").every_ms == 5 * MINUTE
    assert has_task("- call mum") and not has_task("# only a title")
