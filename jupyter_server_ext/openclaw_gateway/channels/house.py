"""What the channels ask of the rest of the gateway, as a bundle of callables."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openclaw_kernel.agent.api import Runtime
from openclaw_kernel.config.schema.agents import AgentDefaults
from openclaw_kernel.values.envelope import Inbound, Outbound
from openclaw_kernel.values.events import RunEvent


@dataclass(frozen=True, slots=True)
class House:
    """`command` answers a slash command of a session, or `None`; its third argument names the speaker when he is the owner and
    is empty for others. `details` are those of the tool results of a run; `heard` notes the last route of a session;
    `workspace` is an agent's folder."""

    runtime: Runtime
    listen: Callable[[str, Callable[[RunEvent], None]], Callable[[], None]]
    command: Callable[[str, str, str], Awaitable[str | None]]
    details: Callable[[str, str], Sequence[Mapping[str, Any]]]
    heard: Callable[[str, Inbound], None]
    workspace: Callable[[str], Path]
    typing_mode: Callable[[], str | None]
    skill: Callable[[str, str], Awaitable[str | None]] | None = None
    """Takes up the skill that a text calls by its slash name; answers a line for the prompt, or `None` for other text."""
    received: Callable[[str, Inbound], None] | None = None
    """Hears of every message that becomes a run, with its session."""
    before_send: Callable[[Outbound], Awaitable[Outbound]] | None = None
    """May change what goes out; raises `ChannelError` (refused) to withhold it."""
    after_send: Callable[[Outbound, str], None] | None = None
    """Hears what went out, with the platform's name for it."""
    defaults: Callable[[], AgentDefaults] = AgentDefaults
    """What the config says for all agents."""
    verbose: Callable[[str], bool] = lambda _key: False
    """Whether a session wants to hear how its messages fare."""
    waits: Callable[[str], bool] = lambda _run_id: False
    """Whether a run has not begun, and its message has not joined another one."""
    withheld: Callable[[str, str, str], str] = lambda _key, _channel, _chat_type: ""
    """The rule by which a session does not speak on such a channel, in such a kind of chat; empty when it may."""
    changed: Callable[[], None] | None = None
    """Hears that an account connected, was lost, stopped, or cannot run for another reason than before."""
