"""From Telegram to the house: polls, offsets, who and where, presses, webhook, downloads."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from pathlib import Path

import pytest

from openclaw_gateway.channels.contract import ChannelError, WebhookRequest
from openclaw_kernel.values.envelope import Attachment, Outbound, Peer, Sender, Thread
from tests.fakes.telegram_server import TelegramServer
from tests.fakes.telegram_world import BOT_NAME
from tests.unit.channels_telegram.conftest import PLUGIN, Host, Start


def _bytes(path: str) -> bytes:
    return Path(path).read_bytes()


async def lost(live) -> ChannelError:
    with pytest.raises(ChannelError) as caught:
        async with asyncio.timeout(10):
            await live.ended()
    return caught.value


async def test_a_private_message_comes_in_whole(server: TelegramServer, host: Host, start: Start) -> None:
    async with start():
        server.world.say("hello", user=42, name="Ann", username="ann_x")
        [message] = await host.until()
    assert (message.channel, message.account, message.peer) == ("telegram", "default", Peer("direct", "42"))
    assert message.sender == Sender("42", "Ann", "ann_x")
    assert (message.text, message.command_text, message.thread, message.reply) == ("hello", "hello", None, None)
    assert message.time % 1000 == 0 and message.time > 1_600_000_000_000
    assert host.status[0] is True and host.status[-1] is False and host.frames > 0


async def test_the_offset_moves_only_after_the_row_is_stored(server: TelegramServer, host: Host, start: Start) -> None:
    host.broken = 1
    update = server.world.say("keep me")
    async with start() as live:
        with pytest.raises(OSError, match="disk is full"):
            async with asyncio.timeout(10):
                await live.ended()
    assert [row["update_id"] for row in server.world.updates] == [update["update_id"]]
    assert all(not call.arguments.get("offset") for call in server.of("getUpdates"))
    async with start():
        [message] = await host.until()
        await server.confirmed(update["update_id"])
    assert message.text == "keep me"


async def test_a_repeated_update_reaches_the_inbox_with_the_same_id(server: TelegramServer, host: Host, start: Start) -> None:
    async with start():
        update = server.world.say("once")
        await host.until()
        server.world.repeat(update)
        first, second = await host.until(2)
    assert first == second


async def test_people_without_text_are_put_into_words(server: TelegramServer, host: Host, start: Start) -> None:
    place = {"latitude": 48.1, "longitude": 11.5}
    async with start():
        for content in (
            {"location": place},
            {"venue": {"location": place, "title": "Cafe", "address": "Road 1"}, "location": place},
            {"contact": {"phone_number": "1", "first_name": "Bo"}},
            {"dice": {"emoji": "🎲", "value": 4}},
            {"new_chat_title": "a service note is no message"},
        ):
            server.world.say("", file=content)
        last = server.world.say("end")
        texts = [message.text for message in await host.until(5)]
        await server.confirmed(last["update_id"])
    assert texts[0] == "[location: 48.1, 11.5]" and texts[1].startswith("[place: Cafe, Road 1")
    assert texts[2:] == ["[contact: Bo]", "[dice: 🎲 4]", "end"]


async def test_an_anonymous_admin_is_the_group_and_another_bot_is_a_bot(
    server: TelegramServer, host: Host, start: Start
) -> None:
    async with start():
        update = server.world.say("as the group", chat=-77, user=1087968824, name="Group", is_bot=True)
        server.world.updates.clear()
        anonymous = {**update["message"], "sender_chat": {"id": -77, "type": "supergroup", "title": "Team"}}
        server.world.post({"message": anonymous})
        server.world.say("beep", chat=-77, user=9, is_bot=True)
        first, second = await host.until(2)
    assert first.sender == Sender("-77", "Team") and second.sender.is_bot


async def test_an_update_we_cannot_read_does_not_stop_the_others(
    server: TelegramServer, host: Host, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    async with start():
        server.world.post({"message": {"message_id": "of tomorrow"}})
        server.world.post({"something_new": {}})
        server.world.say("even")
        [message] = await host.until()
    assert message.text == "even" and "is passed over" in caplog.text


async def test_group_topic_reply_and_mention(server: TelegramServer, host: Host, start: Start) -> None:
    async with start() as live:
        server.world.say("first", chat=-100200, user=7, topic=5, title="Lab")
        [first] = await host.until()
        answered = Outbound("telegram", Peer("group", "-100200"), "d" * 32, text="<b>ours</b>", thread=Thread("5", "topic"))
        sent = await PLUGIN.outbound.send(live, answered)
        text = f"@{BOT_NAME.upper()} look"
        server.world.say(text, chat=-100200, user=7, topic=5, title="Lab", reply_to=int(sent.message_id))
        server.world.say("general", chat=-100200, user=7)
        _, second, third = await host.until(3)
        assert live.me.username == BOT_NAME
    assert first.peer == Peer("group", "-100200") and first.thread == Thread("5", "topic") and first.group.title == "Lab"
    assert second.reply.from_us and second.reply.text == "ours"
    assert third.thread == Thread("1", "topic")
    assert server.of("sendMessage")[0].arguments["message_thread_id"] == "5"


async def test_commands_are_shown_and_read_back(server: TelegramServer, host: Host, start: Start) -> None:
    async with start():
        for text in (f"/status@{BOT_NAME} now", "/new_chat", "/status@other_bot", "no /status"):
            server.world.say(text, chat=-55)
        texts = [message.command_text for message in await host.until(4)]
    assert texts == ["/status now", "/new-chat", "", "no /status"]
    menu = json.loads(server.of("setMyCommands")[0].arguments["commands"])
    assert [row["command"] for row in menu] == ["status", "new_chat", "help"]


async def test_files_are_announced_and_only_fetched_on_demand(
    server: TelegramServer, host: Host, start: Start, tmp_path: Path
) -> None:
    world, data = server.world, bytes(range(256)) * 40
    async with start() as live:
        for kind in ("photo", "document", "voice", "audio", "video", "sticker"):
            media_type = "application/pdf" if kind == "document" else ""
            world.say("look" if kind == "photo" else "", file=world.upload(kind, data, "../evil name.pdf", media_type))
        messages = await host.until(6)
        kinds = [message.attachments[0].kind for message in messages]
        assert kinds == ["image", "document", "audio", "audio", "video", "sticker"]
        assert messages[0].text == "look" and messages[1].attachments[0].media_type == "application/pdf"
        assert server.downloads == [] and server.of("getFile") == []
        photo = await live.fetch(messages[0].attachments[0], tmp_path, 1_000_000)
        assert _bytes(photo.path) == data and photo.size == len(data)
        assert photo.media_type == "image/jpeg"
        png = world.upload("photo", b"\x89PNG\r\n" + data)
        world.say("", file=png)
        drawn = await live.fetch((await host.until(7))[-1].attachments[0], tmp_path, 1_000_000)
        assert drawn.media_type == "image/png"
        document = await live.fetch(messages[1].attachments[0], tmp_path, 1_000_000)
        assert Path(document.path).parent == tmp_path and not Path(document.path).name.startswith(".")
        before = sorted(os.listdir(tmp_path))
        with pytest.raises(ChannelError, match="larger than") as caught:
            await live.fetch(messages[0].attachments[0], tmp_path, 100)
        assert caught.value.kind == "refused"
        liar = Attachment("document", messages[1].attachments[0].ref)
        world.files[liar.ref] = (world.files[liar.ref][0], data * 100)
        with pytest.raises(ChannelError, match="larger than"):
            await live.fetch(liar, tmp_path, 20_000)
        assert sorted(os.listdir(tmp_path)) == before


async def test_a_press_is_handed_over_and_always_answered(server: TelegramServer, host: Host, start: Start) -> None:
    async with start() as live:
        server.world.say("hi", user=42)
        await host.until()
        buttons = {"buttons": [[{"label": "Yes", "data": "ok:1"}, {"label": "No", "data": "no:1"}]]}
        sent = await PLUGIN.outbound.send(live, Outbound("telegram", Peer("direct", "42"), "d", "Sure?", payload=buttons))
        server.world.press(int(sent.message_id), "ok:1", chat=42, user=42)
        [answer] = await server.until("answerCallbackQuery")
    assert answer.arguments["text"] == "got ok:1"
    [callback] = host.callbacks
    assert (callback.data, callback.peer, callback.sender.id) == ("ok:1", Peer("direct", "42"), "42")
    assert callback.message_id == sent.message_id


async def test_one_broken_poll_is_a_hiccup_and_two_end_the_connection(server: TelegramServer, host: Host, start: Start) -> None:
    server.fail("getUpdates", close=True)
    async with start():
        server.world.say("after the hiccup")
        await host.until()
    assert host.status == [True, False, True, False]
    server.fail("getUpdates", close=True)
    async with start():
        async with asyncio.timeout(10):
            while host.status[-3:] != [True, False, True]:  # noqa: ASYNC110 — nobody writes, so no other event comes
                await asyncio.sleep(0.01)
    server.fail("getUpdates", code=502, times=2)
    async with start() as live:
        error = await lost(live)
    assert error.kind == "retry" and "cannot be reached" in str(error)


async def test_a_silent_poll_is_ended(server: TelegramServer, host: Host, start: Start) -> None:
    server.fail("getUpdates", silence=True, times=2)
    async with start(stall_s=0.2) as live:
        assert "has not answered for 0.2 seconds" in str(await lost(live))


async def test_a_rate_limited_poll_hands_on_the_hint(server: TelegramServer, start: Start) -> None:
    server.fail("getUpdates", code=429, retry_after=7)
    async with start() as live:
        error = await lost(live)
    assert (error.kind, error.retry_after_s) == ("retry", 7.0)


async def test_a_second_poller_is_named(server: TelegramServer, host: Host, start: Start) -> None:
    import httpx

    async with start() as live:
        await server.until("getUpdates")
        async with httpx.AsyncClient() as other:
            rival = asyncio.create_task(other.post(f"{server.url}/bot{server.token}/getUpdates", data={"timeout": "5"}))
            error = await lost(live)
            rival.cancel()
    assert error.kind == "retry" and "Another program polls" in str(error)


async def test_one_process_polls_a_token_once(server: TelegramServer, host: Host) -> None:
    from openclaw_gateway.channels.telegram.adapter import TelegramGateway
    from tests.unit.channels_telegram.conftest import account

    gateway = TelegramGateway()
    async with gateway.start(account(server), host):
        with pytest.raises(ChannelError, match="same bot token") as caught:
            async with gateway.start(account(server), host):
                pass
        assert caught.value.kind == "fatal"
    async with gateway.start(account(server), host):
        pass


@pytest.mark.parametrize("token", ["7000001:wrong-wrong-wrong", "123:nope-nope-nope-nope"])
async def test_a_wrong_token_is_fatal_and_never_said(
    server: TelegramServer, start: Start, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ChannelError, match="does not accept the bot token") as caught:
        async with start(botToken=token):
            pass
    assert caught.value.kind == "fatal" and token not in str(caught.value)
    assert token not in caplog.text


async def test_no_log_line_holds_the_token(
    server: TelegramServer, host: Host, start: Start, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    async with start() as live:
        server.world.say("private words", file=server.world.upload("document", b"x"))
        [message] = await host.until()
        await live.fetch(message.attachments[0], tmp_path, 1000)
        assert server.token not in repr(live) + repr(live.settings)
    assert "HTTP Request" in caplog.text and "<bot token>" in caplog.text
    assert server.token not in caplog.text and "private words" not in caplog.text


def request(body: bytes, secret: str | None, method: str = "POST") -> WebhookRequest:
    headers = {} if secret is None else {"x-telegram-bot-api-secret-token": secret}
    return WebhookRequest(method, headers, {}, body)


async def test_webhook_takes_what_is_signed_and_nothing_else(server: TelegramServer, host: Host, start: Start) -> None:
    webhook = {"url": "https://bot.example.org/channels/telegram/default/webhook", "secret": "s3cret_value"}
    update = json.dumps(server.world.say("by webhook", user=42)).encode()
    async with start(webhook=webhook) as live:
        assert server.webhook["secret_token"] == "s3cret_value" and server.webhook["url"] == webhook["url"]
        for wrong in (None, "", "s3cret_valuE", "ß"):
            assert (await live.webhook(request(update, wrong))).status == 403
        assert (await live.webhook(request(update, "s3cret_value", "GET"))).status == 405
        for broken in (b"", b"not json", b"[1]", b'{"message": {"text": 3}}'):
            assert (await live.webhook(request(broken, "s3cret_value"))).status == 400
        assert host.inbox == []
        assert (await live.webhook(request(update, "s3cret_value"))).status == 200
        host.broken = 1
        with pytest.raises(OSError):
            await live.webhook(request(update, "s3cret_value"))
    assert [message.text for message in host.inbox] == ["by webhook"]
    assert server.of("getUpdates") == []


async def test_webhook_secret_follows_from_the_token_when_none_is_set(server: TelegramServer, start: Start) -> None:
    async with start(webhook={"url": "https://bot.example.org/x"}):
        first = server.webhook["secret_token"]
    async with start(webhook={"url": "https://bot.example.org/x"}):
        assert server.webhook["secret_token"] == first and len(first) == 64


async def test_a_polling_account_has_no_webhook(server: TelegramServer, host: Host, start: Start) -> None:
    async with start() as live:
        assert (await live.webhook(request(b"{}", ""))).status == 404


async def test_an_unreachable_server_is_told_in_one_sentence(server: TelegramServer, start: Start) -> None:
    await server.stop()
    with pytest.raises(ChannelError, match="cannot be reached") as caught:
        async with start():
            pass
    assert caught.value.kind == "retry"
