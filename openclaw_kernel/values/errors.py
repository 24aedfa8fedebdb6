"""Errors a client or a person may meet, in the protocol's shape (VAL-09, protocol section 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

ErrorCode = Literal[
    "INVALID_REQUEST",
    "FORBIDDEN",
    "UNAVAILABLE",
    "NOT_PAIRED",
    "NOT_LINKED",
    "AGENT_TIMEOUT",
    "APPROVAL_NOT_FOUND",
]


@dataclass
class OpenClawError(Exception):
    """One clear sentence with a code. `details` is for programs, `message` for people."""

    code: ErrorCode
    message: str
    details: Mapping[str, Any] = field(default_factory=dict)
    retryable: bool = False
    retry_after_ms: int | None = None

    def __str__(self) -> str:
        return self.message

    def to_wire(self) -> dict[str, Any]:
        wire: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.details:
            wire["details"] = dict(self.details)
        if self.retryable:
            wire["retryable"] = True
        if self.retry_after_ms is not None:
            wire["retryAfterMs"] = self.retry_after_ms
        return wire


def invalid(message: str, **details: Any) -> OpenClawError:
    """`INVALID_REQUEST` with `message`."""
    return OpenClawError("INVALID_REQUEST", message, details)


def unavailable(message: str, **details: Any) -> OpenClawError:
    """`UNAVAILABLE`: the request was right, the time is wrong."""
    return OpenClawError("UNAVAILABLE", message, details, retryable=True)


class UserError(Exception):
    """A mistake the user can mend: one sentence that says what is wrong, where, and what to do. Printed without a traceback."""
