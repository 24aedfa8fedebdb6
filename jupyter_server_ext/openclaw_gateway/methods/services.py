"""What a method may reach: the gateway's parts, handed over by the composition root.

A handler gets a `Call`; `parts(call)` is this object. It answers small questions asked by several families.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from openclaw_gateway.automation.dreams import Dreams
from openclaw_gateway.automation.house import Automation
from openclaw_gateway.channels.room import ChannelRoom
from openclaw_gateway.methods.projection import Projection
from openclaw_gateway.methods.surfaces import Surfaces
from openclaw_gateway.plugins.loader import Plugins
from openclaw_gateway.protocol.broadcast import Broadcaster
from openclaw_gateway.protocol.devices import Devices
from openclaw_gateway.protocol.dispatch import Call, NoParams, Params
from openclaw_gateway.protocol.nodes import Nodes
from openclaw_gateway.protocol.nodes_once import Remembered
from openclaw_gateway.routing import send_policy
from openclaw_kernel.agent.api import Runtime
from openclaw_kernel.agent.settings import workspace_of
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.config.service import ConfigStore
from openclaw_kernel.memory.memories import Memories
from openclaw_kernel.models.service import Models
from openclaw_kernel.safety.approvals import Approvals
from openclaw_kernel.safety.redact import Redactor
from openclaw_kernel.safety.sandbox.service import Sandboxes
from openclaw_kernel.safety.tool_policy import Standing
from openclaw_kernel.sessions.store import Sessions
from openclaw_kernel.skills.shelf import Shelf
from openclaw_kernel.tools.mcp.room import McpRoom
from openclaw_kernel.tools.questions import Questions
from openclaw_kernel.tools.sessions_api import SessionDesk
from openclaw_kernel.values import session_key
from openclaw_kernel.values.clock import Clock, NewId
from openclaw_kernel.values.envelope import Peer
from openclaw_kernel.values.errors import invalid

if TYPE_CHECKING:
    from openclaw_kernel.memory.desk import Forget  # with it comes all that imports and exports notes

__all__ = ["GatewayServices", "NoParams", "Params", "parts"]


@dataclass(slots=True)
class GatewayServices:
    """The parts of a running gateway, as methods and HTTP handlers see them."""

    state_dir: Path
    version: str
    clock: Clock
    new_id: NewId
    started_at: int
    config: ConfigStore
    sessions: Sessions
    models: Models
    runtime: Runtime
    approvals: Approvals
    devices: Devices
    broadcaster: Broadcaster
    projection: Projection
    log_file: Path
    presence: Callable[[], list[dict[str, Any]]]
    health_changed: Callable[[], None]
    secret: Callable[[], str | None]
    skills: Shelf
    nodes: Nodes
    surfaces: Surfaces
    sandboxes: Sandboxes
    mcp: McpRoom
    questions: Questions
    automation: Automation = field(init=False)
    accepting: bool = True
    command_results: dict[str, dict[str, Any]] = field(default_factory=dict)
    channels: ChannelRoom = field(init=False, repr=False)
    node_calls: Remembered = field(default_factory=Remembered)
    plugins: Plugins = field(init=False, repr=False)
    plugin_commands: dict[str, Any] = field(default_factory=dict)
    subagents: SessionDesk = field(init=False, repr=False)
    memories: Memories = field(init=False, repr=False)
    forget: Forget = field(init=False, repr=False)
    dreams: Dreams = field(init=False, repr=False)
    redactor: Redactor = field(default_factory=Redactor, repr=False)
    tool_standings: Callable[[str], Sequence[Standing]] = field(init=False, repr=False)

    @property
    def settings(self) -> OpenClawConfig:
        """The configuration in force now."""
        return self.config.current.config

    @property
    def default_agent(self) -> str:
        """The agent marked `default` in `agents.list`, else the first, else `main`."""
        agents = self.settings.agents.list
        for agent in agents:
            if agent.default:
                return agent.id
        return agents[0].id if agents else session_key.DEFAULT_AGENT

    def key(self, text: str, agent_id: str | None = None) -> str:
        """The canonical session key of any form a client may send; `main` is what `session.mainKey` calls it."""
        found = session_key.parse(text, default_agent=agent_id or self.default_agent)
        return self.main_key(found.agent) if found.kind == "main" and found.suffix is None else found.text

    def main_key(self, agent_id: str) -> str:
        """The key of an agent's main session, by the name that `session.mainKey` gives it."""
        return session_key.resolve(f"agent:{agent_id}:{self.settings.session.main_key}")

    def chat_key(self, agent_id: str, channel: str, peer: Peer) -> str:
        """The session whose word counts for what the house says in a chat: a group's own, else the agent's main one."""
        if peer.kind == "direct":
            return self.main_key(agent_id)
        return session_key.build(session_key.SessionKey(peer.kind, agent_id, peer.id, channel))

    def withheld(self, key: str, channel: str, chat_type: str) -> str:
        """The rule by which nothing is sent from a session to such a place, empty when it may be (SES-09)."""
        entry = self.sessions.get(key)
        own = entry.send_policy if entry is not None else None
        return send_policy.refusal(self.settings.session.send_policy, own, key, channel, chat_type)

    def writable_key(self, text: str, agent_id: str | None = None) -> str:
        """`key`, for what would make the session. Raises INVALID_REQUEST for an agent that is not configured."""
        key = self.key(text, agent_id)
        agent = session_key.parse(key).agent
        if agent not in self.agent_ids():
            raise invalid(f"unknown agent {agent!r}; known: {', '.join(self.agent_ids())}")
        return key

    def agent_ids(self) -> list[str]:
        """Configured agents, the default one first; `main` when none is configured."""
        ids = [agent.id for agent in self.settings.agents.list]
        default = self.default_agent
        return [default, *(agent_id for agent_id in ids if agent_id != default)]

    def workspace(self, agent_id: str) -> Path:
        """Where an agent works, as its turns know it."""
        return workspace_of(self.settings, self.state_dir, agent_id)


def parts(call: Call) -> GatewayServices:
    """The services behind a call, with their type."""
    return cast(GatewayServices, call.services)
