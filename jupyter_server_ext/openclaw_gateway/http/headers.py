"""What every answer carries (protocol section 6), and the base of handlers at the gateway's own door."""

from __future__ import annotations

from typing import Any, cast

from tornado.web import RequestHandler

from openclaw_gateway.http.peer import peer_of
from openclaw_gateway.methods.services import GatewayServices
from openclaw_gateway.protocol.auth import GatewayAuth, is_loopback
from openclaw_kernel.values.errors import OpenClawError

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def add_security_headers(handler: RequestHandler) -> None:
    """Sets the headers on one answer. `Strict-Transport-Security` is for the owner to promise: it needs TLS in front."""
    for name, value in SECURITY_HEADERS.items():
        handler.set_header(name, value)
    services: GatewayServices | None = handler.settings.get("openclaw_services")
    if services is not None and (promise := services.settings.gateway.http.security_headers.strict_transport_security):
        handler.set_header("Strict-Transport-Security", promise)


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

    @property
    def peer(self) -> str:
        """The address of the client, through the proxies that are trusted."""
        return peer_of(self.request, self.services)

    def authorized(self) -> bool:
        """Whether `Authorization: Bearer` holds the gateway's secret; in mode `none` whether the request began on this machine.

        A wrong secret counts against the address, as it does in a handshake; who is locked out is not even compared.
        """
        if self.auth.mode == "none":
            return is_loopback(self.peer)
        kind, _, secret = self.request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return False
        try:
            self.auth.limit.check(self.peer)
        except OpenClawError:
            return False
        right = self.auth.matches(secret.strip())
        (self.auth.limit.succeeded if right else self.auth.limit.failed)(self.peer)
        return right

    def foreign_page(self) -> bool:
        """Whether a page of another site sends this request; it may not, with the secret or without (protocol section 2)."""
        request = self.request
        refusal = self.auth.check_origin(request.headers.get("Origin"), host=request.host, remote_ip=self.peer, required=False)
        return refusal is not None

    def write_error(self, status_code: int, **_kwargs: Any) -> None:
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{status_code} {self._reason}\n")


class NotFound(GatewayHandler):
    """Anything without a route."""

    def prepare(self) -> None:
        self.send_error(404)
