"""What rides along with a message: inline base64 in `chat.send` and `agent` (protocol section 1)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from openclaw_gateway.methods.services import Params
from openclaw_kernel.values.errors import OpenClawError, invalid
from openclaw_kernel.values.messages import Image, Part, Text

MAX_BYTES = 19_464_192
MAX_IMAGE_BYTES = 6_291_456
MAX_TEXT_BYTES = 262_144
MAX_COUNT = 16

_SIGNATURES = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/webp": (b"RIFF",),
}
_TEXT_TYPES = ("text/", "application/json", "application/xml", "application/x-yaml", "application/toml")


class Attachment(Params):
    """`content` is base64, with or without a data-URL head."""

    type: str | None = None
    mime_type: str | None = None
    file_name: str | None = None
    content: Any = None
    size_bytes: float | None = None
    duration_ms: float | None = None
    width: float | None = None
    height: float | None = None


def parts_of(message: str, attachments: Sequence[Attachment] | None) -> tuple[Part, ...]:
    """The content of a user message. Raises `INVALID_REQUEST` with `details.code` for what cannot be taken."""
    found: list[Part] = [Text(message)] if message else []
    if attachments and len(attachments) > MAX_COUNT:
        raise _refused(f"{len(attachments)} attachments are too many; the limit is {MAX_COUNT}", "ATTACHMENT_LIMIT")
    total = 0
    for number, attachment in enumerate(attachments or (), 1):
        part, size = _part(attachment, attachment.file_name or f"attachment {number}")
        total += size
        if total > MAX_BYTES:
            raise _refused(f"the attachments are over {MAX_BYTES} bytes together", "ATTACHMENT_TOO_LARGE")
        found.append(part)
    return tuple(found)


def _part(attachment: Attachment, name: str) -> tuple[Part, int]:
    if not isinstance(attachment.content, str) or not attachment.content:
        raise _refused(f"{name} has no content; send it as base64 text", "ATTACHMENT_EMPTY")
    head, comma, body = attachment.content.partition(",")
    inline = head.startswith("data:") and bool(comma)
    encoded = body if inline else attachment.content
    mime = (attachment.mime_type or (head[5:].split(";")[0] if inline else "")).lower()
    if len(encoded) * 3 // 4 > MAX_BYTES:
        raise _refused(f"{name} is over {MAX_BYTES} bytes", "ATTACHMENT_TOO_LARGE")
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise _refused(f"{name} is not valid base64", "ATTACHMENT_INVALID") from None
    if mime in _SIGNATURES:
        return _image(data, encoded, mime, name), len(data)
    if mime.startswith(_TEXT_TYPES):
        return _text(data, name), len(data)
    raise _refused(f"{name} has type {mime or 'unknown'}; images (png, jpeg, gif, webp) and text are taken", "ATTACHMENT_TYPE")


def _image(data: bytes, encoded: str, mime: str, name: str) -> Image:
    if len(data) > MAX_IMAGE_BYTES:
        raise _refused(f"{name} has {len(data)} bytes; an image may have {MAX_IMAGE_BYTES}", "ATTACHMENT_TOO_LARGE")
    if not data.startswith(_SIGNATURES[mime]):
        raise _refused(f"{name} is not a {mime} file", "ATTACHMENT_INVALID")
    return Image(encoded, mime)


def _text(data: bytes, name: str) -> Text:
    if len(data) > MAX_TEXT_BYTES:
        raise _refused(f"{name} has {len(data)} bytes; a text file may have {MAX_TEXT_BYTES}", "ATTACHMENT_TOO_LARGE")
    try:
        return Text(f"[{name}]\n{data.decode('utf-8')}")
    except UnicodeDecodeError:
        raise _refused(f"{name} is not UTF-8 text", "ATTACHMENT_INVALID") from None


def _refused(sentence: str, code: str) -> OpenClawError:
    return invalid(f"invalid chat.send params: {sentence}", code=code)
