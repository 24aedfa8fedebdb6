"""The body of a webhook request: `{sender, text, id, chat?, thread?, replyTo?, mentioned?, attachments?, sync?}`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from openclaw_kernel.config.problems import describe, dotted
from openclaw_kernel.values.envelope import Attachment, GroupInfo, Inbound, Peer, ReplyContext, Sender, Thread
from openclaw_kernel.values.errors import UserError

MAX_INLINE = 5_000_000
"""Characters of base64 of one attachment: it lies in the ledger until the message is answered."""
INLINE = "base64:"
"""What the `ref` of an attachment begins with whose content came along."""


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)


class SenderBody(_Body):
    id: str = Field(min_length=1, max_length=200)
    name: str = Field(default="", max_length=200)
    username: str = Field(default="", max_length=200)
    is_bot: bool = False


class ChatBody(_Body):
    id: str = Field(min_length=1, max_length=200)
    kind: Literal["direct", "group", "channel"] = "group"
    title: str = Field(default="", max_length=200)


class ReplyBody(_Body):
    id: str = Field(min_length=1, max_length=200)
    text: str = Field(default="", max_length=4_000)
    sender: str = Field(default="", max_length=200)
    from_us: bool = False


class AttachmentBody(_Body):
    content: str = Field(default="", max_length=MAX_INLINE)
    url: str = Field(default="", max_length=2_000)
    name: str = Field(default="", max_length=200)
    media_type: str = Field(default="application/octet-stream", max_length=100)


class MessageBody(_Body):
    """`sender` and `chat` may be bare ids; without `chat` it is a direct message of the sender."""

    sender: str | SenderBody
    id: str = Field(min_length=1, max_length=200)
    text: str = Field(default="", max_length=100_000)
    chat: str | ChatBody | None = None
    thread: str | None = Field(default=None, max_length=200)
    reply_to: ReplyBody | None = None
    mentioned: bool = False
    attachments: list[AttachmentBody] = Field(default_factory=list, max_length=16)
    sync: bool = False


def read_message(raw: bytes) -> MessageBody:
    """Raises `UserError` with every problem by its path; it repeats nothing of the body."""
    try:
        return MessageBody.model_validate_json(raw)
    except ValidationError as error:
        rows = [f"{dotted(path) or 'body'}: {sentence}" for path, sentence in describe(error, {}, MessageBody)]
        raise UserError("; ".join(rows)[:1_000]) from None


def inbound_of(body: MessageBody, channel: str, account: str, now: int) -> Inbound:
    """The message as the house knows it."""
    who = SenderBody(id=body.sender) if isinstance(body.sender, str) else body.sender
    chat = ChatBody(id=body.chat) if isinstance(body.chat, str) else body.chat
    reply = body.reply_to
    return Inbound(
        channel=channel,
        account=account,
        peer=Peer(chat.kind, chat.id) if chat is not None else Peer("direct", who.id),
        sender=Sender(who.id, who.name, who.username, who.is_bot),
        message_id=body.id,
        time=now,
        text=body.text,
        command_text=body.text.strip(),
        thread=Thread(body.thread) if body.thread else None,
        reply=ReplyContext(reply.id, reply.sender, reply.text, reply.from_us) if reply is not None else None,
        attachments=tuple(map(_attachment, body.attachments)),
        group=GroupInfo(
            title=chat.title if chat is not None else "", roles=frozenset({MENTIONED}) if body.mentioned else frozenset()
        ),
    )


MENTIONED = "openclaw:mentioned"
"""A mark among the roles: the sending program says that we were spoken to."""


def _attachment(body: AttachmentBody) -> Attachment:
    head = body.media_type.partition("/")[0]
    kind: Literal["image", "audio", "video", "document"] = "document"
    if head == "image" or head == "audio" or head == "video":
        kind = head  # type: ignore[assignment]
    ref = INLINE + body.content if body.content else body.url
    return Attachment(kind, ref=ref, media_type=body.media_type, name=body.name, size=len(body.content) * 3 // 4)
