"""`models.auth*`: the credentials of the providers, without ever showing one (MOD-13, MOD-14)."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field

from openclaw_gateway.methods.services import GatewayServices, Params, parts
from openclaw_gateway.protocol.dispatch import Call, Method
from openclaw_kernel.models.credentials import StoredCredential
from openclaw_kernel.models.profiles import CredentialKind, Profile
from openclaw_kernel.values.errors import invalid

NAME = r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$"
_PROVIDER = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
_WIRE_KINDS: dict[CredentialKind, str] = {"oauth": "oauth", "token": "token", "api_key": "api_key"}


class StatusParams(Params):
    refresh: bool | None = None
    agent_id: str | None = None


class SetParams(Params):
    """`api_key` is the key or token itself. With `refresh_token` and `token_url` it is renewed by itself."""

    provider: str = Field(min_length=1)
    api_key: str = Field(min_length=1, repr=False)
    profile_id: str | None = Field(default=None, pattern=NAME)
    kind: Literal["api_key", "token", "oauth"] = "api_key"
    refresh_token: str = Field(default="", repr=False)
    token_url: str = Field(default="", pattern=r"^(https://.+|http://(127\.0\.0\.1|localhost)[:/].*)?$")
    client_id: str = ""
    expires_at: int = Field(default=0, ge=0)
    agent_id: str | None = None


class LogoutParams(Params):
    provider: str = Field(min_length=1)
    profile_ids: list[str] | None = Field(default=None, min_length=1)
    agent_id: str | None = None


class OrderParams(Params):
    provider: str = Field(min_length=1)
    order: list[str]
    agent_id: str | None = None


def auth_rows(services: GatewayServices) -> list[dict[str, Any]]:
    """`providers` of `models.authStatus`: those that have a credential or are spoken to."""
    wanted = {services.models.resolve(None, agent_id).provider for agent_id in services.agent_ids()}
    wanted |= {row.provider for row in services.models.list(usable_only=True)}
    wanted |= {row.provider for row in services.models.credentials.stored.rows()}
    wanted |= {entry.provider for entry in services.settings.auth.profiles.values()}
    wanted |= set(services.settings.models.providers)
    return [_provider(services, provider) for provider in sorted(wanted - {"builtin"})]


def _provider(services: GatewayServices, provider: str) -> dict[str, Any]:
    credentials = services.models.credentials
    found = credentials.order(provider, "")
    profiles = [_profile(services, one) for one in found if one.source == "stored" or one.id in services.settings.auth.profiles]
    row: dict[str, Any] = {"provider": provider, "authProvider": provider, "displayName": provider, "profiles": profiles}
    states = {str(one["status"]) for one in profiles}
    if not found:
        row["status"] = "missing"
    elif not profiles:
        row["status"] = "static"
    else:
        row["status"] = next((state for state in ("ok", "expiring", "expired") if state in states), "ok")
    if own := next((one for one in found if one.source in ("config", "environment")), None):
        row["apiKey"] = {"source": "env" if own.source == "environment" else "config"}
    row["order"] = [one.id for one in found]
    row["explicitOrder"] = credentials.explicit_order(provider)
    row["usage"] = [_profile(services, one) for one in found]
    return row


def _profile(services: GatewayServices, profile: Profile) -> dict[str, Any]:
    models, now = services.models, services.clock()
    health = models.profiles.health(profile.id)
    state = {"valid": "ok", "expiring_soon": "expiring", "expired": "expired"}[models.credentials.state(profile)]
    row: dict[str, Any] = {
        "profileId": profile.id,
        "type": _WIRE_KINDS[profile.kind],
        "source": profile.source,
        "status": state,
        "usageCount": health.uses,
        "failureCount": health.failures,
        "errorCount": health.errors,
    }
    stored = models.credentials.stored.get(profile.id)
    optional = {
        "lastUsed": health.last_used_at,
        "cooldownUntil": health.cooldown_until if health.cooldown_until > now else 0,
        "disabledUntil": health.disabled_until if health.disabled_until > now else 0,
        "reason": health.reason if health.ready_at > now else "",
        "expiresAt": stored.expires_at if stored is not None else 0,
    }
    return row | {name: value for name, value in optional.items() if value}


async def status(_params: StatusParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    capable = [
        {"provider": vendor.id, "apiKeySupported": bool(vendor.key_env), "quickApiKeySetup": bool(vendor.key_env)}
        for vendor in services.models.catalogue.vendors.values()
        if vendor.id != "builtin"
    ]
    return {"ts": services.clock(), "providers": auth_rows(services), "providerCapabilities": capable}


async def set_key(params: SetParams, call: Call) -> dict[str, Any]:
    """Keeps a credential in the state directory (0600); a key of the same name is replaced."""
    services = parts(call)
    provider = services.models.catalogue.named(f"{params.provider}/x").partition("/")[0]
    if not _PROVIDER.match(provider) or provider not in services.models.catalogue.vendors:
        raise invalid(f"unknown provider {params.provider!r}; add it under models.providers in openclaw.json first")
    row = StoredCredential(
        id=params.profile_id or f"{provider}:stored",
        provider=provider,
        kind=params.kind,
        secret=params.api_key.strip(),
        refresh=params.refresh_token,
        expires_at=params.expires_at,
        token_url=params.token_url,
        client_id=params.client_id,
    )
    services.models.credentials.store(row)
    return {"ok": True, "provider": provider, "profileId": row.id}


async def logout(params: LogoutParams, call: Call) -> dict[str, Any]:
    """Forgets stored credentials; what is in openclaw.json or the environment stays."""
    services = parts(call)
    credentials = services.models.credentials
    own = [row.id for row in credentials.stored.rows() if row.provider == params.provider]
    wanted = [name for name in own if params.profile_ids is None or name in params.profile_ids]
    removed = [name for name in wanted if credentials.forget(name)]
    return {"ok": True, "provider": params.provider, "removedProfiles": removed}


async def set_order(params: OrderParams, call: Call) -> dict[str, Any]:
    """Writes `auth.order`; no names go back to oldest use first."""
    services = parts(call)
    known = [profile.id for profile in services.models.credentials.of(params.provider)]
    for name in params.order:
        if name not in known:
            raise invalid(f"{params.provider} has no credential {name!r}; it has {', '.join(known) or 'none'}")
    patch = {"auth": {"order": {params.provider: params.order or None}}}
    await services.config.patch(patch, services.config.current.hash if services.config.current.exists else None)
    return {"ok": True, "provider": params.provider, "order": params.order}


METHODS = [
    Method("models.authStatus", StatusParams, status, "operator.read"),
    Method("models.authSetApiKey", SetParams, set_key, "operator.admin"),
    Method("models.authLogout", LogoutParams, logout, "operator.admin"),
    Method("models.authOrderSet", OrderParams, set_order, "operator.admin"),
]
