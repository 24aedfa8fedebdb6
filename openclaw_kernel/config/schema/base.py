"""What every section has in common: OpenClaw's camel-case keys outside, Python names inside, no unknown keys, no coercion."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag
from pydantic.alias_generators import to_camel

Loose = dict[str, Any]
"""A section whose keys a later part of the project defines; any object is taken."""

Port = Annotated[int, Field(ge=0, le=65535)]
Positive = Annotated[int, Field(gt=0)]
NotNegative = Annotated[int, Field(ge=0)]


class Section(BaseModel):
    """A strict object of the config (CFG-03)."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True, strict=True, defer_build=True)


class OpenSection(BaseModel):
    """An object whose known keys are checked and whose other keys are kept as they are."""

    model_config = ConfigDict(extra="allow", alias_generator=to_camel, populate_by_name=True, strict=True, defer_build=True)


class SecretRef(Section):
    """Where a secret is instead of what it is (CFG-15). `id` is what the provider calls it."""

    source: Literal["env", "file", "exec"]
    provider: str = Field(default="default", pattern=r"^[a-z][a-z0-9_-]{0,63}$")
    id: str = Field(min_length=1, max_length=256)


def _secret_form(value: Any) -> str:
    return "ref" if isinstance(value, (dict, SecretRef)) else "text"


SecretInput = Annotated[
    Annotated[str, Tag("text")] | Annotated[SecretRef, Tag("ref")],
    Discriminator(_secret_form),
    Field(json_schema_extra={"sensitive": True}),
]
"""A secret in clear, with `${NAME}`, or as a reference."""
