"""Who hears what, and in which order."""

from __future__ import annotations

import asyncio

import pytest

from openclaw_gateway.protocol import broadcast
from openclaw_gateway.protocol.policy import Policy


def names(wire):
    return [frame["event"] for frame in wire.events()]


async def test_seq_is_gapless_per_connection(bench):
    one = await bench.connected()
    other = await bench.connected(scopes=["operator.pairing"])
    for number in range(5):
        bench.hub.broadcaster.send("chat", {"n": number})
        bench.hub.broadcaster.tick(number)
    one.connection.send_event("node.invoke.request", {})
    assert [frame["seq"] for frame in one.events()] == list(range(1, 12))
    assert [frame["seq"] for frame in other.events()] == list(range(1, 6))
    assert names(other) == ["tick"] * 5


async def test_a_payload_is_serialised_once(bench, monkeypatch):
    for _ in range(3):
        await bench.connected()
    made = []

    class Counting(broadcast.EncodedEvent):
        __slots__ = ()

        def __init__(self, *args):
            made.append(args)
            super().__init__(*args)

    monkeypatch.setattr(broadcast, "EncodedEvent", Counting)
    assert bench.hub.broadcaster.send("chat", {"text": "hi"}) == 3
    assert len(made) == 1
    assert bench.hub.broadcaster.send("exec.approval.requested", {}) == 0
    assert len(made) == 1


@pytest.mark.parametrize(
    ("event", "scope"),
    [
        ("exec.approval.requested", "operator.approvals"),
        ("device.pair.requested", "operator.pairing"),
        ("question.requested", "operator.questions"),
        ("chat", "operator.read"),
    ],
)
async def test_events_are_gated_by_scope(bench, event, scope):
    may = await bench.connected(scopes=[scope])
    admin = await bench.connected(scopes=["operator.admin"])
    not_ = await bench.connected(scopes=["operator.talk"])
    bench.hub.broadcaster.send(event, {})
    assert names(may) == names(admin) == [event] and names(not_) == []


async def test_tool_events_need_the_capability(bench):
    plain = await bench.connected()
    able = await bench.connected(caps=["tool-events"])
    for payload in ({"stream": "tool"}, {"stream": "item", "data": {"kind": "tool"}}, {"stream": "lifecycle"}):
        bench.hub.broadcaster.send("agent", payload)
    assert len(plain.events("agent")) == 1 and len(able.events("agent")) == 3


async def test_session_events_need_a_subscription(bench):
    nothing, sessions, one = [await bench.connected() for _ in range(3)]
    sessions.connection.subscribe_sessions()
    one.connection.subscribe_session("agent:main:a")
    bench.hub.broadcaster.send("sessions.changed", {"sessionKey": "agent:main:a"})
    bench.hub.broadcaster.send("session.message", {"sessionKey": "agent:main:a"})
    bench.hub.broadcaster.send("session.message", {"sessionKey": "agent:main:b"})
    assert names(nothing) == []
    assert names(sessions) == ["sessions.changed", "session.message", "session.message"]
    assert names(one) == ["session.message"]


async def test_session_scoped_clients_hear_only_their_sessions(bench):
    wire = await bench.connected(caps=["session-scoped-events"])
    wire.connection.subscribe_session("agent:main:a")
    for key in ("agent:main:a", "agent:main:b"):
        bench.hub.broadcaster.send("chat", {"sessionKey": key})
    assert [frame["payload"]["sessionKey"] for frame in wire.events("chat")] == ["agent:main:a"]


async def test_only_narrows(bench):
    one, other = await bench.connected(), await bench.connected()
    bench.hub.broadcaster.send("chat", {}, only=lambda connection: connection is one.connection)
    assert names(one) == ["chat"] and names(other) == []


async def test_a_slow_consumer_is_cut(make_bench):
    bench = make_bench(policy=Policy(max_buffered_bytes=10_000))
    waiting = 0
    wire = await bench.connected(peer={"buffered": lambda: waiting})
    waiting = 10_001
    bench.hub.broadcaster.tick(1)
    assert wire.closes == [(1008, "slow consumer")]


async def test_unflushed_frames_are_counted(make_bench):
    bench = make_bench(policy=Policy(max_buffered_bytes=10_000))
    futures = []

    def send(text):
        futures.append(asyncio.get_running_loop().create_future())
        return futures[-1]

    closes = []
    connection = bench.hub.connect(send, lambda code, reason: closes.append(code))
    assert connection.buffered_bytes > 0
    futures[0].set_result(None)
    await asyncio.sleep(0)
    assert connection.buffered_bytes == 0 and not closes


async def test_presence_is_live(bench):
    watcher = await bench.connected()
    assert [entry["mode"] for entry in bench.hub.presence()] == ["gateway", "cli"]
    ui = await bench.connected(client="test", mode="test")
    event = watcher.events("presence")[-1]
    assert [entry["mode"] for entry in event["payload"]["presence"]] == ["gateway", "cli", "test"]
    assert event["stateVersion"]["presence"] == 2
    ui.connection.closed()
    assert len(watcher.events("presence")[-1]["payload"]["presence"]) == 2


async def test_shutdown_tells_everyone_and_waits_for_requests(bench):
    wire = await bench.connected()
    unfinished = bench.wire()
    await wire.connection.receive('{"type":"req","id":"9","method":"health"}')
    await bench.hub.stop("restart", 1500)
    assert wire.frames[0]["payload"] == {"reason": "restart", "restartExpectedMs": 1500}
    assert wire.frames[1]["id"] == "9" and wire.frames[1]["ok"]
    assert wire.closes == [(1012, "service restart")] == unfinished.closes
    late: list[int] = []
    bench.hub.connect(lambda text: None, lambda code, reason: late.append(code))
    assert late == [1012] and bench.timers.waiting == []


async def test_challenge_comes_first_and_unnumbered(bench):
    challenge = bench.wire().challenge
    assert challenge["event"] == "connect.challenge" and "seq" not in challenge
    assert set(challenge["payload"]) >= {"nonce", "ts"}


async def test_hello_announces_methods_and_policy(bench):
    payload = (await bench.wire().connect())["payload"]
    assert payload["type"] == "hello-ok" and payload["protocol"] == 4
    assert "chat.send" in payload["features"]["methods"]
    assert "published-model-catalog" in payload["features"]["capabilities"]
    assert payload["policy"]["maxPayload"] == 26_214_400
    assert payload["snapshot"]["stateVersion"] == {"presence": 1, "health": 1}
    assert payload["auth"] == {"method": "token", "role": "operator", "scopes": ["operator.read"]}


async def test_ticks_come_by_themselves_until_the_stop(make_bench):
    bench = make_bench(policy=Policy(tick_interval_ms=1))
    heard = asyncio.Event()
    wire = await bench.connected()
    take = wire.frames.append

    class Frames(list):
        def append(self, frame):
            take(frame)
            heard.set()

    wire.frames = Frames()
    bench.hub.start()
    await asyncio.wait_for(heard.wait(), 5)
    await bench.hub.stop()
    assert bench.hub._ticks is None and wire.closed
