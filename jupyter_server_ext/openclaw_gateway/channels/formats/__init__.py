"""From one Markdown text to what a platform shows: parsed once, rendered per platform, cut to its size (CHN-13)."""

from __future__ import annotations

from openclaw_gateway.channels.contract import ContentFormat, TextUnit
from openclaw_gateway.channels.formats.chunks import ChunkMode, Measure, measure_of, split
from openclaw_gateway.channels.formats.render import render

__all__ = ["ChunkMode", "parts", "render", "split"]

_SMALLEST = 16
"""Below so many characters of source a part is not cut again to make its rendering fit; it goes out as plain text."""
_TRIES = 4
_SPARE = 8
_SLACK = 64
"""Cuts fall where words end, so that even parts need a little more room than their share."""


def parts(
    markdown: str, format: ContentFormat, limit: int, *, count: TextUnit = "characters", mode: ChunkMode = "length"
) -> list[tuple[str, str]]:
    """Each part of `markdown` with its rendering, none of which is longer than `limit` units of `count`.

    The first of a pair is Markdown: what is sent as plain text when the platform refuses our markup.
    """
    measure, room = measure_of(count), limit
    for _ in range(_TRIES):
        pieces = [(source, render(source, format)) for source in split(markdown, room, measure=measure, mode=mode)]
        worst = max((measure(rendered) for _, rendered in pieces), default=0)
        if worst <= limit:
            return [piece for piece in pieces if piece[1].strip()]
        # A little less room for every part, so that the markup fits and no part is left with a crumb.
        room = max(4, limit // 2, room * limit // worst - _SPARE)
    return _fitted(markdown, room, format, limit, measure, mode)


def _fitted(
    markdown: str, room: int, format: ContentFormat, limit: int, measure: Measure, mode: ChunkMode
) -> list[tuple[str, str]]:
    """Parts of at most `room` units of source. Markup and escapes make a rendering longer than its source: a part that does not
    fit into `limit` is cut again, into as few and as even parts as its own rendering promises to need."""
    found: list[tuple[str, str]] = []
    for source in split(markdown, room, measure=measure, mode=mode):
        rendered, size = render(source, format), measure(source)
        needed = -(-measure(rendered) // limit)
        if needed <= 1:
            if rendered.strip():
                found.append((source, rendered))
        elif size <= _SMALLEST:
            found += [(piece, piece) for piece in split(render(source, "plain"), limit, measure=measure)]
        else:
            smaller = max(_SMALLEST, min(size - 1, size // needed + _SLACK))
            found += _fitted(source, smaller, format, limit, measure, "length")
    return found
