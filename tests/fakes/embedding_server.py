"""A strict server for embeddings: OpenAI's `/v1/embeddings` and Ollama's `/api/embed`, with the tiny model's vectors.

with EmbeddingServer(key="k") as server:
    server.url, server.requests, server.fail
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.http_thread import HttpThread, QuietHandler
from tests.fakes.tiny_model import by_hand

MODEL = "tiny-embed"


@dataclass
class EmbeddingServer(HttpThread):
    """`fail` is a status (or "shape", "json", "dim") that the next answers have instead of a right one."""

    key: str = ""
    most: int = 64
    fail: int | str = 0
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def handler(self) -> type[QuietHandler]:
        fake = self

        class Handler(QuietHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, answer = fake.answer(self.path, dict(self.headers), body)
                data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        return Handler

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        if path not in ("/v1/embeddings", "/api/embed"):
            return 404, {"error": "no such path"}
        if self.key and headers.get("Authorization") != f"Bearer {self.key}":
            return 401, {"error": {"message": f"Incorrect API key provided: {headers.get('Authorization')}"}}
        row = json.loads(body)
        texts = row["input"]
        self.requests.append((path, row))
        if row.keys() != {"model", "input"} or not isinstance(texts, list) or not 0 < len(texts) <= self.most or not all(texts):
            return 400, {"error": "bad request"}
        if row["model"] != MODEL:
            return 404, {"error": f"model {row['model']} not found"}
        if isinstance(self.fail, int) and self.fail:
            return self.fail, {"error": "as the test wants"}
        vectors = [(3 * by_hand(text)).tolist() for text in texts]
        return 200, self._spoilt(path, vectors)

    def _spoilt(self, path: str, vectors: list[list[float]]) -> Any:
        if self.fail == "json":
            return b"<html>"
        if self.fail == "dim":
            vectors = [vector[:8] for vector in vectors]
        if self.fail == "shape":
            vectors = vectors[1:]
        if path == "/api/embed":
            return {"model": MODEL, "embeddings": vectors, "prompt_eval_count": 7}
        rows = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(vectors)]
        return {"object": "list", "data": rows[::-1], "model": MODEL, "usage": {"prompt_tokens": 5, "total_tokens": 5}}
