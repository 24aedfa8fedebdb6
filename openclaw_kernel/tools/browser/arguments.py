"""What the `browser` tool is told."""

from __future__ import annotations

from typing import Literal

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
    value: str | bool = Field(description="true or false for a box to tick")


class BrowserArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    action: Action
    kind: Kind | None = Field(None, description="What to do, for act")
    url: str | None = Field(None, max_length=4_000, description="For open and navigate")
    tab: str | None = Field(None, max_length=20, description="Such as t1; else the last used")
    ref: str | None = Field(None, max_length=40, description="Element of the last snapshot, such as e5")
    to_ref: str | None = Field(None, max_length=40, description="Where drag ends")
    text: str | None = Field(None, max_length=MAX_TEXT, description="To type, to wait for, or to answer a dialog with")
    key: str | None = Field(None, max_length=60, description="For press, such as Enter or Control+A")
    values: list[str] = Field(default_factory=list, max_length=50, description="Options to select, or files to upload")
    fields: list[FillField] = Field(default_factory=list, max_length=100, description="For fill: several at once")
    accept: bool | None = Field(None, description="Answer to the next dialog")
    submit: bool = Field(False, description="Enter after type")
    double: bool = False
    code: str | None = Field(None, max_length=MAX_TEXT, description="JavaScript function or expression for evaluate")
    time_ms: int | None = Field(None, ge=0, le=MAX_WAIT_MS)
    width: int | None = Field(None, ge=200, le=4_000)
    height: int | None = Field(None, ge=200, le=4_000)
    full_page: bool = False
    offset: int = Field(0, ge=0, description="Characters of a snapshot to skip")
    profile: str | None = Field(None, max_length=40)
