"""Files both ways: fetched for people who are heard, found in the results of tools for the answer."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from openclaw_gateway.channels.contract import ChannelError
from openclaw_gateway.channels.running import Running
from openclaw_kernel.store.atomic import write_atomic
from openclaw_kernel.store.paths import ensure_private_dir
from openclaw_kernel.values.envelope import Attachment
from openclaw_kernel.values.messages import FileRef, Image, Part, Text

INLINE_BYTES = 6_291_456
"""A larger image is spoken of, not shown (protocol section 1)."""
MAX_FILES = 16
READY_LIMIT_S = 60.0

_IMAGES = {"image/png": b"\x89PNG", "image/jpeg": b"\xff\xd8\xff", "image/gif": b"GIF8", "image/webp": b"RIFF"}

log = logging.getLogger(__name__)


async def fetched(running: Running, attachments: Iterable[Attachment], folder: Path) -> list[Part]:
    """The files of a message as the model gets them: images inline, others by their place in the workspace. What cannot be
    fetched is said in words."""
    found: list[Part] = []
    for attachment in list(attachments)[:MAX_FILES]:
        name = attachment.name or attachment.kind
        try:
            got = attachment if attachment.path else await _fetch(running, attachment, folder)
            found.append(await asyncio.to_thread(_part, got, name))
        except (ChannelError, OSError) as error:
            log.warning("a file on %s could not be fetched: %s", running.account.channel, error)
            found.append(Text(f"[The sender attached {name}, but it could not be fetched.]"))
    return found


async def _fetch(running: Running, attachment: Attachment, folder: Path) -> Attachment:
    try:
        # After a restart the inbox goes on before the accounts are connected.
        await asyncio.wait_for(running.until_ready(), READY_LIMIT_S)
    except TimeoutError:
        raise ChannelError("the account is not connected") from None
    await asyncio.to_thread(ensure_private_dir, folder)
    got: Attachment = await running.live.fetch(attachment, folder, running.plugin.capabilities.media_bytes)
    return got


def _part(attachment: Attachment, name: str) -> Part:
    path = Path(attachment.path)
    signature = _IMAGES.get(attachment.media_type)
    if signature is not None and path.stat().st_size <= INLINE_BYTES:
        data = path.read_bytes()
        if data.startswith(signature):
            return Image(base64.b64encode(data).decode(), attachment.media_type)
    return FileRef(str(path), attachment.media_type, name)


async def media_of(details: Iterable[Mapping[str, Any]], folder: Path, limit: int) -> list[Attachment]:
    """The files that tools made for a person: `details.media`, and a picture of each of
    `details.surfaces` or of `details.surface`; each file once."""
    found: dict[str, Attachment] = {}
    for row in details:
        for item in row.get("media") or ():
            if isinstance(item, Mapping) and (attachment := await asyncio.to_thread(_file, item, limit)) is not None:
                found[attachment.path] = attachment
        for surface in row.get("surfaces") or (row.get("surface"),):
            if isinstance(surface, Mapping) and (picture := await asyncio.to_thread(_picture, surface, folder)) is not None:
                found[picture.path] = picture
    return list(found.values())[:MAX_FILES]


def _file(item: Mapping[str, Any], limit: int) -> Attachment | None:
    path = Path(str(item.get("path") or ""))
    try:
        size = path.stat().st_size if path.is_absolute() and path.is_file() else 0
    except OSError:
        size = 0
    if not 0 < size <= limit:
        log.warning("a file made by a tool is not sent: it is missing, empty or over %d bytes", limit)
        return None
    media_type = str(item.get("mediaType") or "application/octet-stream")
    return Attachment(
        _kind(media_type), path=str(path), media_type=media_type, name=str(item.get("name") or path.name), size=size
    )


def _kind(media_type: str) -> Literal["image", "audio", "video", "document"]:
    head = media_type.partition("/")[0]
    return head if head in ("image", "audio", "video") else "document"  # type: ignore[return-value]


def _picture(surface: Mapping[str, Any], folder: Path) -> Attachment | None:
    """A surface as a photo; `None` when it has no picture."""
    messages = surface.get("messages")
    if not isinstance(messages, list) or not messages:
        return None
    try:
        from openclaw_kernel.canvas.picture import picture_of
    except ImportError:
        return None
    try:
        png = picture_of(messages)
    except Exception:
        log.exception("a canvas could not be drawn as a picture")
        return None
    if not png:
        return None
    ensure_private_dir(folder)
    path = folder / f"{hashlib.sha256(png).hexdigest()[:32]}.png"
    write_atomic(path, png)
    title = str(surface.get("title") or "canvas")
    return Attachment("image", path=str(path), media_type="image/png", name=f"{title[:60]}.png", size=len(png))
