"""`channels.telegram`: what the owner wrote, and the accounts that follow from it (CHN-05)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, field_validator

from openclaw_gateway.channels.contract import Account, CredentialSource, Resolve
from openclaw_gateway.channels.settings import read
from openclaw_kernel.config.schema.base import Loose, OpenSection, SecretInput, Section
from openclaw_kernel.values.envelope import DEFAULT_ACCOUNT
from openclaw_kernel.values.errors import UserError

CHANNEL = "telegram"
TOKEN_VARIABLE = "TELEGRAM_BOT_TOKEN"
API = "https://api.telegram.org"

_OWN = frozenset(("botToken", "tokenFile", "name", "accounts", "webhook"))
"""Keys that one account never takes from the channel: a token and a webhook belong to one bot."""

Entries = list[str | int]
MegaBytes = Annotated[float, Field(gt=0, le=2_000)]


class WebhookSettings(Section):
    """Where Telegram may send updates instead of being asked. `secret` is made from the token when it is absent."""

    url: str = Field(min_length=1, max_length=2_048)
    secret: SecretInput | None = Field(default=None, repr=False)

    @field_validator("url")
    @classmethod
    def _https(cls, value: str) -> str:
        return _web_address(value)


class TopicSettings(OpenSection):
    """One topic of a forum group, by its id. Other keys are kept as they are."""

    system_prompt: str | None = None


class GroupSettings(Section):
    """One entry of `groups`, by chat id or `*`. What is absent holds as the account says."""

    enabled: bool = True
    group_policy: Literal["allowlist", "open", "disabled"] | None = None
    require_mention: bool | None = None
    allow_from: Entries | None = None
    skills: list[str] | None = None
    system_prompt: str | None = None
    topics: dict[str, TopicSettings] = Field(default_factory=dict)


class AccountSettings(Section):
    """One bot. `media_max_mb` bounds files in both directions; the limit of CHN-16 is the default."""

    enabled: bool = True
    name: str = ""
    bot_token: SecretInput | None = Field(default=None, repr=False)
    token_file: str | None = None
    api_base_url: str = API
    files_base_url: str | None = None
    dm_policy: Literal["pairing", "allowlist", "open", "disabled"] | None = None
    allow_from: Entries | None = None
    group_policy: Literal["allowlist", "open", "disabled"] | None = None
    group_allow_from: Entries | None = None
    groups: dict[str, GroupSettings] = Field(default_factory=dict)
    require_mention: bool | None = None
    dangerously_allow_name_matching: bool | None = None
    webhook: WebhookSettings | None = None
    streaming: Literal["off", "partial"] = "partial"
    media_max_mb: MegaBytes = 100.0
    commands: bool = True
    link_preview: bool = True
    reply_to_mode: Literal["off", "first", "all"] = "off"

    @field_validator("api_base_url", "files_base_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        return None if value is None else _web_address(value)

    @property
    def files_url(self) -> str:
        return self.files_base_url or self.api_base_url

    @property
    def media_bytes(self) -> int:
        return int(self.media_max_mb * 1_000_000)


class TelegramSettings(AccountSettings):
    """The block itself is the account `default`; `accounts` adds others, which inherit everything but token and webhook."""

    accounts: dict[str, Loose] = Field(default_factory=dict)


class TelegramConfig:
    """Reads the block. A token that cannot be had stops its own account only."""

    settings: type[BaseModel] = TelegramSettings

    def accounts(self, block: Mapping[str, Any], resolve: Resolve, env: Mapping[str, str]) -> list[Account]:
        whole = read(TelegramSettings, block, f"channels.{CHANNEL}")
        named = {name: row for name, row in whole.accounts.items() if name != DEFAULT_ACCOUNT}
        own = {**block, **whole.accounts.get(DEFAULT_ACCOUNT, {})}
        own.pop("accounts", None)
        where = f"channels.{CHANNEL}"
        default = _account(DEFAULT_ACCOUNT, own, where, resolve, env, whole.enabled)
        shared = {key: value for key, value in block.items() if key not in _OWN}
        others = [
            _account(name, {**shared, **row}, f"{where}.accounts.{name}", resolve, {}, whole.enabled)
            for name, row in named.items()
        ]
        if others and default.credential == "none":
            return others
        return [default, *others]


def _account(
    name: str, row: Mapping[str, Any], where: str, resolve: Resolve, env: Mapping[str, str], channel_enabled: bool
) -> Account:
    settings = read(AccountSettings, row, where)
    token, problem = "", ""
    source: CredentialSource = "none"
    try:
        token, source = _token(settings, where, resolve, env)
        settings = _with_webhook_secret(settings, where, resolve)
    except UserError as error:
        problem = str(error)
    if not token and not problem:
        problem = f"Telegram has no bot token; set {where}.botToken to the one @BotFather gave you."
    return Account(
        channel=CHANNEL,
        id=name,
        name=settings.name,
        enabled=channel_enabled and settings.enabled,
        configured=not problem,
        problem=problem,
        credential=source,
        settings=settings.model_copy(update={"bot_token": token}),
    )


def _token(settings: AccountSettings, where: str, resolve: Resolve, env: Mapping[str, str]) -> tuple[str, CredentialSource]:
    """The token and where it came from: config before file before environment. Raises `UserError`."""
    if settings.bot_token is not None:
        key = f"{where}.botToken"
        return _shaped(resolve(settings.bot_token, key), key), "config"
    if settings.token_file:
        key = f"{where}.tokenFile"
        try:
            text = Path(settings.token_file).expanduser().read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not a text file"
            raise UserError(f"{key} names {settings.token_file}, which cannot be read: {reason}.") from error
        return _shaped(resolve(text, key), key), "file"
    if env.get(TOKEN_VARIABLE):
        return _shaped(resolve(env[TOKEN_VARIABLE], TOKEN_VARIABLE), TOKEN_VARIABLE), "env"
    return "", "none"


def _shaped(token: str, where: str) -> str:
    number, _, rest = token.partition(":")
    if not (number.isdigit() and len(rest) >= 10 and all(char.isalnum() or char in "-_" for char in rest)):
        raise UserError(f"{where} does not look like a bot token (digits, a colon, letters); copy it from @BotFather.")
    return token


def _with_webhook_secret(settings: AccountSettings, where: str, resolve: Resolve) -> AccountSettings:
    webhook = settings.webhook
    if webhook is None or webhook.secret is None:
        return settings
    key = f"{where}.webhook.secret"
    secret = resolve(webhook.secret, key)
    if not (1 <= len(secret) <= 256 and all(char.isascii() and (char.isalnum() or char in "-_") for char in secret)):
        raise UserError(f"{key} may hold 1 to 256 letters, digits, - and _ only; Telegram refuses anything else.")
    return settings.model_copy(update={"webhook": webhook.model_copy(update={"secret": secret})})


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an address that starts with https:// or http://")
    return value.rstrip("/")
