"""`models`: providers and models beside the built-in catalogue, written as OpenClaw writes them (MOD-04)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from openclaw_kernel.config.schema.base import Loose, Positive, SecretInput, Section

WireFormat = Literal["anthropic-messages", "openai-completions", "openai-responses"]


class ModelCost(Section):
    """US dollars per million tokens."""

    input: float = Field(default=0.0, ge=0)
    output: float = Field(default=0.0, ge=0)
    cache_read: float = Field(default=0.0, ge=0)
    cache_write: float = Field(default=0.0, ge=0)


class ModelDefinition(Section):
    """One model of a provider. What is left out is taken from the catalogue; windows and caps count tokens."""

    id: str = Field(min_length=1)
    name: str | None = None
    api: WireFormat | None = None
    reasoning: bool | None = None
    input: list[Literal["text", "image", "audio", "video"]] | None = None
    cost: ModelCost | None = None
    context_window: Positive | None = None
    context_tokens: Positive | None = None
    max_tokens: Positive | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    compat: Loose = Field(default_factory=dict)
    params: Loose = Field(default_factory=dict)


class ModelProvider(Section):
    """Where a provider is and how it is spoken to."""

    base_url: str | None = Field(default=None, pattern=r"^(https?://|\$\{)")
    api_key: SecretInput | None = Field(default=None, repr=False)
    auth: Literal["api-key", "token", "oauth", "aws-sdk"] | None = None
    api: WireFormat | None = None
    headers: dict[str, SecretInput] = Field(default_factory=dict, repr=False)
    auth_header: bool = False
    models: list[ModelDefinition] = Field(default_factory=list)
    request: Loose = Field(default_factory=dict)


class Models(Section):
    """`merge` adds to the built-in catalogue, `replace` leaves only what is written here."""

    mode: Literal["merge", "replace"] = "merge"
    providers: dict[str, ModelProvider] = Field(default_factory=dict)
