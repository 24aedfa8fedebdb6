"""Finds a running Ollama and the models it has (MOD-03)."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from openclaw_kernel.models.api import Model

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)

OLLAMA_URL = "http://127.0.0.1:11434"
MOST = 64
"""How many models are asked for their window."""
TIMEOUT_S = 0.3  # a server on this machine answers at once or is not there


async def detect(base_url: str = OLLAMA_URL) -> list[Model]:
    """One row per installed model, with its real window and what it can do; empty when nothing listens. `base_url` has no
    `/v1`."""
    import httpx  # 50 ms of import that a gateway without Ollama need not pay at start

    root = base_url.rstrip("/").removesuffix("/v1")
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as client:
            response = await client.get(f"{root}/api/tags")
            response.raise_for_status()
            names = [str(entry["name"]) for entry in response.json().get("models", [])]
            shown = await asyncio.gather(*(_show(client, root, name) for name in names[:MOST]))
    except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.debug("no Ollama at %s: %s", root, error)
        return []
    plain = [Model(id=name, provider="ollama", api="openai-completions", base_url=f"{root}/v1") for name in names]
    return [
        replace(row, name=f"{row.id} (Ollama)", **(shown[index] if index < len(shown) else {}))
        for index, row in enumerate(plain)
    ]


async def window(client: httpx.AsyncClient, root: str, name: str) -> int | None:
    """Tokens that the server keeps of a conversation with this model, when it says so."""
    found = (await _show(client, root, name)).get("context_window")
    return found if isinstance(found, int) else None


async def _show(client: httpx.AsyncClient, root: str, name: str) -> dict[str, Any]:
    """Window and abilities of one model; nothing when the server does not say (MOD-06)."""
    import httpx

    try:
        response = await client.post(f"{root}/api/show", json={"model": name})
        response.raise_for_status()
        return _facts(response.json())
    except (httpx.HTTPError, ValueError, TypeError, AttributeError) as error:
        log.debug("Ollama says nothing of %s: %s", name, error)
        return {}


def _facts(shown: Mapping[str, Any]) -> dict[str, Any]:
    """`num_ctx`, when the model sets it, is what the server keeps; `context_length` is what the model could."""
    facts: dict[str, Any] = {}
    could = [value for key, value in (shown.get("model_info") or {}).items() if key.endswith(".context_length")]
    kept = re.search(r"^num_ctx\s+(\d+)", str(shown.get("parameters") or ""), re.MULTILINE)
    if kept or could:
        facts["context_window"] = int(kept[1]) if kept else int(could[0])
    abilities = shown.get("capabilities") or ()
    if "vision" in abilities:
        facts["input"] = ("text", "image")
    if "thinking" in abilities:
        facts["reasoning"] = True
    return facts
