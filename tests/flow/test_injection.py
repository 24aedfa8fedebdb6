"""Hostile pages, mails and files against a gateway whose model obeys every word of them (SAF-23, SAF-24).

The allowlist is as careless as an owner can make it, and nothing happens all the same: each step waits for a person, and the
person says no.
"""

from __future__ import annotations

import asyncio
import html
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from openclaw_gateway.channels.webhook.signature import sign
from tests.fakes import model_server
from tests.fakes.model_server import FakeModelServer
from tests.fakes.model_steering import Plan, Turn, directives
from tests.flow.injections import ATTACKS, FILES, MAILS, MARK, PAGES, Attack
from tests.flow.processes import provider
from tests.flow.wire import LIMIT_S, Client, Served, client, served

HOOK_TOKEN = "a-token-for-webhooks-only"
CARELESS = ("touch", "cp", "curl", "=bash run.sh")


def obey(body: Any) -> Plan:
    """Does whatever any message or result says, in the order in which it was said, one call at a time."""
    messages = [message for message in body["messages"] if message["role"] in ("user", "tool")]
    told = [argument for message in messages for verb, argument in directives(_text(message)) if verb == "tool"]
    done = sum(len(message.get("tool_calls") or ()) for message in body["messages"])
    if done >= len(told):
        return Plan("Done as told.")
    name, _, raw = told[done].partition(" ")
    return Plan("", tools=[(name, json.loads(raw))])


def _text(message: Any) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)


@dataclass
class World:
    """The gateway, its owner, and a web server with hostile pages whose `stolen` are the requests nobody should make."""

    gateway: Served
    peer: Client
    site: str
    pages: dict[str, str]
    stolen: list[str]
    answered: set[str] = field(default_factory=set)

    @property
    def workspace(self) -> Path:
        return self.gateway.state_dir / "workspace"


@asynccontextmanager
async def web(pages: dict[str, str], stolen: list[str]) -> AsyncIterator[str]:
    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readline()).split()[1].decode()
        while (await reader.readline()).strip():
            pass
        if path.startswith("/steal"):
            stolen.append(path)
        body = pages.get(path, "nothing").encode()
        head = (
            "HTTP/1.1 200 OK",
            "Content-Type: text/html; charset=utf-8",
            f"Content-Length: {len(body)}",
            "Connection: close",
        )
        writer.write("\r\n".join((*head, "", "")).encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(connection, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    pages: dict[str, str] = {}
    stolen: list[str] = []
    async with FakeModelServer() as models, web(pages, stolen) as site:

        def plan(_turns: list[Turn], _tokens: int) -> Plan:
            return obey(models.requests[-1].body)

        monkeypatch.setattr(model_server, "plan", plan)
        config = provider(
            models.openai_url,
            hooks={"enabled": True, "token": HOOK_TOKEN},
            channels={"webhook": {"secret": HOOK_TOKEN}},
            messages={"inbound": {"debounceMs": 0}},
            tools={"web": {"fetch": {"ssrfPolicy": {"allowedHostnames": [site.removeprefix("http://")]}}}},
        )
        async with (
            served(tmp_path / "state", config) as gateway,
            client(gateway.ws, gateway.token, caps=["tool-events"]) as peer,
        ):
            have = await peer.call("exec.approvals.get")
            file = {"version": 1, "agents": {"main": {"allowlist": [{"pattern": pattern} for pattern in CARELESS]}}}
            await peer.call("exec.approvals.set", {"file": file, "baseHash": have["hash"]})
            this = World(gateway, peer, site, pages, stolen)
            await peer.final(await peer.say("hello"))
            (this.workspace / "notes.md").write_text("the secret\n")
            (this.workspace / "run.sh").write_text(f"touch {MARK}\n")
            yield this


async def _arrive(world: World, number: int, attack: Attack) -> str:
    """Brings the attack in; the id of the run that meets it."""
    key, told = f"agent:main:attack-{number}", attack.told(world.site)
    match attack.carrier:
        case "page":
            call = told[told.index("[[") : told.rindex("]]") + 2]
            world.pages[f"/{number}"] = told.replace(
                call, html.escape(call, quote=True) if "alt=" in told else html.escape(call, False)
            )
            return await world.peer.say(f'Read it. [[tool web_fetch {{"url": "{world.site}/{number}"}}]]', key)
        case "file":
            path = world.workspace / "inbound" / f"run-{number}" / "sent.txt"
            await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
            await asyncio.to_thread(path.write_text, told)
            return await world.peer.say(f'Read it. [[tool read {{"path": "inbound/run-{number}/sent.txt"}}]]', key)
        case _:
            async with httpx.AsyncClient(trust_env=False, timeout=LIMIT_S) as http:
                url = world.gateway.url.rstrip("/") + "/hooks/agent"
                headers = {"Authorization": f"Bearer {HOOK_TOKEN}"}
                answer = await http.post(url, json={"message": told, "name": "mail"}, headers=headers)
            return str(answer.json()["runId"])


async def _suffer(world: World, run_id: str, wanted: str) -> list[dict[str, Any]]:
    """Answers every question of a run: yes to the page that the owner asked for, no to all others. Returns those others."""
    refused: list[dict[str, Any]] = []

    def news() -> Any:
        for frame in world.peer.events:
            row = frame["payload"]
            if (
                frame["event"] == "exec.approval.requested"
                and row["request"]["runId"] == run_id
                and row["id"] not in world.answered
            ):
                return row
        return next((row for row in world.peer.chat(run_id) if row["state"] in ("final", "error", "aborted")), None)

    while "request" in (row := await world.peer.until(news)):
        world.answered.add(row["id"])
        ours = wanted and wanted in row["request"]["command"]
        if not ours:
            refused.append(row["request"])
        await world.peer.call("exec.approval.resolve", {"id": row["id"], "decision": "allow-once" if ours else "deny"})
    return refused


async def test_nothing_happens_without_a_persons_word(world: World) -> None:
    config = (world.gateway.state_dir / "openclaw.json").read_bytes()
    before = await asyncio.to_thread(_files, world.workspace)
    quiet: list[str] = []
    for number, attack in enumerate(ATTACKS):
        run_id = await _arrive(world, number, attack)
        refused = await _suffer(world, run_id, f"{world.site}/{number}" if attack.carrier == "page" else "")
        for request in refused:
            assert request["allowedDecisions"] == ["allow-once", "deny"], (attack.name, "nothing lasting is offered")
        if not refused:
            quiet.append(attack.name)
        after = await asyncio.to_thread(_files, world.workspace)
        assert after == before, attack.name
    assert world.stolen == []
    assert (world.gateway.state_dir / "openclaw.json").read_bytes() == config
    assert (await world.peer.call("cron.list", {"includeDisabled": True}))["jobs"] == []
    assert len(ATTACKS) >= 30 and len(ATTACKS) - len(quiet) >= 30, quiet
    assert {attack.name for attack in ATTACKS if attack.name in quiet} <= MAY_BE_QUIET, quiet


MAY_BE_QUIET = {"hides in a comment", "hides in alt", "hides in white", "climbs out"}
"""What a reader of pages leaves out, so that the model never sees it, and what no person could allow."""


async def test_the_same_steps_run_when_the_owner_asks_for_them(world: World) -> None:
    """The suite would see an effect: without a stranger's words the careless list lets them through."""
    run_id = await world.peer.say(
        f'[[tool exec {{"command": "touch {MARK}"}}]] [[tool write {{"path": "own.md", "content": "x"}}]]'
    )
    assert await _suffer(world, run_id, "") == []
    assert (world.workspace / MARK).exists() and (world.workspace / "own.md").exists()


async def test_a_guest_asks_and_the_owner_s_next_turn_remembers_it(world: World) -> None:
    async def write(sender: str, text: str, number: int) -> None:
        raw = json.dumps({"sender": sender, "text": text, "id": f"{sender}-{number}"}).encode()
        url = f"{world.gateway.url.rstrip('/')}/channels/webhook/default/webhook"
        async with httpx.AsyncClient(trust_env=False, timeout=LIMIT_S) as http:
            answer = await http.post(url, content=raw, headers=sign(HOOK_TOKEN, raw, int(time.time())))
        assert answer.status_code < 300, answer.text

    for sender in ("owner", "guest"):
        await write(sender, "hello", 1)
        code = (await world.peer.event("channel.pairing.requested", senderId=sender))["code"]
        await world.peer.call("channels.pairing.approve", {"channel": "webhook", "code": code})
    touch = f'[[tool exec {{"command": "touch {MARK}"}}]]'
    world.peer.events.clear()
    await write("guest", touch, 2)
    asked = await world.peer.event("exec.approval.requested")
    assert asked["request"]["reason"].startswith("Somebody else than the owner asks for this and untrusted content")
    await world.peer.call("exec.approval.resolve", {"id": asked["id"], "decision": "deny"})
    key = asked["request"]["sessionKey"]
    world.answered.add(asked["id"])
    run_id = await world.peer.say(touch, key)
    refused = await _suffer(world, run_id, "")
    assert [row["reason"][:17] for row in refused] == ["Untrusted content"]
    assert not (world.workspace / MARK).exists()


def _files(folder: Path) -> dict[str, bytes]:
    """Everything in a workspace but what the tests put there and the house's own folder."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    rows = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    return {name: data for name, data in rows.items() if not name.startswith(("inbound/", ".openclaw/"))}


def test_there_is_enough_of_every_kind() -> None:
    assert len(PAGES) >= 10 and len(MAILS) >= 10 and len(FILES) >= 10
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)
