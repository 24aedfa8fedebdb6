"""Scheduled jobs through a real gateway: made, run, listed, told, taken away; and what a crash leaves."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.flow.wire import Client, Served, client, served

JOB = {
    "name": "look around",
    "schedule": {"kind": "every", "everyMs": 3_600_000},
    "sessionTarget": "isolated",
    "wakeMode": "now",
    "payload": {"kind": "agentTurn", "message": "say hello"},
    "delivery": {"mode": "announce", "channel": "last"},
}


async def test_a_job_from_its_birth_to_its_end(peer: Client) -> None:
    job = await peer.call("cron.add", JOB)
    assert job["state"]["nextRunAtMs"] == job["createdAtMs"] + 3_600_000 and job["payload"]["toolsAllow"] == ["*"]
    added = await peer.event("cron", action="added")
    assert added["jobId"] == job["id"]
    page = await peer.call("cron.list", {"includeDisabled": False, "limit": 200, "offset": 0})
    assert [row["id"] for row in page["jobs"]] == [job["id"]] and page["total"] == 1 and page["nextOffset"] is None
    status = await peer.call("cron.status")
    assert status["jobs"] == 1 and status["nextWakeAtMs"] == job["state"]["nextRunAtMs"]

    started = await peer.call("cron.run", {"id": job["id"], "mode": "force"})
    assert started["ok"] and started["enqueued"]
    done = await peer.event("cron", action="finished", runId=started["runId"])
    assert done["status"] == "ok" and done["deliveryStatus"] == "delivered"
    runs = await peer.call("cron.runs", {"id": job["id"]})
    assert [row["runId"] for row in runs["entries"]] == [started["runId"]] and runs["entries"][0]["summary"]
    main = await peer.call("chat.history", {"sessionKey": "main"})
    assert [row["role"] for row in main["messages"]] == ["assistant"], "the answer is told in the main session, once"
    assert runs["entries"][0]["sessionKey"].startswith(f"agent:main:cron:{job['id']}:run:")

    off = await peer.call("cron.update", {"id": job["id"], "patch": {"enabled": False}})
    assert "nextRunAtMs" not in off["state"] and off["state"]["lastRunStatus"] == "ok"
    assert (await peer.call("cron.remove", {"id": job["id"]}))["removed"] is True
    assert (await peer.call("cron.list", {"includeDisabled": True}))["jobs"] == []


async def test_a_due_one_shot_runs_once_and_survives_restarts(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with served(state, {"cron": {"catchUpDelayMs": 0}}) as gateway, client(gateway.ws, gateway.token) as peer:
        event = {"kind": "systemEvent", "text": "the build is green"}
        await peer.call("cron.add", {"name": "soon", "schedule": {"kind": "at", "at": "1s"}, "payload": event})
        await peer.event("cron", action="finished")
        await peer.event("cron", action="removed")
    async with served(state) as gateway, client(gateway.ws, gateway.token) as peer:
        assert (await peer.call("cron.list", {"includeDisabled": True}))["jobs"] == []
        messages = (await peer.call("chat.history", {"sessionKey": "main"}))["messages"]
        said = [row for row in messages if row["role"] == "user" and "the build is green" in str(row["content"])]
        assert len(said) == 1


async def test_what_it_refuses(peer: Client) -> None:
    for change, words in [
        ({"schedule": {"kind": "cron", "expr": "61 * * * *"}}, "cron expression"),
        ({"schedule": {"kind": "cron", "expr": "0 9 * * *", "tz": "Mars/Olympus"}}, "time zone"),
        ({"schedule": {"kind": "at", "at": "2001-01-01T00:00:00Z"}}, "past"),
        ({"schedule": {"kind": "stream", "command": ["x"]}}, "stream"),
        ({"payload": {"kind": "command", "argv": ["id"]}}, "command"),
        ({"payload": {"kind": "systemEvent", "text": "x"}}, "main session"),
        ({"agentId": "nobody"}, "unknown agent"),
        ({"delivery": {"mode": "webhook", "to": "file:///etc/passwd"}}, "https"),
    ]:
        error = await peer.fails("cron.add", {**JOB, **change})
        assert error["code"] == "INVALID_REQUEST" and words in error["message"], error
    assert (await peer.call("cron.list", {}))["jobs"] == []


async def test_readers_may_look_and_not_change(gateway: Served) -> None:
    async with client(gateway.ws, gateway.token, scopes=["operator.read", "operator.write"]) as peer:
        assert (await peer.call("cron.list", {}))["jobs"] == []
        for method, params in [("cron.add", JOB), ("cron.remove", {"id": "x"}), ("cron.run", {"id": "x"})]:
            assert (await peer.fails(method, params))["code"] == "FORBIDDEN"


async def test_wake_puts_a_line_before_the_agent(peer: Client) -> None:
    assert await peer.call("wake", {"mode": "now", "text": "the kettle boils"}) == {"ok": True}
    await peer.until(lambda: any(f["event"] == "chat" and f["payload"].get("state") == "final" for f in peer.events))
    messages = (await peer.call("chat.history", {"sessionKey": "main"}))["messages"]
    assert "the kettle boils" in str(messages[0]["content"])


async def test_the_command_line(gateway: Served) -> None:
    async def run(*words: str) -> str:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "openclaw_gateway", "cron", *words, "--url", gateway.ws, "--token", gateway.token,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await asyncio.wait_for(process.communicate(), 30)
        assert process.returncode == 0, err.decode()
        return out.decode()

    added = await run("add", "--name", "t1", "--every", "1h", "--message", "hello")
    job_id = added.split()[1]
    assert "t1" in await run("list")
    assert "started" in await run("run", job_id)
    assert "off" in (await run("disable", job_id)) and "on" in (await run("enable", job_id))
    assert job_id in await run("runs", "--json", job_id)
    assert "removed" in (await run("remove", job_id)).lower()
