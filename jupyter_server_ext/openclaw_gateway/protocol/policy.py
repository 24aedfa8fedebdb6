"""The numbers of the protocol: limits, intervals, versions (protocol section 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

PROTOCOL = 4
MINIMUM_PROBE_PROTOCOL = 3  # what the original reports in PROTOCOL_MISMATCH (frames/errors.json)


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits in bytes, intervals in milliseconds. The defaults are the original's."""

    max_payload: int = 26_214_400
    max_buffered_bytes: int = 52_428_800
    tick_interval_ms: int = 30_000
    attachment_bytes: int = 19_464_192
    image_bytes: int = 6_291_456
    preauth_bytes: int = 65_536
    handshake_timeout_ms: int = 15_000
    drain_timeout_ms: int = 5_000

    def to_wire(self) -> dict[str, Any]:
        """`policy` of `hello-ok` (protocol section 3.2)."""
        return {
            "maxPayload": self.max_payload,
            "maxBufferedBytes": self.max_buffered_bytes,
            "tickIntervalMs": self.tick_interval_ms,
            "attachments": {"maxBytes": self.attachment_bytes, "maxImageBytes": self.image_bytes},
        }
