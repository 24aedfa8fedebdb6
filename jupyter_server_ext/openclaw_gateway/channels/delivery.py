"""An answer becomes rows of the outbox: cut to size, files behind the words, the preview replaced (CHN-13, AGT-17)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from openclaw_gateway.channels.contract import Sent
from openclaw_gateway.channels.formats import ChunkMode, parts
from openclaw_gateway.channels.outbox import Outbox
from openclaw_gateway.channels.running import Running
from openclaw_kernel.values.envelope import Attachment, Inbound, Outbound, answer


def post_answer(
    outbox: Outbox,
    running: Running,
    inbound: Inbound,
    run_id: str,
    markdown: str,
    *,
    media: Sequence[Attachment] = (),
    buttons: Sequence[Sequence[dict[str, str]]] = (),
    preview: str = "",
    quote: bool = False,
    goes_on: bool = False,
) -> list[str]:
    """Puts the whole answer into the outbox and returns its delivery ids. The same run makes the same ids, so that a repeated
    call adds nothing. `preview` is the id of the message the answer was shown in while it grew; it becomes the first part.
    `goes_on` when something of the answer went out before."""
    caps = running.plugin.capabilities
    if media and not caps.media:
        names = ", ".join(item.name or item.kind for item in media)
        markdown, media = f"{markdown}\n\n[Files that cannot be sent here: {names}]".strip(), ()
    pieces = pieces_of(running, markdown)
    total = len(pieces) + len(media)
    rows: list[tuple[Outbound, str]] = []
    for number, (source, text) in enumerate(pieces):
        payload: dict[str, Any] = {"part": number + 1, "of": total}
        if buttons and caps.buttons and number == len(pieces) - 1:
            payload["buttons"] = [list(row) for row in buttons]
        quoted = (quote and number == 0) or _quotes(running, inbound, number + goes_on)
        rows.append((answer(inbound, run_id, number, quote=quoted, text=text, payload=payload), source))
    for number, item in enumerate(media, start=len(pieces)):
        rows.append(
            (
                answer(
                    inbound,
                    run_id,
                    number,
                    quote=_quotes(running, inbound, number + goes_on),
                    media=(item,),
                    payload={"part": number + 1, "of": total},
                ),
                "",
            )
        )
    for number, (outbound, source) in enumerate(rows):
        edits = Sent(preview) if preview and number == 0 and outbound.text and caps.edit else None
        outbox.post(replace(outbound, reply_to=None) if edits else outbound, plain=source, edits=edits)
    return [outbound.delivery_id for outbound, _ in rows]


def pieces_of(running: Running, markdown: str) -> list[tuple[str, str]]:
    """The words cut and rendered as the account wants them: (Markdown, rendering)."""
    caps, settings = running.plugin.capabilities, running.account.settings
    limit = min(caps.text_limit, getattr(settings, "text_chunk_limit", None) or caps.text_limit)
    mode: ChunkMode = "newline" if getattr(settings, "chunk_mode", "") == "newline" else "length"
    return parts(markdown, caps.format, limit, count=caps.count, mode=mode) if markdown.strip() else []


def _quotes(running: Running, inbound: Inbound, number: int) -> bool:
    threading = running.plugin.threading
    mode = threading.reply_mode(running.account, inbound) if threading is not None and inbound.message_id else "off"
    return mode == "all" or (mode == "first" and number == 0)
