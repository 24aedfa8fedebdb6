"""What a due job does: where it runs, under which id, with which tools; what delivery is told; and lines lost in a crash."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.automation.contract import Announcement, Withheld
from openclaw_gateway.automation.jobs import Delivery, Job, Occurrence, Payload
from openclaw_gateway.automation.runner import JobRunner
from openclaw_gateway.automation.schedule import Every
from openclaw_gateway.automation.system_events import SystemEvents
from openclaw_kernel.values.errors import UserError
from tests.unit.automation.conftest import HOUR, START
from tests.unit.automation.test_heartbeat import FakeRuntime

MAIN = "agent:main:main"


class House:
    """A runner with everything around it in the hand."""

    def __init__(self, folder: Path, *, beats: bool = False, route: bool = True) -> None:
        self.runtime = FakeRuntime("the answer")
        self.heard: list[Announcement] = []
        self.posted: list[tuple[str, dict[str, Any], str]] = []
        self.said: list[tuple[str, str, str]] = []
        self.known: set[str] = set()

        async def announce(note: Announcement) -> bool:
            self.heard.append(note)
            return route

        async def post(url: str, body: dict[str, Any], token: str) -> None:
            self.posted.append((url, body, token))

        async def say(run_id: str, key: str, text: str) -> None:
            self.said.append((run_id, key, text))

        async def known(run_id: str) -> bool:
            return run_id in self.known

        self.path = folder / "events.jsonl"
        self.make = lambda: SystemEvents(self.path, say=say, known=known, clock=lambda: START)
        self.events = self.make()
        self.runner = JobRunner(
            self.runtime, self.events, announce, post, lambda agent: f"agent:{agent}:main", lambda agent: beats, lambda: START
        )


def job(payload: Payload, **more: Any) -> Job:
    return Job("j", "look", Every(HOUR, START), payload, START, START, START, **more)


ROW = Occurrence(f"cron:j:{START}", "j", START, "schedule", START, text="the answer")
TURN = Payload("agentTurn", "look around", model="fake/x", timeout_s=7, tools=("read",))


@pytest.mark.parametrize(
    ("target", "session", "key"),
    [
        ("isolated", "", f"agent:main:cron:j:run:{START}"),
        ("session:agent:main:work", "", "agent:main:work"),
        ("current", "agent:main:here", "agent:main:here"),
    ],
)
async def test_a_turn_runs_where_it_should(tmp_path: Path, target: str, session: str, key: str) -> None:
    house = House(tmp_path)
    result = await house.runner.run(job(TURN, target=target, session_key=session), ROW)
    (request,) = house.runtime.requests
    assert (request.run_id, request.session_key, request.tools) == (ROW.id, key, ("read",))
    assert (request.model, request.timeout_ms) == ("fake/x", 7_000)
    assert result.ok and result.text == "the answer" and result.session_key == key


async def test_a_system_event_goes_to_the_main_session_once(tmp_path: Path) -> None:
    house = House(tmp_path)
    event = job(Payload("systemEvent", "tea is ready"), target="main")
    await house.runner.run(event, ROW)
    await house.runner.run(event, ROW)
    assert [(key, "tea is ready" in text) for _, key, text in house.said] == [(MAIN, True)]
    assert (await house.runner.known(ROW)) is not None, "after a crash it is not said again"


async def test_it_waits_for_the_heartbeat_when_asked(tmp_path: Path) -> None:
    house = House(tmp_path, beats=True)
    await house.runner.run(job(Payload("systemEvent", "x"), target="main", wake="next-heartbeat"), ROW)
    assert house.said == [] and len(house.events.waiting(MAIN)) == 1


@pytest.mark.parametrize("arrived", [True, False])
async def test_a_line_is_neither_lost_nor_said_twice_by_a_crash(tmp_path: Path, arrived: bool) -> None:
    house = House(tmp_path)
    house.events.add("e1", MAIN, "one")
    house.events.add("e2", MAIN, "two")
    house.events.claim(house.events.waiting(), "events:e1")  # and then the power went
    house.events.close()
    if arrived:
        house.known.add("events:e1")
    again = house.make()
    await again.recover()
    await again.recover()
    assert len(house.said) == (0 if arrived else 1) and again.waiting() == []
    again.close()


async def test_answers_go_out_under_one_name(tmp_path: Path) -> None:
    house = House(tmp_path)
    told = job(TURN, delivery=Delivery("announce", "telegram", to="42"))
    assert await house.runner.deliver(told, ROW) and await house.runner.deliver(told, ROW)
    assert len({note.delivery_id for note in house.heard}) == 1
    assert (house.heard[0].channel, house.heard[0].to, house.heard[0].text) == ("telegram", "42", "the answer")
    hook = job(TURN, delivery=Delivery("webhook", to="https://x.test/", token="t"))
    await house.runner.deliver(hook, ROW)
    url, body, token = house.posted[0]
    assert (url, token, body["runId"], body["text"]) == ("https://x.test/", "t", ROW.id, "the answer")


async def test_nobody_to_tell_is_said(tmp_path: Path) -> None:
    house = House(tmp_path, route=False)
    with pytest.raises(UserError, match="nobody to tell"):
        await house.runner.deliver(job(TURN, delivery=Delivery("announce")), ROW)


async def test_what_the_send_policy_keeps_here_is_no_failure(tmp_path: Path) -> None:
    house = House(tmp_path)

    async def keeps(_note: Announcement) -> bool:
        raise Withheld("Nothing is sent to telegram:42, by session.sendPolicy.default.")

    runner = replace(house.runner, announce=keeps)
    assert await runner.deliver(job(TURN, delivery=Delivery("announce", "telegram", to="42")), ROW) is False
    await runner.alert(job(TURN), "it failed")
