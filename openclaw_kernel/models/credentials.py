"""Where the keys of providers come from: config, what was stored with `models auth`, the environment (MOD-13 to MOD-15).

Stored ones are rows of `<state>/credentials.jsonl` (0600). A token with a refresh token is renewed under a lock of its own, so
that calls side by side use it up once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from openclaw_kernel.models.profiles import CredentialKind, Profile, Profiles, ordered
from openclaw_kernel.models.vendors import Vendor
from openclaw_kernel.store.ledger import Ledger
from openclaw_kernel.values.clock import Clock
from openclaw_kernel.values.errors import UserError

if TYPE_CHECKING:
    from openclaw_kernel.config.schema import OpenClawConfig
    from openclaw_kernel.config.secrets import Secrets

log = logging.getLogger(__name__)

RENEW_BEFORE_MS = 5 * 60_000
EXPIRING_MS = 24 * 3_600_000
RENEW_TIMEOUT_S = 20.0
State = Literal["valid", "expiring_soon", "expired"]


@dataclass(frozen=True, slots=True)
class StoredCredential:
    """A credential as it is kept. `expires_at` is milliseconds, 0 for never; `token_url` renews it (RFC 6749 section 6)."""

    id: str
    provider: str
    kind: CredentialKind
    secret: str = field(repr=False)
    refresh: str = field(default="", repr=False)
    expires_at: int = 0
    token_url: str = ""
    client_id: str = ""

    @property
    def renewable(self) -> bool:
        return bool(self.refresh and self.token_url)


Post = Callable[[str, Mapping[str, str]], Any]
"""Sends a form to an address; awaitable of the JSON that came back. Raises `UserError`."""


class CredentialStore:
    """What was stored. Without a state directory it lasts as long as the process."""

    def __init__(self, state_dir: Path | None) -> None:
        self._path = state_dir / "credentials.jsonl" if state_dir is not None else None
        self._ledger: Ledger[StoredCredential] | None = None
        self._rows: dict[str, StoredCredential] = {}
        self._loaded = self._path is None or not self._path.exists()

    def rows(self) -> list[StoredCredential]:
        self._load()
        return list(self._rows.values())

    def get(self, id: str) -> StoredCredential | None:
        self._load()
        return self._rows.get(id)

    def put(self, row: StoredCredential) -> None:
        self._open()
        if self._ledger is not None:
            self._ledger.put(row)
        self._rows[row.id] = row

    def remove(self, id: str) -> bool:
        """Whether there was one."""
        self._load()
        if id not in self._rows:
            return False
        self._open()
        if self._ledger is not None:
            self._ledger.delete(id)
        del self._rows[id]
        return True

    def close(self) -> None:
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None

    def _load(self) -> None:
        if not self._loaded:
            self._open()

    def _open(self) -> None:
        if self._path is None or self._ledger is not None:
            return
        names = [one.name for one in fields(StoredCredential)]
        self._ledger = Ledger(
            self._path,
            key=lambda row: row.id,
            encode=lambda row: {name: getattr(row, name) for name in names},
            decode=lambda wire: StoredCredential(**wire),
        )
        self._rows = {row.id: row for row in self._ledger.rows()}
        self._loaded = True


class CredentialBook:
    """The credentials of every provider, by name and in order."""

    def __init__(
        self,
        secrets: Secrets,
        env: Mapping[str, str],
        profiles: Profiles,
        stored: CredentialStore,
        clock: Clock,
        post: Post | None = None,
    ) -> None:
        self._secrets = secrets
        self._env = env
        self._profiles = profiles
        self._clock = clock
        self._post = post or _post_form
        self._locks: dict[str, asyncio.Lock] = {}
        self._found: dict[str, list[Profile]] = {}
        self.stored = stored

    def reconfigure(self, config: OpenClawConfig, vendors: Mapping[str, Vendor]) -> None:
        self._config = config
        self._vendors = vendors
        self._found.clear()
        self._profiles.ladder_s = tuple(config.auth.cooldowns.ladder_seconds)
        self._profiles.disable_s = config.auth.cooldowns.disable_seconds

    def of(self, provider: str) -> list[Profile]:
        """Every credential of a provider: named in the config, then stored, then its own key or variable."""
        if provider not in self._found:
            self._found[provider] = self._collect(provider)
        return self._found[provider]

    def store(self, row: StoredCredential) -> None:
        self.stored.put(row)
        self._found.clear()

    def forget(self, id: str) -> bool:
        self._found.clear()
        return self.stored.remove(id)

    def explicit_order(self, provider: str) -> list[str]:
        return self._config.auth.order.get(provider, [])

    def order(self, provider: str, session_key: str) -> list[Profile]:
        found = self.of(provider)
        if len(found) < 2:
            return found
        preferred = self._profiles.preferred(session_key, provider) if session_key else ""
        used = lambda profile_id: self._profiles.health(profile_id).last_used_at  # noqa: E731
        return ordered(found, self.explicit_order(provider), preferred, used)

    def mark(self, profile: Profile) -> str:
        stored = self.stored.get(profile.id)
        if stored is not None and stored.refresh:
            return stored.refresh  # the access token changes by itself
        try:
            return self.kept(profile)
        except UserError:
            return ""

    def kept(self, profile: Profile) -> str:
        """The key as it is kept. Raises the secret's own `UserError` when it cannot be read."""
        if profile.source == "none":
            return ""
        if profile.source == "stored":
            stored = self.stored.get(profile.id)
            return str(self._secrets.resolve(stored.secret, f"the credential {profile.id}")) if stored is not None else ""
        named = self._config.auth.profiles.get(profile.id)
        if named is not None and named.api_key:
            return str(self._secrets.resolve(named.api_key, f"auth.profiles.{profile.id}.apiKey"))
        return self.own_key(profile.provider)

    def own_key(self, provider: str) -> str:
        """`models.providers.<id>.apiKey`, else the provider's variable; empty when there is neither."""
        configured = self._config.models.providers.get(provider)
        if configured is not None and configured.api_key:
            return str(self._secrets.resolve(configured.api_key, f"models.providers.{provider}.apiKey"))
        vendor = self._vendors.get(provider)
        found = self._from_env(vendor.key_env) if vendor is not None and vendor.key_env else ""
        # through the secrets too, so that redaction knows it
        return str(self._secrets.resolve(found, f"environment variable of {provider}")) if found else ""

    async def secret(self, profile: Profile) -> str:
        stored = self.stored.get(profile.id) if profile.source == "stored" else None
        if stored is None or not stored.expires_at or stored.expires_at - self._clock() > RENEW_BEFORE_MS:
            return self.kept(profile)
        if not stored.renewable:
            if stored.expires_at > self._clock():
                return self.kept(profile)
            raise UserError(f"The token {profile.id} has expired; sign in again with `jupyter openclaw models auth add`.")
        async with self._locks.setdefault(profile.id, asyncio.Lock()):
            current = self.stored.get(profile.id) or stored
            if current.expires_at - self._clock() <= RENEW_BEFORE_MS:
                await self._renew(current)
        return self.kept(profile)

    def missing(self, provider: str) -> str:
        vendor = self._vendors.get(provider)
        variable = f"the environment variable {vendor.key_env} or " if vendor is not None and vendor.key_env else ""
        place = f"{variable}models.providers.{provider}.apiKey in openclaw.json"
        return f"There is no API key for {provider}: set {place}, then try again."

    def state(self, profile: Profile) -> State:
        stored = self.stored.get(profile.id) if profile.source == "stored" else None
        if stored is None or not stored.expires_at or stored.renewable:
            return "valid"
        left = stored.expires_at - self._clock()
        return "expired" if left <= 0 else "expiring_soon" if left <= EXPIRING_MS else "valid"

    def _collect(self, provider: str) -> list[Profile]:
        found: dict[str, Profile] = {}
        for name, entry in self._config.auth.profiles.items():
            if entry.provider == provider and entry.api_key:
                found[name] = Profile(name, provider, entry.mode, "config")
            elif entry.provider == provider and self.stored.get(name) is not None:
                found[name] = Profile(name, provider, entry.mode, "stored")
        for row in self.stored.rows():
            if row.provider == provider:
                found.setdefault(row.id, Profile(row.id, provider, row.kind, "stored"))
        vendor = self._vendors.get(provider)
        configured = self._config.models.providers.get(provider)
        own = f"{provider}:default"
        if configured is not None and configured.api_key:
            kind: CredentialKind = "token" if configured.auth == "token" else "api_key"
            found.setdefault(own, Profile(own, provider, kind, "config"))
        elif vendor is not None and vendor.key_env and self._from_env(vendor.key_env):
            found.setdefault(own, Profile(own, provider, "api_key", "environment"))
        elif configured is not None and configured.auth == "aws-sdk":
            found[own] = Profile(own, provider, "token", "none")
        elif vendor is not None and not vendor.key_env and not found:
            found[own] = Profile(own, provider, "api_key", "none")
        return list(found.values())

    async def _renew(self, row: StoredCredential) -> None:
        """A new access token for the refresh token; kept before it is used, because the old one may be void by now."""
        form = {"grant_type": "refresh_token", "refresh_token": row.refresh}
        answer = await self._post(row.token_url, form | ({"client_id": row.client_id} if row.client_id else {}))
        token = answer.get("access_token")
        if not isinstance(token, str) or not token:
            raise UserError(f"The token {row.id} could not be renewed: the answer of {row.token_url} holds no access_token.")
        lasts = answer.get("expires_in")
        expires_at = self._clock() + round(float(lasts) * 1000) if isinstance(lasts, int | float) else 0
        self.stored.put(
            replace(row, secret=token, refresh=str(answer.get("refresh_token") or row.refresh), expires_at=expires_at)
        )
        log.info("the token %s was renewed", row.id)

    def _from_env(self, name: str) -> str:
        return str(self._env.get(name) or self._config.env.vars.get(name) or "")


async def _post_form(url: str, form: Mapping[str, str]) -> Any:
    import httpx  # 50 ms of import that a gateway without such tokens need not pay

    try:
        async with httpx.AsyncClient(timeout=RENEW_TIMEOUT_S) as client:
            response = await client.post(url, data=dict(form))
            response.raise_for_status()
            answer = response.json()
    except (httpx.HTTPError, ValueError) as error:
        raise UserError(
            f"A token could not be renewed at {url}: {type(error).__name__}; sign in again if this goes on."
        ) from error
    if not isinstance(answer, dict):
        raise UserError(f"A token could not be renewed: {url} answered with something else than an object.")
    return answer
