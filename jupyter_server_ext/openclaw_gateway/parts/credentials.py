"""How the gateway knows its own: the token or password, and when none is acceptable."""

from __future__ import annotations

import logging
import secrets as random
from collections.abc import Callable, Mapping
from pathlib import Path

from openclaw_gateway.protocol.auth import FailureLimit, GatewayAuth
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.config.secrets import Secrets
from openclaw_kernel.store.atomic import write_atomic
from openclaw_kernel.values.clock import Clock
from openclaw_kernel.values.errors import UserError

log = logging.getLogger("openclaw_gateway.secrets")

TOKEN_FILE = "gateway-token"


def load_secrets(secrets: Secrets, changed: OpenClawConfig | None = None) -> None:
    """Resolves what the configuration asks for, before anybody needs it: files and programs block. A failing owner is named
    in the log and fails when it is used; the others go on (CFG-15)."""
    failures = secrets.preload() if changed is None else secrets.renew(changed)
    for error in failures.values():
        log.warning("%s", error)


def gateway_secret(state_dir: Path, settings: OpenClawConfig, secrets: Secrets, env: Mapping[str, str]) -> str:
    """The token or password of this gateway: from the environment, the config, or made on first start (0600)."""
    auth = settings.gateway.auth
    if auth.mode == "none":
        return ""
    if auth.mode == "password":
        password = env.get("OPENCLAW_GATEWAY_PASSWORD") or secrets.resolve(auth.password, "gateway.auth.password")
        if not password:
            raise UserError("gateway.auth.mode is password, but gateway.auth.password is not set; set it or use mode token.")
        return password
    configured = env.get("OPENCLAW_GATEWAY_TOKEN") or (
        secrets.resolve(auth.token, "gateway.auth.token") if auth.token is not None else ""
    )
    if configured:
        return configured
    path = state_dir / TOKEN_FILE
    if path.exists() and (token := path.read_text(encoding="utf-8").strip()):
        return token
    token = random.token_hex(24)
    write_atomic(path, token + "\n")
    return token


def gateway_auth(settings: OpenClawConfig, secret: str, current: Callable[[], OpenClawConfig], clock: Clock) -> GatewayAuth:
    """The check at the door; `current` is asked for the origins at every knock."""
    limit = settings.gateway.auth.rate_limit
    return GatewayAuth(
        settings.gateway.auth.mode,
        secret,
        allowed_origins=lambda: current().gateway.control_ui.allowed_origins,
        limit=FailureLimit(
            attempts=limit.max_attempts,
            window_ms=limit.window_ms,
            lockout_ms=limit.lockout_ms,
            exempt_loopback=limit.exempt_loopback,
            clock=clock,
        ),
    )


def check_auth(settings: OpenClawConfig, host: str) -> None:
    """No authentication is acceptable on loopback alone."""
    if settings.gateway.auth.mode == "none" and host not in ("127.0.0.1", "::1", "localhost"):
        raise UserError(
            f"gateway.auth.mode is none, but the gateway would listen on {host}; set mode token, or listen on 127.0.0.1."
        )
