"""What belongs to a conversation in a state directory goes with it, and nothing of another one."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.parts import forget_rows as rows
from openclaw_gateway.parts.forget import Forgetter
from openclaw_gateway.parts.memory_alone import Desks, open_desks
from openclaw_kernel.memory.api import MemoryRefused, Selector
from openclaw_kernel.memory.memories import Memories
from openclaw_kernel.memory.writes import Writes
from openclaw_kernel.sessions.store import Session, Sessions
from openclaw_kernel.store.ledger import Ledger
from openclaw_kernel.tools import changes
from openclaw_kernel.tools.changes import Change
from openclaw_kernel.values.envelope import delivery_id
from openclaw_kernel.values.messages import Text, UserMessage

WORD, OTHER = "xylophone", "marimba"
KEY, CHILD, ELSE = "agent:main:attic", "agent:main:subagent:1", "agent:main:other"
PEER = {"kind": "direct", "id": "ann"}


class Hands:
    def __init__(self, root: Path) -> None:
        self.state, self.workspace = root / "s", root / "s" / "workspace"
        self.sessions = Sessions(self.state)
        (self.workspace / "memory").mkdir(parents=True)

    def say(self, key: str, word: str) -> Session:
        session = self.sessions.open(key)
        self.sessions.append(session, UserMessage((Text(f"about the {word}"),), 1))
        return session

    def rows(self, name: str, *records: dict[str, Any]) -> None:
        path = self.state / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(record) + "\n" for record in records))

    def holding(self, word: str) -> list[str]:
        paths = sorted(path for path in self.state.rglob("*") if path.is_file())
        return [path.relative_to(self.state).as_posix() for path in paths if word.encode() in path.read_bytes()]


@pytest.fixture
def hands(tmp_path: Path) -> Hands:
    return Hands(tmp_path)


@pytest.fixture
async def desks(hands: Hands) -> AsyncIterator[Desks]:
    hands.sessions.close()
    async with open_desks(hands.state, {**os.environ, "OPENCLAW_STATE_DIR": str(hands.state)}) as opened:
        yield opened


def mine_and_other(**more: Any) -> list[dict[str, Any]]:
    """A row of either conversation; `WORD` in a value is the other one's word in its row."""
    other = json.loads(json.dumps(more).replace(WORD, OTHER))
    return [{"id": "1", "session_key": KEY, **more}, {"id": "2", "session_key": ELSE, **other}]


def fill(hands: Hands) -> None:
    """Both conversations in every kind of ledger and file."""
    for key, word in ((KEY, WORD), (CHILD, WORD), (ELSE, OTHER)):
        hands.say(key, word)
    old = hands.sessions.get(KEY)
    assert old is not None
    hands.sessions.reset(KEY)
    fresh = hands.say(KEY, WORD)
    hands.rows(
        "subagents.jsonl",
        {"id": "c1", "child_key": CHILD, "parent_key": KEY, "result": WORD, "label": WORD},
        {"id": "c2", "child_key": "agent:main:subagent:2", "parent_key": ELSE, "result": OTHER},
    )
    hands.rows(
        "runs.jsonl",
        {"run_id": "r1", "session_key": KEY, "session_id": fresh.entry.session_id, "message": WORD, "input_hash": "1"},
        {"run_id": "r1", "session_key": KEY, "session_id": fresh.entry.session_id, "input_hash": "1"},
        {"run_id": "r2", "session_key": ELSE, "session_id": "x", "message": OTHER, "input_hash": "2"},
    )
    card = {"title": WORD, "command": WORD, "facts": {"pattern": f"echo {WORD}"}}
    hands.rows("approvals.jsonl", *mine_and_other(card=card, agent_id="main", decision="allow-always"))
    allowed = [{"agent_id": "main", "pattern": f"echo {word}", "cwd": "", "added_at": 1} for word in (WORD, OTHER)]
    hands.rows("exec-approvals.jsonl", *allowed)
    hands.rows("questions.jsonl", *mine_and_other(questions=[{"header": WORD}]))
    hands.rows("system-events.jsonl", *mine_and_other(text=WORD))
    hands.rows("surfaces.jsonl", *mine_and_other(title=WORD))
    hands.rows("cron/runs.jsonl", *mine_and_other(job_id="j", slot_ms=7, text=WORD, error=WORD, delivery_error=""))
    inbound = {"channel": "webhook", "account": "default", "peer": PEER, "thread": None}
    said = {"inbound": {**inbound, "text": WORD}, "state": "pending", "session_key": ""}
    hands.rows(
        "channels/inbox.jsonl",
        {"id": "m1", **said},
        {"id": "m1", "inbound": {**inbound, "text": ""}, "state": "done", "session_key": KEY, "run_id": "r1"},
        {"id": "m2", **said, "state": "failed", "session_key": KEY},
        {"id": "m3", "inbound": {**inbound, "peer": {"kind": "direct", "id": "bob"}, "text": OTHER}, "session_key": ELSE},
    )
    outbound = {"channel": "webhook", "account": "default", "target": PEER, "thread": None, "text": WORD}
    hands.rows(
        "channels/outbox.jsonl",
        {"id": delivery_id("r1", 3), "outbound": {**outbound, "target": {"kind": "group", "id": "g"}}, "state": "failed"},
        {"id": "by-its-chat", "outbound": outbound, "state": "pending"},
        {"id": "z", "outbound": {**outbound, "target": {"kind": "direct", "id": "bob"}, "text": OTHER}, "state": "failed"},
        {"id": "done", "outbound": {**outbound, "text": "", "payload": {"sent": True}}, "state": "done"},
    )
    hands.rows("usage.jsonl", {"day": "2026-11-21", "session_key": KEY, "input": 5})
    transcript = hands.sessions.transcript("main", fresh.entry.session_id)
    other = hands.sessions.open(ELSE).transcript
    for folder, mine in (
        ("media/tools", "a1.png"),
        ("channels/media", "b1.png"),
        ("skill-runs", "c1.ipynb"),
        ("media/tools", "both.png"),
    ):
        path = hands.state / folder / mine
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(WORD if mine != "both.png" else OTHER)
        transcript.append({"type": "custom", "customType": "x", "data": str(path)})
    other.append({"type": "custom", "customType": "x", "data": str(hands.state / "media/tools/both.png")})
    result = hands.workspace / ".openclaw/results/r1-call.txt"
    result.parent.mkdir(parents=True, exist_ok=True)
    result.write_text(WORD)
    transcript.append({"type": "custom", "customType": "x", "data": ".openclaw/results/r1-call.txt"})
    output = hands.workspace / ".openclaw/output"
    output.mkdir()
    (output / "of-a-stopped-one.txt").write_text(WORD)
    (output / "named.txt").write_text(OTHER)
    other.append({"type": "custom", "customType": "x", "data": "the whole output is in .openclaw/output/named.txt …"})
    for run, word in (("r1", WORD), ("r2", OTHER)):
        (hands.workspace / "inbound" / run).mkdir(parents=True)
        (hands.workspace / "inbound" / run / "photo.txt").write_text(word)
    for key, word in ((KEY, WORD), (ELSE, OTHER)):
        path = hands.workspace / f"{key.rpartition(':')[2]}.txt"
        path.write_text(word)
        changes.apply(hands.workspace, key, f"edit {word}", [Change(path, path.name, word.encode(), b"clean")])
    (hands.state / "channels/inbox.jsonl.torn-1").write_text(f'{{"text":"{WORD}')
    (hands.state / ".runs.jsonl.abcd1234.tmp").write_text(WORD)
    for name in ("channels/inbox.jsonl.torn-1", ".runs.jsonl.abcd1234.tmp"):
        os.utime(hands.state / name, (1, 1))


async def test_a_conversation_goes_with_everything_of_it_and_nothing_else(hands: Hands) -> None:
    fill(hands)
    others = hands.holding(OTHER)
    assert len(hands.holding(WORD)) == 24
    hands.sessions.close()
    async with open_desks(hands.state, {**os.environ, "OPENCLAW_STATE_DIR": str(hands.state)}) as desks:
        gone = await desks(None).forget(Selector(session_key="attic"))
    assert hands.holding(WORD) == []
    assert gone["sessions"] == [KEY, CHILD] and (gone["transcripts"], gone["made"]) == (3, 7)
    assert hands.holding(OTHER) == others
    assert {row["id"] for row in read(hands, "channels/inbox.jsonl")} == {"m1", "m3"}, "what is done stays known"
    assert {row["id"] for row in read(hands, "channels/outbox.jsonl")} == {"z", "done"}
    assert [row["id"] for row in read(hands, "cron/runs.jsonl")] == ["1", "2"], "how far a job has come stays"
    assert read(hands, "usage.jsonl")[0]["input"] == 5
    left = Sessions(hands.state)
    assert [entry.key for entry in left.list()] == [ELSE] and left.history(ELSE).total == 1
    left.close()


def read(hands: Hands, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (hands.state / name).read_text().splitlines()]


async def test_a_text_says_where_else_it_was_said_and_takes_it_only_when_told_to(hands: Hands) -> None:
    hands.say(KEY, WORD)
    hands.say(ELSE, OTHER)
    (hands.workspace / "memory/2026-11-01.md").write_text(f"- about the {WORD}\n- about the {OTHER}\n")
    hands.sessions.close()
    async with open_desks(hands.state, {**os.environ, "OPENCLAW_STATE_DIR": str(hands.state)}) as desks:
        gone = await desks(None).forget(Selector(text="About  the XYLOPHONE"))
        assert gone["notes"] == 1 and gone["mentions"] == [KEY] and gone["sessions"] == []
        assert gone["sentences"] == [f"It was also said in {KEY}; give --sessions to forget these conversations whole."]
        assert [name.split("/")[0] for name in hands.holding(WORD)] == ["agents", "agents"], "transcript and title"
        gone = await desks(None).forget(Selector(text="about the xylophone"), True)
        assert gone["sessions"] == [KEY] and gone["mentions"] == [] and gone["transcripts"] == 1
    assert hands.holding(WORD) == [] and len(hands.holding(OTHER)) >= 3


async def test_what_stays_is_said(hands: Hands) -> None:
    hands.say(KEY, "news")
    hands.say(ELSE, OTHER)
    hands.sessions.append(hands.sessions.open(ELSE), UserMessage((Text(f"- 09:00 about the {WORD} (Source: x)"),), 1))
    hands.rows("cron/jobs.jsonl", {"id": "j1", "session_key": KEY}, {"id": "j2", "session_key": KEY}, {"__deleted": "j2"})
    hands.rows("pins.jsonl", {"id": "p", "agent_id": "main", "text": f"the {WORD} is out of tune", "at": 1})
    line = f"- 09:00 about the {WORD}"
    (hands.workspace / "memory/2026-11-01.md").write_text(line + "\n")
    writes = Writes(hands.state / "memory" / "main")
    writes.settle(writes.begin("memory/2026-11-01.md", line, "agent", KEY, 1).id, "written")
    writes.close()
    hands.sessions.close()
    async with open_desks(hands.state, {**os.environ, "OPENCLAW_STATE_DIR": str(hands.state)}) as desks:
        gone = await desks(None).forget(Selector(session_key=KEY))
        assert (gone["notes"], gone["mentions"]) == (1, [ELSE])
        assert gone["sentences"] == [
            f"What was noted in it was recalled in {ELSE}; forget these conversations too.",
            "Scheduled jobs made in it go on: j1; take them away with cron rm.",
        ]
        gone = await desks(None).forget(Selector(text=f"the {WORD}"), True)
        assert gone["sessions"] == [ELSE] and gone["sentences"] == [
            "It may also stand in pins.jsonl, which were left as they are."
        ]
    assert hands.holding(WORD) == ["pins.jsonl"]


async def test_a_session_at_work_is_left_alone(hands: Hands) -> None:
    hands.say(CHILD, WORD)
    hands.sessions.update(hands.sessions.open(CHILD).entry.key, parent_session_key=KEY)
    hands.say(KEY, WORD)
    forgetter = _forgetter(hands, busy=lambda key: key == CHILD)
    before = hands.holding(WORD)
    with pytest.raises(MemoryRefused, match=rf"at work in {CHILD}; stop it first"):
        await forgetter.forget("main", Selector(session_key=KEY))
    assert hands.holding(WORD) == before and not (hands.state / rows.FILE_NAME).exists()
    hands.rows("runs.jsonl", {"run_id": "r1", "session_key": KEY, "input_hash": "1"})
    hands.rows("channels/outbox.jsonl", {"id": delivery_id("r1", 0), "outbound": {}, "state": "attempting"})
    with pytest.raises(MemoryRefused, match="just being sent"):
        await _forgetter(hands).forget("main", Selector(session_key=KEY))
    for selector in (Selector(), Selector(text=" "), Selector(session_key=KEY, text=WORD)):
        with pytest.raises(MemoryRefused, match="Say what to forget"):
            await forgetter.forget("main", selector)


def _forgetter(hands: Hands, **more: Any) -> Forgetter:
    memories = Memories(
        lambda _agent: pytest.fail("not asked"), lambda _agent: hands.workspace, hands.state, lambda _s: pytest.fail()
    )
    return Forgetter(hands.state, hands.sessions, memories, lambda: ["main"], lambda _agent: hands.workspace, **more)


async def test_ledgers_that_are_open_go_on(hands: Hands, desks: Desks) -> None:
    path = hands.state / "questions.jsonl"
    ledger: Ledger[dict[str, Any]] = Ledger(path, key=lambda row: row["id"], encode=dict, decode=dict)
    for row in mine_and_other(text=WORD):
        ledger.put(row)
    await desks(None).forget(Selector(session_key=KEY))
    ledger.put({"id": "3", "text": "later"})
    assert [row["id"] for row in ledger.rows()] == ["2", "3"] and WORD.encode() not in path.read_bytes()
    ledger.close()
    assert [row["id"] for row in read(hands, "questions.jsonl")] == ["2", "3"]


async def test_what_was_deleted_before_stays_deleted(hands: Hands, desks: Desks) -> None:
    hands.rows("devices.jsonl", {"deviceId": "stolen"}, {"deviceId": "mine"}, {"__deleted": "stolen"})
    hands.rows("questions.jsonl", {"id": "1", "text": WORD}, {"__deleted": "1"}, *mine_and_other(text=OTHER))
    before = (hands.state / "devices.jsonl").read_text()
    await desks(None).forget(Selector(session_key=KEY))
    assert (hands.state / "devices.jsonl").read_text() == before
    assert [row["id"] for row in read(hands, "questions.jsonl")] == ["2"] and hands.holding(WORD) == []


async def test_log_lines_of_it_go_and_the_open_log_goes_on(hands: Hands, desks: Desks) -> None:
    path = hands.state / "logs" / "gateway.jsonl"
    path.parent.mkdir()
    with path.open("ab", buffering=0) as log:
        for line in (f"run r of {KEY} failed: {WORD}", f"run r of {KEY}y ended: ok", "ready"):
            log.write(json.dumps({"message": line}).encode() + b"\n")
        await desks(None).forget(Selector(session_key=KEY))
        log.write(b'{"message":"later"}\n')
    assert [row["message"] for row in read(hands, "logs/gateway.jsonl")] == [f"run r of {KEY}y ended: ok", "ready", "later"]


async def test_what_git_holds_is_said(hands: Hands, desks: Desks) -> None:
    note = hands.workspace / "memory" / f"{datetime(2026, 11, 1, tzinfo=UTC):%Y-%m-%d}.md"
    note.write_text(f"- about the {WORD}\n- tea\n")
    assert (await desks(None).forget(Selector(text=f"the {WORD}")))["sentences"] == []
    note.write_text(f"- about the {WORD}\n- tea\n")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.example"]
    for line in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"]):
        await asyncio.to_thread(subprocess.run, [*git, *line], cwd=hands.workspace, check=True, timeout=30)
    [sentence] = (await desks(None).forget(Selector(text=f"the {WORD}")))["sentences"]
    assert sentence.startswith("Commits of the git repository") and "git's history is not rewritten" in sentence
