"""From the house to Telegram: text, files, buttons, edits, and what a failure means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.channels.contract import ChannelError
from openclaw_kernel.values.envelope import Attachment, Outbound, Peer, Thread
from tests.fakes.telegram_server import TelegramServer
from tests.unit.channels_telegram.conftest import PLUGIN, Host, Start

ANN = Peer("direct", "42")


@pytest.fixture
def chat(server: TelegramServer) -> None:
    server.world.say("hi", user=42)


def outbound(text: str = "", **more: Any) -> Outbound:
    return Outbound("telegram", more.pop("target", ANN), "d" * 32, text=text, **more)


async def failed(live: Any, message: Outbound) -> ChannelError:
    with pytest.raises(ChannelError) as caught:
        await PLUGIN.outbound.send(live, message)
    return caught.value


async def test_html_is_sent_and_read_as_text(server: TelegramServer, start: Start, chat: None) -> None:
    async with start() as live:
        sent = await PLUGIN.outbound.send(live, outbound("<b>1 &lt; 2</b>\n<pre>x</pre>", reply_to="1"))
    assert server.world.texts(42) == ["1 < 2\nx"]
    arguments = server.of("sendMessage")[0].arguments
    assert arguments["parse_mode"] == "HTML" and sent.conversation == "42"
    assert json.loads(arguments["reply_parameters"])["message_id"] == 1


async def test_refused_markup_is_told_and_plain_text_passes(server: TelegramServer, start: Start, chat: None) -> None:
    async with start() as live:
        error = await failed(live, outbound("a <b>bold"))
        assert error.kind == "markup"
        await PLUGIN.outbound.send(live, outbound("a <b>bold", payload={"format": "plain"}))
    assert server.world.texts(42) == ["a <b>bold"]


async def test_too_long_is_refused_by_telegram(server: TelegramServer, start: Start, chat: None) -> None:
    async with start() as live:
        assert (await failed(live, outbound("x" * 4097))).kind == "refused"
        await PLUGIN.outbound.send(live, outbound("x" * 4096))


@pytest.mark.parametrize(
    ("how", "kind", "wait"),
    [
        ({"code": 429, "retry_after": 3}, "retry", 3.0),
        ({"code": 403}, "refused", None),
        ({"code": 400, "description": "Bad Request: chat not found"}, "refused", None),
        ({"code": 503, "description": "Service Unavailable"}, "retry", None),
        ({"code": 502, "description": "Bad Gateway"}, "ambiguous", None),
        ({"close": True}, "ambiguous", None),
        ({"close": True, "after": True}, "ambiguous", None),
    ],
)
async def test_a_failed_send_is_what_it_is(
    server: TelegramServer, start: Start, chat: None, how: dict[str, Any], kind: str, wait: float | None
) -> None:
    async with start() as live:
        server.fail("sendMessage", **how)
        error = await failed(live, outbound("hello"))
    assert (error.kind, error.retry_after_s) == (kind, wait)
    assert server.world.texts(42) == (["hello"] if how.get("after") else [])


async def test_no_connection_at_all_may_be_tried_again(server: TelegramServer, start: Start, chat: None) -> None:
    async with start() as live:
        await server.stop()
        assert (await failed(live, outbound("hello"))).kind == "retry"


async def test_files_go_out_by_kind(server: TelegramServer, start: Start, chat: None, tmp_path: Path) -> None:
    file = tmp_path / "chart.png"
    file.write_bytes(b"\x89PNG" + b"0" * 100)
    rows = [
        ("image", "image/png", "sendPhoto"),
        ("image", "image/svg+xml", "sendDocument"),
        ("audio", "audio/ogg", "sendVoice"),
        ("audio", "audio/mpeg", "sendAudio"),
        ("video", "video/mp4", "sendVideo"),
        ("document", "text/csv", "sendDocument"),
    ]
    async with start() as live:
        for kind, media_type, _ in rows:
            media = (Attachment(kind, path=str(file), media_type=media_type, name="chart.png"),)
            await PLUGIN.outbound.send(live, outbound("<i>see</i>", media=media))
    sent = [call for call in server.calls if call.method.startswith("send")]
    assert [call.method for call in sent] == [method for *_, method in rows]
    assert [row[1] for call in sent for row in call.files.values()] == [file.read_bytes()] * len(rows)
    assert server.world.texts(42) == ["see"] * len(rows)


async def test_a_text_too_long_for_a_caption_goes_first(
    server: TelegramServer, start: Start, chat: None, tmp_path: Path
) -> None:
    file = tmp_path / "a.bin"
    file.write_bytes(b"1")
    media = (Attachment("document", path=str(file)),)
    async with start() as live:
        await PLUGIN.outbound.send(live, outbound("y" * 2000, media=media))
        server.fail("sendDocument", code=429, retry_after=1)
        error = await failed(live, outbound("z" * 2000, media=media))
    assert error.kind == "ambiguous" and "part" in str(error)
    assert server.world.texts(42) == ["y" * 2000, "", "z" * 2000]


async def test_a_missing_or_large_file_is_refused_before_anything_is_sent(
    server: TelegramServer, start: Start, chat: None, tmp_path: Path
) -> None:
    large = tmp_path / "large"
    large.write_bytes(b"0" * 2000)
    async with start(mediaMaxMb=0.001) as live:
        for path in (large, tmp_path / "none"):
            error = await failed(live, outbound("x", media=(Attachment("document", path=str(path)),)))
            assert error.kind == "refused"
    assert [call for call in server.calls if call.method.startswith("send")] == []


async def test_edits_replace_text_and_buttons(server: TelegramServer, start: Start, chat: None, tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(b"1")
    async with start() as live:
        sent = await PLUGIN.outbound.send(live, outbound("one", payload={"buttons": [[{"label": "A", "data": "a"}]]}))
        await PLUGIN.outbound.edit(live, sent, outbound("<b>two</b>"))
        await PLUGIN.outbound.edit(live, sent, outbound("<b>two</b>"))
        picture = await PLUGIN.outbound.send(live, outbound("cap", media=(Attachment("image", path=str(file)),)))
        await PLUGIN.outbound.edit(live, picture, outbound("new cap"))
        await PLUGIN.outbound.typing(live, ANN, None)
        with pytest.raises(ChannelError) as caught:
            await PLUGIN.outbound.edit(live, sent, outbound("<b>two"))
    assert caught.value.kind == "markup"
    assert server.world.texts(42) == ["two", "new cap"]
    assert "reply_markup" not in server.world.messages[42, int(sent.message_id)]
    assert server.of("sendChatAction")[0].arguments["action"] == "typing"


async def test_a_button_that_carries_too_much_is_refused(server: TelegramServer, start: Start, chat: None) -> None:
    payload = {"buttons": [[{"label": "A", "data": "ü" * 33}]]}
    async with start() as live:
        assert (await failed(live, outbound("x", payload=payload))).kind == "refused"


async def test_the_general_topic_is_named_by_no_number(server: TelegramServer, start: Start, host: Host) -> None:
    server.world.say("x", chat=-9, forum=True)
    place = Peer("group", "-9")
    async with start() as live:
        await PLUGIN.outbound.send(live, outbound("y", target=place, thread=Thread("1", "topic")))
        await PLUGIN.outbound.typing(live, place, Thread("1", "topic"))
    assert "message_thread_id" not in server.of("sendMessage")[0].arguments
    assert server.of("sendChatAction")[0].arguments["message_thread_id"] == "1"


async def test_a_blocked_bot_is_refused(server: TelegramServer, start: Start, chat: None) -> None:
    server.world.blocked.add(42)
    async with start() as live:
        error = await failed(live, outbound("x"))
    assert error.kind == "refused" and "blocked" in str(error)


async def test_actions_and_probe(server: TelegramServer, start: Start, chat: None) -> None:
    async with start() as live:
        place = {"chatId": "42", "messageId": 1}
        assert PLUGIN.actions is not None and PLUGIN.status is not None
        await PLUGIN.actions.perform(live, "react", {**place, "emoji": "👍"})
        assert server.world.messages[42, 1]["reactions"][0]["emoji"] == "👍"
        await PLUGIN.actions.perform(live, "delete", place)
        assert (42, 1) not in server.world.messages
        poll = {"chatId": "42", "question": "When?", "options": ["Mon", "Tue"]}
        assert (await PLUGIN.actions.perform(live, "poll", poll))["messageId"]
        with pytest.raises(ChannelError, match="at least 2 options"):
            await PLUGIN.actions.perform(live, "poll", {**poll, "options": ["Mon"]})
        probe = await PLUGIN.status.probe(live)
        assert probe.ok and probe.identity == "@openclaw_test_bot"
