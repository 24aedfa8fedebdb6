"""`session`: which conversations are one session, and when a session starts anew."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from openclaw_kernel.config.schema.base import Loose, Positive, Section


class SessionReset(Section):
    """No reset by default (SES-05). `at_hour` is the local hour of `daily`, `idle_minutes` counts real interaction."""

    mode: Literal["none", "daily", "idle"] = "none"
    at_hour: Annotated[int, Field(ge=0, le=23)] = 4
    idle_minutes: Positive | None = None


class SendMatch(Section):
    """Whom a rule is about; what is absent fits all. `key_prefix` is compared with the session key with and without its agent,
    `raw_key_prefix` with the whole key only."""

    channel: str | None = None
    chat_type: Literal["direct", "dm", "group", "channel"] | None = None
    key_prefix: str | None = None
    raw_key_prefix: str | None = None


class SendRule(Section):
    action: Literal["allow", "deny"]
    match: SendMatch = Field(default_factory=SendMatch)


class SendPolicy(Section):
    """Where answers may be sent (SES-09)."""

    default: Literal["allow", "deny"] = "allow"
    rules: list[SendRule] = Field(default_factory=list)


class Session(Section):
    """`dm_scope` says whether direct messages of different people share a session (SES-02), `group_scope` the same of groups
    (SES-03)."""

    scope: Literal["per-sender", "global"] = "per-sender"
    main_key: str = Field(default="main", min_length=1)
    dm_scope: Literal["main", "per-peer", "per-channel-peer", "per-account-channel-peer"] = "main"
    group_scope: Literal["per-group", "main"] = "per-group"
    identity_links: dict[str, list[str]] = Field(default_factory=dict)
    reset: SessionReset = Field(default_factory=SessionReset)
    reset_by_type: dict[str, SessionReset] = Field(default_factory=dict)
    reset_by_channel: dict[str, SessionReset] = Field(default_factory=dict)
    reset_triggers: list[str] = Field(default_factory=lambda: ["/new", "/reset"])
    idle_minutes: Positive | None = None
    store: str | None = None
    typing_mode: Literal["never", "instant", "thinking", "message"] | None = None
    send_policy: SendPolicy = Field(default_factory=SendPolicy)
    agent_to_agent: Loose = Field(default_factory=dict)
    thread_bindings: Loose = Field(default_factory=dict)
    maintenance: Loose = Field(default_factory=dict)
