"""An explicit target of a message: `channel:id` or a bare id of the channel that is meant anyway (ROU-03)."""

from __future__ import annotations

from collections.abc import Collection

from openclaw_kernel.values.errors import invalid


def target_id(text: str, channel: str, known_channels: Collection[str]) -> str:
    """The id in `text` for `channel`. A prefix that is a channel's name must be that of `channel`; any other colon belongs to
    the id. Raises `OpenClawError` (INVALID_REQUEST)."""
    target = text.strip()
    prefix, colon, rest = target.partition(":")
    if colon and prefix.lower() == channel.lower():
        target = rest.strip()
    elif colon and prefix.lower() in {name.lower() for name in known_channels}:
        raise invalid(f"target {text!r} belongs to {prefix.lower()}, but the message goes through {channel}")
    if not target:
        raise invalid(f"the target for {channel} is empty; give the id of a chat")
    return target
