"""`auth`: several credentials of one provider, their order, and how long one that failed is left alone (MOD-11 to MOD-14)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from openclaw_kernel.config.schema.base import OpenSection, SecretInput

Seconds = Annotated[float, Field(gt=0)]


class AuthProfile(OpenSection):
    """One credential. `api_key` is the key or token; without it the stored credential of the same name is used."""

    provider: str = Field(min_length=1)
    mode: Literal["api_key", "token", "oauth"] = "api_key"
    api_key: SecretInput | None = Field(default=None, repr=False)
    email: str | None = None


class Cooldowns(OpenSection):
    """`ladder_seconds`: the wait after the first, second, … failure in a row; the last one repeats (MOD-11).

    `disable_seconds`: after a bill that is not paid or a key that is no longer good (MOD-10).
    """

    ladder_seconds: list[Seconds] = Field(default_factory=lambda: [1.0, 5.0, 30.0, 300.0, 1800.0], min_length=1)
    disable_seconds: Seconds = 600.0


class Auth(OpenSection):
    """`profiles` by name (`anthropic:work`); `order` lists the names of a provider's in the order they are tried."""

    profiles: dict[str, AuthProfile] = Field(default_factory=dict)
    order: dict[str, list[str]] = Field(default_factory=dict)
    cooldowns: Cooldowns = Field(default_factory=Cooldowns)
