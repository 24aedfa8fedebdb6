"""A message's whole way: door, ledger, route, run, answer, and what strangers and owners may do on it."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.channels.contract import Callback, ChannelError
from openclaw_gateway.channels.conversation import FAILED_FOR_OTHERS, INTERRUPTED
from openclaw_kernel.agent.api import Outcome, RunRequest
from openclaw_kernel.safety.api import Card
from openclaw_kernel.values.envelope import Attachment, Peer, ReplyContext, Sender
from openclaw_kernel.values.events import MessageDelta, MessageStarted, RunEvent
from openclaw_kernel.values.messages import FileRef, Image, ModelFailure, Text
from tests.unit.channels.world import CAPS, FakePlatform, FakeRuntime, FakeTime, World, message, outcome, settle, until, world

OPEN = {"dmPolicy": "open", "allowFrom": ["*"]}
OWNER = {"commands": {"ownerAllowFrom": ["fake:ann"]}}
CARD = Card("Run ls", "ls", "/tmp", "exec asks", scopes=("allow-once", "deny"))


async def heard(found: World, count: int = 1) -> None:
    await until(lambda: len(found.platform.sent) >= count)
    await settle()


def words(request: RunRequest) -> str:
    return "".join(part.text for part in request.message.content if isinstance(part, Text))


async def test_an_answer_goes_back_to_where_the_question_came_from(tmp_path: Path) -> None:
    async with world(tmp_path, OPEN) as found:
        assert await found.says(message("hello")) == "accepted"
        await heard(found)
        [request] = found.runtime.requests
        assert words(request) == "hello" and request.session_key == "agent:main:main"
        [sent] = found.platform.sent
        assert (sent.text, sent.target) == ("the answer", Peer("direct", "ann"))
        assert await found.says(message("hello")) == "duplicate"
        assert len(found.platform.sent) == 1


async def test_a_stranger_gets_a_code_once_and_nothing_of_him_is_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "the quick brown secret"
    files = [Attachment("image", ref="file-1")]
    async with world(tmp_path, {}) as found:
        assert await found.says(message(secret, "eve", attachments=files)) == "refused"
        assert await found.says(message(secret, "eve", id="2")) == "refused"
        await heard(found)
        [row] = found.room.pairings.pending()
        assert found.sent == [text for text in found.sent if row.code in text] and len(found.sent) == 1
        assert found.runtime.requests == [] and found.platform.fetched == []
        assert secret not in caplog.text and row.code not in caplog.text and "eve" not in caplog.text
        on_disk = await asyncio.to_thread(lambda: "".join(path.read_text() for path in tmp_path.rglob("*.jsonl")))
        assert secret not in on_disk and "file-1" not in on_disk
        found.room.approve("fake", row.code, by="me", via="ui")
        await heard(found, 2)
        assert "You are known now" in found.sent[1] and row.owner is False
        assert found.room.pairings.is_owner("fake", "default", "eve"), "the first one is the owner"
        await found.says(message("now", "eve", id="3"))
        await heard(found, 3)
        assert found.sent[2] == "the answer"


async def test_a_code_is_told_even_when_the_gateway_stopped_between_the_two_ledgers(tmp_path: Path) -> None:
    async with world(tmp_path, {}) as found:
        found.room.pairings.challenge("fake", "default", "eve")
        await found.says(message("hi", "eve"))
        await heard(found)
        assert len(found.sent) == 1


async def test_a_rejected_stranger_hears_nothing_more(tmp_path: Path) -> None:
    async with world(tmp_path, {}) as found:
        await found.says(message("hi", "eve"))
        await heard(found)
        found.room.reject("fake", found.room.pairings.pending()[0].code, by="me")
        await found.says(message("hi", "eve", id="2"))
        assert len(found.sent) == 1 and [row.state for row in found.pairings] == ["pending", "rejected"]


async def test_group_talk_is_history_until_we_are_spoken_to(tmp_path: Path) -> None:
    block = {"groupPolicy": "open"}
    async with world(tmp_path, block) as found:
        for number in range(60):
            await found.says(message(f"line {number}", "bob", id=str(number), group="g"))
        assert found.runtime.requests == []
        await found.says(message("@us sum up", "ann", id="x", group="g"))
        await heard(found)
        said = words(found.runtime.requests[0])
        assert "bob: line 10\n" in said and "line 9\n" not in said and said.endswith("@us sum up")
        await found.says(message("@us again", "ann", id="y", group="g"))
        await heard(found, 2)
        assert "line" not in words(found.runtime.requests[1]), "told once"
        await found.says(message("yes", "ann", id="z", group="g", reply=ReplyContext("m1", from_us=True)))
        await heard(found, 3)


async def test_commands_go_past_the_model_and_only_for_who_may(tmp_path: Path) -> None:
    async with world(tmp_path, {**OPEN, "allowFrom": ["*", "bob"]}) as found:
        await found.says(message("/status", "bob"))
        await heard(found)
        assert found.commands == [("agent:main:main", "/status")] and found.sent == ["done /status"]
        await found.says(message("/new", "eve", id="2"))
        await settle()
        assert len(found.commands) == 1 and found.runtime.requests == [] and len(found.sent) == 1


async def test_a_command_knows_whether_the_owner_speaks(tmp_path: Path) -> None:
    async with world(tmp_path, {**OPEN, "allowFrom": ["*", "bob", "ann"]}, **OWNER) as found:
        for number, sender in enumerate(("bob", "ann")):
            await found.says(message("/new", sender, id=str(number)))
            await heard(found, number + 1)
        assert found.owners == ["", "fake:ann"]


async def test_a_shortcut_amid_other_words_is_answered_and_taken_out(tmp_path: Path) -> None:
    async with world(tmp_path, {**OPEN, "allowFrom": ["*", "bob"]}) as found:
        await found.says(message("tell me /status of the file /tmp/status please", "bob"))
        await heard(found, 2)
        assert found.sent == ["done /status", "the answer"]
        assert words(found.runtime.requests[0]) == "tell me of the file /tmp/status please"
        await found.says(message("a /status from a stranger", "eve", id="2"))
        await heard(found, 3)
        assert len(found.commands) == 1 and words(found.runtime.requests[1]) == "a /status from a stranger"


async def test_files_are_fetched_for_those_who_are_heard(tmp_path: Path) -> None:
    files = [Attachment("image", ref="p", media_type="image/png", name="a.png"), Attachment("document", ref="d", name="b.pdf")]
    async with world(tmp_path, OPEN) as found:
        await found.says(message("look", attachments=files))
        await heard(found)
        text, picture, document = found.runtime.requests[0].message.content
        assert isinstance(picture, Image) and isinstance(document, FileRef) and text == Text("look")
        assert "workspace-main" in document.path and document.path.endswith("b.pdf")


async def test_what_tools_made_goes_out_behind_the_words(tmp_path: Path) -> None:
    picture = tmp_path / "chart.png"
    picture.write_bytes(b"\x89PNG")
    async with world(tmp_path / "s", OPEN) as found:
        found.details.append({"media": [{"path": str(picture), "mediaType": "image/png", "name": "chart.png"}]})
        found.details.append({"media": [{"path": str(tmp_path / "gone.png"), "mediaType": "image/png"}]})
        await found.says(message("chart"))
        await heard(found, 2)
        words_, media = found.platform.sent
        assert words_.text == "the answer" and [item.name for item in media.media] == ["chart.png"]
        assert (words_.payload, media.payload) == ({"part": 1, "of": 2}, {"part": 2, "of": 2})


async def test_a_silent_answer_is_silence(tmp_path: Path) -> None:
    async with world(tmp_path, OPEN, runtime=FakeRuntime(lambda _request: "")) as found:
        await found.says(message())
        await until(lambda: not found.room.inbox or not found.room.inbox.pending())
        assert found.sent == []


async def test_a_long_answer_keeps_its_code_blocks_whole(tmp_path: Path) -> None:
    long = "intro\n\n```py\n" + "\n".join(f"x{n} = {n}" for n in range(100)) + "\n```\nend"
    async with world(tmp_path, OPEN, runtime=FakeRuntime(lambda _r: long), caps=replace(CAPS, format="discord")) as found:
        await found.says(message())
        await heard(found, 3)
        assert all(len(text) <= CAPS.text_limit and text.count("```") % 2 == 0 for text in found.sent)


@pytest.mark.parametrize("cut", ["inbox", "running", "answered"])
async def test_after_a_crash_a_message_is_answered_once(tmp_path: Path, cut: str) -> None:
    time, runtime = FakeTime(), FakeRuntime()
    runtime.hold = asyncio.Event()
    platform = FakePlatform()
    async with world(tmp_path / "a", OPEN, time=time, runtime=runtime, platform=platform) as found:
        await found.says(message("hello"))
        await until(lambda: runtime.requests)
        # A copy of the disk at this moment is what a crash leaves behind.
        await asyncio.to_thread(_copy, tmp_path / "a", tmp_path / "b")
    after = FakeRuntime()
    if cut == "running":
        after.done[runtime.requests[0].run_id] = _ended(runtime.requests[0], "", "aborted", "restart")
    elif cut == "answered":
        after.done[runtime.requests[0].run_id] = _ended(runtime.requests[0], "it is done", "ok", "stop")
    async with world(tmp_path / "b", OPEN, time=time, runtime=after) as again:
        assert await again.says(message("hello")) == "duplicate"
        await heard(again)
        await time.advance(60)
        wanted = {"inbox": "the answer", "running": INTERRUPTED, "answered": "it is done"}[cut]
        assert again.sent == [wanted]
        assert len(after.requests) == (1 if cut == "inbox" else 0)
        if cut == "inbox":
            assert after.requests[0].run_id == runtime.requests[0].run_id


def _ended(request: RunRequest, text: str, status: Any, reason: str) -> Outcome:
    return outcome(request, text, status, reason)


def _copy(source: Path, target: Path) -> None:
    for path in source.rglob("*.jsonl"):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())


async def test_a_failed_run_tells_the_owner_why_and_others_only_that(tmp_path: Path) -> None:
    async with world(tmp_path, OPEN, **OWNER) as found:
        for number, sender in enumerate(("ann", "eve")):
            request = RunRequest("", "agent:main:main", None)  # type: ignore[arg-type]
            failed = replace(outcome(request, "", "error"), error=ModelFailure("key refused by https://api"))
            found.runtime.wait = lambda run_id, limit=None, failed=failed: _wait(run_id, limit, failed)  # type: ignore[method-assign]
            await found.says(message("hi", sender, id=str(number)))
            await heard(found, number + 1)
        assert found.sent == ["⚠️ key refused by https://api", FAILED_FOR_OTHERS]


async def _wait(run_id: str, limit: float | None, failed: Outcome) -> Outcome | None:
    return None if limit == 0 else replace(failed, run_id=run_id)


async def test_only_the_owner_moves_the_last_route_of_the_shared_session(tmp_path: Path) -> None:
    async with world(tmp_path, OPEN, **OWNER) as found:
        await found.says(message("hi", "eve"))
        await found.says(message("hi", "ann", id="2"))
        await heard(found, 2)
        assert found.routes == [("agent:main:main", "ann")]


async def test_a_question_is_put_to_the_owner_in_his_chat_and_answered_by_a_button(tmp_path: Path) -> None:
    runtime = FakeRuntime()
    runtime.hold = asyncio.Event()
    async with world(tmp_path, OPEN, runtime=runtime, **OWNER) as found:
        await found.says(message("run it"))
        await until(lambda: runtime.requests)
        run_id = runtime.requests[0].run_id
        approval = found.approvals.request(CARD, session_key="agent:main:main", agent_id="main", run_id=run_id)
        await heard(found)
        buttons = (found.platform.sent[0].payload or {})["buttons"]
        assert [row["data"] for row in buttons[0]] == [f"approve:{approval.id}:allow-once", f"approve:{approval.id}:deny"]
        assert all(len(row["data"].encode()) <= 64 for row in buttons[0])

        def press(who: str, data: str) -> Any:
            return found.room.pressed(Callback("fake", "default", Peer("direct", who), Sender(who), data))

        assert await press("eve", f"approve:{approval.id}:allow-once") == "Only the owner can answer this."
        assert await press("ann", "nonsense") == "There is nothing to answer any more."
        assert found.approvals.get(approval.id).state == "pending"
        assert await press("ann", f"approve:{approval.id}:allow-once") == "Allowed once."
        assert found.approvals.get(approval.id).resolved_by == "fake:ann"
        assert await press("ann", f"approve:{approval.id}:deny") == "There is nothing to answer any more."
        runtime.hold.set()
        await heard(found, 2)


async def test_a_question_of_a_stranger_s_run_is_not_shown_to_him_and_text_answers_too(tmp_path: Path) -> None:
    runtime = FakeRuntime()
    runtime.hold = asyncio.Event()
    block = {**OPEN, "allowFrom": ["*", "eve"]}
    async with world(tmp_path, block, runtime=runtime, caps=replace(CAPS, buttons=False), **OWNER) as found:
        await found.says(message("run it", "eve"))
        await until(lambda: runtime.requests)
        approval = found.approvals.request(
            CARD, session_key="agent:main:main", agent_id="main", run_id=runtime.requests[0].run_id
        )
        await settle()
        assert found.sent == []
        await found.says(message(f"/approve {approval.id} allow-once", "eve", id="2"))
        await heard(found)
        assert found.sent == ["Only the owner can answer this."]
        await found.says(message(f"/approve {approval.id} deny", "ann", id="3"))
        await heard(found, 2)
        assert found.sent[1] == "Denied." and found.approvals.get(approval.id).decision == "deny"
        runtime.hold.set()


async def test_typing_and_a_growing_answer_that_becomes_the_answer(tmp_path: Path, time: FakeTime) -> None:
    runtime = FakeRuntime(lambda _r: "The whole long answer, at last.")
    runtime.hold = asyncio.Event()
    block = {**OPEN, "streaming": "partial"}
    async with world(tmp_path, block, time=time, runtime=runtime, caps=replace(CAPS, edit=True)) as found:
        await found.says(message())
        await until(lambda: runtime.requests and found.platform.typed == 1)
        hear = runtime.listeners[runtime.requests[0].run_id]

        def emit(event: Any) -> None:
            hear(RunEvent(runtime.requests[0].run_id, "k", "main", 1, event))

        emit(MessageStarted("i"))
        emit(MessageDelta("i", "The whole long answer"))
        await until(lambda: found.sent)
        await settle()
        assert found.sent == ["The whole long answer"]
        emit(MessageDelta("i", ", at"))
        await time.advance(1.1)
        assert found.platform.edits == [("m1", "The whole long answer, at")]
        await time.advance(6)
        assert found.platform.typed >= 2
        runtime.hold.set()
        await until(lambda: len(found.platform.edits) == 2)
        assert found.platform.edits[-1] == ("m1", "The whole long answer, at last.") and len(found.sent) == 1


async def test_a_preview_that_fails_leaves_the_answer_alone(tmp_path: Path, time: FakeTime) -> None:
    runtime = FakeRuntime(lambda _r: "The whole long answer, at last.")
    runtime.hold = asyncio.Event()
    block = {**OPEN, "streaming": "partial"}
    async with world(tmp_path, block, time=time, runtime=runtime, caps=replace(CAPS, edit=True)) as found:
        await found.says(message())
        await until(lambda: runtime.requests)
        found.platform.script.append(ChannelError("429", "retry", 3))
        hear = runtime.listeners[runtime.requests[0].run_id]
        hear(RunEvent("r", "k", "main", 1, MessageDelta("i", "The whole long answer")))
        await settle()
        runtime.hold.set()
        await heard(found)
        assert found.sent == ["The whole long answer, at last."] and found.platform.edits == []


async def test_bots_that_answer_each_other_are_quieted(tmp_path: Path, time: FakeTime) -> None:
    async with world(tmp_path, OPEN, time=time) as found:
        bot = Sender("robo", is_bot=True)
        receipts = [await found.says(replace(message(id=str(n), sender="robo"), sender=bot)) for n in range(25)]
        assert receipts == ["accepted"] * 20 + ["refused"] * 5
        time.now += 60_001
        assert await found.says(replace(message(id="x", sender="robo"), sender=bot)) == "accepted"


async def test_several_agents_without_a_default_refuse(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    agents = {"list": [{"id": "a"}, {"id": "b"}]}
    async with world(tmp_path, OPEN, agents=agents) as found:
        await found.says(message("private words"))
        await settle()
        assert found.runtime.requests == [] and found.sent == []
        assert "no agent is the default" in caplog.text and "private words" not in caplog.text


async def test_a_wrong_binding_stops_the_channels_with_one_sentence_and_a_reload_mends_it(tmp_path: Path) -> None:
    async with world(tmp_path, OPEN, bindings=[{"agentId": "nobody", "match": {"channel": "fake"}}]) as found:
        assert found.room.problem.startswith("bindings[0].agentId is 'nobody'") and found.room.manager is None


async def test_saying_something_waits_for_the_platform_and_is_said_once(tmp_path: Path) -> None:
    async with world(tmp_path, OPEN) as found:
        rows = await found.room.say("fake", Peer("group", "g"), "news", "key-1")
        assert [row.state for row in rows] == ["done"] and found.sent == ["news"]
        again = await found.room.say("fake", Peer("group", "g"), "news", "key-1")
        assert [row.sent for row in again] == [row.sent for row in rows] and found.sent == ["news"]


async def test_a_surface_goes_out_as_a_picture(tmp_path: Path) -> None:
    chart = {"id": "root", "component": "Chart", "kind": "bar", "data": [{"x": "a", "y": 1}], "x": "x", "y": ["y"]}
    messages = [
        {
            "version": "v0.9",
            "createSurface": {"surfaceId": "s", "catalogId": "https://a2ui.org/specification/v0_9/basic_catalog.json"},
        },
        {"version": "v0.9", "updateComponents": {"surfaceId": "s", "components": [chart]}},
    ]
    async with world(tmp_path, OPEN) as found:
        found.details.append({"surface": {"surfaceId": "s", "title": "Sales", "messages": messages}})
        await found.says(message("chart"))
        await heard(found, 2)
        [picture] = found.platform.sent[1].media
        assert picture.media_type == "image/png" and picture.size > 100
        assert "Sales" in picture.name


async def test_groups_may_share_the_main_session(tmp_path: Path) -> None:
    block = {"groupPolicy": "open", "requireMention": False}
    async with world(tmp_path, block, session={"groupScope": "main"}) as found:
        await found.says(message("hi", group="g"))
        await heard(found)
        assert found.runtime.requests[0].session_key == "agent:main:main"
        assert found.platform.sent[0].target == Peer("group", "g") and found.routes == []


async def test_a_plugin_may_hear_of_messages_and_change_or_keep_back_answers(tmp_path: Path) -> None:
    async with world(tmp_path, OPEN, **OWNER) as found:
        heard_of: list[str] = []

        async def change(outbound: Any) -> Any:
            if "secret" in outbound.text:
                raise ChannelError("kept back", "refused")
            return replace(outbound, text=outbound.text.upper())

        assert found.room._opened is not None
        house = found.room._opened._house
        changed = replace(house, before_send=change, received=lambda key, inbound: heard_of.append(key))
        found.room._opened._house = changed
        found.room._opened.inbox._handle.__self__._house = changed  # type: ignore[attr-defined]
        await found.says(message("hi", "eve"))
        await heard(found)
        assert found.sent == ["THE ANSWER"] and heard_of == ["agent:main:main"]
        found.runtime.answers = lambda _request: "a secret"
        await found.says(message("hi", "eve", id="2"))
        await until(lambda: found.room.outbox is not None and found.room.outbox.dead())
        assert len(found.sent) == 1
