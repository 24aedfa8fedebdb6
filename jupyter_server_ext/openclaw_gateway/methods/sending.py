"""`/send`: whether answers of this session go out (SES-09)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openclaw_gateway.methods.services import GatewayServices

if TYPE_CHECKING:
    from openclaw_gateway.methods.commands import CommandCall

NOT_OWNER = "Only the owner says whether answers go out."
_WORDS: dict[str, str | None] = {"on": "allow", "allow": "allow", "off": "deny", "deny": "deny", "inherit": None, "reset": None}


async def send(call: CommandCall) -> str:
    """Shows or sets it. What is not sent stays in the session."""
    services, wanted = call.services, call.argument.lower()
    if wanted:
        if not call.owner:
            return NOT_OWNER
        if wanted not in _WORDS:
            return "Say /send on, /send off or /send inherit."
        services.sessions.open(call.key)
        services.sessions.update(call.key, send_policy=_WORDS[wanted])
        services.projection.changed(call.key, reason="patch")
    entry = services.sessions.get(call.key)
    own = {"allow": "on", "deny": "off"}.get((entry.send_policy if entry else None) or "", "inherit")
    rule = _rule(services, call.key)
    return f"Sending: {own}. " + (f"Answers stay here: {rule}." if rule else "Answers go out.")


def status(services: GatewayServices, key: str) -> list[str]:
    """The line of `/status`, when nothing goes out."""
    rule = _rule(services, key)
    return [f"- sending: no, by {rule}"] if rule else []


def _rule(services: GatewayServices, key: str) -> str:
    entry = services.sessions.get(key)
    channel = (entry.last_channel or entry.channel if entry else None) or ""
    return services.withheld(key, channel, entry.chat_type if entry else "direct")
