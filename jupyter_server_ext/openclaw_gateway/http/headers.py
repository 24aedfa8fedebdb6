"""What every answer carries (protocol section 6), and the base of handlers at the gateway's own door."""

from __future__ import annotations

from typing import Any, cast

from tornado.web import RequestHandler

from openclaw_gateway.methods.services import GatewayServices
from openclaw_gateway.protocol.auth import GatewayAuth

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def add_security_headers(handler: RequestHandler) -> None:
    """Sets the headers on one answer."""
    for name, value in SECURITY_HEADERS.items():
        handler.set_header(name, value)


class GatewayHandler(RequestHandler):
    """A handler at the gateway's own door; the application's settings hold `services` and `auth`."""

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        add_security_headers(self)

    @property
    def services(self) -> GatewayServices:
        return cast(GatewayServices, self.settings["openclaw_services"])

    @property
    def auth(self) -> GatewayAuth:
        return cast(GatewayAuth, self.settings["openclaw_auth"])

    def authorized(self) -> bool:
        """Whether `Authorization: Bearer` holds the gateway's secret; always true in mode `none`, which is loopback only."""
        if self.auth.mode == "none":
            return True
        kind, _, secret = self.request.headers.get("Authorization", "").partition(" ")
        return kind.lower() == "bearer" and self.auth.matches(secret.strip())

    def foreign_page(self) -> bool:
        """Whether a page of another site sends this request; it may not, with the secret or without (protocol section 2)."""
        request = self.request
        refusal = self.auth.check_origin(
            request.headers.get("Origin"), host=request.host, remote_ip=request.remote_ip or "", required=False
        )
        return refusal is not None

    def write_error(self, status_code: int, **_kwargs: Any) -> None:
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{status_code} {self._reason}\n")


class NotFound(GatewayHandler):
    """Anything without a route."""

    def prepare(self) -> None:
        self.send_error(404)
