"""The signature of a webhook request: HMAC-SHA256 over `<timestamp>.<raw body>`, so that neither can be changed or kept."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

SIGNATURE = "x-openclaw-signature"
"""`sha256=` and 64 hexadecimal digits."""
TIMESTAMP = "x-openclaw-timestamp"
"""Seconds since the epoch."""
WINDOW_S = 300
"""How far the sender's clock may be from ours; what is older is a replay."""


def sign(secret: str, body: bytes, timestamp_s: int) -> dict[str, str]:
    """The two headers of a request."""
    return {TIMESTAMP: str(timestamp_s), SIGNATURE: f"sha256={_digest(secret, str(timestamp_s), body)}"}


def refusal(secret: str, headers: Mapping[str, str], body: bytes, now_s: int) -> str:
    """Why a request is not taken; empty when it is genuine. `headers` are lower case."""
    stamp, given = headers.get(TIMESTAMP, ""), headers.get(SIGNATURE, "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        return f"the header {TIMESTAMP} must be seconds since the epoch"
    expected = f"sha256={_digest(secret, stamp, body)}"
    if not hmac.compare_digest(expected.encode(), given.strip().lower().encode("utf-8", "replace")):
        return f"the header {SIGNATURE} does not match"
    if abs(now_s - int(stamp)) > WINDOW_S:
        return f"the request is more than {WINDOW_S} s old"
    return ""


def _digest(secret: str, stamp: str, body: bytes) -> str:
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
