"""`approvals`: where questions to the user are forwarded."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from openclaw_kernel.config.schema.base import Section


class ApprovalTarget(Section):
    """A chat that gets the approval cards."""

    channel: str
    to: str
    account_id: str | None = None
    thread_id: str | int | None = None


class ApprovalForwarding(Section):
    """Off by default; `session` asks in the chat where the run came from, `targets` in the listed ones."""

    enabled: bool = False
    mode: Literal["session", "targets", "both"] = "session"
    agent_filter: list[str] = Field(default_factory=list)
    session_filter: list[str] = Field(default_factory=list)
    targets: list[ApprovalTarget] = Field(default_factory=list)


class Approvals(Section):
    """For commands and for plugins."""

    exec: ApprovalForwarding = Field(default_factory=ApprovalForwarding)
    plugin: ApprovalForwarding = Field(default_factory=ApprovalForwarding)
