"""The shared secret, the origin of a page, and the price of guessing (protocol section 3.3)."""

from __future__ import annotations

import hmac
import ipaddress
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from openclaw_kernel.values.clock import Clock, system_clock
from openclaw_kernel.values.errors import OpenClawError

AuthMode = Literal["token", "password", "none"]

ORIGIN_MESSAGE = (
    "origin not allowed (open the Control UI from the gateway host or allow it in gateway.controlUi.allowedOrigins)"
)
_MAX_TRACKED = 10_000


def same(left: str, right: str) -> bool:
    """Constant-time comparison; an empty secret matches nothing."""
    return bool(right) and hmac.compare_digest(left.encode(), right.encode())


def is_loopback(address: str) -> bool:
    """Whether a host name or IP address is this machine's own loopback."""
    name = address.strip("[]").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ip = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    return (mapped or ip).is_loopback


class FailureLimit:
    """Counts failed attempts per address: ten in a minute lock it out for five (the original's figures). Loopback is exempt
    unless told otherwise."""

    def __init__(
        self,
        *,
        attempts: int = 10,
        window_ms: int = 60_000,
        lockout_ms: int = 300_000,
        exempt_loopback: bool = True,
        clock: Clock = system_clock,
    ) -> None:
        self._attempts, self._window, self._lockout, self._clock = attempts, window_ms, lockout_ms, clock
        self._exempt = exempt_loopback
        self._failures: dict[str, deque[int]] = {}
        self._locked: dict[str, int] = {}

    def check(self, address: str) -> None:
        """Raises `OpenClawError` with `retryAfterMs` while the address is locked out."""
        until = self._locked.get(address)
        if until is None:
            return
        left = until - self._clock()
        if left <= 0:
            del self._locked[address]
            return
        message = "unauthorized: too many failed authentication attempts (retry later)"
        raise refused(message, "AUTH_RATE_LIMITED", "rate_limited", step="wait_then_retry", retry_after_ms=left)

    def failed(self, address: str) -> None:
        """Records one failure."""
        if self._exempt and is_loopback(address):
            return
        now = self._clock()
        recent = self._failures.setdefault(address, deque(maxlen=self._attempts))
        recent.append(now)
        if len(recent) == self._attempts and now - recent[0] <= self._window:
            self._locked[address] = now + self._lockout
            del self._failures[address]
        if len(self._failures) > _MAX_TRACKED:
            del self._failures[next(iter(self._failures))]

    def succeeded(self, address: str) -> None:
        self._failures.pop(address, None)


def refused(
    message: str, code: str, reason: str, *, step: str = "update_auth_credentials", retry_after_ms: int | None = None
) -> OpenClawError:
    """`INVALID_REQUEST` with the details clients branch on."""
    details = {"code": code, "authReason": reason, "canRetryWithDeviceToken": False, "recommendedNextStep": step}
    return OpenClawError(
        "INVALID_REQUEST", message, details, retryable=retry_after_ms is not None, retry_after_ms=retry_after_ms
    )


@dataclass(frozen=True, slots=True)
class SharedSecret:
    """The credentials a client sent in `connect` or as a Bearer header."""

    token: str = ""
    password: str = ""


class GatewayAuth:
    """Checks the shared secret. `secret` is a callable because a config reload may change it; never printed."""

    def __init__(
        self,
        mode: AuthMode = "token",
        secret: str | Callable[[], str] = "",
        *,
        allowed_origins: Collection[str] | Callable[[], Collection[str]] = (),
        limit: FailureLimit | None = None,
    ) -> None:
        self.mode = mode
        self._secret = secret
        self._origins = allowed_origins
        self.limit = limit or FailureLimit()

    def __repr__(self) -> str:
        return f"GatewayAuth(mode={self.mode!r})"

    def matches(self, secret: str) -> bool:
        """Whether `secret` is the gateway's own; for HTTP Bearer. Always false in mode `none`."""
        if self.mode == "none":
            return False
        return same(secret, self._secret() if callable(self._secret) else self._secret)

    def offered(self, given: SharedSecret) -> str:
        """What the client sent for this mode; empty when it sent nothing."""
        return {"token": given.token, "password": given.password, "none": ""}[self.mode]

    def mismatch(self) -> OpenClawError:
        if self.mode == "password":
            message = "unauthorized: gateway password mismatch (provide gateway auth password)"
            return refused(message, "AUTH_PASSWORD_MISMATCH", "password_mismatch")
        message = "unauthorized: gateway token mismatch (provide gateway auth token)"
        return refused(message, "AUTH_TOKEN_MISMATCH", "token_mismatch")

    def missing(self) -> OpenClawError:
        kind = "password" if self.mode == "password" else "token"
        message = f"unauthorized: gateway {kind} missing (provide gateway auth {kind})"
        return refused(message, f"AUTH_{kind.upper()}_MISSING", f"{kind}_missing")

    def check_origin(
        self, origin: str | None, *, host: str, remote_ip: str, required: bool, trusted: bool = False
    ) -> OpenClawError | None:
        """The refusal for a page that may not speak to this gateway, or `None`.

        Accepted: no origin (unless `required`: browser clients), a configured one, a loopback page on this machine,
        a page of the gateway's own host. The last would let a
        rebound DNS name in when there is no secret, so it then needs a loopback host.
        """
        if not origin:
            return _origin_refused("origin missing or invalid") if required else None
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return _origin_refused("origin missing or invalid" if required else "origin not allowed")
        allowed = self._origins() if callable(self._origins) else self._origins
        if origin.rstrip("/").lower() in {entry.rstrip("/").lower() for entry in allowed}:
            return None
        if is_loopback(parts.hostname) and is_loopback(remote_ip):
            return None
        own_host = bool(host) and parts.netloc.lower() == host.lower()
        if own_host and (trusted or self.mode != "none" or is_loopback(parts.hostname)):
            return None
        return _origin_refused("origin not allowed")


def _origin_refused(reason: str) -> OpenClawError:
    details = {"code": "CONTROL_UI_ORIGIN_NOT_ALLOWED", "reason": reason}
    return OpenClawError("INVALID_REQUEST", ORIGIN_MESSAGE, details)
