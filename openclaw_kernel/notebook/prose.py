"""The assistant's words as HTML for a panel: Markdown rendered, everything that is HTML in it shown as text.

What a panel shows came from a model and may hold what a web page told it. So no picture is loaded, a link leads to a web page
or a mail address only, and none of it runs.
"""

from __future__ import annotations

from functools import cache, lru_cache
from html import escape
from typing import Any
from urllib.parse import urlsplit

_SCHEMES = ("http", "https", "mailto")


@lru_cache(maxsize=64)
def prose(text: str) -> str:
    """Elements for one message; the same text is rendered once while it is on the screen."""
    return str(_renderer()(text))


def words(text: str) -> dict[str, str]:
    """The same words as the output of a cell. A notebook's own Markdown would fetch a picture as soon as it is shown, with what
    the address tells; so words that could hold one, or a tag, come as our HTML."""
    if "![" in text or "<" in text:
        return {"text/html": prose(text), "text/plain": text}
    return {"text/markdown": text, "text/plain": text}


@cache
def _renderer() -> Any:
    import mistune  # 20 ms that a kernel without a panel need not pay

    class Safe(mistune.HTMLRenderer):
        def link(self, text: str, url: str, title: str | None = None) -> str:
            if urlsplit(url.strip()).scheme.lower() not in _SCHEMES:
                return text
            return f'<a href="{escape(url.strip())}" target="_blank" rel="noopener noreferrer">{text}</a>'

        def image(self, text: str, url: str, title: str | None = None) -> str:
            return self.link(text or escape(url), url)

    return mistune.create_markdown(renderer=Safe(escape=True), plugins=["strikethrough", "table", "task_lists"])
