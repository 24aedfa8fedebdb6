"""All methods of the gateway, for the dispatcher."""

from __future__ import annotations

from typing import Any

from openclaw_gateway.protocol.dispatch import Method

from openclaw_gateway.methods import (
    absent,
    agent,
    approvals,
    canvas,
    channels,
    chat,
    commands,
    config,
    devices,
    health,
    logs,
    models,
    nodes,
    sessions,
    skills,
)

FAMILIES = (
    health,
    chat,
    channels,
    agent,
    models,
    commands,
    sessions,
    config,
    logs,
    approvals,
    devices,
    nodes,
    canvas,
    skills,
    absent,
)


def all_methods() -> list[Method[Any]]:
    """Every method, family by family."""
    return [method for family in FAMILIES for method in family.METHODS]
