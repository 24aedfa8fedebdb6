"""`POST /hooks/wake` and `/hooks/agent` (protocol section 6): the door in front of `automation.hooks`."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError

from openclaw_gateway.automation.hooks import AgentBody, HookDoor, HookRefused, WakeBody
from openclaw_gateway.http.headers import GatewayHandler
from openclaw_gateway.protocol.problems import describe
from openclaw_kernel.values.errors import OpenClawError, UserError


class Hook(GatewayHandler):
    """One webhook. The caller is judged before a byte of the body is read."""

    SUPPORTED_METHODS = ("GET", "HEAD", "POST", "DELETE", "PATCH", "PUT", "OPTIONS")
    model: type[BaseModel]

    @property
    def door(self) -> HookDoor:
        return self.services.automation.hooks

    def prepare(self) -> None:
        try:
            self._admit()
        except HookRefused as refused:
            self._refuse(refused)

    async def post(self) -> None:
        try:
            body = self.model.model_validate_json(self.request.body)
            self.finish(await self.answer(body))
        except ValidationError as error:
            self._refuse(HookRefused(400, describe(error)))
        except HookRefused as refused:
            self._refuse(refused)
        except (OpenClawError, UserError) as error:
            self._refuse(HookRefused(400, str(error)))

    async def answer(self, body: Any) -> dict[str, Any]:
        raise NotImplementedError

    def _admit(self) -> None:
        settings = self.door.settings()
        if not settings.enabled:
            raise HookRefused(404, "Not Found")
        if self.request.method != "POST":
            self.set_header("Allow", "POST")
            raise HookRefused(405, "Method Not Allowed")
        if self.foreign_page():
            raise HookRefused(403, "A page of another origin may not use this webhook.")
        if "token" in self.request.query_arguments:
            raise HookRefused(400, "The token belongs in a header; addresses end up in logs.")
        headers = self.request.headers
        kind, _, bearer = headers.get("Authorization", "").partition(" ")
        given = bearer.strip() if kind.lower() == "bearer" else headers.get("X-OpenClaw-Token", "")
        self.door.admit(given, self.peer)
        if not self.services.accepting:
            raise HookRefused(503, "The gateway is shutting down.")
        if len(self.request.body) > settings.max_body_bytes:
            raise HookRefused(413, f"The body is larger than {settings.max_body_bytes} bytes.")

    def _refuse(self, refused: HookRefused) -> None:
        self.set_status(refused.status)
        if refused.retry_after_s:
            self.set_header("Retry-After", str(refused.retry_after_s))
        self.finish({"ok": False, "error": str(refused)})


class WakeHook(Hook):
    model = WakeBody

    async def answer(self, body: WakeBody) -> dict[str, Any]:
        return await self.door.wake(body)


class AgentHook(Hook):
    model = AgentBody

    async def answer(self, body: AgentBody) -> dict[str, Any]:
        return await self.door.agent(body)


def routes(path: str) -> list[tuple[str, Any]]:
    """The two webhooks below `hooks.path`, which is read once at start."""
    base = path.rstrip("/")
    return [(f"{base}/wake", WakeHook), (f"{base}/agent", AgentHook)]
