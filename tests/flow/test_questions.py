"""A question of the assistant under a real gateway: asked, replayed after a reconnect, answered, refused, withdrawn."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from tests.fakes.model_server import FakeModelServer
from tests.flow.processes import provider, records, running
from tests.flow.wire import Client, client

ASK = {
    "questions": [
        {
            "header": "Colour",
            "question": "Which colour?",
            "options": ["Red", "Blue | sky"],
        },
        {"header": "Days", "question": "When?", "options": ["Mon", "Tue"], "multiSelect": True},
        {"header": "Name", "question": "What name?"},
    ]
}
SAY = f"[[tool ask_user {json.dumps(ASK)}]]"


def _last(model: FakeModelServer) -> str:
    return json.dumps(model.requests[-1].body["messages"])


async def _asked(peer: Client, run_id: str) -> dict[str, Any]:
    return await peer.event("question.requested", runId=run_id)


async def test_a_question_survives_a_reconnect_and_its_answer_reaches_the_model(tmp_path: Path) -> None:
    async with FakeModelServer() as model, running(tmp_path / "state", provider(model.openai_url)) as live:
        async with client(live.ws, live.token) as first:
            run_id = await first.say(SAY)
            row = await _asked(first, run_id)
        assert row["status"] == "pending" and row["sessionKey"] == "agent:main:main" and row["agentId"] == "main"
        assert row["expiresAtMs"] - row["createdAtMs"] == 30 * 60 * 1000
        assert row["questions"][0] == {
            "questionId": "q1",
            "header": "Colour",
            "question": "Which colour?",
            "options": [{"label": "Red"}, {"label": "Blue", "description": "sky"}],
            "isOther": True,
        }
        async with client(live.ws, live.token) as peer, client(live.ws, live.token) as other:
            assert (await peer.call("question.list"))["questions"] == [row]
            assert (await peer.call("question.get", {"id": row["id"]})) == {"question": row}
            assert await peer.call("question.waitAnswer", {"id": row["id"], "timeoutMs": 1}) == {"status": "pending"}
            short = {"answers": {"q1": ["Red"]}}
            assert (await peer.fails("question.resolve", {"id": row["id"], "answers": short}))["details"]["reason"]
            answers = {"answers": {"q1": ["Blue"], "q2": ["Mon", "Tue"], "q3": ["Ada"]}}
            waiting = asyncio.ensure_future(other.call("question.waitAnswer", {"id": row["id"]}))
            settled = {"status": "answered", "answers": answers}
            assert await peer.call("question.resolve", {"id": row["id"], "answers": answers}) == settled
            assert await waiting == settled
            assert await other.event("question.resolved", id=row["id"]) == {"id": row["id"], **settled}
            await peer.call("agent.wait", {"runId": run_id, "timeoutMs": 30_000})
            assert "Colour: Blue" in _last(model) and "Days: Mon; Tue" in _last(model) and "Name: Ada" in _last(model)
            again = await peer.fails("question.resolve", {"id": row["id"], "answers": answers})
            assert again["details"]["reason"] == "QUESTION_ALREADY_TERMINAL"
            assert (await peer.fails("question.get", {"id": "nope"}))["details"]["reason"] == "QUESTION_NOT_FOUND"


async def test_a_stop_withdraws_the_question_and_a_crash_expires_it(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with FakeModelServer() as model:
        config = provider(model.openai_url)
        async with running(state, config) as live, client(live.ws, live.token) as peer:
            run_id = await peer.say(SAY)
            row = await _asked(peer, run_id)
            await peer.call("chat.abort", {"sessionKey": "main", "runId": run_id})
            assert await peer.event("question.resolved", id=row["id"]) == {"id": row["id"], "status": "cancelled"}
            run_id = await peer.say(SAY, key="agent:main:two")
            row = await _asked(peer, run_id)
            await peer.call("question.resolve", {"id": row["id"], "cancel": True})
            assert (await peer.final(run_id))["state"] == "final" and "does not want to answer" in _last(model)
            row = await _asked(peer, await peer.say(SAY, key="agent:main:three"))
            await live.kill()
        async with running(state, config) as live, client(live.ws, live.token) as peer:
            assert (await peer.call("question.get", {"id": row["id"]}))["question"]["status"] == "expired"
            assert row["id"] not in [one["id"] for one in (await peer.call("question.list"))["questions"]]


async def test_who_has_not_the_scope_neither_sees_nor_answers(tmp_path: Path) -> None:
    async with FakeModelServer() as model, running(tmp_path / "state", provider(model.openai_url)) as live:
        scopes = ["operator.read", "operator.write", "operator.approvals"]
        async with client(live.ws, live.token) as peer, client(live.ws, live.token, scopes=scopes) as other:
            row = await _asked(peer, await peer.say(SAY))
            for method, params in (("question.list", {}), ("question.resolve", {"id": row["id"], "cancel": True})):
                assert (await other.fails(method, params))["code"] == "FORBIDDEN"
            assert not [frame for frame in other.events if frame["event"].startswith("question.")]
            await peer.call("question.resolve", {"id": row["id"], "cancel": True})


async def test_a_client_asks_by_itself(tmp_path: Path) -> None:
    async with (
        FakeModelServer() as model,
        running(tmp_path / "state", provider(model.openai_url)) as live,
        client(live.ws, live.token) as peer,
    ):
        one = {"questionId": "answer", "header": "Go", "question": "On?", "options": [{"label": "Yes"}, {"label": "No"}]}
        made = await peer.call(
            "question.request", {"id": "mine", "questions": [one], "sessionKey": "main", "timeoutMs": 60_000}
        )
        assert made["id"] == "mine" and set(made) == {"id", "expiresAtMs"}
        taken = await peer.fails("question.request", {"id": "mine", "questions": [one]})
        assert taken["details"]["reason"] == "QUESTION_ID_IN_USE"
        wrong = await peer.fails("question.resolve", {"id": "mine", "answers": {"answers": {"answer": ["Maybe"]}}})
        assert wrong["details"]["reason"] == "QUESTION_INVALID_ANSWER"
        assert "secrets" in (await peer.fails("question.request", {"questions": [one | {"isSecret": True}]}))["message"]
        await peer.call("question.resolve", {"id": "mine", "answers": {"answers": {"answer": ["Yes"]}}})


async def test_the_gateway_tool_changes_only_what_the_owner_approves(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with FakeModelServer() as model:
        config = provider(model.openai_url, tools={"alsoAllow": ["gateway"]})
        async with running(state, config) as live, client(live.ws, live.token) as peer:
            patch = {"action": "config.patch", "patch": {"ui": {"assistant": {"name": "Claw"}}}}
            run_id = await peer.say(f"[[tool gateway {json.dumps(patch)}]]")
            asked = await peer.event("exec.approval.requested")
            assert asked["request"]["allowedDecisions"] == ["allow-once", "deny"] and "Claw" in asked["request"]["command"]
            await peer.call("exec.approval.resolve", {"id": asked["id"], "decision": "allow-once"})
            await peer.final(run_id)
            assert (await peer.call("config.get"))["parsed"]["ui"] == {"assistant": {"name": "Claw"}}
            shut = {"action": "config.patch", "patch": {"tools": {"exec": {"security": "full"}}}}
            await peer.final(await peer.say(f"[[tool gateway {json.dumps(shut)}]]"))
            assert "may only be changed by a person" in _last(model)
            assert len([frame for frame in peer.events if frame["event"] == "exec.approval.requested"]) == 1
            await peer.final(await peer.say('[[tool gateway {"action": "config.get", "path": "models"}]]'))
            assert "a-key-the-fake-provider-takes" not in _last(model)
    assert "a-key-the-fake-provider-takes" not in json.dumps(list(records(state)))


async def test_a_question_is_answered_from_the_command_line(tmp_path: Path) -> None:
    async with (
        FakeModelServer() as model,
        running(tmp_path / "state", provider(model.openai_url)) as live,
        client(live.ws, live.token) as peer,
    ):
        run_id = await peer.say(SAY)
        await _asked(peer, run_id)
        command = [sys.executable, "-m", "openclaw_gateway", "questions", "answer", "--state-dir", str(live.state_dir)]
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        said, _ = await asyncio.wait_for(process.communicate(b"2\n1,2\nAda\n"), 60)
        assert process.returncode == 0 and b"Which colour?" in said, said
        await peer.final(run_id)
        assert "Colour: Blue" in _last(model) and "Days: Mon; Tue" in _last(model)
