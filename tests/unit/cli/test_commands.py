"""Each command against a gateway that says what the test wants: output, exit status, one sentence for a failure."""

from __future__ import annotations

import builtins
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.cli import main
from tests.unit.cli.fake_gateway import FakeGateway, Frames, event, failure, fake_gateway, result


@pytest.fixture
def gateway() -> Iterator[FakeGateway]:
    with fake_gateway() as running:
        yield running


@pytest.fixture(autouse=True)
def _no_gateway_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENCLAW_GATEWAY_URL", "OPENCLAW_GATEWAY_TOKEN", "OPENCLAW_CONFIG_PATH"):
        monkeypatch.delenv(name, raising=False)


def run(gateway: FakeGateway, *args: str) -> int:
    return main([*args, "--url", gateway.url, "--token", "t"])


def agent_answers(*between: dict[str, Any], status: str = "ok", text: str = "Hi there", error: str | None = None) -> Any:
    """What `agent` sends: accepted, then `between` with the run's id, then the result."""

    def answer(request: dict[str, Any]) -> Frames:
        run_id = request["params"]["idempotencyKey"]
        for frame in between:
            frame["payload"]["runId"] = run_id
        final = {"runId": run_id, "status": status, "summary": "completed", "result": {"payloads": [{"text": text}]}}
        return [
            result(request, {"runId": run_id, "status": "accepted"}),
            *between,
            result(request, final | ({"error": error} if error else {})),
        ]

    return answer


def test_version_needs_no_click() -> None:
    code = "import sys; from openclaw_gateway.cli import main; main(['--version']); print('click' in sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.startswith("jupyter openclaw ")
    assert printed.endswith("False\n")


def test_help_imports_no_command() -> None:
    code = (
        "import sys; from openclaw_gateway.cli import main; main(['--help']); "
        "print([m for m in sys.modules if m.startswith('openclaw_gateway.cli.')])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "sessions" in printed
    assert printed.endswith("['openclaw_gateway.cli.app']\n")


@pytest.mark.parametrize("command", ["health", "models list", "logs", "sessions list"])
def test_no_gateway_is_one_sentence(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command.split(), "--state-dir", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "No gateway is running" in err
    assert "jupyter openclaw serve" in err


def test_status_without_gateway_says_so_in_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--json", "--state-dir", str(tmp_path)]) == 1
    assert json.loads(capsys.readouterr().out)["running"] is False


def test_misuse_exits_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["frobnicate"]) == 2
    assert capsys.readouterr().err == "jupyter openclaw: No such command 'frobnicate'.\n"


def test_an_error_of_the_gateway_is_one_sentence(gateway: FakeGateway, capsys: pytest.CaptureFixture[str]) -> None:
    gateway.answers["health"] = lambda request: [failure(request, "FORBIDDEN", "missing scope: operator.read")]
    assert run(gateway, "health") == 1
    assert capsys.readouterr().err == "jupyter openclaw: missing scope: operator.read\n"


def test_health(gateway: FakeGateway, capsys: pytest.CaptureFixture[str]) -> None:
    gateway.reply("health", {"ok": True, "durationMs": 3, "agents": [{"agentId": "main"}], "sessions": {"count": 2}})
    assert run(gateway, "health") == 0
    assert "agents       main" in capsys.readouterr().out
    assert run(gateway, "health", "--json") == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True
    gateway.reply("health", {"ok": False})
    assert run(gateway, "health") == 1


def test_sessions_list(gateway: FakeGateway, capsys: pytest.CaptureFixture[str]) -> None:
    gateway.reply("sessions.list", {"sessions": [{"key": "agent:main:main", "label": "[red]x", "updatedAt": 1795201762206}]})
    assert run(gateway, "sessions", "list") == 0
    out = capsys.readouterr().out
    assert "agent:main:main" in out
    assert "[red]x" in out
    gateway.reply("sessions.list", {"sessions": []})
    assert run(gateway, "sessions", "list") == 0
    assert capsys.readouterr().out == "No sessions yet.\n"


def test_unknown_session_is_named(gateway: FakeGateway, capsys: pytest.CaptureFixture[str]) -> None:
    gateway.answers["sessions.resolve"] = lambda request: [failure(request, "INVALID_REQUEST", "unknown session")]
    assert run(gateway, "sessions", "show", "nowhere") == 1
    assert "There is no session 'nowhere'" in capsys.readouterr().err
    assert [params for _, params in gateway.requests] == [{"key": "nowhere"}, {"sessionId": "nowhere"}, {"label": "nowhere"}]


def test_delete_needs_a_yes(gateway: FakeGateway, capsys: pytest.CaptureFixture[str]) -> None:
    gateway.reply("sessions.resolve", {"ok": True, "key": "agent:main:x"})
    gateway.reply("sessions.delete", {"ok": True, "key": "agent:main:x", "deleted": True})
    assert run(gateway, "sessions", "delete", "x") == 1
    assert "sessions.delete" not in [method for method, _ in gateway.requests]
    assert "--yes" in capsys.readouterr().err
    assert run(gateway, "sessions", "delete", "x", "--yes") == 0
    assert gateway.requests[-1] == ("sessions.delete", {"key": "agent:main:x"})


def test_agent_prints_the_answer(gateway: FakeGateway, capsys: pytest.CaptureFixture[str]) -> None:
    gateway.answers["agent"] = agent_answers()
    assert run(gateway, "agent", "--message", "hi") == 0
    assert capsys.readouterr().out == "Hi there\n"
    method, params = gateway.requests[0]
    assert (method, params["message"], params["sessionKey"], params["deliver"]) == ("agent", "hi", "main", False)


def test_agent_json_is_the_second_answer(gateway: FakeGateway, capsys: pytest.CaptureFixture[str]) -> None:
    gateway.answers["agent"] = agent_answers()
    assert run(gateway, "agent", "-m", "hi", "--agent", "work", "--json") == 0
    assert json.loads(capsys.readouterr().out)["result"]["payloads"] == [{"text": "Hi there"}]
    assert gateway.requests[0][1]["agentId"] == "work"
    assert "sessionKey" not in gateway.requests[0][1]


def test_agent_that_fails_exits_1(gateway: FakeGateway, capsys: pytest.CaptureFixture[str]) -> None:
    gateway.answers["agent"] = agent_answers(status="error", error="the key is wrong")
    assert run(gateway, "agent", "-m", "hi") == 1
    assert capsys.readouterr().err == "jupyter openclaw: The turn failed: the key is wrong\n"


def test_agent_off_a_terminal_reports_the_approval(gateway: FakeGateway, capsys: pytest.CaptureFixture[str]) -> None:
    asked = event("exec.approval.requested", id="a1", request={"command": "ls", "sessionKey": "agent:main:main"})
    gateway.answers["agent"] = agent_answers(asked)
    assert run(gateway, "agent", "-m", "run ls", "--json") == 0
    out, err = capsys.readouterr()
    assert "Waiting for approval a1 of `ls`" in err
    assert json.loads(out)["approvals"] == [{"id": "a1", "command": "ls"}]


def test_chat_streams_asks_and_leaves(
    gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = iter(["run ls", "y", "/quit"])
    monkeypatch.setattr(builtins, "input", lambda _prompt="": next(typed))
    gateway.reply("exec.approval.resolve", {"ok": True})

    def send(request: dict[str, Any]) -> Frames:
        run_id = request["params"]["idempotencyKey"]
        return [
            result(request, {"runId": run_id, "status": "started"}),
            event("exec.approval.requested", id="a1", request={"command": "ls", "sessionKey": "agent:main:main"}),
            event("chat", runId=run_id, state="delta", deltaText="Two "),
            event("chat", runId=run_id, state="delta", deltaText="files."),
            event("chat", runId=run_id, state="final"),
        ]

    gateway.answers["chat.send"] = send
    assert run(gateway, "chat") == 0
    assert capsys.readouterr().out.endswith("Two files.\n")
    assert gateway.requests[-1] == ("exec.approval.resolve", {"id": "a1", "decision": "allow-once"})


def test_chat_goes_on_after_a_refused_message(
    gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = iter(["hello", "/exit"])
    monkeypatch.setattr(builtins, "input", lambda _prompt="": next(typed))
    gateway.answers["chat.send"] = lambda request: [failure(request, "UNAVAILABLE", "shutting down")]
    assert run(gateway, "chat") == 0
    assert "shutting down" in capsys.readouterr().err


def test_models_list_and_logs(gateway: FakeGateway, capsys: pytest.CaptureFixture[str]) -> None:
    gateway.reply("models.list", {"models": [{"id": "offline", "name": "Offline", "provider": "builtin"}]})
    assert run(gateway, "models", "list") == 0
    assert "builtin/offline" in capsys.readouterr().out
    record = json.dumps({"time": "19:38:00", "level": "info", "subsystem": "gateway", "message": "ready\x1b[1m"})
    gateway.reply("logs.tail", {"lines": [record, "no json"], "cursor": 10})
    assert run(gateway, "logs", "--limit", "2") == 0
    assert capsys.readouterr().out == "19:38:00 info    gateway: ready\\x1b[1m\nno json\n"
    assert gateway.requests[-1][1]["limit"] == 2
