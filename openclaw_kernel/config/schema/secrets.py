"""`secrets`: the places that secret references point into (CFG-16)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from openclaw_kernel.config.schema.base import Positive, Section

_MIB = 1024 * 1024


class EnvSecrets(Section):
    """Environment variables; `allowlist` None means any."""

    source: Literal["env"]
    allowlist: list[str] | None = None


class FileSecrets(Section):
    """A file only its owner can read: JSON addressed by pointer, or one single value (id `value`)."""

    source: Literal["file"]
    path: str
    mode: Literal["json", "singleValue"] = "json"
    timeout_ms: Positive = 5_000
    max_bytes: Positive = _MIB


class ExecSecrets(Section):
    """A program asked for values, run without a shell.

    With `json_only` it reads `{protocolVersion: 1, provider, ids}` and answers `{protocolVersion: 1, values, errors?}`;
    without, its whole output is the value. It gets only the variables of `env` and those named in `pass_env`.
    """

    source: Literal["exec"]
    command: str
    args: list[str] = Field(default_factory=list)
    timeout_ms: Positive = 5_000
    max_output_bytes: Positive = _MIB
    json_only: bool = True
    env: dict[str, str] = Field(default_factory=dict)
    pass_env: list[str] = Field(default_factory=list)
    trusted_dirs: list[str] = Field(default_factory=list)
    allow_symlink_command: bool = False


SecretProvider = Annotated[EnvSecrets | FileSecrets | ExecSecrets, Field(discriminator="source")]


class SecretsSection(Section):
    """Providers by name; `default` of source env exists without being written."""

    providers: dict[str, SecretProvider] = Field(default_factory=dict)
    defaults: dict[Literal["env", "file", "exec"], str] = Field(default_factory=dict)
