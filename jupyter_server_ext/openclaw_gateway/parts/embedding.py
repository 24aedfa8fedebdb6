"""Embeddings of a server cost money: asked for on the account of the agent whose notes they are (MOD-19)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from openclaw_kernel.memory.embedding.api import EmbeddingError
from openclaw_kernel.models.api import Account, Model
from openclaw_kernel.models.service import Models
from openclaw_kernel.values.messages import Usage


def on_account(models: Models, agent_id: str, provider: str, model: str) -> tuple[Callable[[int], None], Callable[[int], None]]:
    """What is asked before a request and told after it, both with tokens; made on the event loop, called on any thread.

    The first raises `EmbeddingError` when a budget leaves no room. The price of such a model is not known: its tokens count,
    its money does not.
    """
    loop = asyncio.get_running_loop()
    account = Account(agent_id, session_key=f"agent:{agent_id}:memory")
    row = Model(model, provider, "openai-completions")

    def allow(tokens: int) -> None:
        if sentence := models.budget.refusal(account, tokens):
            raise EmbeddingError(sentence)

    def spent(tokens: int) -> None:
        loop.call_soon_threadsafe(models.usage.record, account, row, Usage(input=tokens))

    return allow, spent
