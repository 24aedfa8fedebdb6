"""What acme brings. Nothing of the gateway but its published contracts is used."""

from __future__ import annotations

from acme_openclaw.channel import CHANNEL
from acme_openclaw.extras import MENU, ONLINE, PING, Journal
from acme_openclaw.memory import lines
from acme_openclaw.provider import VENDOR, VOICE, Parrot
from acme_openclaw.tool import WEATHER
from openclaw_gateway.plugins.api import PluginApi, hookimpl


@hookimpl
def openclaw_register(api: PluginApi) -> None:
    api.channel(CHANNEL)
    if api.config.get("only") == "channel":
        return
    journal = Journal(api.state_dir)
    api.tool(WEATHER)
    api.provider(VENDOR, models=[VOICE], build=Parrot)
    api.method(PING)
    api.route("menu", MENU)
    api.route("online", ONLINE, public=True)
    api.command("acme", "Say what acme is.", journal.command)
    api.service("journal", journal.run)
    api.hook("before_agent_run", journal.gate)
    api.hook("before_tool_call", journal.tool_gate, tools=["acme_weather"])
    api.hook("message_sending", journal.sign, priority=10)
    for name in ("after_tool_call", "agent_end", "message_received", "message_sent", "gateway_start", "gateway_stop"):
        api.hook(name, journal.note(name))
    api.memory("lines", lines)
    api.cli("acme", "acme_openclaw.extras:command")
