"""Which embedder a configuration means: the shelf's, a server's, or none, always with the reason."""

from __future__ import annotations

from typing import Literal, assert_never

from openclaw_kernel.memory.embedding.remote import Allow, Endpoint, RemoteEmbedder, Spent, free
from openclaw_kernel.memory.embedding.shelf import Opened, Shelf

Choice = Literal["auto", "local", "openai", "ollama", "none"]
"""`auto` is the shelf: a server is never chosen without being named."""


class EmbedderSource:
    """Answers `opened()` as often as it is asked, cheaply and without the network; the same embedder while nothing changed."""

    def __init__(
        self,
        shelf: Shelf,
        choice: Choice = "auto",
        *,
        model: str = "",
        base_url: str = "",
        api_key: str = "",
        allow: Allow = free,
        spent: Spent = free,
    ) -> None:
        self._shelf = shelf
        self._choice = choice
        self._model = model
        self._remote: RemoteEmbedder | None = None
        if choice in ("openai", "ollama") and model:
            self._remote = RemoteEmbedder(Endpoint(choice, model, base_url, api_key), allow, spent)

    def opened(self) -> Opened:
        match self._choice:
            case "auto" | "local":
                return self._shelf.open(self._model)
            case "openai" | "ollama":
                if self._remote is None:
                    return Opened(
                        None, f"Semantic search is off: {self._choice} needs memory.embedding.model in openclaw.json."
                    )
                return Opened(self._remote)
            case "none":
                return Opened(None, "Semantic search is off: memory.embedding.provider is none in openclaw.json.")
            case _:
                assert_never(self._choice)

    def close(self) -> None:
        if self._remote is not None:
            self._remote.close()
