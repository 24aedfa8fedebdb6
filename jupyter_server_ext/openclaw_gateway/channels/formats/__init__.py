"""From one Markdown text to what a platform shows: parsed once, rendered per platform, cut to its size (CHN-13)."""

from __future__ import annotations

from openclaw_gateway.channels.contract import ContentFormat, TextUnit
from openclaw_gateway.channels.formats.chunks import ChunkMode, measure_of, split
from openclaw_gateway.channels.formats.render import render

__all__ = ["ChunkMode", "parts", "render", "split"]

_SMALLEST = 16
"""Below so many characters of source a part is not cut again to make its rendering fit; it goes out as plain text."""


def parts(
    markdown: str, format: ContentFormat, limit: int, *, count: TextUnit = "characters", mode: ChunkMode = "length"
) -> list[tuple[str, str]]:
    """Each part of `markdown` with its rendering, none of which is longer than `limit` units of `count`.

    The first of a pair is Markdown: what is sent as plain text when the platform refuses our markup. Markup and escapes make a
    rendering longer than its source, so a part that does not fit is cut again at half the size.
    """
    measure = measure_of(count)
    found: list[tuple[str, str]] = []
    for source in split(markdown, limit, measure=measure, mode=mode):
        rendered = render(source, format)
        if measure(rendered) <= limit:
            if rendered.strip():
                found.append((source, rendered))
        elif measure(source) <= _SMALLEST:
            found += [(piece, piece) for piece in split(render(source, "plain"), limit, measure=measure)]
        else:
            found += parts(source, format, max(_SMALLEST, measure(source) // 2), count=count)
    return found
