"""Failing over and budgets in a whole gateway: the real SDKs, a server that speaks their formats, real sockets."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.model_server import WRONG_KEY, FakeModelServer
from tests.flow.wire import Client, client, served, text_of

FORMATS = ("anthropic-messages", "openai-completions", "openai-responses")
DEAD = "http://127.0.0.1:9/v1"
PRICE = {"input": 1.0, "output": 1000.0}
"""US dollars a million tokens."""


@pytest.fixture
async def provider() -> AsyncIterator[FakeModelServer]:
    async with FakeModelServer() as server:
        yield server


def config(server: FakeModelServer, api: str = "openai-completions", model: Any = "fake/fake-1", **more: Any) -> dict[str, Any]:
    address = server.url if api == "anthropic-messages" else server.openai_url
    row = {"id": "fake-1", "cost": PRICE, "maxTokens": 4_000}
    providers = {
        "fake": {"baseUrl": address, "apiKey": "good-key", "api": api, "models": [row]},
        "dead": {"baseUrl": DEAD, "apiKey": "good-key", "api": "openai-completions", "models": [{"id": "m"}]},
    }
    quick = {"cooldowns": {"ladderSeconds": [0.05, 0.1]}}
    auth = quick | more.pop("auth", {})
    return {"models": {"providers": providers}, "agents": {"defaults": {"model": model}}, "auth": auth, **more}


async def say(peer: Client, words: str, key: str = "main", **more: Any) -> dict[str, Any]:
    return await peer.final(await peer.say(words, key, **more))


def steps(peer: Client) -> list[tuple[str, str, str, str]]:
    """Every step of failing over: which, from, to, why."""
    found = [frame["payload"]["data"] for frame in peer.events if frame["event"] == "agent"]
    return [(one["step"], one["from"], one["to"], one["reason"]) for one in found if one.get("phase") == "fallback_step"]


@pytest.mark.parametrize("api", FORMATS)
async def test_the_next_key_then_the_same_one(api: str, provider: FakeModelServer, tmp_path: Path) -> None:
    profiles = {
        "fake:first": {"provider": "fake", "apiKey": WRONG_KEY},
        "fake:second": {"provider": "fake", "apiKey": "the-second-key"},
    }
    auth = {"profiles": profiles, "order": {"fake": ["fake:first", "fake:second"]}}
    async with served(tmp_path / "s", config(provider, api, auth=auth)) as gateway, client(gateway.ws, gateway.token) as peer:
        assert text_of(await say(peer, "[[echo one]]")) == "one"
        assert steps(peer) == [("profile", "fake/fake-1", "fake/fake-1", "auth")]
        assert text_of(await say(peer, "[[echo two]]")) == "two"
        assert [request.key for request in provider.requests] == [WRONG_KEY, "the-second-key", "the-second-key"]
        status = await peer.call("models.authStatus")
        row = next(row for row in status["providers"] if row["provider"] == "fake")
        health = {one["profileId"]: (one["errorCount"], one.get("usageCount")) for one in row["usage"]}
        assert health["fake:first"] == (1, 0) and health["fake:second"] == (0, 2)
        assert "the-second-key" not in str(status)


@pytest.mark.parametrize("api", FORMATS)
async def test_busy_once_is_tried_again_and_cut_off_is_not(api: str, provider: FakeModelServer, tmp_path: Path) -> None:
    async with served(tmp_path / "s", config(provider, api)) as gateway, client(gateway.ws, gateway.token) as peer:
        assert text_of(await say(peer, "[[echo well]] [[fail 503 once]]")) == "well"
        assert len(provider.requests) == 2 and steps(peer) == [("retry", "fake/fake-1", "fake/fake-1", "overloaded")]
        broken = await say(peer, "[[drop]]")
        assert broken["state"] == "error" and len(provider.requests) == 3


async def test_another_model_stands_in_and_says_so_once(provider: FakeModelServer, tmp_path: Path) -> None:
    model = {"primary": "dead/m", "fallbacks": ["fake/fake-1"]}
    async with served(tmp_path / "s", config(provider, model=model)) as gateway, client(gateway.ws, gateway.token) as peer:
        first = text_of(await say(peer, "[[echo hello]]"))
        assert first.startswith("hello") and "fake/fake-1 answers at the moment, because dead/m could not" in first
        assert steps(peer) == [("fallback", "dead/m", "fake/fake-1", "network")]
        assert text_of(await say(peer, "[[echo again]]")) == "again"
        page = await peer.call("chat.history", {"sessionKey": "main"})
        assert "at the moment" not in str(page["messages"]), "said to the person, not to the model"


async def test_the_model_that_was_meant_is_welcomed_back(provider: FakeModelServer, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = config(provider, model={"primary": "dead/m", "fallbacks": ["fake/fake-1"]})
    settings["models"]["providers"]["dead"]["baseUrl"] = f"http://127.0.0.1:{port}/v1"
    async with served(tmp_path / "s", settings) as gateway, client(gateway.ws, gateway.token) as peer:
        assert "answers at the moment" in text_of(await say(peer, "[[echo one]]"))
        async with FakeModelServer(port=port):
            said = ""
            for _ in range(20):  # until the cooldown of a twentieth of a second is over
                said = text_of(await say(peer, "[[echo two]]"))
                if said != "two":
                    break
            assert said == "two\n\n*dead/m answers again.*"
            assert text_of(await say(peer, "[[echo three]]")) == "three"


async def test_a_model_somebody_picked_is_never_replaced(provider: FakeModelServer, tmp_path: Path) -> None:
    model = {"primary": "fake/fake-1", "fallbacks": ["fake/fake-1"]}
    async with served(tmp_path / "s", config(provider, model=model)) as gateway, client(gateway.ws, gateway.token) as peer:
        picked = await say(peer, "/model dead/m")
        assert "dead/m" in text_of(picked)
        failed = await say(peer, "[[echo hello]]")
        assert failed["state"] == "error" and "dead" in failed["errorMessage"] and provider.requests == []
        await say(peer, "/model default")
        assert text_of(await say(peer, "[[echo hello]]")) == "hello"


@pytest.mark.parametrize("api", FORMATS)
async def test_a_model_that_never_stops_is_stopped_by_the_budget(api: str, provider: FakeModelServer, tmp_path: Path) -> None:
    settings = config(provider, api, budget={"turn": {"usd": 0.60}})
    async with served(tmp_path / "s", settings) as gateway, client(gateway.ws, gateway.token) as peer:
        failed = await say(peer, '[[tool memory_search {"query": "x"}]] [[again]]')
        told = await peer.event("budget.reached")
        assert failed["state"] == "error" and failed["errorMessage"] == told["message"]
        assert told["budget"] == "budget.turn.usd" and "raise budget.turn.usd in openclaw.json" in told["message"]
        cost = await peer.call("usage.cost", {"days": 2})
        assert 0 < cost["totals"]["totalCost"] <= 0.60 and cost["daily"][-1]["totalCost"] == cost["totals"]["totalCost"]
        sessions = await peer.call("sessions.usage", {"range": "7d"})
        assert sessions["sessions"][0]["key"] == "agent:main:main"
        assert sessions["aggregates"]["byModel"][0]["count"] == len(provider.requests)
        said = text_of(await say(peer, "/usage"))
        assert "this session" in said and "budget for this turn" in said


async def test_usage_outlives_the_gateway(provider: FakeModelServer, tmp_path: Path) -> None:
    settings = config(provider)
    async with served(tmp_path / "s", settings) as gateway, client(gateway.ws, gateway.token) as peer:
        await say(peer, "[[echo one]]")
        before = (await peer.call("usage.cost"))["totals"]
    async with served(tmp_path / "s", settings) as gateway, client(gateway.ws, gateway.token) as peer:
        assert (await peer.call("usage.cost"))["totals"] == before and before["totalTokens"] > 0


async def test_keys_by_name_are_kept_and_never_shown(provider: FakeModelServer, tmp_path: Path) -> None:
    settings = config(provider)
    del settings["models"]["providers"]["fake"]["apiKey"]
    secret = "sk-a-very-secret-key"
    async with served(tmp_path / "s", settings) as gateway, client(gateway.ws, gateway.token) as peer:
        kept = await peer.call("models.authSetApiKey", {"provider": "fake", "apiKey": secret, "profileId": "fake:work"})
        assert kept["profileId"] == "fake:work"
        assert text_of(await say(peer, "[[echo one]]")) == "one" and provider.requests[-1].key == secret
        assert secret not in str(await peer.call("models.authStatus"))
        assert (await peer.call("models.authOrderSet", {"provider": "fake", "order": ["fake:work"]}))["ok"]
        assert (await peer.fails("models.authOrderSet", {"provider": "fake", "order": ["x"]}))["code"] == "INVALID_REQUEST"
        assert oct((gateway.state_dir / "credentials.jsonl").stat().st_mode)[-3:] == "600"
        assert (await peer.call("models.authLogout", {"provider": "fake"}))["removedProfiles"] == ["fake:work"]
    async with client_scopes(tmp_path, settings) as weak:
        error = await weak.fails("models.authSetApiKey", {"provider": "fake", "apiKey": "k"})
        assert error["code"] in ("FORBIDDEN", "INVALID_REQUEST") and "operator.admin" in error["message"]


def client_scopes(tmp_path: Path, settings: dict[str, Any]) -> Any:
    """A client that may only read, at a gateway of its own."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Client]:
        weak = ["operator.read"]
        async with served(tmp_path / "weak", settings) as gateway, client(gateway.ws, gateway.token, scopes=weak) as peer:
            yield peer

    return opened()


async def test_think_and_model_by_words(provider: FakeModelServer, tmp_path: Path) -> None:
    aliases = {"fake/fake-1": {"alias": "quick"}}
    settings = config(provider)
    settings["agents"]["defaults"]["models"] = aliases
    async with served(tmp_path / "s", settings) as gateway, client(gateway.ws, gateway.token) as peer:
        assert "fake/fake-1" in text_of(await say(peer, "/model quick"))
        assert "not known" in text_of(await say(peer, "/model 3"))
        assert "high" in text_of(await say(peer, "/think high"))
        assert (await peer.call("sessions.describe", {"key": "main"}))["session"]["thinkingLevel"] == "high"
        assert "no thinking level" in text_of(await say(peer, "/think sideways"))
        assert "(the default)" in text_of(await say(peer, "/think default"))
