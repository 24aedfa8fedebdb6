"""What a session keeps in mind, through a real gateway and a model server that speaks a real wire format."""

from __future__ import annotations

import json
from pathlib import Path

from tests.fakes.model_server import FakeModelServer
from tests.flow.processes import provider
from tests.flow.wire import Client, client, served, text_of


async def say(peer: Client, text: str, key: str = "main") -> str:
    return text_of(await peer.final(await peer.say(text, key)))


async def test_pins_reach_the_model_and_outlive_the_gateway(tmp_path: Path) -> None:
    async with FakeModelServer() as model:
        config = provider(model.openai_url)
        async with served(tmp_path / "s", config) as live, client(live.ws, live.token) as peer:
            assert await say(peer, "/pins") == "Nothing is pinned. Pin a constraint that must always hold with `/pin TEXT`."
            assert await say(peer, "/pin Never mail my boss.") == "Pinned: Never mail my boss."
            await say(peer, "hello")
            assert "Never mail my boss." in json.dumps(model.requests[-1].body)
        async with served(tmp_path / "s", config) as live, client(live.ws, live.token) as peer:
            assert "1. Never mail my boss." in await say(peer, "/pins")
            assert "no pin 4" in await say(peer, "/unpin 4")
            assert await say(peer, "/unpin 1") == "No longer pinned: Never mail my boss."
            await say(peer, "hello", "agent:main:other")
            assert "Never mail my boss." not in json.dumps(model.requests[-1].body)


async def test_a_client_without_the_owners_scope_does_not_pin(tmp_path: Path) -> None:
    async with served(tmp_path / "s") as live:
        async with client(live.ws, live.token, scopes=["operator.read", "operator.write"]) as peer:
            params = {"sessionKey": "main", "message": "/pin Obey me.", "idempotencyKey": "p1"}
            assert "operator.admin" in (await peer.fails("chat.send", params))["message"]
        async with client(live.ws, live.token) as peer:
            assert "Nothing is pinned" in await say(peer, "/pins")


async def test_context_accounts_for_the_prompt(tmp_path: Path) -> None:
    async with (
        FakeModelServer() as model,
        served(tmp_path / "s", provider(model.openai_url)) as live,
        client(live.ws, live.token) as peer,
    ):
        await say(peer, "hello")
        listed = await say(peer, "/context")
        assert "| safety |" in listed and "| AGENTS.md |" in listed and "tools |" in listed
        assert "| · exec |" in await say(peer, "/context detail")
        told = json.loads((await say(peer, "/context json")).removeprefix("```json\n").removesuffix("\n```"))
        assert told["promptTokens"] <= 6_000 and told["model"] == "fake/fake-1"
        sent = json.dumps(model.requests[-1].body)
        assert all(one["name"] in sent for one in told["tools"])


async def test_new_with_a_model_and_reset(tmp_path: Path) -> None:
    async with (
        FakeModelServer() as model,
        served(tmp_path / "s", provider(model.openai_url)) as live,
        client(live.ws, live.token) as peer,
    ):
        await say(peer, "my word is kumquat")
        assert "nobody" in await say(peer, "/new nobody/nothing")
        assert "`fake/fake-2`" in await say(peer, "/new fake/fake-2")
        await say(peer, "hello")
        body = model.requests[-1].body
        assert body["model"] == "fake-2" and "kumquat" not in json.dumps(body)
        assert "stays" in await say(peer, "/reset soft")
        await say(peer, "hello again")
        assert len(model.requests[-1].body["messages"]) > 3


async def test_compact_is_answered_on_the_wire(tmp_path: Path) -> None:
    async with (
        FakeModelServer() as model,
        served(tmp_path / "s", provider(model.openai_url)) as live,
        client(live.ws, live.token) as peer,
    ):
        await say(peer, "hello")
        answer = await peer.call("sessions.compact", {"key": "agent:main:main"})
        assert answer["compacted"] is False and "nothing old enough" in answer["reason"]
        assert "unknown session" in (await peer.fails("sessions.compact", {"key": "agent:main:nobody"}))["message"]
        assert "nothing old enough" in await say(peer, "/compact")


async def test_an_overflow_error_on_the_wire_writes_notes_shortens_and_goes_on(tmp_path: Path) -> None:
    summary = "## Decisions\nnone\n## Open\nnone\n## Constraints\nnone\n## Facts\nOPS-77"
    async with FakeModelServer() as model:
        config = provider(model.openai_url)
        config["agents"]["defaults"]["compaction"] = {"keepRecentTokens": 300}
        async with served(tmp_path / "s", config) as live, client(live.ws, live.token) as peer:
            await say(peer, f"The ticket is OPS-77. [[echo {summary}]] " + "x" * 2_000)
            for number in range(4):
                await say(peer, f"more {number} " + "y" * 1_000)
            final = await peer.final(await peer.say("[[fail 413 once]] go on"))
            assert final["state"] == "final", final
            sent = [json.dumps(request.body) for request in model.requests if request.method == "POST"]
            order = [
                "notes" if "You keep the notes" in one else "summary" if "Summarise the conv" in one else "turn" for one in sent
            ]
            assert order[-4:] == ["turn", "notes", "summary", "turn"]
            assert "Summary of the earlier conversation" in sent[-1] and "OPS-77" in sent[-1] and "x" * 2_000 not in sent[-1]
            page = await peer.call("chat.history", {"sessionKey": "main"})
            assert page["totalMessages"] == 12 and "x" * 2_000 in json.dumps(page["messages"][0])
            assert (await say(peer, "/compact undo")) == "The full history is back."
            await say(peer, "and now")
            assert "x" * 2_000 in json.dumps(model.requests[-1].body)
