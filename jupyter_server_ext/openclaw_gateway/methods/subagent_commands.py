"""`/subagents`: what a session's subagents are doing, for the person who watches it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openclaw_kernel.tools.sessions_api import Caller
from openclaw_kernel.values.errors import OpenClawError, UserError

if TYPE_CHECKING:
    from openclaw_gateway.methods.commands import CommandCall

USAGE = "Say /subagents list, /subagents kill ID or all, /subagents log ID, or /subagents steer ID TEXT."


async def subagents(call: CommandCall) -> str:
    """`list` (default), `kill`, `log` and `steer`; an id may be given by its first eight letters or by its label."""
    verb, _, rest = call.argument.partition(" ")
    name, _, text = rest.strip().partition(" ")
    desk, caller = call.services.subagents, Caller(call.key, call.agent_id, "", call.guest)
    if call.services.sessions.get(call.key) is None:
        return "This session has no subagents."
    try:
        match verb.lower() or "list":
            case "list":
                lines = [
                    f"- `{row['id'][:8]}` {row['label']}: {row['state']}"
                    + (f", {row['reason']}" if row.get("reason") else "")
                    + (f" (result {row['result']})" if row.get("result") else "")
                    for row in desk.children(caller)
                ]
                return "\n".join(["Subagents:", *lines]) if lines else "This session has no subagents."
            case "kill" if name:
                ended = desk.kill(caller, rest.strip())
                return f"Ended {len(ended)} subagent{'s' if len(ended) != 1 else ''}."
            case "log" if name:
                return desk.log(caller, rest.strip())
            case "steer" if name and text.strip():
                await desk.steer(caller, name, text.strip())
                return "Said."
            case _:
                return USAGE
    except (OpenClawError, UserError) as error:
        return str(error)
