"""`logging`: how much is written down, and where."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from openclaw_kernel.config.schema.base import Positive, Section

Level = Literal["silent", "fatal", "error", "warn", "info", "debug", "trace"]


class Logging(Section):
    """`file` None means `logs/gateway.jsonl` in the state directory."""

    level: Level = "info"
    file: str | None = None
    max_file_bytes: Positive = 50_000_000
    console_level: Level = "info"
    console_style: Literal["pretty", "compact", "json"] = "pretty"
    redact_sensitive: Literal["off", "tools"] = "tools"
    redact_patterns: list[str] = Field(default_factory=list)
