"""What a scheduled job may run unasked: only in its own runs, only there, only so long (SAF-13)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from openclaw_kernel.safety.allowed import job_of, read_allowed
from openclaw_kernel.safety.api import Card
from openclaw_kernel.safety.approvals import DAY_MS, Approvals

JOB, OTHER, MAIN = "agent:main:cron:backup:run:1", "agent:main:cron:report:run:1", "agent:main:main"
CARD = Card("Run a command", "restic backup", "/w", "not on the allowlist", facts={"pattern": "=restic backup"})


class Time:
    now = 1_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def desk(tmp_path: Path, time: Time) -> Iterator[Approvals]:
    approvals = Approvals(tmp_path / "a.jsonl", tmp_path / "b.jsonl", time)
    yield approvals
    approvals.close()


def allow(desk: Approvals, key: str, days: int | None = None) -> None:
    question = desk.request(CARD, session_key=key, agent_id="main")
    desk.resolve(question.id, "allow-always", "ada", days)


def test_a_session_key_names_its_job_or_none() -> None:
    assert job_of(JOB) == "backup" and job_of("agent:main:cron:backup") == "backup"
    for key in (MAIN, "agent:main:telegram:direct:cron:backup", "agent:cron:main", "cron:backup", "agent:main:custom"):
        assert job_of(key) == "", key


def test_what_a_job_asked_for_is_granted_to_it_alone(desk: Approvals) -> None:
    allow(desk, JOB)
    assert desk.allowlist("main", "/w", JOB) == ("=restic backup",)
    for agent, cwd, key in (
        ("main", "/w", OTHER),
        ("main", "/w", MAIN),
        ("main", "/w", ""),
        ("main", "/x", JOB),
        ("b", "/w", JOB),
    ):
        assert desk.allowlist(agent, cwd, key) == (), (agent, cwd, key)


def test_what_a_person_allowed_holds_in_jobs_too(desk: Approvals) -> None:
    allow(desk, MAIN)
    assert desk.allowlist("main", "/w", JOB) == desk.allowlist("main", "/w", MAIN) == ("=restic backup",)


def test_a_grant_ends(desk: Approvals, time: Time, tmp_path: Path) -> None:
    allow(desk, JOB, days=2)
    time.now += 2 * DAY_MS - 1
    assert desk.allowlist("main", "/w", JOB)
    time.now += 1
    assert not desk.allowlist("main", "/w", JOB)
    again = Approvals(tmp_path / "a.jsonl", tmp_path / "b.jsonl", time)
    assert again.entries() == [] and read_allowed(tmp_path / "b.jsonl") == []
    again.close()


def test_one_job_is_revoked_and_the_other_keeps_its_own(desk: Approvals) -> None:
    allow(desk, JOB)
    allow(desk, OTHER)
    allow(desk, MAIN)
    assert desk.disallow("main", "=restic backup", "/w", "backup") and len(desk.entries()) == 2
    assert not desk.disallow("main", "=restic backup", "/w", "backup")
    assert desk.disallow("main", "=restic backup", "/w", "") and desk.allowlist("main", "/w", OTHER) == ("=restic backup",)
