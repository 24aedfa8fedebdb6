"""Who hears of an agent's notes: its owner, where nobody else reads along (MEM-13)."""

from __future__ import annotations

from typing import Literal

from openclaw_kernel.values.session_key import parse

Audience = Literal["private", "everyone"]

PRIVATE = ("main", "direct", "custom", "dashboard")
"""Kinds of conversations that are recalled in others."""
_SHARED = ("group", "channel")
"""Kinds in which other people read what the assistant says."""

CLOSED = (
    "The owner's notes are not told where other people read along; memory.audience: everyone in openclaw.json would allow it."
)


def hears_notes(audience: Audience, session_key: str, guest: bool) -> bool:
    """Whether a turn of this conversation may look into the notes; `guest` says that somebody else than the owner speaks."""
    return audience == "everyone" or not (guest or is_shared(session_key))


def is_shared(session_key: str) -> bool:
    """Whether other people read what is said in this conversation."""
    return parse(session_key).kind in _SHARED


def hears_talks(session_key: str, guest: bool) -> bool:
    """Whether it may hear of the owner's other private conversations, too."""
    return not guest and parse(session_key).kind in PRIVATE
