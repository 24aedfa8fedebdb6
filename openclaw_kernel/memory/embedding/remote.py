"""Embeddings from a server: OpenAI's `/embeddings`, which many speak, and Ollama's `/api/embed`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, assert_never

from openclaw_kernel.memory.embedding.api import EmbeddingError
from openclaw_kernel.memory.embedding.manifest import DEFAULT_FLOOR, prefix_rule

if TYPE_CHECKING:
    import httpx
    from numpy import float32
    from numpy.typing import NDArray

Wire = Literal["openai", "ollama"]
Allow = Callable[[int], None]
"""Asked before a request with the tokens it will take at most, roughly; raises `UserError` when the budget is spent."""
Spent = Callable[[int], None]
"""Told afterwards what the server counted, or our estimate."""

OLLAMA_URL = "http://127.0.0.1:11434"
OPENAI_URL = "https://api.openai.com/v1"
BATCH = 64
TIMEOUT_S = 30.0
CHARS_PER_TOKEN = 4
REMOTE_FLOOR = DEFAULT_FLOOR


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the model is. `window` in tokens: a longer text is cut there, because servers refuse it."""

    wire: Wire
    model: str
    base_url: str = ""
    api_key: str = field(default="", repr=False)
    query_prefix: str = ""
    passage_prefix: str = ""
    window: int = 2_048
    floor: float = REMOTE_FLOOR
    timeout_s: float = TIMEOUT_S

    @property
    def url(self) -> str:
        match self.wire:
            case "openai":
                return f"{(self.base_url or OPENAI_URL).rstrip('/')}/embeddings"
            case "ollama":
                return f"{(self.base_url or OLLAMA_URL).rstrip('/').removesuffix('/v1')}/api/embed"
            case _:
                assert_never(self.wire)


def free(_tokens: int) -> None:
    return


class RemoteEmbedder:
    """A model behind HTTP. Blocking; the connection is kept. One try a request: the index asks again later."""

    def __init__(self, endpoint: Endpoint, allow: Allow = free, spent: Spent = free) -> None:
        self._endpoint = endpoint
        self._allow = allow
        self._spent = spent
        self._lock = threading.Lock()
        self._client: httpx.Client | None = None
        self._dim = 0

    @property
    def model_id(self) -> str:
        end = self._endpoint
        return f"{end.wire}:{end.url}:{end.model}{prefix_rule(end.query_prefix, end.passage_prefix)}"

    @property
    def dim(self) -> int:
        """Known with the first answer; asks for one when there was none yet."""
        if not self._dim:
            self.embed(["dimension"])
        return self._dim

    @property
    def window(self) -> int:
        return self._endpoint.window

    @property
    def floor(self) -> float:
        return self._endpoint.floor

    def embed(self, texts: Sequence[str]) -> NDArray[float32]:
        return self._rows(texts, self._endpoint.passage_prefix)

    def embed_query(self, text: str) -> NDArray[float32]:
        row: NDArray[float32] = self._rows([text], self._endpoint.query_prefix)[0]
        return row

    def close(self) -> None:
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _rows(self, texts: Sequence[str], prefix: str) -> NDArray[float32]:
        import numpy as np

        said = [index for index, text in enumerate(texts) if text.strip()]
        room = self.window * CHARS_PER_TOKEN
        found: list[NDArray[float32]] = []
        for start in range(0, len(said), BATCH):
            found.append(self._batch([(prefix + texts[index])[:room] for index in said[start : start + BATCH]]))
        rows = np.zeros((len(texts), self._dim if said else self.dim if len(texts) else 0), np.float32)
        if said:
            rows[said] = np.concatenate(found)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        unit: NDArray[float32] = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
        return unit

    def _batch(self, texts: list[str]) -> NDArray[float32]:
        import numpy as np

        estimate = sum(-(-len(text) // CHARS_PER_TOKEN) for text in texts)
        self._allow(estimate)
        answer = self._post({"model": self._endpoint.model, "input": texts})
        try:
            vectors = np.asarray(_vectors(self._endpoint.wire, answer), np.float32)
            tokens = int(_tokens(self._endpoint.wire, answer) or estimate)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise EmbeddingError(f"{self._endpoint.url} answered in a form that is no list of vectors.") from error
        if vectors.ndim != 2 or len(vectors) != len(texts) or not vectors.shape[1] or not np.isfinite(vectors).all():
            raise EmbeddingError(f"{self._endpoint.url} did not answer with one vector a text.")
        if self._dim and vectors.shape[1] != self._dim:
            raise EmbeddingError(
                f"{self._endpoint.url} answers with {vectors.shape[1]} numbers a text, before it were {self._dim}; its model "
                "has changed: give memory.embedding.model the exact name."
            )
        self._dim = int(vectors.shape[1])
        self._spent(tokens)
        return vectors

    def _post(self, body: dict[str, Any]) -> Any:
        import httpx

        url = self._endpoint.url
        try:
            response = self._connected().post(url, json=body)
        except httpx.HTTPError as error:
            raise EmbeddingError(
                f"The embedding server {url} does not answer ({type(error).__name__}); check memory.embedding.baseUrl."
            ) from error
        if response.status_code != 200:
            raise EmbeddingError(_refusal(url, response.status_code, self._endpoint.model))
        try:
            return response.json()
        except ValueError as error:
            raise EmbeddingError(f"{url} answered with something that is no JSON.") from error

    def _connected(self) -> httpx.Client:
        import httpx

        with self._lock:
            if self._client is None:
                end = self._endpoint
                headers = {"Authorization": f"Bearer {end.api_key}"} if end.api_key else {}
                local = end.wire == "ollama"
                self._client = httpx.Client(headers=headers, timeout=end.timeout_s, trust_env=not local, follow_redirects=False)
            return self._client


def _vectors(wire: Wire, answer: Any) -> list[Any]:
    match wire:
        case "openai":
            return [row["embedding"] for row in sorted(answer["data"], key=lambda row: int(row["index"]))]
        case "ollama":
            return list(answer["embeddings"])
        case _:
            assert_never(wire)


def _tokens(wire: Wire, answer: Any) -> Any:
    match wire:
        case "openai":
            return (answer.get("usage") or {}).get("total_tokens")
        case "ollama":
            return answer.get("prompt_eval_count")
        case _:
            assert_never(wire)


def _refusal(url: str, status: int, model: str) -> str:
    """The server's own words are left out: they may repeat the key."""
    if status in (401, 403):
        return f"{url} refuses the key (HTTP {status}); check memory.embedding.apiKey."
    if status == 404:
        return f"{url} has no model {model!r} (HTTP 404); check memory.embedding.model."
    if status == 429:
        return f"{url} asks to come back later (HTTP 429); the index goes on by itself."
    return f"{url} refuses the texts (HTTP {status}); check memory.embedding.baseUrl and memory.embedding.model."
