"""`/model`, `/think` and `/usage`: which model speaks here, how hard it thinks, and what it cost (MOD-07, MOD-17, MOD-18)."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from openclaw_kernel.models.api import Model, ThinkingLevel
from openclaw_kernel.models.effort import levels_of, nearest_level
from openclaw_kernel.values.errors import UserError

if TYPE_CHECKING:
    from openclaw_gateway.methods.commands import CommandCall

BACK = ("default", "reset", "auto")
_SAID: dict[str, ThinkingLevel] = {"none": "off", "on": "low", "mid": "medium", "med": "medium", "highest": "max"}
SAME_AS: dict[str, ThinkingLevel] = {level: level for level in get_args(ThinkingLevel)} | _SAID


def _model_of(call: CommandCall) -> Model:
    entry = call.services.sessions.get(call.key)
    return call.services.models.resolve(entry.model_override if entry else None, call.agent_id)


async def model(call: CommandCall) -> str:
    """Shows or sets the model of this session. One that a person picked is never replaced by another."""
    services = call.services
    wanted = call.argument.removeprefix("-s ").strip()
    if wanted in ("", "status"):
        return _model_status(call)
    if wanted == "list":
        rows = services.models.list(usable_only=True)
        return "\n".join(["Models:", *(f"- `{row.ref}` {row.name}".rstrip() for row in rows)])
    services.sessions.open(call.key)
    if wanted in BACK:
        services.sessions.update(call.key, model_override=None)
        services.projection.changed(call.key, reason="patch")
        return f"Model: `{services.models.resolve(None, call.agent_id).ref}` (the default)"
    try:
        picked = services.models.resolve(wanted, call.agent_id)
    except UserError as error:
        return str(error)
    services.sessions.update(call.key, model_override=picked.ref)
    services.projection.changed(call.key, reason="patch")
    said = f"Model of this session: `{picked.ref}`"
    if services.models.has_key(picked.provider):
        return said
    return f"{said}. {services.models.credentials.missing(picked.provider)}"


def _model_status(call: CommandCall) -> str:
    services = call.services
    entry = services.sessions.get(call.key)
    current = _model_of(call)
    lines = [f"Model: `{current.ref}`"]
    if entry is not None and entry.model_override:
        lines.append(
            f"- picked for this session; `/model default` goes back to `{services.models.resolve(None, call.agent_id).ref}`"
        )
    elif fallbacks := services.models.fallbacks(call.agent_id):
        lines.append("- when it fails: " + ", ".join(f"`{row.ref}`" for row in fallbacks))
    lines.append(f"- thinking: {_thinking(call, current)}")
    return "\n".join(lines)


def _thinking(call: CommandCall, current: Model) -> str:
    entry = call.services.sessions.get(call.key)
    default = call.services.settings.agents.defaults.thinking_default or "off"
    return (entry.thinking_level if entry is not None else None) or default


async def think(call: CommandCall) -> str:
    """Shows or sets how hard the model thinks in this session."""
    services, wanted, current = call.services, call.argument.lower(), _model_of(call)
    offered = levels_of(current)
    if not wanted:
        return f"Thinking: {_thinking(call, current)}. `{current.ref}` offers {', '.join(offered)}."
    services.sessions.open(call.key)
    if wanted in BACK:
        services.sessions.update(call.key, thinking_level=None)
        services.projection.changed(call.key, reason="patch")
        return f"Thinking: {_thinking(call, current)} (the default)"
    level = SAME_AS.get(wanted)
    if level is None:
        return f"There is no thinking level {call.argument!r}; `{current.ref}` offers {', '.join(offered)}."
    services.sessions.update(call.key, thinking_level=level)
    services.projection.changed(call.key, reason="patch")
    if level in offered:
        return f"Thinking of this session: {level}"
    return f"Thinking of this session: {level}; `{current.ref}` takes it as {nearest_level(current, level)}."


async def usage(call: CommandCall) -> str:
    """Tokens and money of the last turn, this session and today, and what the budgets leave."""
    from openclaw_gateway.methods.usage import usage_text  # a family of methods loads when it is asked

    return usage_text(call.services, call.key)
