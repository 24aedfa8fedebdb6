"""Answers on their way to Telegram: text, files, buttons, edits, "is typing" (CHN-16)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openclaw_gateway.channels.contract import ChannelError, Sent
from openclaw_gateway.channels.telegram.errors import channel_error
from openclaw_gateway.channels.telegram.inbound import GENERAL_TOPIC
from openclaw_kernel.values.envelope import Attachment, Outbound, Peer, Thread

if TYPE_CHECKING:
    from telegram import InlineKeyboardMarkup, Message

    from openclaw_gateway.channels.telegram.adapter import TelegramLive

CAPTION_LIMIT = 1_024
PHOTO_BYTES = 10_000_000
"""Telegram takes larger pictures as documents only."""
CALLBACK_BYTES = 64

log = logging.getLogger(__name__)


class TelegramOutbound:
    """Sends through a running account. Text is Telegram's HTML, unless `payload.format` is `plain`."""

    async def send(self, live: TelegramLive, outbound: Outbound) -> Sent:
        """One message; several only when there are several files, or a text too long to stand under one."""
        from telegram.error import TelegramError

        files = [await _open(item, live.settings.media_bytes) for item in outbound.media]
        buttons = _keyboard(outbound)
        common = _common(outbound)
        captioned = bool(files) and len(outbound.text) <= CAPTION_LIMIT
        message: Message | None = None
        try:
            if outbound.text and not captioned:
                message = await self._text(live, outbound, common, None if files else buttons)
                common.pop("reply_parameters", None)
            for number, (item, data) in enumerate(files):
                own = dict(common)
                if captioned and number == 0 and outbound.text:
                    own |= {"caption": outbound.text, "parse_mode": _parse_mode(outbound)}
                if number == len(files) - 1:
                    own["reply_markup"] = buttons
                message = await _send_file(live, item, data, own)
                common.pop("reply_parameters", None)
        except TelegramError as error:
            failure = channel_error(error, sending=True)
            if message is not None and failure.kind != "fatal":
                failure = ChannelError(f"Only a part was sent: {failure}", "ambiguous")
            raise failure from None
        if message is None:
            raise ChannelError("The message has neither text nor a file, so Telegram was not asked to send it.", "refused")
        return Sent(str(message.message_id), str(message.chat.id))

    async def _text(
        self, live: TelegramLive, outbound: Outbound, common: Mapping[str, Any], buttons: InlineKeyboardMarkup | None
    ) -> Message:
        from telegram import LinkPreviewOptions

        return await live.bot.send_message(
            text=outbound.text,
            parse_mode=_parse_mode(outbound),
            link_preview_options=LinkPreviewOptions(is_disabled=not live.settings.link_preview),
            reply_markup=buttons,
            **common,
        )

    async def edit(self, live: TelegramLive, sent: Sent, outbound: Outbound) -> None:
        """Replaces text and buttons. What is already so is no error."""
        from telegram import LinkPreviewOptions
        from telegram.error import BadRequest, TelegramError

        place: dict[str, Any] = {
            "chat_id": int(sent.conversation or outbound.target.id),
            "message_id": int(sent.message_id),
            "reply_markup": _keyboard(outbound),
            "parse_mode": _parse_mode(outbound),
        }
        preview = LinkPreviewOptions(is_disabled=not live.settings.link_preview)
        try:
            try:
                await live.bot.edit_message_text(text=outbound.text, link_preview_options=preview, **place)
            except BadRequest as error:
                if "no text in the message" not in str(error).lower():
                    raise
                await live.bot.edit_message_caption(caption=outbound.text, **place)
        except TelegramError as error:
            if "message is not modified" in str(error).lower():
                return
            raise channel_error(error) from None

    async def typing(self, live: TelegramLive, target: Peer, thread: Thread | None) -> None:
        from telegram.error import TelegramError

        topic = int(thread.id) if thread is not None and thread.kind == "topic" else None
        try:
            await live.bot.send_chat_action(chat_id=_chat(target.id), action="typing", message_thread_id=topic)
        except TelegramError as error:
            raise channel_error(error) from None


def _common(outbound: Outbound) -> dict[str, Any]:
    """What every kind of message has: chat, topic, the message it answers."""
    common: dict[str, Any] = {"chat_id": _chat(outbound.target.id)}
    thread = outbound.thread
    if thread is not None and thread.kind == "topic" and thread.id != GENERAL_TOPIC:
        common["message_thread_id"] = int(thread.id)
    if outbound.reply_to:
        from telegram import ReplyParameters

        common["reply_parameters"] = ReplyParameters(int(outbound.reply_to), allow_sending_without_reply=True)
    return common


def _chat(text: str) -> int | str:
    return int(text) if text.lstrip("-").isdigit() else text


def _parse_mode(outbound: Outbound) -> str | None:
    return None if (outbound.payload or {}).get("format") == "plain" else "HTML"


def _keyboard(outbound: Outbound) -> InlineKeyboardMarkup | None:
    """`payload.buttons`, rows of `{label, data}` or `{label, url}`. Raises `ChannelError` for data Telegram cannot carry."""
    rows: Sequence[Sequence[Mapping[str, str]]] = (outbound.payload or {}).get("buttons") or ()
    if not rows:
        return None
    from telegram import InlineKeyboardButton, InlineKeyboardMarkup

    keyboard = []
    for row in rows:
        keys = []
        for button in row:
            data = button.get("data")
            if data is not None and not 1 <= len(data.encode()) <= CALLBACK_BYTES:
                raise ChannelError(f"The button {button['label']!r} carries more than {CALLBACK_BYTES} bytes.", "refused")
            keys.append(InlineKeyboardButton(button["label"], url=button.get("url"), callback_data=data))
        keyboard.append(keys)
    return InlineKeyboardMarkup(keyboard)


async def _open(item: Attachment, limit: int) -> tuple[Attachment, bytes | str]:
    """The file to send: what a path holds, if it is not too large, or Telegram's own reference."""
    if not item.path:
        return item, item.ref
    return await asyncio.to_thread(_read, item, limit)


def _read(item: Attachment, limit: int) -> tuple[Attachment, bytes]:
    path = Path(item.path)
    name = item.name or path.name
    try:
        size = path.stat().st_size
        if size > limit:
            sentence = f"The file {name} has {size:,} bytes; channels.telegram.mediaMaxMb allows {limit:,}."
            raise ChannelError(sentence, "refused")
        return replace(item, name=name, size=size), path.read_bytes()
    except OSError as error:
        raise ChannelError(f"The file {name} cannot be sent: {error.strerror}.", "refused") from error


async def _send_file(live: TelegramLive, item: Attachment, data: bytes | str, own: dict[str, Any]) -> Message:
    bot = live.bot
    named: dict[str, Any] = {"filename": item.name} if isinstance(data, bytes) else {}
    match item.kind:
        case "image" if item.media_type != "image/svg+xml" and item.size <= PHOTO_BYTES:
            return await bot.send_photo(photo=data, **own, **named)
        case "audio" if item.media_type in ("audio/ogg", "audio/opus"):
            return await bot.send_voice(voice=data, **own, **named)
        case "audio":
            return await bot.send_audio(audio=data, **own, **named)
        case "video":
            return await bot.send_video(video=data, supports_streaming=True, **own, **named)
        case "sticker":
            own.pop("caption", None)
            own.pop("parse_mode", None)
            return await bot.send_sticker(sticker=data, **own)
        case _:
            return await bot.send_document(document=data, **own, **named)
