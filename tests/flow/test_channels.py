"""Channels from the outside: methods, events, the command line, a changed configuration."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from openclaw_gateway.channels.webhook.signature import sign
from openclaw_gateway.cli.app import run
from tests.flow.wire import Client, Served, client, served, write_config

SECRET = "a secret of some length"
CONFIG: dict[str, Any] = {
    "channels": {"webhook": {"secret": SECRET}},
    "messages": {"inbound": {"debounceMs": 0}},
    "gateway": {"reload": {"debounceMs": 10}},
}


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Served]:
    async with served(tmp_path / "state", CONFIG) as running:
        yield running


@pytest.fixture
async def peer(gateway: Served) -> AsyncIterator[Client]:
    async with client(gateway.ws, gateway.token) as connected:
        yield connected


async def post(gateway: Served, account: str = "default", **body: Any) -> tuple[int, Any]:
    raw = json.dumps(body).encode()
    headers = sign(SECRET, raw, int(time.time()))
    async with httpx.AsyncClient(timeout=30) as http:
        answer = await http.post(f"{gateway.url.rstrip('/')}/channels/webhook/{account}/webhook", content=raw, headers=headers)
    return answer.status_code, answer.json() if answer.headers["content-type"] == "application/json" else answer.text


async def test_who_may_decide_about_people_hears_of_them_and_others_do_not(gateway: Served, peer: Client) -> None:
    async with client(gateway.ws, gateway.token, scopes=["operator.read", "operator.write"]) as other:
        await post(gateway, sender="ann", text="hello", id="1")
        asked = await peer.event("channel.pairing.requested", channel="webhook", senderId="ann")
        assert (await other.fails("channels.pairing.list"))["code"] == "FORBIDDEN"
        refused = await other.fails("channels.pairing.approve", {"channel": "webhook", "code": asked["code"]})
        assert refused["code"] == "FORBIDDEN"
        wrong = await peer.fails("channels.pairing.approve", {"channel": "webhook", "code": "AAAAAAAA"})
        assert wrong["code"] == "INVALID_REQUEST" and asked["code"] not in str(wrong)
        # As the sidebar asks.
        params = {"channel": "webhook", "account": "default", "code": asked["code"]}
        assert (await peer.call("channels.pairing.approve", params))["owner"] is True
        assert (await peer.event("channel.pairing.resolved", senderId="ann"))["decision"] == "approved"
        assert [frame for frame in other.events if "pairing" in frame["event"]] == []
    listed = await peer.call("channels.pairing.list")
    assert listed["pending"] == [] and [row["senderId"] for row in listed["approved"]] == ["ann"]


async def test_a_known_person_talks_and_commands_and_is_in_the_transcript(gateway: Served, peer: Client) -> None:
    await post(gateway, sender="ann", text="hello", id="1", sync=True)
    [row] = (await peer.call("channels.pairing.list"))["pending"]
    await peer.call("channels.pairing.approve", {"channel": "webhook", "code": row["code"]})
    status, answer = await post(gateway, sender="ann", text="hello", id="2", sync=True)
    assert status == 200 and "stand-in" in answer["replies"][0]["text"]
    _, answer = await post(gateway, sender="ann", text="/status", id="3", sync=True)
    assert "agent:main:main" in answer["replies"][0]["text"]
    history = await peer.call("chat.history", {"sessionKey": "main"})
    assert [row["role"] for row in history["messages"]] == ["user", "assistant"]
    session = (await peer.call("sessions.describe", {"key": "main"}))["session"]
    assert session["lastChannel"] == "webhook" and session["lastTo"] == "ann"


async def test_status_has_the_protocol_s_shape_and_hands_can_stop_and_start(gateway: Served, peer: Client) -> None:
    status = await peer.call("channels.status", {"probe": False, "timeoutMs": 1_000})
    assert {"ts", "channelOrder", "channelLabels", "channels", "channelAccounts", "channelDefaultAccountId"} <= set(status)
    [row] = status["channelAccounts"]["webhook"]
    assert row["connected"] and row["credentialSource"] == "config" and SECRET not in json.dumps(status)
    stopped = await peer.call("channels.stop", {"channel": "webhook"})
    assert stopped == {"channel": "webhook", "accountId": "default", "running": False, "stoppedByHand": True}
    assert (await post(gateway, sender="ann", text="x", id="9"))[0] == 503
    assert (await peer.call("channels.start", {"channel": "webhook"}))["running"]
    async with client(gateway.ws, gateway.token, scopes=["operator.read"]) as reader:
        assert (await reader.fails("channels.stop", {"channel": "webhook"}))["code"] == "FORBIDDEN"


async def test_everyone_hears_when_a_channel_goes_and_comes(gateway: Served, peer: Client) -> None:
    async with client(gateway.ws, gateway.token, scopes=["operator.read"]) as other:
        assert other.hello["snapshot"]["health"]["channels"]["webhook"]["connected"]
        await peer.call("channels.stop", {"channel": "webhook"})
        await other.until(lambda: [one["channels"]["webhook"]["connected"] for one in healths(other)][-1:] == [False])
        await peer.call("channels.start", {"channel": "webhook"})
        await other.until(lambda: healths(other)[-1]["channels"]["webhook"]["connected"])
        assert len(healths(other)) <= 4, "one event a change"
        now = await other.call("health")
        assert now["channelOrder"] == ["webhook"] and now["channels"] == healths(other)[-1]["channels"]
        assert (await other.call("status"))["channelSummary"] == ["Webhook: connected"]
        versions = [frame["stateVersion"]["health"] for frame in other.events if frame["event"] == "health"]
        assert versions == sorted(set(versions))


def healths(peer: Client) -> list[dict[str, Any]]:
    return [frame["payload"] for frame in peer.events if frame["event"] == "health"]


async def test_the_official_client_s_message_is_understood(gateway: Served, peer: Client) -> None:
    inner = {"target": "123", "message": "hi", "action": "send", "to": "telegram:123", "silent": False, "pin": False}
    action = {"channel": "telegram", "action": "send", "params": inner, "senderIsOwner": True, "agentId": "main"}
    frame = action | {"conversationReadOrigin": "direct-operator", "idempotencyKey": "k"}
    error = await peer.fails("message.action", frame)
    assert error["code"] == "UNAVAILABLE" and "channels.telegram" in error["message"]
    crossed = await peer.fails("send", {"channel": "webhook", "to": "telegram:1", "message": "x", "idempotencyKey": "k"})
    assert "belongs to telegram" in crossed["message"]


async def test_dead_letters_are_shown_without_their_words_and_can_be_given_up(gateway: Served, peer: Client) -> None:
    params = {"to": "webhook:bob", "message": "secret words", "idempotencyKey": "k1"}
    assert "replyUrl is not set" in (await peer.fails("send", params))["message"]
    letters = await peer.call("channels.deadLetters.list")
    [row] = letters["outbox"]
    assert row["peer"] == "bob" and "secret words" not in json.dumps(letters)
    await peer.call("channels.deadLetters.abandon", {"id": row["id"]})
    assert (await peer.call("channels.deadLetters.list"))["outbox"] == []


async def test_a_channel_can_come_and_go_while_the_gateway_runs(gateway: Served, peer: Client) -> None:
    more = {"webhook": {"secret": SECRET, "accounts": {"two": {"secret": SECRET}}}}
    await asyncio.to_thread(write_config, gateway.state_dir, json.dumps(CONFIG | {"channels": more}))

    async def accounts() -> set[str]:
        rows = (await peer.call("channels.status"))["channelAccounts"].get("webhook", [])
        return {row["accountId"] for row in rows if row["connected"]}

    for _ in range(200):
        if await accounts() == {"default", "two"}:
            break
        await asyncio.sleep(0.05)
    assert await accounts() == {"default", "two"}
    wrong = {"webhook": {"secret": SECRET, "replyUlr": "x"}}
    await asyncio.to_thread(write_config, gateway.state_dir, json.dumps(CONFIG | {"channels": wrong}))
    for _ in range(200):
        status = await peer.call("channels.status")
        if not status["channelAccounts"].get("webhook"):
            break
        await asyncio.sleep(0.05)
    assert "channels.webhook.replyUlr" in status["channels"]["webhook"]["lastError"]


async def test_the_command_line_lists_pairs_and_shows(
    gateway: Served, peer: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    await post(gateway, sender="ann", text="hello", id="1")
    asked = await peer.event("channel.pairing.requested", senderId="ann")

    async def cli(*words: str, status: int = 0) -> str:
        found = await asyncio.to_thread(run, [*words, "--state-dir", str(gateway.state_dir)])
        shown = capsys.readouterr()
        assert found == status, shown
        return shown.out + shown.err

    assert "webhook      configured" in await cli("channels", "list")
    assert "webhook/default: connected" in await cli("channels", "status")
    assert asked["code"] in await cli("pairing", "list")
    assert "as the owner" in await cli("pairing", "approve", "webhook", asked["code"])
    assert "owner" in await cli("pairing", "list", "webhook")
    assert "No open pairing request" in await cli("pairing", "reject", "webhook", "BBBBBBBB", status=1)
    assert json.loads(await cli("channels", "dead-letters", "--json"))["inbox"] == []
    assert "is stopped" in await cli("channels", "stop", "webhook")
    assert "stopped by hand" in await cli("channels", "status")


async def test_other_doors_of_the_webhook_are_shut(gateway: Served) -> None:
    base = gateway.url.rstrip("/")
    async with httpx.AsyncClient() as http:
        assert (await http.get(f"{base}/channels/webhook/default/webhook")).status_code == 405
        assert (await http.post(f"{base}/channels/webhook/other/webhook", content=b"{}")).status_code == 404
        assert (await http.post(f"{base}/channels/telegram/default/webhook", content=b"{}")).status_code == 404
        assert (await http.post(f"{base}/channels/../default/webhook", content=b"{}")).status_code == 404
        assert (await http.post(f"{base}/channels/webhook/default/webhook", content=b"{}")).status_code == 401


def test_a_gateway_without_channels_imports_nothing_of_them() -> None:
    code = "import sys, openclaw_gateway.gateway; print([n for n in sys.modules if n.startswith('openclaw_gateway.channels.')])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    loaded = set(json.loads(said.replace("'", '"')))
    heavy = {"opened", "manager", "outbox", "inbox", "conversation", "formats", "registry", "telegram"}
    assert {f"openclaw_gateway.channels.{name}" for name in heavy} & loaded == set()
