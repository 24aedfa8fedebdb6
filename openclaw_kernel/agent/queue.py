"""Messages that come while a run of their session is under way: steer, follow up, collect, interrupt (AGT-08 to AGT-11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from openclaw_kernel.agent.api import RunRequest
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.config.schema.messages import QueueDrop, QueueMode
from openclaw_kernel.sessions.index import SessionEntry, shorten
from openclaw_kernel.values.messages import Part, Text, UserMessage

MODES: tuple[QueueMode, ...] = ("steer", "followup", "collect", "interrupt")
DROPS: tuple[QueueDrop, ...] = ("summarize", "old", "new")
HEAD = "[Messages shortened because too many were waiting:]"
LINE_CHARS = 200


@dataclass(frozen=True, slots=True)
class QueueRules:
    """How a session queues. `debounce_ms` of silence pass before a queued message is run; `cap` messages wait at most."""

    mode: QueueMode = "steer"
    debounce_ms: int = 500
    cap: int = 20
    drop: QueueDrop = "summarize"


def rules_of(config: OpenClawConfig, entry: SessionEntry | None) -> QueueRules:
    """What `/queue` said in this session, else the channel's own mode, else the config's (AGT-08)."""
    queue = config.messages.queue
    channel = (entry.channel if entry else None) or ""
    own = entry.queue_mode if entry else None
    mode = next((mode for mode in MODES if mode == own), None) or queue.by_channel.get(channel) or queue.mode
    drop = next((drop for drop in DROPS if entry and drop == entry.queue_drop), queue.drop)
    debounce = entry.queue_debounce_ms if entry and entry.queue_debounce_ms is not None else queue.debounce_ms
    cap = entry.queue_cap if entry and entry.queue_cap else queue.cap
    return QueueRules(mode, debounce, cap, drop)


def may_join(host: RunRequest, request: RunRequest) -> bool:
    """Whether a message may become part of another one's run: from the same client and person, with no wishes of its own.

    Somebody else's words never run with this person's rights, and nobody is left without the answer to theirs.
    """
    told = request.extra_system_prompt in (None, "", host.extra_system_prompt)
    plain = request.model is None and request.tools is None and told and request.thinking is None
    return plain and same_person(host, request)


def same_person(one: RunRequest, other: RunRequest) -> bool:
    """Whether two messages come from the same person through the same client."""
    person = ("senderIsOwner", "channel", "accountId", "senderId")
    same = all(one.message.meta.get(name) == other.message.meta.get(name) for name in person)
    return same and one.client_id == other.client_id


def shortened(dropped: UserMessage, into: UserMessage) -> UserMessage:
    """`into` with one line about `dropped` in front, which may have such lines itself."""
    lines = [*_lines(dropped), f"- {shorten(_words(dropped), LINE_CHARS)}", *_lines(into)]
    return replace(into, content=(Text("\n".join((HEAD, *lines))), *_own(into)))


def parse_options(words: Sequence[str]) -> dict[str, str | int | None]:
    """What `/queue …` changes in the session's row. Raises `ValueError` with a sentence.

    `steer`, `debounce:500` (or `0.5s`), `cap:20`, `drop:old`; `reset` takes it all back.
    """
    changes: dict[str, str | int | None] = {}
    for word in words:
        name, _, value = word.lower().partition(":")
        if name in ("reset", "default", "off") and not value:
            return {"queue_mode": None, "queue_debounce_ms": None, "queue_cap": None, "queue_drop": None}
        if name in MODES and not value:
            changes["queue_mode"] = name
        elif name == "drop" and value in DROPS:
            changes["queue_drop"] = value
        elif name == "cap" and value.isdigit() and int(value) > 0:
            changes["queue_cap"] = int(value)
        elif name == "debounce" and (delay := _milliseconds(value)) is not None:
            changes["queue_debounce_ms"] = delay
        else:
            raise ValueError(
                f"{word!r} is not an option; say steer, followup, collect or interrupt, debounce:500ms, cap:20, drop:old"
            )
    return changes


def _milliseconds(text: str) -> int | None:
    number = text.removesuffix("ms").removesuffix("s")
    try:
        value = float(number)
    except ValueError:
        return None
    return int(value * 1000) if text.endswith("s") and not text.endswith("ms") else int(value)


def _lines(message: UserMessage) -> list[str]:
    first = message.content[0] if message.content else None
    return first.text.split("\n")[1:] if isinstance(first, Text) and first.text.startswith(HEAD) else []


def _own(message: UserMessage) -> tuple[Part, ...]:
    return message.content[1:] if _lines(message) else message.content


def _words(message: UserMessage) -> str:
    return " ".join(part.text for part in _own(message) if isinstance(part, Text)) or "(no text)"
