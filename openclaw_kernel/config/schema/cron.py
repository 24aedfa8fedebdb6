"""`cron`, `hooks` and an agent's `heartbeat`: what happens without anybody asking."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from openclaw_kernel.config.schema.base import NotNegative, OpenSection, Positive, SecretInput

_CLOCK = r"^(([01]?\d|2[0-3]):[0-5]\d|24:00)$"


class Cron(OpenSection):
    """The scheduler. `catchUp` says what becomes of the newest slot missed while the gateway was down: run it, or leave it.

    `maxConcurrentRuns` jobs run side by side. `webhookAllowHosts` are exact hosts (`host` or `host:port`) that a job's webhook
    may call although they are private.
    """

    enabled: bool = True
    catch_up: Literal["run", "skip"] = "run"
    catch_up_delay_ms: NotNegative = 10_000
    max_concurrent_runs: Positive = 4
    session_retention_hours: Positive = 24
    webhook_allow_hosts: list[str] = Field(default_factory=list)
    webhook_token: SecretInput | None = None


class Hooks(OpenSection):
    """`POST /hooks/wake` and `/hooks/agent` (AUT-14). Off by default; `token` must differ from the gateway's own.

    `allowedAgentIds` empty means every agent. A caller may choose a session only with `allowRequestSessionKey`, and then only
    below one of `allowedSessionKeyPrefixes`.
    """

    enabled: bool = False
    token: SecretInput | None = None
    path: str = Field(default="/hooks", pattern=r"^(/[A-Za-z0-9][A-Za-z0-9_-]*)+$")
    max_body_bytes: Positive = 262_144
    allowed_agent_ids: list[str] = Field(default_factory=list)
    default_session_key: str | None = None
    allow_request_session_key: bool = False
    allowed_session_key_prefixes: list[str] = Field(default_factory=lambda: ["hook:"])


class ActiveHours(OpenSection):
    """Local hours in which a heartbeat may run, `HH:MM`; `24:00` is the end of the day. `timezone` is an IANA name."""

    start: str = Field(default="00:00", pattern=_CLOCK)
    end: str = Field(default="24:00", pattern=_CLOCK)
    timezone: str | None = None


class Heartbeat(OpenSection):
    """A look around every so often (AUT-11 to AUT-13). `every` is a duration, `0m` switches it off.

    `target` is who hears what it finds: `owner`, `last` (the channel last used), `none`, or a channel with `to`.
    """

    every: str = Field(default="30m", pattern=r"^\s*\d+(\.\d+)?\s*(ms|s|m|h|d)?\s*$")
    prompt: str | None = None
    target: str = "owner"
    to: str | None = None
    account_id: str | None = None
    direct_policy: Literal["allow", "block"] = "allow"
    active_hours: ActiveHours | None = None
    light_context: bool = False
    isolated_session: bool = False
    model: str | None = None
    session: str | None = None
    ack_max_chars: NotNegative = 300
