"""What Telegram sends → what the house reads. Pure: an update in, a value out; nothing is downloaded here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from openclaw_gateway.channels.contract import Callback
from openclaw_kernel.values.envelope import Attachment, GroupInfo, Inbound, Peer, PeerKind, ReplyContext, Sender, Thread

if TYPE_CHECKING:
    from telegram import CallbackQuery, Chat, Message, Update, User

CHANNEL = "telegram"
GENERAL_TOPIC = "1"
"""The topic every forum has; Telegram names it in no message and refuses its number in `sendMessage`."""

_KINDS: Mapping[str, PeerKind] = {"private": "direct", "group": "group", "supergroup": "group", "channel": "channel"}
_COMMAND = re.compile(r"^/([A-Za-z0-9_]{1,64})(?:@(\w+))?(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Me:
    """Who we are on Telegram. `commands` maps the menu's spelling of a command to ours."""

    id: int
    username: str
    account: str
    commands: Mapping[str, str] = field(default_factory=dict)


def inbound_of(update: Update, me: Me) -> Inbound | None:
    """The message of an update; `None` for what is no message of another (service notes, our own, an empty one)."""
    message = update.message or update.channel_post
    if message is None:
        return None
    sender = _sender(message)
    text = (message.text or message.caption or "") or _described(message)
    attachments = _attachments(message)
    if sender is None or sender.id == str(me.id) or not (text or attachments):
        return None
    chat = message.chat
    return Inbound(
        channel=CHANNEL,
        account=me.account,
        peer=peer_of(chat),
        sender=sender,
        message_id=str(message.message_id),
        time=int(message.date.timestamp() * 1000),
        text=text,
        command_text=command_text(text, me),
        thread=thread_of(message),
        reply=_reply(message, me),
        attachments=attachments,
        group=GroupInfo(title=chat.title or "") if chat.type != "private" else GroupInfo(),
    )


def callback_of(query: CallbackQuery, me: Me) -> Callback | None:
    """A press on one of our buttons; `None` when its message is too old for Telegram to name the chat."""
    message = query.message
    if message is None or not isinstance(query.data, str):
        return None
    return Callback(
        channel=CHANNEL,
        account=me.account,
        peer=peer_of(message.chat),
        sender=_person(query.from_user),
        data=query.data,
        message_id=str(message.message_id),
        thread=thread_of(message) if hasattr(message, "is_topic_message") else None,
        token=query.id,
    )


def peer_of(chat: Chat) -> Peer:
    return Peer(_KINDS.get(str(chat.type), "group"), str(chat.id))


def thread_of(message: Any) -> Thread | None:
    """A forum's topic. In other groups Telegram numbers reply chains too, which are no threads."""
    if getattr(message, "is_topic_message", False) and message.message_thread_id is not None:
        return Thread(str(message.message_thread_id), "topic")
    if getattr(message.chat, "is_forum", False):
        return Thread(GENERAL_TOPIC, "topic")
    return None


def command_text(text: str, me: Me) -> str:
    """The sender's words for the command parser: our name is taken off a command; another bot's command is none of ours."""
    found = _COMMAND.match(text)
    if found is None:
        return text
    name, addressed = found[1], found[2]
    if addressed and addressed.lower() != me.username.lower():
        return ""
    return f"/{me.commands.get(name.lower(), name)}{text[found.end() :]}"


def names_us(text: str, username: str) -> bool:
    """Whether `@username` stands in the text as a word of its own."""
    return bool(username) and re.search(rf"(?<![\w@])@{re.escape(username)}(?!\w)", text, re.IGNORECASE) is not None


def _sender(message: Message) -> Sender | None:
    """Who wrote. Who writes as a chat (an anonymous admin, a channel) is that chat: the user named then is Telegram's."""
    if message.sender_chat is not None:
        chat = message.sender_chat
        return Sender(str(chat.id), chat.title or "", chat.username or "")
    return _person(message.from_user) if message.from_user is not None else None


def _person(user: User) -> Sender:
    return Sender(str(user.id), user.full_name, user.username or "", bool(user.is_bot))


def _reply(message: Message, me: Me) -> ReplyContext | None:
    """The message that was answered. A topic's first message is named by every message of it and is no answer."""
    answered = message.reply_to_message
    if answered is None or answered.forum_topic_created is not None:
        return None
    author = _sender(answered)
    quoted = message.quote.text if message.quote is not None else ""
    return ReplyContext(
        message_id=str(answered.message_id),
        sender=author.name if author is not None else "",
        text=quoted or answered.text or answered.caption or "",
        from_us=author is not None and author.id == str(me.id),
    )


def _attachments(message: Message) -> tuple[Attachment, ...]:
    if message.photo:
        best = max(message.photo, key=lambda size: size.width * size.height)
        return (Attachment("image", best.file_id, "", "image/jpeg", "photo.jpg", best.file_size or 0),)
    for item, kind, media_type, name in (
        (message.animation, "video", "video/mp4", "animation.mp4"),
        (message.voice, "audio", "audio/ogg", "voice.ogg"),
        (message.audio, "audio", "audio/mpeg", "audio.mp3"),
        (message.video, "video", "video/mp4", "video.mp4"),
        (message.video_note, "video", "video/mp4", "video-note.mp4"),
        (message.document, "document", "application/octet-stream", "file"),
        (message.sticker, "sticker", _sticker_type(message), "sticker"),
    ):
        if item is not None:
            return (_attachment(item, kind, media_type, name),)
    return ()


def _attachment(item: Any, kind: Any, media_type: str, name: str) -> Attachment:
    return Attachment(
        kind=kind,
        ref=item.file_id,
        media_type=getattr(item, "mime_type", None) or media_type,
        name=getattr(item, "file_name", None) or name,
        size=item.file_size or 0,
    )


def _sticker_type(message: Message) -> str:
    sticker = message.sticker
    if sticker is None or not (sticker.is_animated or sticker.is_video):
        return "image/webp"
    return "video/webm" if sticker.is_video else "application/x-tgsticker"


def _described(message: Message) -> str:
    """Words for what has none: places, people, polls, dice, a sticker's emoji."""
    if message.venue is not None:
        place = message.venue
        return f"[place: {place.title}, {place.address} ({place.location.latitude}, {place.location.longitude})]"
    if message.location is not None:
        return f"[location: {message.location.latitude}, {message.location.longitude}]"
    if message.contact is not None:
        return f"[contact: {message.contact.first_name} {message.contact.last_name or ''}".rstrip() + "]"
    if message.poll is not None:
        return f"[poll: {message.poll.question} ({'; '.join(option.text for option in message.poll.options)})]"
    if message.dice is not None:
        return f"[dice: {message.dice.emoji} {message.dice.value}]"
    if message.sticker is not None:
        return f"[sticker: {message.sticker.emoji or 'no emoji'}]"
    return ""
