"""What the `browser` tool is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

Action = Literal[
    "status", "start", "stop", "profiles", "tabs", "open", "navigate", "focus", "close", "resize",
    "snapshot", "screenshot", "console", "pdf", "act",
]  # fmt: skip
Kind = Literal["click", "type", "press", "hover", "drag", "select", "fill", "upload", "dialog", "wait", "evaluate"]
MAX_TEXT = 100_000
MAX_WAIT_MS = 30_000


class FillField(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    ref: str = Field(max_length=40)
    value: str | bool


class BrowserArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    action: Action
    kind: Kind | None = None
    url: str | None = Field(None, max_length=4_000)
    tab: str | None = Field(None, max_length=20)
    ref: str | None = Field(None, max_length=40)
    to_ref: str | None = Field(None, max_length=40)
    text: str | None = Field(None, max_length=MAX_TEXT)
    key: str | None = Field(None, max_length=60)
    values: list[str] = Field(default_factory=list, max_length=50)
    fields: list[FillField] = Field(default_factory=list, max_length=100)
    accept: bool | None = None
    submit: bool = False
    double: bool = False
    code: str | None = Field(None, max_length=MAX_TEXT)
    time_ms: int | None = Field(None, ge=0, le=MAX_WAIT_MS)
    width: int | None = Field(None, ge=200, le=4_000)
    height: int | None = Field(None, ge=200, le=4_000)
    full_page: bool = False
    offset: int = Field(0, ge=0)
    profile: str | None = Field(None, max_length=40)


def _one(kind: str, description: str = "") -> dict[str, Any]:
    return {"type": kind, "description": description} if description else {"type": kind}


SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["action"],
    "properties": {
        "action": {"type": "string", "enum": list(get_args(Action))},
        "kind": {"type": "string", "enum": list(get_args(Kind)), "description": "For act"},
        "url": _one("string"),
        "tab": _one("string", "t1, …; else the last used"),
        "ref": _one("string", "e5, … of the last snapshot"),
        "to_ref": _one("string", "End of drag"),
        "text": _one("string", "To type or wait for; for a prompt dialog"),
        "key": _one("string", "Enter, Control+A, …"),
        "values": {"type": "array", "items": _one("string"), "description": "To select, or files to upload"},
        "fields": {
            "type": "array",
            "description": "For fill",
            "items": {
                "type": "object",
                "required": ["ref", "value"],
                "properties": {
                    "ref": _one("string"),
                    "value": {"type": ["string", "boolean"]},
                },
            },
        },
        "accept": _one("boolean", "The next dialog"),
        "submit": _one("boolean", "Enter after typing"),
        "double": _one("boolean"),
        "code": _one("string", "JavaScript for evaluate"),
        "time_ms": _one("integer"),
        "width": _one("integer"),
        "height": _one("integer"),
        "full_page": _one("boolean"),
        "offset": _one("integer", "Of a long snapshot"),
        "profile": _one("string"),
    },
}
"""What the model is told of them: the same, at half the tokens, and made without building the model."""
