"""`channel:id` or a bare id, as people write senders into allowlists and identity links."""

from __future__ import annotations

import re

_CHANNEL = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def qualified(entry: str) -> tuple[str, str]:
    """The channel (lower case, empty for any) and the id of an entry.

    What stands before the first colon is a channel when it reads like one, so `telegram:7` never means a stranger on another
    channel who calls himself `telegram:7`; `@ann:example.org` and `29:1abc` are bare ids.
    """
    prefix, colon, rest = entry.strip().partition(":")
    if colon and _CHANNEL.fullmatch(prefix):
        return prefix.lower(), rest
    return "", entry.strip()
