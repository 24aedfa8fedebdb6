"""A message's whole way through a real gateway, with the built-in model that needs no key."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

from tests.flow.wire import Client, Served, client, served, text_of


async def test_hello_streams_and_ends(peer: Client) -> None:
    run_id = await peer.say("hello")
    final = await peer.final(run_id)
    states = [row["state"] for row in peer.chat(run_id)]
    assert final["state"] == "final" and text_of(final)
    assert states[0] == "status" and "delta" in states and states[-1] == "final"
    said = "".join(row["deltaText"] for row in peer.chat(run_id) if row["state"] == "delta")
    assert said == text_of(final)
    seqs = [frame["seq"] for frame in peer.events]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))


async def test_a_plain_turn_costs_few_events(peer: Client) -> None:
    await peer.call("health")
    peer.events.clear()
    run_id = await peer.say("hello")
    await peer.final(run_id)
    turn = [frame for frame in peer.events if frame["payload"].get("runId") == run_id]
    assert len(turn) <= 30


async def test_history_has_both_sides_and_our_mark(peer: Client) -> None:
    run_id = await peer.say("hello")
    final = await peer.final(run_id)
    page = await peer.call("chat.history", {"sessionKey": "main"})
    user, answer = page["messages"][0], page["messages"][-1]
    assert user["content"] == "hello" and user["idempotencyKey"] == f"{run_id}:user"
    assert user["__openclaw"]["idempotencyKey"] == f"{run_id}:user"
    assert answer["content"][-1]["text"] == text_of(final)
    assert page["sessionInfo"]["key"] == "agent:main:main" and not page["hasMore"]


async def test_history_of_an_unknown_session_is_empty(peer: Client) -> None:
    page = await peer.call("chat.history", {"sessionKey": "agent:main:nobody"})
    assert page["messages"] == [] and page["totalMessages"] == 0 and page["defaults"]["model"] == "offline"


async def test_a_message_is_on_disk_when_it_is_acknowledged(peer: Client, gateway: Served) -> None:
    await peer.say("remember this exact sentence")
    files = [path for path in (gateway.state_dir / "agents" / "main" / "sessions").glob("*.jsonl") if path.stem != "index"]
    assert any("remember this exact sentence" in path.read_text() for path in files)


async def test_the_same_key_is_answered_once(peer: Client) -> None:
    run_id = await peer.say("hello")
    await peer.final(run_id)
    again = {"sessionKey": "main", "message": "hello", "idempotencyKey": run_id}
    assert (await peer.call("chat.send", again))["runId"] == run_id
    error = await peer.fails("chat.send", again | {"message": "other words"})
    assert error["code"] == "INVALID_REQUEST" and error["details"]["reason"] == "chat-request-conflict"
    page = await peer.call("chat.history", {"sessionKey": "main"})
    assert page["totalMessages"] == 2


async def test_remember_puts_a_note_on_disk(peer: Client, gateway: Served) -> None:
    final = await peer.final(await peer.say("remember that my cat is called Miso"))
    assert final["state"] == "final"
    notes = [path.read_text() for path in (gateway.state_dir / "workspace").rglob("*.md")]
    assert any("Miso" in note for note in notes)


async def test_run_ls_waits_for_a_yes(peer: Client, gateway: Served) -> None:
    (gateway.state_dir / "workspace" / "a-file-to-see").write_text("x")
    run_id = await peer.say("run `ls -la > listed.txt`")
    asked = await peer.event("exec.approval.requested")
    assert not (gateway.state_dir / "workspace" / "listed.txt").exists()
    assert "ls -la" in asked["request"]["command"]
    assert [row["id"] for row in await peer.call("exec.approval.list")] == [asked["id"]]
    await peer.call("exec.approval.resolve", {"id": asked["id"], "decision": "allow-once"})
    assert (await peer.final(run_id))["state"] == "final"
    assert "a-file-to-see" in (gateway.state_dir / "workspace" / "listed.txt").read_text()
    resolved = await peer.event("exec.approval.resolved")
    assert resolved["decision"] == "allow-once"
    tools = [frame["payload"]["data"]["phase"] for frame in peer.events if frame["payload"].get("stream") == "tool"]
    assert tools[0] == "start" and tools[-1] == "result"


async def test_a_no_is_a_no(peer: Client, gateway: Served) -> None:
    run_id = await peer.say("run `touch forbidden.txt`")
    asked = await peer.event("exec.approval.requested")
    await peer.call("exec.approval.resolve", {"id": asked["id"], "decision": "deny"})
    assert (await peer.final(run_id))["state"] == "final"
    assert not (gateway.state_dir / "workspace" / "forbidden.txt").exists()
    error = await peer.fails("exec.approval.resolve", {"id": asked["id"], "decision": "allow-once"})
    assert error["code"] == "APPROVAL_NOT_FOUND"


async def test_abort_ends_a_run_that_waits(peer: Client) -> None:
    run_id = await peer.say("run `touch never.txt`")
    await peer.event("exec.approval.requested")
    result = await peer.call("chat.abort", {"sessionKey": "main", "runId": run_id})
    assert result == {"ok": True, "aborted": True, "runIds": [run_id]}
    final = await peer.final(run_id)
    assert final["state"] == "aborted" and final["stopReason"] == "rpc"
    assert await peer.call("exec.approval.list") == []
    assert (await peer.call("chat.abort", {"sessionKey": "main"}))["aborted"] is False


async def test_tool_events_only_with_the_capability(gateway: Served) -> None:
    async with client(gateway.ws, gateway.token) as deaf:
        await deaf.final(await deaf.say("remember that tea is green"))
        assert not [frame for frame in deaf.events if frame["payload"].get("stream") in ("tool", "item")]


async def test_agent_answers_twice(peer: Client) -> None:
    run_id = str(uuid4())
    request = await peer.send("agent", {"message": "hello", "sessionKey": "agent:main:twice", "idempotencyKey": run_id})
    accepted = await peer.answer(request, 0)
    assert accepted["payload"]["status"] == "accepted" and accepted["payload"]["runId"] == run_id
    final = (await peer.answer(request, 1))["payload"]
    assert final["status"] == "ok" and final["result"]["payloads"][0]["text"]
    waited = await peer.call("agent.wait", {"runId": run_id, "timeoutMs": 1000})
    assert waited["status"] == "ok" and waited["terminalReply"]["text"] == final["result"]["payloads"][0]["text"]


async def test_subscribers_hear_messages_and_changes(peer: Client) -> None:
    assert await peer.call("sessions.subscribe") == {"subscribed": True}
    run_id = await peer.say("hello", key="agent:main:heard")
    await peer.final(run_id)
    user = await peer.event("session.message", messageSeq=1)
    assert user["message"]["idempotencyKey"] == f"{run_id}:user" and user["session"]["key"] == "agent:main:heard"
    await peer.event("session.message", messageSeq=2)
    await peer.event("sessions.changed", phase="end")
    await peer.event("sessions.changed", reason="agent.input.settled")


async def test_slash_commands_are_answered_by_the_gateway(peer: Client) -> None:
    said = {"/help": "/model", "/status": "builtin/offline", "/models": "builtin/offline", "/stop": "Nothing"}
    for command, wanted in said.items():
        assert wanted in text_of(await peer.final(await peer.say(command)))
    before = (await peer.call("sessions.describe", {"key": "main"}))["session"]["sessionId"]
    await peer.final(await peer.say("/new"))
    assert (await peer.call("sessions.describe", {"key": "main"}))["session"]["sessionId"] != before


async def test_history_survives_a_restart(tmp_path: Path) -> None:
    async with served(tmp_path / "s") as first, client(first.ws, first.token) as one:
        run_id = await one.say("hello")
        await one.final(run_id)
    async with served(tmp_path / "s") as second, client(second.ws, second.token) as two:
        assert second.token == first.token
        page = await two.call("chat.history", {"sessionKey": "main"})
        assert [message["role"] for message in page["messages"]] == ["user", "assistant"]
        again = await two.call("chat.send", {"sessionKey": "main", "message": "hello", "idempotencyKey": run_id})
        assert again["status"] != "started"
        assert (await two.call("chat.history", {"sessionKey": "main"}))["totalMessages"] == 2


async def test_goodbye_is_said(tmp_path: Path) -> None:
    async with served(tmp_path / "s") as running, client(running.ws, running.token) as one:
        running.stop.set()
        assert await one.event("shutdown")


async def test_logs_are_json_and_hold_no_token(peer: Client, gateway: Served) -> None:
    await peer.final(await peer.say("hello"))
    tail = await peer.call("logs.tail", {"limit": 50})
    assert tail["lines"] and all(json.loads(line)["level"] for line in tail["lines"])
    assert gateway.token not in json.dumps(tail)
