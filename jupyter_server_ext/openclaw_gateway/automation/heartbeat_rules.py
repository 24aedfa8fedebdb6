"""The small decisions of a heartbeat: is there a task, is it a good hour, is the reply worth saying (AUT-11, AUT-12)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from openclaw_gateway.automation.schedule import duration_ms, zone
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.config.schema.cron import ActiveHours, Heartbeat
from openclaw_kernel.values.errors import UserError

OK_TOKEN = "HEARTBEAT_OK"
SILENT = "NO_REPLY"
PROMPT = (
    "Read HEARTBEAT.md if it exists and follow it strictly. Do not repeat old tasks from earlier conversation. "
    f"If nothing needs attention, answer {OK_TOKEN}."
)

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_EMPTY = re.compile(r"^\s*(#{1,6}(\s.*)?|[-*+]\s*(\[[ xX]?\]\s*)?|```.*)?$")
_EDGE = r"[\s*_`~.!:,\-–—()\[\]<>/b]*"
_TOKEN_HEAD = re.compile(rf"^{_EDGE}{OK_TOKEN}{_EDGE}")
_TOKEN_TAIL = re.compile(rf"{_EDGE}{OK_TOKEN}{_EDGE}$")


@dataclass(frozen=True, slots=True)
class Plan:
    """The heartbeat of one agent. `every_ms` 0 is off. `hours` is checked against the local clock of its zone."""

    agent_id: str
    every_ms: int
    prompt: str
    target: str
    to: str
    account: str
    direct: bool
    hours: ActiveHours | None
    light: bool
    isolated: bool
    model: str | None
    session: str
    ack_chars: int


def plan_of(config: OpenClawConfig, agent_id: str, *, default_agent: str) -> Plan:
    """What the config says for an agent: its own block over the defaults. Raises `UserError` for an unreadable duration.

    When any agent has a block of its own, only those agents have a heartbeat; otherwise the default agent alone.
    """
    shared = _given(config.agents.defaults.heartbeat)
    blocks = {agent.id: _given(agent.heartbeat) for agent in config.agents.list if agent.heartbeat is not None}
    own = blocks.get(agent_id, {})
    settings = Heartbeat.model_validate({**shared, **own})
    mine = agent_id in blocks if blocks else agent_id == default_agent
    every = _every(settings.every, agent_id) if mine else 0
    return Plan(
        agent_id,
        every,
        settings.prompt or PROMPT,
        settings.target,
        settings.to or "",
        settings.account_id or "",
        settings.direct_policy == "allow",
        settings.active_hours,
        settings.light_context,
        settings.isolated_session,
        settings.model,
        settings.session or "",
        settings.ack_max_chars,
    )


def has_task(text: str) -> bool:
    """Whether HEARTBEAT.md holds anything but headings, comments and empty list items."""
    return any(not _EMPTY.match(line) for line in _COMMENT.sub("", text).splitlines())


def within(hours: ActiveHours | None, now_ms: int) -> bool:
    """Whether the local time lies in the active hours; a span over midnight is fine. Equal ends mean never."""
    if hours is None:
        return True
    local = datetime.fromtimestamp(now_ms / 1000, zone(hours.timezone or ""))
    minute, start, end = local.hour * 60 + local.minute, _minute(hours.start), _minute(hours.end)
    return start <= minute < end if start <= end else minute >= start or minute < end


def worth_saying(reply: str, ack_chars: int) -> str | None:
    """The reply without the token, or `None` when it says that nothing is the matter."""
    text = reply.strip()
    if not text or text == SILENT:
        return None
    bare, found = text, False
    for edge in (_TOKEN_HEAD, _TOKEN_TAIL):
        bare, count = edge.subn("", bare)
        found = found or bool(count)
    bare = bare.strip()
    if found and len(bare) <= ack_chars:
        return None
    return bare or None


def _given(block: Heartbeat) -> dict[str, Any]:
    """What the user wrote, without the defaults."""
    return block.model_dump(exclude_unset=True)


def _every(text: str, agent_id: str) -> int:
    bare = text.strip()
    found = duration_ms(bare if not bare.isdigit() else f"{bare}m")
    if found is None:
        raise UserError(f"agents heartbeat.every of {agent_id} is {text!r}; write a duration such as 30m, or 0m for off.")
    return found


def _minute(text: str) -> int:
    hour, _, minute = text.partition(":")
    if not (hour.isdigit() and (minute or "0").isdigit() and 0 <= int(hour) * 60 + int(minute or 0) <= 1440):
        raise UserError(f"heartbeat.activeHours has {text!r}; write HH:MM, at most 24:00.")
    return int(hour) * 60 + int(minute or 0)
