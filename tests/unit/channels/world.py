"""A small world for channel tests: time that moves when told, a platform in memory, an agent that answers by rule."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from openclaw_gateway.channels.contract import (
    Account,
    ChannelCapabilities,
    ChannelManifest,
    ChannelMeta,
    ChannelPlugin,
    Resolve,
    Sent,
    WebhookRequest,
    WebhookResponse,
)
from openclaw_gateway.channels.house import House
from openclaw_gateway.channels.registry import Channels
from openclaw_gateway.channels.room import ChannelRoom
from openclaw_gateway.channels.timing import Timing
from openclaw_gateway.routing.pairing import Pairing
from openclaw_kernel.agent.api import Outcome, RunRequest
from openclaw_kernel.agent.api import Receipt as RunReceipt
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.config.schema.channels import ChannelSettings
from openclaw_kernel.safety.approvals import Approvals
from openclaw_kernel.store.paths import ensure_private_dir
from openclaw_kernel.tools.questions import Questions
from openclaw_kernel.values.envelope import Attachment, Inbound, Outbound, Peer, Sender, Thread
from openclaw_kernel.values.errors import invalid
from openclaw_kernel.values.events import RunEvent
from openclaw_kernel.values.messages import AssistantMessage, Text, Usage


async def settle() -> None:
    """Lets everything that can go on go on."""
    for _ in range(60):
        await asyncio.sleep(0)


@dataclass
class FakeTime:
    """Milliseconds that pass only in `advance`."""

    now: int = 1_000_000
    slept: list[float] = field(default_factory=list)
    _waiting: list[tuple[int, int, asyncio.Future[None]]] = field(default_factory=list)
    _count: int = 0

    @property
    def timing(self) -> Timing:
        return Timing(lambda: self.now, self.sleep, lambda: 0.5)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._waiting, (self.now + int(seconds * 1000), self._count, future))
        await future

    async def advance(self, seconds: float) -> None:
        end = self.now + int(seconds * 1000)
        await settle()
        while self._waiting and self._waiting[0][0] <= end:
            at, _, future = heapq.heappop(self._waiting)
            self.now = max(self.now, at)
            if not future.done():
                future.set_result(None)
            await settle()
        self.now = end
        await settle()


@dataclass
class FakeLive:
    """A connection to nothing; tests end it."""

    platform: FakePlatform
    account: Account
    host: Any
    lost: asyncio.Future[None]

    async def ended(self) -> None:
        await self.lost

    async def webhook(self, request: WebhookRequest) -> WebhookResponse:
        return WebhookResponse(404)

    async def fetch(self, attachment: Attachment, into: Path, limit: int) -> Attachment:
        self.platform.fetched.append(attachment.ref)
        path = into / (attachment.name or "file")
        path.write_bytes(b"\x89PNG file")
        return replace(attachment, path=str(path))


@dataclass
class FakePlatform:
    """Gateway and outbound adapter in one; `script` holds errors to raise at the next sends."""

    starts: list[str] = field(default_factory=list)
    start_errors: list[Exception] = field(default_factory=list)
    sent: list[Outbound] = field(default_factory=list)
    edits: list[tuple[str, str]] = field(default_factory=list)
    typed: int = 0
    script: list[Exception] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    lives: dict[str, FakeLive] = field(default_factory=dict)
    times: list[int] = field(default_factory=list)
    clock: Callable[[], int] = lambda: 0
    hold: asyncio.Event | None = None

    @contextlib.asynccontextmanager
    async def start(self, account: Account, host: Any) -> AsyncIterator[FakeLive]:
        self.starts.append(account.id)
        if self.start_errors:
            raise self.start_errors.pop(0)
        live = FakeLive(self, account, host, asyncio.get_running_loop().create_future())
        self.lives[account.id] = live
        yield live

    async def send(self, live: FakeLive, outbound: Outbound) -> Sent:
        self.times.append(self.clock())
        if self.hold is not None:
            await self.hold.wait()
        if self.script:
            raise self.script.pop(0)
        self.sent.append(outbound)
        return Sent(f"m{len(self.sent)}")

    async def edit(self, live: FakeLive, sent: Sent, outbound: Outbound) -> None:
        self.edits.append((sent.message_id, outbound.text))

    async def typing(self, live: FakeLive, target: Peer, thread: Thread | None) -> None:
        self.typed += 1

    def mentions(self, inbound: Inbound, account: Account) -> bool:
        return "@us" in inbound.text


class FakeSettings(ChannelSettings):
    streaming: str = "off"
    token: str = "t"


class FakeConfig:
    settings: type[BaseModel] = FakeSettings

    def accounts(self, block: Mapping[str, Any], resolve: Resolve, env: Mapping[str, str]) -> list[Account]:
        settings = FakeSettings.model_validate(dict(block))
        names = list(settings.accounts) or ["default"]
        if "default" not in names:
            names.insert(0, "default")
        return [Account("fake", name, enabled=settings.enabled, settings=settings) for name in names]


CAPS = ChannelCapabilities(
    chat_types=frozenset({"direct", "group", "channel"}), text_limit=400, media=True, typing=True, buttons=True
)


def plugin(platform: FakePlatform, caps: ChannelCapabilities = CAPS) -> ChannelPlugin:
    return ChannelPlugin(
        "fake", ChannelMeta("Fake", "in memory"), caps, FakeConfig(), gateway=platform, outbound=platform, groups=platform
    )


def channels(platform: FakePlatform, caps: ChannelCapabilities = CAPS) -> Channels:
    found = Channels(())
    found.add(ChannelManifest("fake", ChannelMeta("Fake", "in memory"), "nowhere:PLUGIN"), plugin(platform, caps))
    return found


class FakeRuntime:
    """Runs that end when told, or at once. `answers` makes the answer of a message."""

    def __init__(self, answers: Callable[[RunRequest], str] = lambda request: "the answer") -> None:
        self.answers = answers
        self.requests: list[RunRequest] = []
        self.hold: asyncio.Event | None = None
        self.listeners: dict[str, Callable[[RunEvent], None]] = {}
        self.done: dict[str, Outcome] = {}

    async def submit(self, request: RunRequest) -> RunReceipt:
        self.requests.append(request)
        return RunReceipt(request.run_id, request.session_key, "s", "started")

    async def wait(self, run_id: str, timeout_s: float | None = None) -> Outcome | None:
        if run_id in self.done:
            return self.done[run_id]
        request = next((row for row in self.requests if row.run_id == run_id), None)
        if request is None:
            raise invalid(f"unknown run {run_id!r}")
        if timeout_s == 0:
            return None
        if self.hold is not None:
            await self.hold.wait()
        self.done[run_id] = outcome(request, self.answers(request))
        return self.done[run_id]

    def listen(self, run_id: str, listener: Callable[[RunEvent], None]) -> Callable[[], None]:
        self.listeners[run_id] = listener
        return lambda: None

    def abort(self, session_key: str, run_id: str | None = None, reason: str = "rpc") -> list[str]:
        return []

    def active(self, session_key: str | None = None) -> list[Any]:
        return []

    def queued(self, session_key: str | None = None) -> list[str]:
        return []

    async def close(self, grace_s: float = 5.0) -> None:
        return None


def outcome(request: RunRequest, text: str, status: Any = "ok", stop_reason: str = "stop") -> Outcome:
    message = AssistantMessage((Text(text),), 0, "fake", "fake", "fake") if text else None
    return Outcome(request.run_id, request.session_key, "s", status, 0, 0, message, None, stop_reason, Usage())


@dataclass
class World:
    room: ChannelRoom
    platform: FakePlatform
    runtime: FakeRuntime
    approvals: Approvals
    time: FakeTime
    commands: list[tuple[str, str]]
    owners: list[str]
    routes: list[tuple[str, str]]
    pairings: list[Pairing]
    details: list[Mapping[str, Any]]

    @property
    def sent(self) -> list[str]:
        return [outbound.text for outbound in self.platform.sent]

    async def says(self, message: Inbound) -> str:
        receipt = await self.room.intake(message)
        await settle()
        return receipt


COMMANDS = ("/status", "/stop", "/new")


@contextlib.asynccontextmanager
async def world(
    state_dir: Path,
    block: Mapping[str, Any] | None = None,
    *,
    time: FakeTime | None = None,
    platform: FakePlatform | None = None,
    runtime: FakeRuntime | None = None,
    caps: ChannelCapabilities = CAPS,
    start: bool = True,
    verbose: bool = False,
    asked: Questions | None = None,
    withheld: Callable[[str, str, str], str] = lambda _key, _channel, _chat_type: "",
    **top: Any,
) -> AsyncIterator[World]:
    """A room with one channel, `fake`; `top` are other sections of the config. Debouncing is off unless `messages` is given."""
    time, platform, runtime = time or FakeTime(), platform or FakePlatform(), runtime or FakeRuntime()
    platform.clock = lambda: time.now
    top.setdefault("messages", {"inbound": {"debounceMs": 0}})
    config = OpenClawConfig.model_validate({"channels": {"fake": dict(block or {})}, **top})
    ensure_private_dir(state_dir)
    approvals = Approvals(state_dir / "a.jsonl", state_dir / "b.jsonl", lambda: time.now)
    used: list[tuple[str, str]] = []
    owners: list[str] = []
    routes: list[tuple[str, str]] = []
    pairings: list[Pairing] = []
    details: list[Mapping[str, Any]] = []

    async def command(key: str, text: str, owner: str) -> str | None:
        used.append((key, text))
        owners.append(owner)
        return f"done {text}"

    house = House(
        runtime=runtime,
        listen=runtime.listen,
        command=command,
        details=lambda _key, _run: details,
        heard=lambda key, inbound: routes.append((key, inbound.peer.id)),
        workspace=lambda agent: state_dir / f"workspace-{agent}",
        typing_mode=lambda: None,
        defaults=lambda: config.agents.defaults,
        verbose=lambda _key: verbose,
        waits=lambda run_id: run_id in runtime.queued(),
        withheld=withheld,
    )
    room = ChannelRoom(
        config,
        state_dir,
        house,
        approvals,
        resolve=lambda: lambda value, where: str(value),
        env={},
        is_command=lambda text: text.split(" ")[0] in COMMANDS,
        menu=list,
        on_pairing=pairings.append,
        channels=channels(platform, caps),
        timing=time.timing,
        asked=asked,
    )
    if asked is not None:
        asked.on_change.append(room.question_changed)
    approvals.on_change.append(room.approval_changed)
    if start:
        await room.start()
        await until(lambda: _settled(room))
        await settle()
    try:
        yield World(room, platform, runtime, approvals, time, used, owners, routes, pairings, details)
    finally:
        await room.close()
        approvals.close()


def _settled(room: ChannelRoom) -> bool:
    """Whether every account is connected or has said why not: connecting goes through a thread."""
    return room.manager is None or all(one.ready or one.last_error or not one.running for one in room.manager.all())


def message(
    text: str = "hello",
    sender: str = "ann",
    *,
    id: str = "1",
    group: str = "",
    attachments: Sequence[Attachment] = (),
    **more: Any,
) -> Inbound:
    peer = Peer("group", group) if group else Peer("direct", sender)
    return Inbound("fake", peer, Sender(sender), id, 0, text, text.strip(), attachments=tuple(attachments), **more)


async def until(ready: Callable[[], Any]) -> None:
    """Waits for work in threads, ten seconds at most."""
    for _ in range(2_000):
        if ready():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not come to pass")
