"""`models` and `usage`: what is chosen is written with comments kept; keys are read, kept by the gateway and never shown."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.cli import main
from openclaw_gateway.cli.model_auth import auth_state
from openclaw_kernel.config.json5 import loads
from tests.unit.cli.fake_gateway import FakeGateway, fake_gateway

SUMS = {
    "input": 1_000,
    "output": 20,
    "cacheRead": 300,
    "cacheWrite": 0,
    "totalTokens": 1_320,
    "totalCost": 0.25,
    "missingCostEntries": 1,
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    text = '{\n  // my own words\n  agents: {defaults: {model: "openai/gpt-6-sol"}},\n}\n'
    (tmp_path / "openclaw.json").write_text(text)
    return tmp_path


def run(home: Path, *args: str) -> int:
    return main([*args, "--state-dir", str(home)])


def written(home: Path) -> Any:
    text = (home / "openclaw.json").read_text()
    assert "// my own words" in text
    return loads(text)["agents"]["defaults"]


def test_set_by_name_and_by_alias(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(home, "models", "set", "anthropic/claude-opus-5-5") == 0
    assert written(home)["model"] == "anthropic/claude-opus-5-5"
    assert run(home, "models", "aliases", "add", "Quick", "anthropic/claude-haiku-5-5") == 0
    assert run(home, "models", "set", "quick") == 0
    assert written(home)["model"] == "anthropic/claude-haiku-5-5"
    capsys.readouterr()
    assert run(home, "models", "aliases", "list", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"aliases": {"quick": "anthropic/claude-haiku-5-5"}}
    assert run(home, "models", "aliases", "remove", "QUICK") == 0
    assert run(home, "models", "set", "quick") == 1
    assert "'quick' is not known" in capsys.readouterr().err


@pytest.mark.parametrize("model", ["antropic/claude", "3", "claude-hiaku-4-5"])
def test_a_name_that_fits_nothing_leaves_the_file(home: Path, capsys: pytest.CaptureFixture[str], model: str) -> None:
    before = (home / "openclaw.json").read_text()
    assert run(home, "models", "set", model) == 1
    assert model in capsys.readouterr().err and (home / "openclaw.json").read_text() == before


def test_fallbacks_keep_their_order_and_the_primary(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for model in ("anthropic/claude-opus-5-5", "groq/x"):
        assert run(home, "models", "fallbacks", "add", model) == 0
    assert written(home)["model"] == {"primary": "openai/gpt-6-sol", "fallbacks": ["anthropic/claude-opus-5-5", "groq/x"]}
    assert run(home, "models", "fallbacks", "add", "groq/x") == 1 and "asked already" in capsys.readouterr().err
    assert run(home, "models", "fallbacks", "remove", "anthropic/claude-opus-5-5") == 0
    assert run(home, "models", "set", "openai/gpt-6-luna") == 0
    assert written(home)["model"] == {"primary": "openai/gpt-6-luna", "fallbacks": ["groq/x"]}
    capsys.readouterr()
    assert run(home, "models", "fallbacks", "list") == 0 and capsys.readouterr().out == "groq/x\n"
    assert run(home, "models", "fallbacks", "clear") == 0 and written(home)["model"]["fallbacks"] == []
    assert run(home, "models", "fallbacks", "remove", "groq/x") == 1


@pytest.mark.parametrize("alias", ["a/b", "7", " "])
def test_what_is_no_alias(home: Path, alias: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(home, "models", "aliases", "add", alias, "groq/x") == 1 and "is no alias" in capsys.readouterr().err


@pytest.fixture
def gateway() -> Iterator[FakeGateway]:
    usage = [
        {"profileId": "groq:a\x1b[2J", "type": "api_key", "source": "stored", "status": "ok"},
        {"profileId": "groq:b", "type": "token", "source": "stored", "status": "ok", "disabledUntil": 1, "reason": "billing"},
    ]
    rows = [
        {"provider": "groq", "status": "ok", "usage": usage, "order": ["groq:a", "groq:b"]},
        {"provider": "openai", "status": "missing", "usage": [], "order": []},
    ]
    with fake_gateway() as running:
        running.reply("models.authStatus", {"providers": rows})
        running.reply("models.authSetApiKey", {"ok": True, "profileId": "groq:a"})
        running.reply("models.authLogout", {"removedProfiles": ["groq:a"]})
        running.reply("models.authOrderSet", {"order": ["groq:b"]})
        running.reply("usage.cost", {"daily": [{"date": "2026-11-21", **SUMS}], "totals": SUMS})
        budget = {"key": "budget.day", "tokens": None, "usd": 2.0, "spentTokens": 1_320, "spentUsd": 0.25}
        running.reply("usage.status", {"budgets": [budget]})
        models = [{"provider": "groq", "model": "x", "totals": SUMS}]
        running.reply("sessions.usage", {"sessions": [], "aggregates": {"byModel": models, "byAgent": []}})
        yield running


@pytest.mark.parametrize(("state", "words"), [("expiring", "expiring 20"), ("expired", "expired 20"), ("ok", "ok")])
def test_a_key_that_ends_soon_is_said_with_its_end(state: str, words: str) -> None:
    said = auth_state({"status": state, "expiresAt": 1_795_203_480_000})
    assert said.startswith(words) and ("models auth add" in said) is (state != "ok")


def ask(gateway: FakeGateway, *args: str) -> int:
    return main([*args, "--url", gateway.url, "--token", "t"])


def test_keys_are_listed_and_cannot_steer_the_terminal(gateway: FakeGateway, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(gateway, "models", "auth", "list") == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out and "groq:b" in out and "billing" in out and "missing" in out


def test_a_key_comes_from_stdin_and_is_not_said_again(
    gateway: FakeGateway, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("sk-secret-key\n"))
    assert ask(gateway, "models", "auth", "add", "groq", "--name", "groq:a") == 0
    told = capsys.readouterr()
    assert "sk-secret-key" not in told.out + told.err and "Kept groq:a" in told.out
    asked = [params for method, params in gateway.requests if method == "models.authSetApiKey"]
    assert asked == [{"provider": "groq", "apiKey": "sk-secret-key", "kind": "api_key", "profileId": "groq:a"}]


def test_no_key_is_one_sentence(
    gateway: FakeGateway, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert ask(gateway, "models", "auth", "add", "groq") == 1 and "nothing was given" in capsys.readouterr().err


def test_order_and_remove(gateway: FakeGateway, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(gateway, "models", "auth", "order", "groq") == 0 and capsys.readouterr().out == "groq:a\ngroq:b\n"
    assert ask(gateway, "models", "auth", "order", "groq", "groq:b") == 0 and capsys.readouterr().out == "groq:b\n"
    assert ask(gateway, "models", "auth", "remove", "groq", "groq:a") == 0 and "Removed groq:a" in capsys.readouterr().out


@pytest.mark.parametrize(("by", "word"), [("day", "2026-11-21"), ("model", "groq/x")])
def test_usage(gateway: FakeGateway, capsys: pytest.CaptureFixture[str], by: str, word: str) -> None:
    assert ask(gateway, "usage", "--by", by) == 0
    out = capsys.readouterr().out
    assert word in out and "1,320 tokens, $0.2500" in out and "1 calls" in out and "budget.day: $0.2500 of $2.00" in out
