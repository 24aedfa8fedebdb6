"""`logging`: how much is written down, and where."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator

from openclaw_kernel.config.schema.base import Positive, Section

Level = Literal["silent", "fatal", "error", "warn", "info", "debug", "trace"]


class Logging(Section):
    """`file` None means `logs/gateway.jsonl` in the state directory.

    `redact_patterns` are regular expressions of what is secret in this house; `redact_sensitive` off stops hiding what merely
    looks like a key, never what is known to be one (SAF-26).
    """

    level: Level = "info"
    file: str | None = None
    max_file_bytes: Positive = 50_000_000
    console_level: Level = "info"
    console_style: Literal["pretty", "compact", "json"] = "pretty"
    redact_sensitive: Literal["off", "tools"] = "tools"
    redact_patterns: list[str] = Field(default_factory=list)

    @field_validator("redact_patterns")
    @classmethod
    def _patterns_compile(cls, patterns: list[str]) -> list[str]:
        for pattern in patterns:
            try:
                found = re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression: {error}; correct it or take it out") from error
            if found.match(""):
                raise ValueError(f"{pattern!r} matches the empty text, which would hide everything; make it longer")
        return patterns
