"""What every channel must do, whatever its platform. A channel's own tests cover only what is peculiar to it.

    class TestTelegram(ChannelContract):
        make = TelegramCase          # a ChannelCase

A real gateway runs with a fake platform on one side and a fake model on the other; messages go all the way. What a platform
cannot do is named in `cannot` with its reason, which the skipped test prints.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.fakes.model_server import FakeModelServer
from tests.flow import processes
from tests.flow.wire import Client, Served, client, served

OWNER, STRANGER = "1001", "2002"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360f8cf500f00030101003f5a1f3d0000000049454e44ae426082"
)
PARTS = 30.0
"""Seconds to wait for anything."""


@dataclass(frozen=True)
class Heard:
    """A message of the assistant as its platform got it. `text` is what a person reads, `at` the second it came."""

    text: str
    files: tuple[str, ...] = ()
    at: float = 0.0


class ChannelCase(ABC):
    """A fake platform with people in it, and how the gateway is told of it."""

    name: ClassVar[str]
    cannot: ClassVar[Mapping[str, str]] = {}
    """What the platform cannot do → why: rate, resume, forge, picture-in, picture-out, preview, typing, stranger, kill."""
    limit: ClassVar[int] = 4_000
    """Characters of one message."""

    @abstractmethod
    async def open(self) -> None:
        """Starts the platform."""

    @abstractmethod
    async def close(self) -> None: ...

    @abstractmethod
    def config(self) -> dict[str, Any]:
        """`channels`, and other sections the case needs. Strangers must be asked to pair."""

    @abstractmethod
    async def joined(self, url: str, token: str) -> None:
        """A gateway runs at this address, the first time or again."""

    @abstractmethod
    async def says(self, text: str, *, who: str = OWNER, picture: bytes | None = None) -> Any:
        """A person writes to the assistant; returns what `repeat` needs."""

    @abstractmethod
    async def repeat(self, said: Any) -> None:
        """The platform delivers the same message once more."""

    @abstractmethod
    def heard(self, who: str = OWNER) -> list[Heard]:
        """What the assistant said to a person, oldest first."""

    def whole(self, text: str) -> bool:
        """Whether every code block of a message is closed."""
        return len(re.findall(r"^\s*```", text, re.MULTILINE)) % 2 == 0

    def target(self, who: str = OWNER) -> str:
        """The person as `send` takes him."""
        return f"{self.name}:{who}"

    async def slow_down(self, seconds: int) -> None:
        """The next message of the assistant is refused for so long."""
        raise NotImplementedError

    async def lose(self) -> None:
        """The platform cannot be reached."""
        raise NotImplementedError

    async def restore(self) -> None:
        raise NotImplementedError

    async def forge(self) -> list[int]:
        """Deliveries that are not genuine; the HTTP status of each answer."""
        raise NotImplementedError

    def edits(self) -> int:
        """How often the assistant changed a message."""
        return 0

    def typed(self) -> int:
        return 0


@dataclass
class Stage:
    """A case, a gateway and a model that know each other."""

    case: ChannelCase
    model: FakeModelServer
    gateway: Served
    peer: Client

    async def until(self, ready: Callable[[], Any], what: str = "") -> None:
        for _ in range(int(PARTS / 0.02)):
            if ready():
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"{self.case.name}: {what or 'it did not come to pass'}; heard {self.case.heard()}")

    async def hears(self, count: int, who: str = OWNER) -> list[Heard]:
        await self.until(lambda: len(self.case.heard(who)) >= count, f"no message number {count}")
        return self.case.heard(who)

    async def quiet(self) -> None:
        """Nothing is open any more: not in the ledgers, not with the model."""
        state = self.gateway.state_dir / "channels"
        await self.until(lambda: not _open(state), "something is still open")

    async def knows_owner(self) -> int:
        """Lets the owner in; returns how many messages he has got by then."""
        if "stranger" in self.case.cannot:
            return 0
        await self.case.says("hello")
        await self.hears(1)
        [row] = (await self.peer.call("channels.pairing.list", {"channel": self.case.name}))["pending"]
        await self.peer.call("channels.pairing.approve", {"channel": self.case.name, "code": row["code"]})
        await self.hears(2)
        return 2


def _open(state: Path) -> bool:
    for name in ("inbox.jsonl", "outbox.jsonl"):
        path = state / name
        rows = {}
        for line in path.read_text().splitlines() if path.exists() else ():
            row = json.loads(line)
            rows[row.get("id")] = row.get("state")
        if any(state in ("pending", "attempting") for state in rows.values()):
            return True
    return False


def settings(case: ChannelCase, model: FakeModelServer) -> dict[str, Any]:
    own = case.config()
    messages = {"inbound": {"debounceMs": 0}} | own.pop("messages", {})
    config = processes.provider(model.openai_url, messages=messages, **own)
    config["models"]["providers"]["fake"]["models"][0]["input"] = ["text", "image"]
    return config


class ChannelContract:
    """Subclass it as `Test…` with `make`."""

    make: ClassVar[Callable[[], ChannelCase]]

    @pytest.fixture
    async def stage(self, tmp_path: Path) -> AsyncIterator[Stage]:
        async with self.staged(tmp_path) as found:
            yield found

    @asynccontextmanager
    async def staged(self, tmp_path: Path) -> AsyncIterator[Stage]:
        case = type(self).make()
        await case.open()
        try:
            async with (
                FakeModelServer() as model,
                served(tmp_path / "state", settings(case, model)) as gateway,
                client(gateway.ws, gateway.token) as peer,
            ):
                await case.joined(gateway.url, gateway.token)
                yield Stage(case, model, gateway, peer)
        finally:
            await case.close()

    def needs(self, case: ChannelCase, ability: str) -> None:
        if ability in case.cannot:
            pytest.skip(f"{case.name}: {case.cannot[ability]}")

    async def test_text_goes_both_ways(self, stage: Stage) -> None:
        before = await stage.knows_owner()
        await stage.case.says("[[echo Good **morning**, Ann & <you>]]")
        said = (await stage.hears(before + 1))[before].text
        assert "morning" in said and "Ann & <you>" in said
        await stage.quiet()
        assert len(stage.case.heard()) == before + 1

    async def test_a_long_answer_comes_in_whole_parts(self, stage: Stage) -> None:
        before = await stage.knows_owner()
        code = "\n".join(f"value_{number} = {number}  # a line of code" for number in range(160))
        await stage.case.says(f"[[echo Here:\n\n```python\n{code}\n```\n\nThat is **all**.]]")
        await stage.until(lambda: any("That is" in row.text for row in stage.case.heard()), "the end never came")
        await stage.quiet()
        parts = [row.text for row in stage.case.heard()[before:]]
        assert all(len(part) <= stage.case.limit for part in parts), [len(part) for part in parts]
        assert len(parts) >= (2 if stage.case.limit < len(code) else 1)
        assert all(stage.case.whole(part) for part in parts)
        lines = re.findall(r"^value_(\d+) = ", "\n".join(parts), re.MULTILINE)
        assert lines == [str(number) for number in range(160)]

    async def test_a_platform_that_says_slow_down_is_heard(self, stage: Stage) -> None:
        self.needs(stage.case, "rate")
        before = await stage.knows_owner()
        await stage.case.slow_down(1)
        started = asyncio.get_running_loop().time()
        await stage.case.says("[[echo patience]]")
        await stage.hears(before + 1)
        assert asyncio.get_running_loop().time() - started >= 1.0
        await stage.quiet()
        assert [row.text for row in stage.case.heard()[before:]] == ["patience"]

    async def test_a_lost_connection_is_taken_up_again(self, stage: Stage) -> None:
        self.needs(stage.case, "resume")
        before = await stage.knows_owner()
        await stage.case.says("[[echo before]]")
        await stage.hears(before + 1)
        await stage.case.says("[[sleep 0.3]] [[echo during]]")
        await stage.until(lambda: "during" in str(stage.model.requests[-1].body), "the model was not asked")
        await stage.case.lose()
        await asyncio.sleep(0.6)
        await stage.case.restore()
        await stage.hears(before + 2)
        await stage.case.says("[[echo after]]")
        await stage.hears(before + 3)
        await stage.quiet()
        assert [row.text for row in stage.case.heard()[before:]] == ["before", "during", "after"]

    async def test_a_message_that_comes_twice_is_answered_once(self, stage: Stage) -> None:
        before = await stage.knows_owner()
        asked = len(stage.model.requests)
        said = await stage.case.says("[[echo once]]")
        await stage.case.repeat(said)
        await stage.hears(before + 1)
        await stage.case.repeat(said)
        await stage.case.says("[[echo next]]")
        await stage.hears(before + 2)
        await stage.quiet()
        assert [row.text for row in stage.case.heard()[before:]] == ["once", "next"]
        assert len(stage.model.requests) - asked == 2

    async def test_a_forged_delivery_is_refused_and_leaves_nothing(self, stage: Stage) -> None:
        self.needs(stage.case, "forge")
        before = await stage.knows_owner()
        ledger = stage.gateway.state_dir / "channels" / "inbox.jsonl"
        size = ledger.stat().st_size if ledger.exists() else 0
        statuses = await stage.case.forge()
        assert statuses and all(status in (400, 401, 403, 404) for status in statuses), statuses
        assert (ledger.stat().st_size if ledger.exists() else 0) == size
        assert len(stage.case.heard()) == before

    async def test_a_picture_reaches_the_model(self, stage: Stage) -> None:
        self.needs(stage.case, "picture-in")
        before = await stage.knows_owner()
        await stage.case.says("[[echo seen]]", picture=PNG)
        await stage.hears(before + 1)
        assert "iVBORw0KGgo" in str(stage.model.requests[-1].body)

    async def test_a_picture_reaches_the_person(self, stage: Stage) -> None:
        self.needs(stage.case, "picture-out")
        before = await stage.knows_owner()
        path = stage.gateway.state_dir / "workspace" / "dot.png"
        path.write_bytes(PNG)
        params = {"to": stage.case.target(), "message": "a dot", "mediaUrl": str(path), "idempotencyKey": "k1"}
        sent = await stage.peer.call("send", params)
        assert sent["messageId"]
        await stage.until(lambda: any(row.files for row in stage.case.heard()), "no file came")
        assert any("a dot" in row.text for row in stage.case.heard()[before:])
        await stage.peer.call("send", params)
        await stage.quiet()
        assert sum(bool(row.files) for row in stage.case.heard()) == 1, "the same key says it once"
        outside = params | {"mediaUrl": str(stage.gateway.state_dir / "openclaw.json"), "idempotencyKey": "k2"}
        assert "workspace" in (await stage.peer.fails("send", outside))["message"]

    async def test_the_answer_is_seen_while_it_grows(self, stage: Stage) -> None:
        self.needs(stage.case, "preview")
        before = await stage.knows_owner()
        words = " ".join(f"word{number}" for number in range(40))
        await stage.case.says(f"[[echo {words}]]")
        await stage.until(lambda: any(words in row.text for row in stage.case.heard()), "the whole answer never came")
        await stage.quiet()
        assert len(stage.case.heard()) == before + 1, "one message, not two"

    async def test_typing_is_shown(self, stage: Stage) -> None:
        self.needs(stage.case, "typing")
        before = await stage.knows_owner()
        await stage.case.says("[[sleep 0.3]] [[echo done]]")
        await stage.hears(before + 1)
        assert stage.case.typed() >= 1

    async def test_a_stranger_gets_a_code_and_nothing_else(self, stage: Stage) -> None:
        self.needs(stage.case, "stranger")
        await stage.knows_owner()
        asked = len(stage.model.requests)
        await stage.case.says(
            "tell me the secret words", who=STRANGER, picture=PNG if "picture-in" not in stage.case.cannot else None
        )
        await stage.case.says("are you there", who=STRANGER)
        [said, *rest] = await stage.hears(1, STRANGER)
        await stage.quiet()
        rows = (await stage.peer.call("channels.pairing.list", {"channel": stage.case.name}))["pending"]
        assert len(rows) == 1 and rows[0]["code"] in said.text and rest == []
        assert len(stage.model.requests) == asked
        written = "".join(path.read_text("utf-8", "replace") for path in stage.gateway.state_dir.rglob("*.jsonl"))
        assert "secret words" not in written and "are you there" not in written
        log = (stage.gateway.state_dir / "logs" / "gateway.jsonl").read_text()
        assert rows[0]["code"] not in log and STRANGER not in log

    async def test_after_a_kill_nothing_is_lost_and_nothing_said_twice(self, tmp_path: Path) -> None:
        case = type(self).make()
        self.needs(case, "kill")
        await case.open()
        try:
            async with FakeModelServer() as model:
                await self._killed(case, model, tmp_path / "state")
        finally:
            await case.close()

    async def _killed(self, case: ChannelCase, model: FakeModelServer, state_dir: Path) -> None:
        live = await processes.start(state_dir, settings(case, model))
        try:
            async with client(live.ws, live.token) as peer:
                await case.joined(live.url, live.token)
                stage = Stage(case, model, Served(live.url, live.token, state_dir, asyncio.Event(), None), peer)  # type: ignore[arg-type]
                before = await stage.knows_owner()
                said = await case.says("[[sleep 20]] [[echo slow]]")
                await stage.until(
                    lambda: "sleep 20" in str([row.body for row in model.requests[-1:]]), "the model was not asked"
                )
            await live.kill()
            live = await processes.start(state_dir)
            async with client(live.ws, live.token) as peer:
                stage.peer = peer
                await case.joined(live.url, live.token)
                await case.repeat(said)
                rows = await stage.hears(before + 1)
                assert "restarted" in rows[before].text, "what may have happened is said"
                await case.says("[[sleep 0]] [[echo again]]")  # the model reads what it has not answered once more
                await stage.hears(before + 2)
                await stage.quiet()
                assert [row.text for row in case.heard()[before + 1 :]] == ["again"]
        finally:
            await live.stop()


counter = itertools.count(1)
