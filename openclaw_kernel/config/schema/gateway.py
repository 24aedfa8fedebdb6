"""`gateway`: where it listens, who may come in, what its HTTP face offers."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from openclaw_kernel.config.schema.base import Loose, NotNegative, Port, Positive, SecretInput, Section


class AuthRateLimit(Section):
    """Failed logins per address before it is locked out (protocol section 3)."""

    max_attempts: Positive = 10
    window_ms: Positive = 60_000
    lockout_ms: Positive = 300_000
    exempt_loopback: bool = True


class GatewayAuth(Section):
    """A token (made on first start when none is given), a password, or nothing on loopback only."""

    mode: Literal["token", "password", "none"] = "token"
    token: SecretInput | None = Field(default=None, repr=False)
    password: SecretInput | None = Field(default=None, repr=False)
    rate_limit: AuthRateLimit = Field(default_factory=AuthRateLimit)

    @model_validator(mode="after")
    def _password_implies_its_mode(self) -> Self:
        if "mode" not in self.model_fields_set and self.password is not None and self.token is None:
            self.mode = "password"
        return self


class ControlUi(Section):
    """The browser face. `allowed_origins` are full origins such as `https://home.example:8443`."""

    enabled: bool = True
    base_path: str | None = None
    root: str | None = None
    allowed_origins: list[str] = Field(default_factory=list)
    allow_insecure_auth: bool = False


class HttpEndpoint(Section):
    """An OpenAI-compatible endpoint; closed until someone opens it."""

    enabled: bool = False
    max_body_bytes: Positive = 20_000_000


class HttpEndpoints(Section):
    """Which HTTP APIs answer."""

    chat_completions: HttpEndpoint = Field(default_factory=HttpEndpoint)
    responses: HttpEndpoint = Field(default_factory=HttpEndpoint)


class SecurityHeaders(Section):
    """Headers only the owner can promise. `strict_transport_security` is the header's value, for a gateway behind TLS."""

    strict_transport_security: str | Literal[False] = False


class GatewayHttp(Section):
    """The HTTP face beside the WebSocket."""

    endpoints: HttpEndpoints = Field(default_factory=HttpEndpoints)
    security_headers: SecurityHeaders = Field(default_factory=SecurityHeaders)


class GatewayReload(Section):
    """What a changed config file does (CFG-08). `debounce_ms` waits out an editor that saves in several steps."""

    mode: Literal["off", "hot", "restart", "hybrid"] = "hybrid"
    debounce_ms: NotNegative = 300


class GatewayTools(Section):
    """Tools reachable through `/tools/invoke`."""

    allow: list[str] = Field(default_factory=list)
    deny: list[str] = Field(default_factory=list)


class GatewayNodes(Section):
    """Commands that nodes may run on top of, or not of, the defaults. `auto_approve_local`: our own kernels and JupyterLab
    windows become nodes without a person's word, for `python.*`, `canvas.*` and `notebook.*` alone."""

    allow_commands: list[str] = Field(default_factory=list)
    deny_commands: list[str] = Field(default_factory=list)
    auto_approve_local: bool = True


class GatewayRemote(Section):
    """The gateway to talk to when `mode` is remote."""

    url: str | None = None
    token: SecretInput | None = Field(default=None, repr=False)
    password: SecretInput | None = Field(default=None, repr=False)
    tls_fingerprint: str | None = None


class Gateway(Section):
    """Safe defaults: this machine only, a token, no HTTP API. `trusted_proxies` are addresses and networks whose
    `X-Forwarded-For` is believed."""

    mode: Literal["local", "remote"] | None = None
    port: Port = 18789
    bind: Literal["loopback", "lan", "auto", "tailnet", "custom"] = "loopback"
    custom_bind_host: str | None = None
    auth: GatewayAuth = Field(default_factory=GatewayAuth)
    control_ui: ControlUi = Field(default_factory=ControlUi)
    http: GatewayHttp = Field(default_factory=GatewayHttp)
    reload: GatewayReload = Field(default_factory=GatewayReload)
    tools: GatewayTools = Field(default_factory=GatewayTools)
    nodes: GatewayNodes = Field(default_factory=GatewayNodes)
    remote: GatewayRemote = Field(default_factory=GatewayRemote)
    trusted_proxies: list[str] = Field(default_factory=list)
    allow_real_ip_fallback: bool = False
    tls: Loose = Field(default_factory=dict)
    tailscale: Loose = Field(default_factory=dict)

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, proxies: list[str]) -> list[str]:
        for proxy in proxies:
            try:
                ip_network(proxy, strict=False)
            except ValueError:
                raise ValueError(f"{proxy!r} is no IP address or network; write for example 10.0.0.5 or 10.0.0.0/8") from None
        return proxies

    @model_validator(mode="after")
    def _open_door_on_loopback_only(self) -> Self:
        if self.auth.mode == "none" and self.bind != "loopback":
            raise ValueError('auth.mode "none" is only allowed with bind "loopback"; set a token or a password')
        if self.bind == "custom" and not self.custom_bind_host:
            raise ValueError('bind "custom" needs customBindHost')
        return self
