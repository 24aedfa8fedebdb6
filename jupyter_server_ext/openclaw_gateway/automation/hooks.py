"""Webhooks that wake the agent: who may, how often, and where it lands (AUT-14).

Off by default. The text of a request is somebody else's: it reaches the model fenced, and the session it lands in is tainted,
so that what follows from it needs a person's word.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from openclaw_gateway.automation.contract import Announce, Announcement
from openclaw_gateway.automation.runner import WATCHDOG_S, house_message
from openclaw_gateway.protocol.auth import same
from openclaw_kernel.agent.api import Outcome, RunRequest, Runtime
from openclaw_kernel.config.schema.cron import Hooks
from openclaw_kernel.models.api import ThinkingLevel
from openclaw_kernel.values.clock import Clock, NewId
from openclaw_kernel.values.envelope import delivery_id, fence
from openclaw_kernel.values.session_key import main_key, parse, resolve

ATTEMPTS = 20
WINDOW_MS = 60_000
LOCKOUT_MS = 60_000
"""Twenty wrong tokens in a minute shut the door to an address for a minute (AUT-14)."""
MAX_ADDRESSES = 10_000


class HookRefused(Exception):
    """A request that is not served: the HTTP status and one sentence."""

    def __init__(self, status: int, sentence: str, retry_after_s: int = 0) -> None:
        super().__init__(sentence)
        self.status = status
        self.retry_after_s = retry_after_s


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore", alias_generator=to_camel, populate_by_name=True, strict=True, defer_build=True)


class WakeBody(_Body):
    text: str = Field(min_length=1)
    mode: Literal["now", "next-heartbeat"] = "now"


class AgentBody(_Body):
    message: str = Field(min_length=1)
    name: str = Field(default="webhook", max_length=100)
    agent_id: str | None = None
    session_key: str | None = Field(default=None, max_length=512)
    wake_mode: Literal["now", "next-heartbeat"] = "now"
    deliver: bool = False
    channel: str | None = None
    to: str | None = None
    model: str | None = None
    thinking: ThinkingLevel | None = None
    timeout_seconds: int | None = Field(default=None, ge=0, le=172_800)
    wait_for_completion: bool = False
    idempotency_key: str | None = Field(default=None, min_length=1, max_length=256)


class Attempts:
    """Wrong tokens by address; this machine is not exempt, since anything may run on it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: dict[str, deque[int]] = {}
        self._until: dict[str, int] = {}

    def left(self, address: str) -> int:
        """Seconds for which this address is shut out."""
        left = self._until.get(address, 0) - self._clock()
        if left <= 0:
            self._until.pop(address, None)
            return 0
        return -(-left // 1000)

    def failed(self, address: str) -> None:
        now = self._clock()
        recent = self._failures.setdefault(address, deque(maxlen=ATTEMPTS))
        recent.append(now)
        if len(recent) == ATTEMPTS and now - recent[0] <= WINDOW_MS:
            self._until[address] = now + LOCKOUT_MS
            del self._failures[address]
        for book in (self._failures, self._until):
            if len(book) > MAX_ADDRESSES:
                del book[next(iter(book))]


@dataclass(slots=True)
class HookDoor:
    """The two webhooks. `token` is the resolved `hooks.token`; `taint` marks a session; `wake` puts a line before it."""

    settings: Callable[[], Hooks]
    token: Callable[[], str]
    gateway_secret: Callable[[], str | None]
    runtime: Runtime
    wake_session: Callable[[str, str, str, str], Awaitable[None]]
    taint: Callable[[str], None]
    announce: Announce
    later: Callable[[Awaitable[None]], None]
    agent_ids: Callable[[], Collection[str]]
    default_agent: Callable[[], str]
    clock: Clock
    new_id: NewId
    attempts: Attempts
    main_key: Callable[[str], str] = main_key

    def admit(self, given: str, address: str) -> None:
        """Lets a caller in or raises `HookRefused`. `given` is the token of the header, empty when there is none."""
        settings = self.settings()
        if not settings.enabled:
            raise HookRefused(404, "Not Found")
        token = self.token()
        if not token:
            raise HookRefused(503, "hooks.token is not set; set it before hooks.enabled.")
        if same(token, self.gateway_secret() or ""):
            raise HookRefused(503, "hooks.token is the gateway's own token; give the webhooks one of their own.")
        if left := self.attempts.left(address):
            raise HookRefused(429, "Too many wrong tokens; try again later.", left)
        if not same(given, token):
            self.attempts.failed(address)
            raise HookRefused(401, "Unauthorized")

    async def wake(self, body: WakeBody) -> dict[str, Any]:
        agent = self.default_agent()
        key = self.main_key(agent)
        self.taint(key)
        await self.wake_session(body.mode, key, fence("webhook", body.text), f"hook:{self.new_id()}")
        return {"ok": True, "mode": body.mode, "eventOutcome": "queued" if body.mode == "next-heartbeat" else "started"}

    async def agent(self, body: AgentBody) -> dict[str, Any]:
        agent, name = self._agent(body), body.idempotency_key
        unique = hashlib.sha256(f"{agent}\n{name}".encode()).hexdigest()[:32] if name else self.new_id()
        key = self._session(body, agent, unique)
        run_id = f"hook:{unique}"
        self.taint(key)
        text = fence(f"webhook {' '.join(body.name.split())}", body.message)
        if body.wake_mode == "next-heartbeat":
            await self.wake_session(body.wake_mode, self.main_key(agent), text, run_id)
            return {"ok": True, "runId": run_id, "queued": True}
        await self.runtime.submit(
            RunRequest(
                run_id=run_id,
                session_key=key,
                message=house_message(run_id, text, self.clock(), owner=False),
                model=body.model,
                thinking=body.thinking,
                timeout_ms=(WATCHDOG_S if body.timeout_seconds is None else body.timeout_seconds) * 1000,
                client_id="hook",
            )
        )
        if body.wait_for_completion:
            outcome = await self._finish(body, agent, run_id)
            answer = outcome.message.text if outcome is not None and outcome.message is not None else ""
            return {"ok": True, "runId": run_id, "status": outcome.status if outcome else "timeout", "text": answer}
        if body.deliver or body.channel:
            self.later(self._finish_quietly(body, agent, run_id))
        return {"ok": True, "runId": run_id}

    async def _finish_quietly(self, body: AgentBody, agent: str, run_id: str) -> None:
        await self._finish(body, agent, run_id)

    async def _finish(self, body: AgentBody, agent: str, run_id: str) -> Outcome | None:
        outcome = await self.runtime.wait(run_id)
        if (body.deliver or body.channel) and outcome is not None and outcome.message is not None:
            note = Announcement(agent, outcome.message.text, delivery_id(run_id, 0), body.channel or "last", to=body.to or "")
            await self.announce(note)
        return outcome

    def _agent(self, body: AgentBody) -> str:
        agent = body.agent_id or self.default_agent()
        allowed = self.settings().allowed_agent_ids
        if agent not in self.agent_ids() or (allowed and agent not in allowed and "*" not in allowed):
            raise HookRefused(400, "agentId is not one that webhooks may use.")
        return agent

    def _session(self, body: AgentBody, agent: str, unique: str) -> str:
        settings = self.settings()
        if body.session_key is None:
            if settings.default_session_key:
                return _of_agent(settings.default_session_key, agent)
            return f"agent:{agent}:hook:{unique}"
        if not settings.allow_request_session_key:
            raise HookRefused(400, "sessionKey may not be chosen; set hooks.allowRequestSessionKey to allow it.")
        asked = body.session_key.strip()
        if not any(prefix and asked.startswith(prefix) for prefix in settings.allowed_session_key_prefixes):
            raise HookRefused(400, "sessionKey begins with none of hooks.allowedSessionKeyPrefixes.")
        return _of_agent(asked, agent)


def _of_agent(text: str, agent: str) -> str:
    """A session of this very agent: a key that names another would run with that one's tools."""
    key = parse(text, default_agent=agent)
    if key.kind in ("cron", "hook", "node", "global", "unknown"):
        return resolve(f"agent:{agent}:{text}")
    if key.agent != agent:
        raise HookRefused(400, "sessionKey belongs to another agent.")
    return key.text
