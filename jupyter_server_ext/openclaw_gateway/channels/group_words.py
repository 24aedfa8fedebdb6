"""What the owner wrote in the config about one group or topic, for the prompt of every run there.

Only the config speaks here: titles and topics that members write are fenced as untrusted elsewhere.
"""

from __future__ import annotations

from typing import Any

from openclaw_kernel.values.envelope import Inbound

HEAD = "## This group"


def group_words(settings: Any, inbound: Inbound) -> str:
    """`systemPrompt` of the group, or of `*` where the group has no entry, and below it that of the topic."""
    if inbound.peer.kind == "direct":
        return ""
    groups = getattr(settings, "groups", None) or {}
    group = groups.get(inbound.peer.id) or groups.get("*")
    topics = getattr(group, "topics", None) or {}
    topic = topics.get(inbound.thread.id) if inbound.thread is not None else None
    found = [(getattr(part, "system_prompt", None) or "").strip() for part in (group, topic)]
    words = [text for text in found if text]
    return "\n".join((HEAD, *words)) if words else ""
