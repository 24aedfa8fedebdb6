"""Messages on the wire while a run is under way."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from tests.fakes.model_server import FakeModelServer
from tests.flow.processes import provider
from tests.flow.wire import Client, client, served, text_of


async def started(peer: Client, text: str) -> str:
    """A run that is in its model call."""
    run_id = await peer.say(text)
    await peer.event("agent", runId=run_id, stream="lifecycle")
    return run_id


async def test_a_word_between_two_tools_is_heard_and_the_rest_is_skipped(tmp_path: Path) -> None:
    async with FakeModelServer() as model:
        config = provider(model.openai_url)
        config["tools"] = {"exec": {"security": "full", "ask": "off"}}
        async with served(tmp_path / "s", config) as live, client(live.ws, live.token, caps=["tool-events"]) as peer:
            go = live.state_dir / "workspace" / "go"
            wait = json.dumps({"command": "for i in $(seq 200); do test -e go && break; sleep 0.05; done; echo waited"})
            write = json.dumps({"path": "never.txt", "content": "x"})
            first = await peer.say(f"[[tool exec {wait}]] [[tool write {write}]] start")
            await peer.event("agent", runId=first, stream="tool")
            second = await peer.say("rather tell me about the sea")
            await asyncio.to_thread(go.write_text, "go")
            final = await peer.final(first)
            steered = await peer.final(second)
            assert final["state"] == "final" and steered["state"] == "final" and "message" not in steered
            assert not (live.state_dir / "workspace" / "never.txt").exists()
            last = json.dumps(model.requests[-1].body)
            assert "about the sea" in last and "Not run: the user said something new first." in last
            assert (await peer.call("chat.history", {"sessionKey": "main"}))["messages"][-2]["content"].startswith("rather")


async def test_a_waiting_message_has_an_id_that_abort_takes_back(tmp_path: Path) -> None:
    async with (
        FakeModelServer() as model,
        served(tmp_path / "s", provider(model.openai_url)) as live,
        client(live.ws, live.token) as peer,
    ):
        first = await started(peer, "[[sleep 20]] slow")
        second = await peer.say("never mind")
        aborted = await peer.call("chat.abort", {"sessionKey": "main", "runId": second})
        assert aborted["runIds"] == [second] and (await peer.final(second))["state"] == "aborted"
        third = await peer.say("stop that, and answer this", queueMode="interrupt")
        assert (await peer.final(first))["state"] == "aborted"
        assert text_of(await peer.final(third))
        assert "never mind" not in json.dumps(model.requests[-1].body)


async def test_the_queue_command_sets_the_session(tmp_path: Path) -> None:
    async with served(tmp_path / "s") as live, client(live.ws, live.token) as peer:
        said = text_of(await peer.final(await peer.say("/queue collect debounce:1s cap:5 drop:old")))
        assert said == "Queue: collect, debounce 1000 ms, cap 5, drop old."
        assert "is not an option" in text_of(await peer.final(await peer.say("/queue sideways")))
        assert text_of(await peer.final(await peer.say("/queue reset"))).startswith("Queue: steer, debounce 500 ms, cap 20")


async def test_a_client_does_not_take_back_what_another_one_queued(tmp_path: Path) -> None:
    mine = ["operator.read", "operator.write"]
    async with (
        FakeModelServer() as model,
        served(tmp_path / "s", provider(model.openai_url)) as live,
        client(live.ws, live.token) as owner,
        client(live.ws, live.token, scopes=mine) as other,
    ):
        await started(owner, "[[sleep 20]] slow")
        second = await owner.say("wait for me")
        refused = await other.fails("chat.abort", {"sessionKey": "main", "runId": second})
        assert refused["message"] == "unauthorized"
        assert (await owner.call("chat.abort", {"sessionKey": "main"}))["aborted"]
