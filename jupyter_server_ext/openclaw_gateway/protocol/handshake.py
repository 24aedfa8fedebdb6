"""`connect`: from the first frame to a grant or a refusal (protocol sections 2, 3.1, 3.3, 3.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from openclaw_gateway.protocol import scopes as scope_rules
from openclaw_gateway.protocol import signatures
from openclaw_gateway.protocol.auth import GatewayAuth, SharedSecret, is_loopback, refused
from openclaw_gateway.protocol.connection import ClientInfo, Grant, Peer
from openclaw_gateway.protocol.device_rows import DeviceFacts
from openclaw_gateway.protocol.devices import Devices
from openclaw_gateway.protocol.policy import MINIMUM_PROBE_PROTOCOL, PROTOCOL
from openclaw_gateway.protocol.problems import describe
from openclaw_kernel.client.device import SignedClaim
from openclaw_kernel.values.errors import OpenClawError, invalid

ClientId = Literal[
    "cli",
    "gateway-client",
    "openclaw-tui",
    "openclaw-control-ui",
    "webchat",
    "webchat-ui",
    "openclaw-macos",
    "openclaw-ios",
    "openclaw-watchos",
    "openclaw-android",
    "openclaw-linux",
    "openclaw-browser-copilot",
    "node-host",
    "openclaw-worker",
    "openclaw-probe",
    "fingerprint",
    "test",
]
ClientMode = Literal["cli", "ui", "webchat", "backend", "node", "worker", "probe", "test"]

CONTROL_UI = "openclaw-control-ui"
BROWSER_CLIENTS = frozenset({CONTROL_UI, "webchat", "webchat-ui"})
TRUSTED_LOCAL = frozenset({("cli", "cli"), ("gateway-client", "backend")})
"""Clients that keep their scopes on loopback with the secret and without a device (protocol section 3.3)."""


class _Wire(BaseModel):
    """Unknown keys are ignored: each release of the clients adds some."""

    model_config = ConfigDict(extra="ignore", alias_generator=to_camel, strict=True, defer_build=True)


class ClientParams(_Wire):
    id: ClientId
    version: str
    platform: str
    mode: ClientMode
    display_name: str = ""
    device_family: str = ""
    model_identifier: str = ""
    instance_id: str = ""

    def info(self) -> ClientInfo:
        return ClientInfo(**self.model_dump())


class DeviceParams(_Wire):
    id: str
    public_key: str
    signature: str
    signed_at: int
    nonce: str = ""


class AuthParams(_Wire):
    token: str = Field(default="", repr=False)
    password: str = Field(default="", repr=False)
    device_token: str = Field(default="", repr=False)
    bootstrap_token: str = Field(default="", repr=False)

    def signed_token(self) -> str:
        """The credential that is part of the signed text."""
        return self.token or self.device_token or self.bootstrap_token


class ConnectParams(_Wire):
    min_protocol: int
    max_protocol: int
    client: ClientParams
    role: str = "operator"
    scopes: list[str] | None = None
    caps: list[str] = []
    commands: list[str] = []
    permissions: dict[str, Any] = {}
    auth: AuthParams = AuthParams()
    device: DeviceParams | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """A finished handshake: the grant, and the `auth` object of `hello-ok`."""

    grant: Grant
    auth: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Proof:
    """How a client proved itself. `secret`: with the shared secret or its equal; `token`: the device token it used."""

    method: str
    secret: bool
    token: str = ""
    token_scopes: tuple[str, ...] = ()


def close_code(error: OpenClawError) -> int:
    """The WebSocket close code of a refused handshake."""
    return 1002 if error.details.get("code") == "PROTOCOL_MISMATCH" else 1008


class Handshake:
    """Judges `connect`. Holds no state of a connection; raises `OpenClawError` for every refusal.

    `silent_nodes` says whether a local device may become a node without a person's word (PRO-10).
    """

    def __init__(self, auth: GatewayAuth, devices: Devices, silent_nodes: Callable[[], bool] = lambda: True) -> None:
        self._auth = auth
        self._devices = devices
        self._silent_nodes = silent_nodes

    def judge(self, params: Mapping[str, Any], peer: Peer, *, nonce: str, now: int) -> Accepted:
        """The grant for these parameters; the caller opens the connection with it."""
        try:
            connect = ConnectParams.model_validate(params)
        except ValidationError as error:
            raise invalid(f"invalid connect params: {describe(error)}") from None
        _check_protocol(connect)
        role = _role(connect)
        self._check_origin(connect, peer)
        if connect.device is not None:
            self._verify(connect, connect.device, nonce=nonce, now=now)
        proof = self._prove(connect, role, peer)
        _check_device_presence(connect, role, peer, proof)
        asked = _asked(connect, role, peer, proof)
        if connect.device is None:
            kept = _scopes_without_device(connect, asked, peer, proof)
            return _accept(connect, role, kept, proof, None, None, local=_is_local(peer, proof))
        facts = _facts(connect, connect.device, role, asked, peer)
        token, issued = self._pair(facts, peer, proof)
        accepted = _accept(connect, role, asked, proof, facts.device_id, token, local=_is_local(peer, proof))
        if issued is not None:
            accepted.auth["issuedAtMs"] = issued
        return accepted

    def _check_origin(self, connect: ConnectParams, peer: Peer) -> None:
        required = connect.client.id in BROWSER_CLIENTS and not peer.preauthenticated
        refusal = self._auth.check_origin(
            peer.origin, host=peer.host, remote_ip=peer.remote_ip, required=required, trusted=peer.preauthenticated
        )
        if refusal is not None:
            raise refusal

    def _verify(self, connect: ConnectParams, device: DeviceParams, *, nonce: str, now: int) -> None:
        claim = SignedClaim(
            device_id=device.id,
            client_id=connect.client.id,
            client_mode=connect.client.mode,
            role=connect.role,
            scopes=connect.scopes or [],
            signed_at=device.signed_at,
            token=connect.auth.signed_token(),
            nonce=device.nonce,
            platform=connect.client.platform,
            device_family=connect.client.device_family,
        )
        signatures.verify(claim, public_key=device.public_key, signature=device.signature, nonce=nonce, now=now)

    def _prove(self, connect: ConnectParams, role: str, peer: Peer) -> _Proof:
        """Shared secret, device token, Jupyter's own login, or mode `none` on loopback; else a refusal."""
        if peer.preauthenticated:
            return _Proof("trusted-proxy", True)
        if self._auth.mode == "none" and is_loopback(peer.remote_ip):
            return _Proof("none", True)
        self._auth.limit.check(peer.remote_ip)
        given = self._auth.offered(SharedSecret(connect.auth.token, connect.auth.password))
        if given and self._auth.matches(given):
            self._auth.limit.succeeded(peer.remote_ip)
            return _Proof(self._auth.mode, True, self._valid_device_token(connect, role))
        proof = self._prove_by_device(connect, role, given)
        if proof is not None:
            return proof
        raise self._unproven(connect, given, peer)

    def _prove_by_device(self, connect: ConnectParams, role: str, given: str) -> _Proof | None:
        if connect.device is None:
            return None
        # Older clients send their device token as auth.token.
        for token in (connect.auth.device_token, connect.auth.token):
            row = self._devices.check_token(connect.device.id, role, token)
            if row is not None:
                return _Proof("device-token", False, token, row.scopes)
        nothing = not (given or connect.auth.device_token or connect.auth.token or connect.auth.password)
        return _Proof("device", False) if nothing else None

    def _valid_device_token(self, connect: ConnectParams, role: str) -> str:
        token = connect.auth.device_token
        if connect.device is None or self._devices.check_token(connect.device.id, role, token) is None:
            return ""
        return token

    def _unproven(self, connect: ConnectParams, given: str, peer: Peer) -> OpenClawError:
        if given:
            self._auth.limit.failed(peer.remote_ip)
            return self._auth.mismatch()
        if connect.device is not None and connect.auth.device_token:
            self._auth.limit.failed(peer.remote_ip)
            message = "unauthorized: device token mismatch (rotate/reissue device token)"
            return refused(message, "AUTH_DEVICE_TOKEN_MISMATCH", "device_token_mismatch")
        if connect.client.id == CONTROL_UI and connect.device is None:
            return _control_ui_needs_device()
        return _device_required() if connect.device is None else self._auth.missing()

    def _pair(self, facts: DeviceFacts, peer: Peer, proof: _Proof) -> tuple[str | None, int | None]:
        """The device token for `hello-ok` and, when it is new, its time. Raises `PAIRING_REQUIRED` for what nobody approved."""
        allowed = self._devices.allows(facts)
        collecting = proof.method == "device" and self._devices.may_collect(facts)
        silent = _is_local(peer, proof) and (facts.role != "node" or self._silent_nodes())
        if not allowed and silent:
            self._devices.approve_silently(facts)
        elif not allowed or (proof.method == "device" and not collecting):
            raise self._pairing_required(facts)
        if proof.token and not proof.secret:
            if not scope_rules.covers(proof.token_scopes, facts.scopes):
                raise self._pairing_required(facts)
            return proof.token, None
        token = self._devices.issue(facts.device_id, facts.role, facts.scopes)
        device = self._devices.get(facts.device_id)
        return token, device.tokens[-1].created_at if device is not None else None

    def _pairing_required(self, facts: DeviceFacts) -> OpenClawError:
        known = self._devices.get(facts.device_id)
        if known is None:
            reason = "not-paired"
        elif facts.role not in known.roles:
            reason = "role-upgrade"
        elif not scope_rules.covers(known.scopes, facts.scopes):
            reason = "scope-upgrade"
        else:
            reason = "token-required"
        request = self._devices.request(facts)
        details = {"code": "PAIRING_REQUIRED", "requestId": request.request_id, "reason": reason, "deviceId": facts.device_id}
        return OpenClawError("NOT_PAIRED", "pairing required", details)


def _is_local(peer: Peer, proof: _Proof) -> bool:
    """Whether it holds the gateway's own secret on this machine, or came through Jupyter's login."""
    return proof.secret and (peer.preauthenticated or is_loopback(peer.remote_ip))


def _check_protocol(connect: ConnectParams) -> None:
    if connect.min_protocol <= PROTOCOL <= connect.max_protocol:
        return
    raise invalid(
        "protocol mismatch",
        code="PROTOCOL_MISMATCH",
        clientMinProtocol=connect.min_protocol,
        clientMaxProtocol=connect.max_protocol,
        expectedProtocol=PROTOCOL,
        minimumProbeProtocol=MINIMUM_PROBE_PROTOCOL,
    )


def _role(connect: ConnectParams) -> scope_rules.Role:
    match connect.role:
        case "operator":
            return "operator"
        case "node":
            return "node"
        case _:
            raise invalid("invalid role")


def _device_required() -> OpenClawError:
    return OpenClawError("NOT_PAIRED", "device identity required", {"code": "DEVICE_IDENTITY_REQUIRED"})


def _control_ui_needs_device() -> OpenClawError:
    message = "control ui requires device identity (use HTTPS or localhost secure context)"
    return invalid(message, code="CONTROL_UI_DEVICE_IDENTITY_REQUIRED")


def _check_device_presence(connect: ConnectParams, role: str, peer: Peer, proof: _Proof) -> None:
    """Control UI, other browser pages and nodes need a device, unless Jupyter has authenticated the user."""
    if connect.device is not None or peer.preauthenticated:
        return
    if connect.client.id == CONTROL_UI:
        raise _control_ui_needs_device()
    if role == "node" or connect.client.id in BROWSER_CLIENTS or not proof.secret:
        raise _device_required()


def _asked(connect: ConnectParams, role: str, peer: Peer, proof: _Proof) -> tuple[str, ...]:
    """The scopes asked for, as far as they exist. Silence means: all (Jupyter's door), the token's own, or none."""
    if role == "node":
        return ()
    if connect.scopes is None and peer.preauthenticated:
        return scope_rules.OPERATOR_SCOPES
    if connect.scopes is None:
        return proof.token_scopes
    return scope_rules.known(connect.scopes)


def _scopes_without_device(connect: ConnectParams, asked: tuple[str, ...], peer: Peer, proof: _Proof) -> tuple[str, ...]:
    """What a client without a device keeps of its self-declared scopes."""
    if peer.preauthenticated:
        return asked
    client = (connect.client.id, connect.client.mode)
    if not (proof.secret and is_loopback(peer.remote_ip)):
        return ()
    if client in TRUSTED_LOCAL:
        return asked
    # The original grants probes nothing and then calls itself degraded; reading is enough for `gateway probe` to be ok.
    if connect.client.mode == "probe" and scope_rules.covers(asked, (scope_rules.READ,)):
        return (scope_rules.READ,)
    return ()


def _facts(connect: ConnectParams, device: DeviceParams, role: str, asked: tuple[str, ...], peer: Peer) -> DeviceFacts:
    client = connect.client
    return DeviceFacts(
        device_id=device.id,
        public_key=device.public_key,
        role=role,
        scopes=asked,
        display_name=client.display_name,
        platform=client.platform,
        device_family=client.device_family,
        client_id=client.id,
        client_mode=client.mode,
        remote_ip=peer.remote_ip,
        browser_origin=peer.origin or "",
    )


def _accept(
    connect: ConnectParams,
    role: scope_rules.Role,
    granted: tuple[str, ...],
    proof: _Proof,
    device_id: str | None,
    token: str | None,
    *,
    local: bool,
) -> Accepted:
    grant = Grant(
        client=connect.client.info(),
        role=role,
        scopes=granted,
        auth_method=proof.method,
        device_id=device_id,
        caps=frozenset(connect.caps),
        commands=tuple(connect.commands),
        permissions=connect.permissions,
        local=local,
    )
    auth: dict[str, Any] = {"method": proof.method, "role": role, "scopes": list(granted)}
    if token is not None:
        auth["deviceToken"] = token
    return Accepted(grant, auth)
