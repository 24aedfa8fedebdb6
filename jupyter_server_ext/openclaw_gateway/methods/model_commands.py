"""`/model`, `/think` and `/usage`: which model speaks here, how hard it thinks, and what it cost (MOD-07, MOD-17, MOD-18)."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from openclaw_kernel.models.api import Model, ThinkingLevel
from openclaw_kernel.models.effort import levels_of, nearest_level
from openclaw_kernel.values.errors import OpenClawError, UserError

if TYPE_CHECKING:
    from openclaw_gateway.methods.commands import CommandCall

BACK = ("default", "reset", "auto")
SCOPES = {"-s": "session", "-a": "agent", "-g": "global", "--session": "session", "--agent": "agent", "--global": "global"}
NOT_OWNER = "Only the owner sets the model of an agent or of all; for this conversation say `/model NAME`."
_SAID: dict[str, ThinkingLevel] = {"none": "off", "on": "low", "mid": "medium", "med": "medium", "highest": "max"}
SAME_AS: dict[str, ThinkingLevel] = {level: level for level in get_args(ThinkingLevel)} | _SAID


def _model_of(call: CommandCall) -> Model:
    entry = call.services.sessions.get(call.key)
    return call.services.models.resolve(entry.model_override if entry else None, call.agent_id)


async def model(call: CommandCall) -> str:
    """Shows or sets the model of this session (`-s`), of its agent (`-a`) or of all that name none (`-g`). One that a person
    picked is never replaced by another."""
    services = call.services
    words = call.argument.split()
    scope = next((SCOPES[word] for word in words if word in SCOPES), "session")
    wanted = " ".join(word for word in words if word not in SCOPES)
    if wanted in ("", "status"):
        return _model_status(call)
    if wanted == "list":
        rows = services.models.list(usable_only=True)
        return "\n".join(["Models:", *(f"- `{row.ref}` {row.name}".rstrip() for row in rows)])
    if scope != "session":
        return await _configure(call, scope, wanted)
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


async def _configure(call: CommandCall, scope: str, wanted: str) -> str:
    """Writes the model into the configuration; what else is said of models there stays."""
    services = call.services
    if not call.owner:
        return NOT_OWNER
    try:
        ref = None if wanted in BACK else services.models.resolve(wanted, call.agent_id).ref
        current = services.config.current
        await services.config.patch(_patch(call, scope, ref), current.hash if current.exists else None)
    except (UserError, OpenClawError) as error:
        return str(error)
    now = services.models.resolve(None, call.agent_id).ref
    whose = f"of the agent {call.agent_id}" if scope == "agent" else "of all that name none"
    entry = services.sessions.get(call.key)
    kept = entry.model_override if entry is not None else None
    keeps = f" This session keeps `{kept}`; `/model default` gives it up." if kept and kept != now else ""
    return f"Model {whose}: `{ref or now}`{'' if ref else ' (the default)'}.{keeps}"


def _patch(call: CommandCall, scope: str, ref: str | None) -> dict[str, object]:
    agents = call.services.settings.agents
    row = next((agent for agent in agents.list or () if agent.id == call.agent_id), None)
    said = agents.defaults.model if scope == "global" else row.model if row is not None else None
    value = ref if said is None or isinstance(said, str) else {"primary": ref}
    if scope == "global":
        return {"agents": {"defaults": {"model": value}}}
    return {"agents": {"list": [{"id": call.agent_id, "model": value}]}}


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
