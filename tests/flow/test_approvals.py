"""Answers by `/approve`, entries that last and are taken back, and scripts that change while a question is open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.fakes.model_server import FakeModelServer
from tests.flow.processes import provider
from tests.flow.wire import Client, Served, client, served, text_of


async def _asked(peer: Client, text: str, key: str = "main") -> tuple[str, str]:
    before = {row["id"] for row in await peer.call("exec.approval.list")}
    run_id = await peer.say(text, key)

    def new() -> str | None:
        seen = [frame["payload"]["id"] for frame in peer.events if frame["event"] == "exec.approval.requested"]
        ours = [frame["payload"] for frame in peer.events if frame["event"] == "exec.approval.requested"]
        return next(
            (name for name, row in zip(seen, ours, strict=True) if row["request"]["runId"] == run_id and name not in before),
            None,
        )

    return run_id, str(await peer.until(new))


async def _say(peer: Client, text: str, key: str = "main") -> str:
    return text_of(await peer.final(await peer.say(text, key)))


async def test_a_question_is_answered_by_slash_command(peer: Client, gateway: Served) -> None:
    workspace = gateway.state_dir / "workspace"
    run_id, approval_id = await _asked(peer, "run `touch one.txt`")
    assert approval_id in await _say(peer, "/approve")
    assert "Nothing waits" in await _say(peer, "/approve once", key="agent:main:elsewhere")
    assert "no approval" in await _say(peer, "/approve nonsense deny")
    assert "Allowed: `touch one.txt`" in await _say(peer, f"/approve {approval_id} allow-once")
    await peer.final(run_id)
    assert (workspace / "one.txt").exists()
    run_id, _ = await _asked(peer, "run `touch two.txt`")
    assert "Denied" in await _say(peer, "/approve deny")
    await peer.final(run_id)
    assert not (workspace / "two.txt").exists()


async def test_who_may_not_answer_may_not_by_slash_command_either(peer: Client, gateway: Served) -> None:
    run_id, approval_id = await _asked(peer, "run `touch one.txt`")
    async with client(gateway.ws, gateway.token, scopes=["operator.read", "operator.write"]) as other:
        for words in ("/approve once", f"/approve {approval_id} allow-once"):
            sent = {"sessionKey": "main", "message": words, "idempotencyKey": words}
            assert "operator.approvals" in (await other.fails("chat.send", sent))["message"]
    assert [row["id"] for row in await peer.call("exec.approval.list")] == [approval_id]
    await peer.call("chat.abort", {"sessionKey": "main", "runId": run_id})
    assert not (gateway.state_dir / "workspace" / "one.txt").exists()


async def test_always_is_remembered_listed_and_taken_back(peer: Client) -> None:
    run_id, approval_id = await _asked(peer, "run `uname -s`")
    await peer.call("exec.approval.resolve", {"id": approval_id, "decision": "allow-always"})
    await peer.final(run_id)
    await peer.final(await peer.say("run `uname -s`"))
    have = await peer.call("exec.approvals.get")
    (entry,) = have["file"]["agents"]["main"]["allowlist"]
    assert entry["pattern"] == "=uname -s" and entry["cwd"].endswith("workspace")
    empty = {"version": 1, "agents": {"main": {"allowlist": []}}}
    stale = await peer.fails("exec.approvals.set", {"file": empty, "baseHash": "0"})
    assert "has changed since" in stale["message"]
    refused: list[dict[str, Any]] = [{"security": "full"}, {"allowlist": [{}]}]
    for file in ({"defaults": {"security": "full"}}, *({"agents": {"main": agent}} for agent in refused)):
        await peer.fails("exec.approvals.set", {"file": file, "baseHash": have["hash"]})
    await peer.call("exec.approvals.set", {"file": empty, "baseHash": have["hash"]})
    run_id, approval_id = await _asked(peer, "run `uname -s`")
    await peer.call("exec.approval.resolve", {"id": approval_id, "decision": "deny"})
    await peer.final(run_id)


async def test_a_script_that_changes_while_a_question_is_open_does_not_run(peer: Client, gateway: Served) -> None:
    workspace: Path = gateway.state_dir / "workspace"
    await peer.final(await peer.say("hello"))
    script = workspace / "run.sh"
    script.write_text("touch first\n")
    run_id, approval_id = await _asked(peer, "run `bash run.sh`")
    script.write_text("touch second\n")
    await peer.call("exec.approval.resolve", {"id": approval_id, "decision": "allow-always"})
    await peer.final(run_id)
    assert not (workspace / "first").exists() and not (workspace / "second").exists()
    run_id, approval_id = await _asked(peer, "run `bash run.sh`")
    await peer.call("exec.approval.resolve", {"id": approval_id, "decision": "allow-always"})
    await peer.final(run_id)
    assert (workspace / "second").exists()
    (workspace / "second").unlink()
    await peer.final(await peer.say("run `bash run.sh`"))
    assert (workspace / "second").exists(), "the same script needs no second answer"
    script.write_text("touch third\n")
    run_id, approval_id = await _asked(peer, "run `bash run.sh`")
    await peer.call("exec.approval.resolve", {"id": approval_id, "decision": "deny"})
    await peer.final(run_id)
    assert not (workspace / "third").exists()


async def test_a_jobs_grant_holds_in_its_runs_alone(tmp_path: Path) -> None:
    words = '[[tool exec {"command": "touch made.txt"}]]'
    job = {"name": "maker", "schedule": {"kind": "every", "everyMs": 3_600_000}, "sessionTarget": "isolated"}
    job |= {"wakeMode": "now", "payload": {"kind": "agentTurn", "message": words}}
    async with (
        FakeModelServer() as models,
        served(tmp_path / "state", provider(models.openai_url)) as gateway,
        client(gateway.ws, gateway.token) as peer,
    ):
        made = gateway.state_dir / "workspace" / "made.txt"
        name = (await peer.call("cron.add", job))["id"]
        started = await peer.call("cron.run", {"id": name, "mode": "force"})
        asked = await peer.event("exec.approval.requested")
        assert asked["request"]["grantedToJob"] == name
        await peer.call("exec.approval.resolve", {"id": asked["id"], "decision": "allow-always", "grantExpiresInDays": 7})
        await peer.event("cron", action="finished", runId=started["runId"])
        (entry,) = (await peer.call("exec.approvals.get"))["file"]["agents"]["main"]["allowlist"]
        assert entry["job"] == name and entry["pattern"] == "=touch made.txt" and entry["expiresAtMs"] > 0
        made.unlink()
        started = await peer.call("cron.run", {"id": name, "mode": "force"})
        await peer.event("cron", action="finished", runId=started["runId"])
        assert made.exists(), "the second run was not asked about"
        run_id, approval_id = await _asked(peer, words)
        await peer.call("exec.approval.resolve", {"id": approval_id, "decision": "deny"})
        await peer.final(run_id)
