"""The same `node.invoke` told twice is done once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any

from openclaw_kernel.values.errors import invalid

REMEMBERED = 500


class Remembered:
    """Answers by idempotency key, under way or done: a repeat gets the first call's answer (protocol section 4)."""

    def __init__(self, most: int = REMEMBERED) -> None:
        self._most = most
        self._calls: OrderedDict[str, tuple[bytes, asyncio.Future[dict[str, Any]]]] = OrderedDict()

    def find(self, key: str, digest: bytes) -> asyncio.Future[dict[str, Any]] | None:
        """Raises `OpenClawError` for the same key with another input."""
        known = self._calls.get(key)
        if known is None:
            return None
        if known[0] != digest:
            raise invalid("idempotencyKey was used for another node.invoke", reason="node-invoke-conflict")
        return known[1]

    def keep(self, key: str, digest: bytes, answer: asyncio.Future[dict[str, Any]]) -> None:
        self._calls[key] = (digest, answer)
        while len(self._calls) > self._most:
            self._calls.popitem(last=False)
