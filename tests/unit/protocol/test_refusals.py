"""Every row of the protocol's error table (section 2) that the protocol room decides; texts as captured from the original."""

from __future__ import annotations

import json
from typing import Any

import pytest

ORIGIN = "origin not allowed (open the Control UI from the gateway host or allow it in gateway.controlUi.allowedOrigins)"
FOREIGN = {"remote_ip": "127.0.0.1", "host": "127.0.0.1:18789", "origin": "https://evil.example"}
LOCAL_PAGE = {"remote_ip": "127.0.0.1", "host": "127.0.0.1:18789", "origin": "http://127.0.0.1:18789"}


def error_of(answer: dict[str, Any] | None) -> dict[str, Any]:
    assert answer is not None and answer["ok"] is False, answer
    return answer["error"]


async def test_wrong_token(bench):
    wire = bench.wire()
    message = "unauthorized: gateway token mismatch (provide gateway auth token)"
    assert error_of(await wire.connect(token="wrong")) == {
        "code": "INVALID_REQUEST",
        "message": message,
        "details": {
            "code": "AUTH_TOKEN_MISMATCH",
            "authReason": "token_mismatch",
            "canRetryWithDeviceToken": False,
            "recommendedNextStep": "update_auth_credentials",
        },
    }
    assert wire.closes == [(1008, message)]


async def test_no_credentials_and_no_device(bench):
    wire = bench.wire()
    assert error_of(await wire.connect(token=None)) == {
        "code": "NOT_PAIRED",
        "message": "device identity required",
        "details": {"code": "DEVICE_IDENTITY_REQUIRED"},
    }
    assert wire.closes == [(1008, "device identity required")]


@pytest.mark.parametrize(("low", "high"), [(5, 6), (2, 3)])
async def test_protocol_range_without_four(bench, low, high):
    wire = bench.wire()
    assert error_of(await wire.connect(minProtocol=low, maxProtocol=high)) == {
        "code": "INVALID_REQUEST",
        "message": "protocol mismatch",
        "details": {
            "code": "PROTOCOL_MISMATCH",
            "clientMinProtocol": low,
            "clientMaxProtocol": high,
            "expectedProtocol": 4,
            "minimumProbeProtocol": 3,
        },
    }
    assert wire.closes == [(1002, "protocol mismatch")]


async def test_a_probe_may_offer_three_to_four(bench):
    answer = await bench.wire().connect(mode="probe", minProtocol=3)
    assert answer["ok"] and answer["payload"]["auth"]["scopes"] == ["operator.read"]


async def test_first_frame_is_not_connect(bench):
    wire = bench.wire()
    message = "invalid handshake: first request must be connect"
    assert error_of(await wire.request("health")) == {"code": "INVALID_REQUEST", "message": message}
    assert wire.closes == [(1008, message)]


async def test_first_frame_is_not_json(bench):
    wire = bench.wire()
    assert await wire.send("hello") is None
    assert wire.closes == [(1000, "")]


async def test_unknown_client_id(bench):
    wire = bench.wire()
    message = "invalid connect params: at /client/id: must be equal to one of the allowed values"
    assert error_of(await wire.connect(client="curl")) == {"code": "INVALID_REQUEST", "message": message}
    assert wire.closes == [(1008, message)]


async def test_unknown_keys_in_connect_are_ignored(bench):
    wire = bench.wire()
    params_client = {"id": "cli", "mode": "cli", "version": "1", "platform": "linux", "novelty": [1]}
    frame = {"minProtocol": 4, "maxProtocol": 4, "foo": 1, "auth": {"token": "a-secret-for-tests", "x": "y"}}
    frame["client"] = params_client
    answer = await wire.send({"type": "req", "id": "1", "method": "connect", "params": frame})
    assert answer["ok"] and not wire.closed


@pytest.mark.parametrize("token", ["a-secret-for-tests", None, "wrong"])
@pytest.mark.parametrize("client", [("cli", "cli"), ("gateway-client", "backend"), ("openclaw-control-ui", "webchat")])
async def test_foreign_origin_with_and_without_a_token(bench, token, client):
    wire = bench.wire(**FOREIGN)
    assert error_of(await wire.connect(client=client[0], mode=client[1], token=token)) == {
        "code": "INVALID_REQUEST",
        "message": ORIGIN,
        "details": {"code": "CONTROL_UI_ORIGIN_NOT_ALLOWED", "reason": "origin not allowed"},
    }
    assert wire.closes == [(1008, ORIGIN)]


async def test_foreign_origin_through_jupyters_door(bench):
    wire = bench.wire(**FOREIGN, preauthenticated=True)
    assert error_of(await wire.connect())["details"]["code"] == "CONTROL_UI_ORIGIN_NOT_ALLOWED"


@pytest.mark.parametrize("origin", [None, "", "null"])
async def test_browser_client_without_a_usable_origin(bench, origin):
    wire = bench.wire(origin=origin)
    details = error_of(await wire.connect(client="webchat", mode="webchat"))["details"]
    assert details == {"code": "CONTROL_UI_ORIGIN_NOT_ALLOWED", "reason": "origin missing or invalid"}
    assert wire.closes[0][0] == 1008


@pytest.mark.parametrize(
    ("remote", "host", "origin", "mode", "allowed"),
    [
        ("127.0.0.1", "127.0.0.1:18789", "http://localhost:5173", "token", True),
        ("192.0.2.7", "box.example:18789", "http://box.example:18789", "token", True),
        ("192.0.2.7", "box.example:18789", "http://box.example", "token", False),
        ("192.0.2.7", "box.example:18789", "http://localhost:18789", "token", False),
        ("192.0.2.7", "box.example:18789", "https://ui.example", "token", True),
        ("127.0.0.1", "rebound.example:18789", "http://rebound.example:18789", "none", False),
        ("127.0.0.1", "127.0.0.1:18789", "file://", "token", False),
    ],
)
async def test_origins(make_bench, remote, host, origin, mode, allowed):
    bench = make_bench(mode=mode, origins=("https://ui.example/",))
    refusal = bench.auth.check_origin(origin, host=host, remote_ip=remote, required=False)
    assert (refusal is None) is allowed


async def test_control_ui_without_device(bench):
    wire = bench.wire(**LOCAL_PAGE)
    message = "control ui requires device identity (use HTTPS or localhost secure context)"
    assert error_of(await wire.connect(client="openclaw-control-ui", mode="webchat")) == {
        "code": "INVALID_REQUEST",
        "message": message,
        "details": {"code": "CONTROL_UI_DEVICE_IDENTITY_REQUIRED"},
    }
    assert wire.closes == [(1008, message)]


async def test_role_node_without_device(bench):
    wire = bench.wire()
    answer = await wire.connect(client="node-host", mode="node", role="node", scopes=[])
    assert error_of(answer)["details"] == {"code": "DEVICE_IDENTITY_REQUIRED"}
    assert wire.closes == [(1008, "device identity required")]


async def test_oversize_before_authentication(bench):
    wire = bench.wire()
    await wire.connect(locale="x" * 65_536)
    assert wire.frames == [] and wire.closes[0][0] == 1009


async def test_oversize_counts_bytes_not_characters(bench):
    wire = bench.wire()
    await wire.connection.receive('{"a":"' + "ä" * 33_000 + '"}')
    assert wire.closes[0][0] == 1009


async def test_oversize_after_authentication(bench):
    wire = await bench.connected()
    await wire.connection.receive('"' + "x" * 26_214_400)
    assert wire.closes[0][0] == 1009


async def test_a_large_frame_within_the_limit_passes(bench):
    wire = await bench.connected(scopes=["operator.write"])
    answer = await wire.request("chat.send", {"sessionKey": "main", "message": "x" * 1_000_000, "idempotencyKey": "k"})
    assert answer["ok"]


@pytest.mark.parametrize("method", ["no.such.method", "connect"])
async def test_unknown_method_and_second_connect_need_admin(bench, method):
    wire = await bench.connected()
    assert error_of(await wire.request(method)) == {
        "code": "FORBIDDEN",
        "message": "missing scope: operator.admin",
        "details": {"code": "MISSING_SCOPE", "missingScope": "operator.admin", "requiredScopes": ["operator.admin"]},
    }
    assert not wire.closed


async def test_unknown_method_for_an_admin(bench):
    wire = await bench.connected(scopes=["operator.admin"])
    assert error_of(await wire.request("no.such.method"))["message"] == "unknown method: no.such.method"


async def test_missing_scope(bench):
    wire = await bench.connected()
    assert error_of(await wire.request("chat.send", {"sessionKey": "main"})) == {
        "code": "FORBIDDEN",
        "message": "missing scope: operator.write",
        "details": {"code": "MISSING_SCOPE", "missingScope": "operator.write", "requiredScopes": ["operator.write"]},
    }
    assert not wire.closed


@pytest.mark.parametrize(
    ("method", "params", "text"),
    [
        ("chat.send", {"sessionKey": "m", "idempotencyKey": "k"}, "must have required property 'message'"),
        ("chat.history", {"sessionKey": "m", "nope": 1}, "at root: unexpected property 'nope'"),
        ("chat.history", {"sessionKey": 1}, "at /sessionKey: must be string"),
        ("chat.history", {"sessionKey": "m", "limit": 0}, "at /limit: must be >= 1"),
        ("chat.history", {"nope": 1}, "must have required property 'sessionKey'; at root: unexpected property 'nope'"),
    ],
)
async def test_invalid_params(bench, method, params, text):
    wire = await bench.connected(scopes=["operator.write"])
    expected = {"code": "INVALID_REQUEST", "message": f"invalid {method} params: {text}"}
    assert error_of(await wire.request(method, params)) == expected
    assert not wire.closed


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        ({"type": "req", "method": "health"}, "must have required property 'id'"),
        (
            {"type": "event", "event": "x", "method": "health"},
            "must have required property 'id'; at root: unexpected property 'event'; at /type: must be equal to constant",
        ),
        ({"type": "req", "id": "", "method": "health"}, "at /id: must NOT have fewer than 1 characters"),
        ({"type": "req", "id": "2", "method": "health", "params": []}, "at /params: must be object"),
        ([], "at root: must be object"),
    ],
)
async def test_invalid_request_frames(bench, frame, text):
    wire = await bench.connected()
    answer = await wire.send(json.dumps(frame))
    assert answer["id"] == "invalid"
    assert error_of(answer) == {"code": "INVALID_REQUEST", "message": f"invalid request frame: {text}"}
    assert not wire.closed


async def test_handshake_timeout(bench):
    wire = bench.wire()
    assert bench.timers.waiting[0][0] == 15
    bench.timers.fire()
    assert wire.closes == [(1008, "handshake timeout")]


async def test_a_finished_handshake_has_no_timeout(bench):
    await bench.connected()
    assert bench.timers.waiting == []


async def test_guessing_from_elsewhere_is_locked_out(bench):
    for _ in range(10):
        await bench.wire(remote_ip="192.0.2.7").connect(token="guess")
    error = error_of(await bench.wire(remote_ip="192.0.2.7").connect())
    assert error["details"]["code"] == "AUTH_RATE_LIMITED" and error["retryAfterMs"] == 300_000
    assert (await bench.wire().connect())["ok"]
    bench.now += 300_000
    assert (await bench.wire(remote_ip="192.0.2.7").connect())["ok"]


async def test_password_mode(make_bench):
    bench = make_bench(mode="password")
    error = error_of(await bench.wire().connect(auth={"password": "wrong"}))
    assert error["details"]["code"] == "AUTH_PASSWORD_MISMATCH"
    assert (await bench.wire().connect(auth={"password": "a-secret-for-tests"}))["ok"]


async def test_mode_none_is_only_for_loopback(make_bench):
    bench = make_bench(mode="none")
    assert (await bench.wire().connect(token=None))["ok"]
    assert not (await bench.wire(remote_ip="192.0.2.7").connect(token=None))["ok"]


@pytest.mark.parametrize(
    ("peer", "client", "granted"),
    [
        ({}, ("cli", "cli"), ["operator.admin"]),
        ({}, ("gateway-client", "backend"), ["operator.admin"]),
        ({}, ("test", "test"), []),
        ({}, ("openclaw-tui", "ui"), []),
        ({}, ("cli", "backend"), []),
        ({"remote_ip": "192.0.2.7"}, ("cli", "cli"), []),
    ],
)
async def test_self_declared_scopes_without_a_device(bench, peer, client, granted):
    wire = bench.wire(**peer)
    answer = await wire.connect(client=client[0], mode=client[1], scopes=["operator.admin"])
    assert answer["payload"]["auth"]["scopes"] == granted
    config = await wire.request("config.set")
    assert config["ok"] is bool(granted)


async def test_unknown_scopes_are_not_granted(bench):
    answer = await bench.wire().connect(scopes=["operator.everything", "operator.read"])
    assert answer["payload"]["auth"]["scopes"] == ["operator.read"]


async def test_jupyters_door_grants_all_scopes_without_secret_or_device(bench):
    wire = bench.wire(preauthenticated=True, remote_ip="192.0.2.7")
    params = {"minProtocol": 4, "maxProtocol": 4}
    params["client"] = {"id": "openclaw-control-ui", "mode": "webchat", "version": "1", "platform": "web"}
    answer = await wire.send({"type": "req", "id": "1", "method": "connect", "params": params})
    assert "operator.admin" in answer["payload"]["auth"]["scopes"]


async def test_the_secret_is_in_no_repr(bench):
    assert "a-secret" not in repr(bench.auth)
