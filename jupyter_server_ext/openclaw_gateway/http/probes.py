"""`/health`, `/ready`, `/startup` and their z forms (protocol section 6)."""

from __future__ import annotations

from typing import Any

from openclaw_gateway.http.headers import GatewayHandler
from openclaw_gateway.methods.services import GatewayServices


def health_body() -> dict[str, Any]:
    return {"ok": True, "status": "live"}


def ready_body(services: GatewayServices) -> tuple[int, dict[str, Any]]:
    """200 while messages are taken, 503 while draining."""
    failing = [] if services.accepting else ["draining"]
    uptime = services.clock() - services.started_at
    return (503 if failing else 200), {"ready": not failing, "failing": failing, "uptimeMs": uptime}


def startup_body(services: GatewayServices) -> tuple[int, dict[str, Any]]:
    state = "started" if services.accepting else "draining"
    uptime = services.clock() - services.started_at
    body = {"ok": services.accepting, "status": state, "version": services.version, "uptimeMs": uptime}
    return (200 if services.accepting else 503), body


class _Probe(GatewayHandler):
    def answer(self) -> tuple[int, dict[str, Any]]:
        raise NotImplementedError

    def get(self) -> None:
        status, body = self.answer()
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.finish(body)

    def head(self) -> None:
        self.get()


class Health(_Probe):
    def answer(self) -> tuple[int, dict[str, Any]]:
        return 200, health_body()


class Ready(_Probe):
    def answer(self) -> tuple[int, dict[str, Any]]:
        return ready_body(self.services)


class Startup(_Probe):
    def answer(self) -> tuple[int, dict[str, Any]]:
        return startup_body(self.services)
