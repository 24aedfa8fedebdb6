"""The channels with all they need from the rest of the house."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

from openclaw_gateway.channels.house import House
from openclaw_gateway.channels.room import ChannelRoom
from openclaw_gateway.methods.channel_pairing import announce
from openclaw_gateway.methods.commands import COMMANDS, CommandCall, called, command_of
from openclaw_gateway.methods.services import GatewayServices
from openclaw_gateway.methods.skills import introduce
from openclaw_gateway.parts.plugins import message_sending, message_sent
from openclaw_gateway.plugins.events import received_event
from openclaw_kernel.config.secrets import Secrets
from openclaw_kernel.values.envelope import Inbound
from openclaw_kernel.values.messages import ToolResultMessage, UserMessage

LOOK_BACK = 400
"""Messages of a session that are searched for the results of a run."""


def open_channels(services: GatewayServices, secrets: Secrets, env: Mapping[str, str]) -> ChannelRoom:
    """Builds the room and joins it to approvals and config; nothing is opened or started yet."""
    house = House(
        runtime=services.runtime,
        listen=services.projection.listen,
        command=lambda key, text, owner: _command(services, key, text, owner),
        details=lambda key, run_id: _details(services, key, run_id),
        heard=lambda key, inbound: _heard(services, key, inbound),
        workspace=services.workspace,
        typing_mode=lambda: services.settings.session.typing_mode,
        skill=lambda key, text: _skill(services, key, text),
        received=lambda key, inbound: services.plugins.bus.notify("message_received", received_event(key, inbound)),
        before_send=lambda outbound: message_sending(services.plugins, outbound),
        after_send=lambda outbound, sent: message_sent(services.plugins, outbound, sent),
        defaults=lambda: services.settings.agents.defaults,
        verbose=lambda key: _verbose(services, key),
        withheld=services.withheld,
        waits=lambda run_id: run_id in services.runtime.queued(),
        changed=lambda: services.health_changed(),
    )
    room = ChannelRoom(
        services.settings,
        services.state_dir,
        house,
        services.approvals,
        resolve=lambda: secrets.resolve,
        env=env,
        is_command=lambda text: command_of(services, text) is not None,
        menu=lambda: [(row.name, row.description) for row in COMMANDS],
        on_pairing=lambda row: announce(row, services.broadcaster, services.clock),
        asked=services.questions,
    )
    services.approvals.on_change.append(room.approval_changed)
    services.questions.on_change.append(room.question_changed)
    services.config.on_reload.append(lambda loaded, plan: room.reconfigure(loaded.config) if plan.touches(*_SECTIONS) else None)
    return room


_SECTIONS = ("channels", "bindings", "session", "agents.list", "messages", "commands", "accessGroups", "approvals")
"""What the channels read of the config."""


async def run_channels(stack: AsyncExitStack, room: ChannelRoom) -> None:
    """Starts the room; it is closed before the runs are ended."""
    stack.push_async_callback(room.close)
    await room.start()


async def _command(services: GatewayServices, key: str, text: str, owner: str) -> str | None:
    found = command_of(services, text)
    if found is None:
        return None
    command, argument = found
    return await command.run(CommandCall(services, key, argument, owner, bool(owner), guest=not owner))


async def _skill(services: GatewayServices, key: str, text: str) -> str | None:
    skill = await called(services, key, text.strip())
    return introduce(services, key, skill) if skill is not None else None


def _verbose(services: GatewayServices, key: str) -> bool:
    entry = services.sessions.get(key)
    return ((entry.verbose_level if entry else None) or services.settings.agents.defaults.verbose_default) in ("on", "full")


def _details(services: GatewayServices, key: str, run_id: str) -> Sequence[Mapping[str, Any]]:
    """What the tools of a run noted for the screen, oldest first."""
    entry = services.sessions.get(key)
    if entry is None:
        return ()
    found: list[Mapping[str, Any]] = []
    messages = services.sessions.transcript(entry.agent_id, entry.session_id).messages()
    for stored in reversed(messages[-LOOK_BACK:]):
        message = stored.message
        if isinstance(message, UserMessage) and message.idempotency_key == f"{run_id}:user":
            break
        if isinstance(message, ToolResultMessage) and message.details:
            found.append(message.details)
    return found[::-1]


def _heard(services: GatewayServices, key: str, inbound: Inbound) -> None:
    """The last route of a session, for what is delivered there later."""
    if services.sessions.get(key) is not None:
        to = inbound.peer.id if inbound.peer.kind == "direct" else f"{inbound.peer.kind}:{inbound.peer.id}"
        services.sessions.update(key, channel=inbound.channel, last_channel=inbound.channel, last_to=to)
