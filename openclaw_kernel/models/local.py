"""How many tokens a model server on one's own machine really keeps, asked of the server itself (MOD-06).

A guess that is too large makes such a server cut the prompt silently: instructions and tools go first. Asked once, before the
first turn with a model; a server that does not say leaves the row as it is, and is asked again a minute later.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from openclaw_kernel.models import ollama
from openclaw_kernel.models.api import Model
from openclaw_kernel.values.clock import Clock

if TYPE_CHECKING:
    import httpx

SERVERS = frozenset({"ollama", "lmstudio", "vllm", "sglang", "llamacpp"})
TIMEOUT_S = 1.0
KEPT_MS = 600_000
AGAIN_MS = 60_000
_LIST_KEYS = ("max_model_len", "loaded_context_length", "max_context_length", "context_length", "n_ctx")
"""What vLLM and SGLang, LM Studio, and llama.cpp call it; what is loaded goes before what would be possible."""

log = logging.getLogger(__name__)


class Windows:
    """Remembers what servers said, by address and model."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[int, int | None]] = {}

    async def measured(self, model: Model) -> Model:
        """The row with the server's own window; itself for a model of no such server, and when nothing could be learned."""
        if model.provider not in SERVERS or not model.base_url:
            return model
        at, key = self._clock(), (model.base_url, model.id)
        until, window = self._known.get(key, (0, None))
        if at >= until:
            window = await _asked(model)
            self._known[key] = (at + (KEPT_MS if window else AGAIN_MS), window)
        return replace(model, context_window=window) if window else model


async def _asked(model: Model) -> int | None:
    import httpx  # 50 ms of import that nobody pays without such a server

    root = model.base_url.rstrip("/").removesuffix("/v1")
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as client:
            if model.provider == "ollama":
                return await ollama.window(client, root, model.id)
            if model.provider == "lmstudio" and (found := await _listed(client, f"{root}/api/v0/models", model.id)):
                return found
            return await _listed(client, f"{root}/v1/models", model.id)
    except (httpx.HTTPError, ValueError, TypeError, AttributeError) as error:
        log.debug("%s says nothing of the window of %s: %s", root, model.id, error)
        return None


async def _listed(client: httpx.AsyncClient, url: str, model_id: str) -> int | None:
    """The window from a list of models; a server that has one model only may call it what it likes."""
    response = await client.get(url)
    if response.is_error:
        return None
    rows = [row for row in response.json().get("data") or () if isinstance(row, Mapping)]
    row = next((row for row in rows if row.get("id") == model_id), rows[0] if len(rows) == 1 else None)
    return _window(row) if row is not None else None


def _window(row: Mapping[str, Any]) -> int | None:
    meta = row.get("meta")
    facts = {**meta, **row} if isinstance(meta, Mapping) else row
    found = (facts.get(key) for key in (*_LIST_KEYS, "n_ctx_train"))
    return next((value for value in found if isinstance(value, int) and not isinstance(value, bool) and value > 0), None)
