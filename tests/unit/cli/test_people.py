"""`devices` and `approvals` against a gateway that says what the test wants."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from openclaw_gateway.cli import main
from tests.unit.cli.fake_gateway import FakeGateway, fake_gateway

PHONE = {"deviceId": "ab12" * 16, "displayName": "Phone\x1b[2J", "roles": ["operator"], "connected": True, "lastSeenAtMs": 1}
WAITS = {"requestId": "r1", "deviceId": "cd" * 32, "clientId": "webchat-ui", "role": "operator", "scopes": ["operator.read"]}


@pytest.fixture
def gateway() -> Iterator[FakeGateway]:
    with fake_gateway() as running:
        running.reply("device.pair.list", {"pending": [WAITS], "paired": [PHONE]})
        yield running


def run(gateway: FakeGateway, *args: str) -> int:
    return main([*args, "--url", gateway.url, "--token", "t"])


def test_devices_are_listed_and_cannot_steer_the_terminal(gateway: FakeGateway, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(gateway, "devices", "list") == 0
    out = capsys.readouterr().out
    assert "r1  webchat-ui asks for operator.read" in out and "\x1b[2J" not in out and "Phone" in out


def test_a_device_is_let_in_turned_down_and_removed(gateway: FakeGateway, capsys: pytest.CaptureFixture[str]) -> None:
    gateway.reply("device.pair.approve", {"requestId": "r1", "device": WAITS})
    gateway.reply("device.pair.reject", {"requestId": "r1"})
    gateway.reply("device.pair.remove", {"deviceId": PHONE["deviceId"]})
    assert run(gateway, "devices", "approve", "r1") == 0
    assert run(gateway, "devices", "reject", "r1") == 0
    assert run(gateway, "devices", "remove", "ab12") == 0
    assert gateway.requests[-1] == ("device.pair.remove", {"deviceId": PHONE["deviceId"]})
    assert "webchat-ui was let in." in capsys.readouterr().out


@pytest.mark.parametrize(("start", "sentence"), [("ff", "No device starts with 'ff'"), ("", "")])
def test_remove_needs_one_device(gateway: FakeGateway, capsys: pytest.CaptureFixture[str], start: str, sentence: str) -> None:
    gateway.reply("device.pair.list", {"pending": [], "paired": [PHONE, {**PHONE, "deviceId": "cd" * 32}]})
    assert run(gateway, "devices", "remove", start) == 1
    error = capsys.readouterr().err
    assert (sentence or "Several devices start with ''") in error and "Traceback" not in error


def test_approvals_are_shown_whole_and_answered(gateway: FakeGateway, capsys: pytest.CaptureFixture[str]) -> None:
    command = "git push origin main " + "--verbose " * 30
    request = {"title": "Run a command", "command": command, "cwd": "/srv", "reason": "git is not on the allowlist"}
    gateway.reply("exec.approval.list", [{"id": "a1", "request": request}])
    gateway.reply("exec.approval.resolve", {"id": "a1", "decision": "allow-once"})
    assert run(gateway, "approvals", "list") == 0
    assert command in capsys.readouterr().out
    assert run(gateway, "approvals", "answer", "a1", "once") == 0
    assert gateway.requests[-1] == ("exec.approval.resolve", {"id": "a1", "decision": "allow-once"})
    assert run(gateway, "approvals", "list", "--json") == 0
    assert json.loads(capsys.readouterr().out.partition("\n")[2])[0]["id"] == "a1"


def test_a_word_that_is_no_decision(gateway: FakeGateway, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(gateway, "approvals", "answer", "a1", "yes") != 0
    assert "once" in capsys.readouterr().err and gateway.requests == []
