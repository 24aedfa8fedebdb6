"""What the real Bot API refuses, and how it words it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
CALLBACK_BYTES = 64
UPLOAD_LIMITS = {"photo": 10_000_000}
UPLOAD_LIMIT = 50_000_000

_TAGS = frozenset(
    ("b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "a", "code", "pre", "blockquote", "span", "tg-spoiler")
)


class Refused(Exception):
    """An answer with `ok: false`."""

    def __init__(self, code: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {"ok": False, "error_code": self.code, "description": self.description}
        return body | ({"parameters": self.parameters} if self.parameters else {})


def bad(description: str) -> Refused:
    return Refused(400, f"Bad Request: {description}")


class _Text(HTMLParser):
    """Telegram's HTML: a few tags, all of them closed in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.entities: list[dict[str, Any]] = []
        self._open: list[tuple[str, int, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _TAGS:
            raise bad(f'can\'t parse entities: Unsupported start tag "{tag}" at byte offset {len(self.text)}')
        given = dict(attrs)
        if tag == "span" and given.get("class") != "tg-spoiler":
            raise bad(f'can\'t parse entities: Tag "span" must have class "tg-spoiler" at byte offset {len(self.text)}')
        self._open.append((tag, len(self.text), given.get("href")))

    def handle_endtag(self, tag: str) -> None:
        if not self._open:
            raise bad(f"can't parse entities: Unexpected end tag at byte offset {len(self.text)}")
        opened, start, href = self._open.pop()
        if opened != tag:
            expected = f'expected "</{opened}>", found "</{tag}>"'
            raise bad(f"can't parse entities: Unmatched end tag at byte offset {len(self.text)}, {expected}")
        row = {"type": tag, "offset": start, "length": len(self.text) - start}
        self.entities.append(row | ({"url": href} if href else {}))

    def handle_data(self, data: str) -> None:
        self.text += data

    def finish(self) -> None:
        self.close()
        if self._open:
            tag = self._open[-1][0]
            raise bad(f"can't parse entities: Can't find end tag corresponding to start tag \"{tag}\"")


def parsed(text: str, parse_mode: str | None) -> tuple[str, list[dict[str, Any]]]:
    """The text as people see it, and its entities."""
    if not parse_mode:
        return text, []
    if parse_mode.lower() != "html":
        raise bad("unsupported parse_mode")
    _only_tags(text)
    parser = _Text()
    parser.feed(text)
    parser.finish()
    return parser.text, parser.entities


def _only_tags(text: str) -> None:
    """A lone `<` is an error for Telegram; Python's parser takes it for text."""
    at = text.find("<")
    while at >= 0:
        rest = text[at + 1 : at + 2]
        if not (rest.isalpha() or rest == "/") or text.find(">", at) < 0:
            raise bad(f'can\'t parse entities: Unsupported start tag "{rest.strip()}" at byte offset {at}')
        at = text.find("<", at + 1)


def checked_text(
    arguments: Mapping[str, Any], field: str = "text", limit: int = TEXT_LIMIT
) -> tuple[str, list[dict[str, Any]]]:
    raw = arguments.get(field)
    if not isinstance(raw, str) or not raw:
        if field == "caption":
            return "", []
        raise bad("message text is empty")
    text, entities = parsed(raw, arguments.get("parse_mode"))
    if not text.strip():
        raise bad("message text is empty")
    if len(text) > limit:
        raise bad("message caption is too long" if field == "caption" else "message is too long")
    return text, entities


def checked_markup(arguments: Mapping[str, Any]) -> dict[str, Any] | None:
    markup = nested(arguments, "reply_markup")
    if markup is None:
        return None
    for row in markup.get("inline_keyboard", ()):
        for button in row:
            if not button.get("text"):
                raise bad("inline keyboard button text must be non-empty")
            data = button.get("callback_data")
            if data is None and not button.get("url"):
                raise bad("can't parse inline keyboard button: text buttons are unallowed in the inline keyboard")
            if data is not None and not 1 <= len(data.encode()) <= CALLBACK_BYTES:
                raise bad("BUTTON_DATA_INVALID")
    return dict(markup)


def nested(arguments: Mapping[str, Any], field: str) -> Any:
    """A nested object arrives as a JSON string."""
    value = arguments.get(field)
    if value in (None, ""):
        return None
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise bad(f"can't parse {field} JSON object") from None


def number(arguments: Mapping[str, Any], field: str) -> int:
    try:
        return int(arguments[field])
    except (KeyError, TypeError, ValueError):
        raise bad(f"{field} is empty or not a number") from None
