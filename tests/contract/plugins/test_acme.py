"""A package of somebody else, installed by pip, adds a channel, a tool and a provider to a real gateway; and who stops it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.flow.processes import write_config
from tests.flow.wire import Client, client, text_of

LIMIT_S = 60


@dataclass
class Running:
    """A gateway in a process whose import path holds acme."""

    url: str
    token: str
    state: Path

    @property
    def ws(self) -> str:
        return self.url.replace("http", "ws", 1) + "/"

    def journal(self) -> list[dict[str, Any]]:
        path = self.state / "plugins" / "acme" / "journal.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@asynccontextmanager
async def gateway(state: Path, site: Path, config: dict[str, Any]) -> AsyncIterator[Running]:
    await asyncio.to_thread(write_config, state, json.dumps(config))
    env = {key: value for key, value in os.environ.items() if not key.startswith("OPENCLAW_")} | {"PYTHONPATH": str(site)}
    command = [sys.executable, "-m", "openclaw_gateway", "serve", "--json", "--port", "0", "--state-dir", str(state)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env=env)
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), LIMIT_S)
    ready = json.loads(line)
    try:
        yield Running(ready["url"], ready["token"], state)
    finally:
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), LIMIT_S) in (0, -signal.SIGTERM)


def config(tmp_path: Path, **more: Any) -> dict[str, Any]:
    return {
        "plugins": {"allow": ["acme"]},
        "agents": {"defaults": {"model": {"primary": "acme/parrot"}}},
        "channels": {"acme": {"folder": str(tmp_path / "said"), "dmPolicy": "open", "allowFrom": ["*"]}},
        **more,
    }


async def answer(peer: Client, text: str) -> str:
    return text_of(await peer.final(await peer.say(text)))


async def plugin_row(peer: Client, name: str = "acme") -> dict[str, Any]:
    rows = (await peer.call("plugins.list"))["plugins"]
    return next(row for row in rows if row["id"] == name)


async def test_it_brings_a_channel_a_tool_and_a_provider(tmp_path: Path, acme: Path) -> None:
    async with gateway(tmp_path / "state", acme, config(tmp_path)) as running, client(running.ws, running.token) as peer:
        row = await plugin_row(peer)
        assert row["state"] == "enabled" and row["version"] == "1.2.3" and row["packageName"] == "acme-openclaw"
        assert "acme/parrot" in {f"{m['provider']}/{m['id']}" for m in (await peer.call("models.list", {}))["models"]}
        assert await answer(peer, "hello") == "Acme heard: hello"
        assert await answer(peer, "how is the weather") == "Acme says: In Berlin it rains frogs."
        assert await peer.call("acme.ping", {"text": "x"}) == {"pong": "x"}
        assert "Acme in agent:main:main: and who" in await answer(peer, "/acme and who")

        async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
            body = {"from": "u1", "id": "m1", "text": "hi there"}
            got = await http.post(f"{running.url.rstrip('/')}/channels/acme/default/webhook", json=body)
            assert (got.status_code, got.text) == (200, "accepted")
            base = f"{running.url.rstrip('/')}/plugins/acme"
            assert (await http.get(f"{base}/menu")).status_code == 401
            menu = await http.get(f"{base}/menu", headers={"Authorization": f"Bearer {running.token}"})
            assert menu.json()["soup"] == "frog" and "authorization" not in menu.json()["saw"]
            assert (await http.get(f"{base}/online")).text == "yes"
            assert (await http.get(f"{base}/other")).status_code == 404
        said = await spoken(peer, tmp_path / "said", 1)
        assert said == ["Acme heard: hi there ~acme"], "the answer went out through acme's channel, signed by its hook"

        blocked = await peer.final(await peer.say("a forbidden thing"))
        assert blocked["state"] == "error" and "plugin acme: acme does not like that word" in json.dumps(blocked)
    names = [row["name"] for row in running.journal()]
    assert {"service up", "gateway_start", "agent_end", "after_tool_call", "message_received", "message_sent"} <= set(names)
    assert names[-2:] == ["gateway_stop", "service down"]


async def spoken(peer: Client, folder: Path, count: int) -> list[str]:
    """What acme's channel said, once it said that much."""
    async with asyncio.timeout(LIMIT_S):
        while len(found := await asyncio.to_thread(texts, folder)) < count:
            await peer.call("channels.status", {})
    return found


def texts(folder: Path) -> list[str]:
    return [path.read_text() for path in sorted(folder.glob("*/*.txt"))]


async def test_nobody_let_it_in_so_none_of_its_code_runs(tmp_path: Path, acme: Path) -> None:
    async with gateway(tmp_path / "state", acme, {}) as running, client(running.ws, running.token) as peer:
        row = await plugin_row(peer)
        assert row["state"] == "unacknowledged" and "plugins enable acme" in row["reason"]
        assert "acme.ping" not in peer.hello["features"]["methods"]
        enabled = await peer.call("plugins.enable", {"id": "acme"})
        assert enabled["restartRequired"]
    assert json.loads((tmp_path / "state" / "openclaw.json").read_text())["plugins"]["allow"] == ["acme"]
    written = json.loads((tmp_path / "state" / "openclaw.json").read_text())
    async with gateway(tmp_path / "state", acme, written) as running, client(running.ws, running.token) as peer:
        assert (await plugin_row(peer))["state"] == "enabled"
        await peer.call("plugins.disable", {"id": "acme"})


async def test_the_command_line(tmp_path: Path, acme: Path) -> None:
    async with gateway(tmp_path / "state", acme, config(tmp_path)) as running:

        async def run(*words: str) -> tuple[int, str]:
            command = [
                sys.executable,
                "-m",
                "openclaw_gateway",
                "plugins",
                *words,
                "--url",
                running.ws,
                "--token",
                running.token,
            ]
            process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
            out, _ = await asyncio.wait_for(process.communicate(), LIMIT_S)
            return process.returncode or 0, out.decode()

        assert "acme" in (await run("list"))[1] and "core-tools" in (await run("list"))[1]
        status, info = await run("info", "acme")
        assert status == 0 and "acme_weather" in info and "/plugins/acme/menu" in info
        assert (await run("doctor"))[0] == 0
        env = os.environ | {"PYTHONPATH": str(acme), "OPENCLAW_STATE_DIR": str(tmp_path / "state")}
        command = [sys.executable, "-m", "openclaw_gateway", "acme"]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env=env)
        assert (await asyncio.wait_for(process.communicate(), LIMIT_S))[0] == b"hello from acme\n"


async def test_built_ins_can_be_switched_off_the_same_way(tmp_path: Path, acme: Path) -> None:
    off = {"plugins": {"entries": {"telegram": {"enabled": False}}}}
    async with gateway(tmp_path / "state", acme, off) as running, client(running.ws, running.token) as peer:
        assert (await plugin_row(peer, "telegram"))["state"] == "disabled"
        words = {"to": "1", "message": "x", "idempotencyKey": "k"}
        assert "no channel 'telegram'" in (await peer.fails("send", {"channel": "telegram", **words}))["message"]
        assert "no channel 'webhook'" not in (await peer.fails("send", {"channel": "webhook", **words}))["message"]
