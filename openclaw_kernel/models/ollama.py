"""Finds a running Ollama and the models it has (MOD-03)."""

from __future__ import annotations

import logging

from openclaw_kernel.models.api import Model

log = logging.getLogger(__name__)

OLLAMA_URL = "http://127.0.0.1:11434"
TIMEOUT_S = 0.3  # a server on this machine answers at once or is not there


async def detect(base_url: str = OLLAMA_URL) -> list[Model]:
    """One row per installed model; an empty list when nothing listens. `base_url` has no `/v1`."""
    import httpx  # 50 ms of import that a gateway without Ollama need not pay at start

    root = base_url.rstrip("/").removesuffix("/v1")
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as client:
            response = await client.get(f"{root}/api/tags")
            response.raise_for_status()
            names = [str(entry["name"]) for entry in response.json().get("models", [])]
    except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.debug("no Ollama at %s: %s", root, error)
        return []
    return [
        Model(id=name, provider="ollama", api="openai-completions", name=f"{name} (Ollama)", base_url=f"{root}/v1")
        for name in names
    ]
