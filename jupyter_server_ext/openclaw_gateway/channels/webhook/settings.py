"""`channels.webhook`: the secret, where answers go, and the accounts (CHN-05)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, field_validator

from openclaw_gateway.channels.contract import Account, CredentialSource, Resolve
from openclaw_gateway.channels.settings import read_accounts
from openclaw_gateway.channels.webhook.manifest import MANIFEST
from openclaw_kernel.config.schema.base import SecretInput
from openclaw_kernel.config.schema.channels import AccountSettings, ChannelSettings
from openclaw_kernel.values.errors import UserError

CHANNEL = MANIFEST.id
MIN_SECRET = 16
_OWN = frozenset({"secret", "replyUrl", "name"})


class WebhookSettings(AccountSettings):
    """`secret` signs both ways. `sync_timeout_s` is how long a request that asks for its answer is held."""

    secret: SecretInput | None = Field(default=None, repr=False)
    reply_url: str | None = None
    files_base_url: str | None = None
    sync_timeout_s: float = Field(default=60.0, gt=0, le=600)

    @field_validator("reply_url", "files_base_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname):
            raise ValueError("must be an address that starts with https:// or http://")
        return value


class WebhookBlock(WebhookSettings, ChannelSettings):
    """`channels.webhook`."""


class WebhookConfig:
    settings: type[BaseModel] = WebhookBlock

    def accounts(self, block: Mapping[str, Any], resolve: Resolve, env: Mapping[str, str]) -> list[Account]:
        return [
            self._account(name, settings, where, on, resolve)
            for name, settings, where, on in read_accounts(CHANNEL, block, WebhookSettings, _OWN)
        ]

    def _account(self, name: str, settings: WebhookSettings, where: str, on: bool, resolve: Resolve) -> Account:
        secret, problem = "", ""
        try:
            secret = resolve(settings.secret, f"{where}.secret") if settings.secret is not None else ""
        except UserError as error:
            problem = str(error)
        if not problem and len(secret) < MIN_SECRET:
            problem = f"The webhook has no usable secret; set {where}.secret to at least {MIN_SECRET} characters."
        source: CredentialSource = "config" if secret else "none"
        known = settings.model_copy(update={"secret": secret})
        return Account(CHANNEL, name, settings.name, on, not problem, problem, source, known)
