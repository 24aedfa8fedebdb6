"""`health`: is the gateway well?"""

from __future__ import annotations

import click

from openclaw_gateway.cli import show
from openclaw_gateway.cli.wire import Target, call, target_options


@click.command("health")
@target_options
def command(target: Target) -> int:
    """Ask the gateway whether it is well; exit 1 if it is not."""
    health = call(target, "health")
    well = bool(health.get("ok"))
    if target.as_json:
        show.print_json(health)
        return 0 if well else 1
    channels = health.get("channelOrder") or []
    sessions = (health.get("sessions") or {}).get("count", 0)
    show.print_facts(
        [
            ("gateway", "ok" if well else "not well"),
            ("answered in", f"{health.get('durationMs', 0)} ms"),
            ("agents", ", ".join(agent.get("agentId", "") for agent in health.get("agents") or []) or "none"),
            ("channels", ", ".join(channels) or "none"),
            ("sessions", sessions),
        ]
    )
    return 0 if well else 1
