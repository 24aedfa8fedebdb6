"""All methods of the gateway, for the dispatcher."""

from __future__ import annotations

from typing import Any

from openclaw_gateway.methods import (
    absent,
    agent,
    approvals,
    canvas,
    channel_pairing,
    channels,
    chat,
    commands,
    config,
    cron,
    devices,
    health,
    heartbeat,
    logs,
    models,
    nodes,
    plugins,
    sessions,
    skills,
)
from openclaw_gateway.protocol.dispatch import Method

_TALK = (health, chat, channels, channel_pairing, agent, models, commands, sessions, config)
_WORLD = (logs, approvals, devices, nodes, canvas, skills, cron, heartbeat, plugins, absent)
FAMILIES = (*_TALK, *_WORLD)


def all_methods() -> list[Method[Any]]:
    """Every method, family by family."""
    return [method for family in FAMILIES for method in family.METHODS]
