"""Embeddings from a server, against a strict one of our own."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from openclaw_kernel.memory.embedding.api import EmbeddingError
from openclaw_kernel.memory.embedding.remote import BATCH, Endpoint, RemoteEmbedder
from openclaw_kernel.values.errors import UserError
from tests.fakes.embedding_server import MODEL, EmbeddingServer
from tests.fakes.tiny_model import DIM, by_hand

KEY = "sk-not-a-real-key-0123456789"


@pytest.fixture
def server() -> Iterator[EmbeddingServer]:
    with EmbeddingServer(key=KEY) as running:
        yield running


def openai(server: EmbeddingServer, **changed: object) -> RemoteEmbedder:
    return RemoteEmbedder(
        Endpoint(**{"wire": "openai", "model": MODEL, "base_url": f"{server.url}/v1", "api_key": KEY, **changed})
    )  # type: ignore[arg-type]


def ollama(server: EmbeddingServer) -> RemoteEmbedder:
    server.key = ""
    return RemoteEmbedder(Endpoint("ollama", MODEL, server.url))


@pytest.mark.parametrize("make", [openai, ollama])
def test_one_unit_row_a_text_in_batches(server: EmbeddingServer, make: object) -> None:
    embedder = make(server)  # type: ignore[operator]
    texts = [f"plant {number}" if number % 7 else "" for number in range(2 * BATCH + 30)]
    rows = embedder.embed(texts)
    assert rows.shape == (len(texts), DIM)
    for text, row in zip(texts, rows, strict=True):
        assert np.abs(row - (by_hand(text) if text else 0)).max() < 1e-6
    assert [len(body["input"]) for _, body in server.requests] == [BATCH, BATCH, 7]
    assert all(body["model"] == MODEL for _, body in server.requests)


def test_dimension_and_id(server: EmbeddingServer) -> None:
    embedder = openai(server)
    assert embedder.dim == DIM and len(server.requests) == 1
    assert embedder.embed([""]).tolist() == [[0.0] * DIM]
    assert MODEL in embedder.model_id and KEY not in embedder.model_id
    assert openai(server, query_prefix="query: ").model_id != embedder.model_id
    assert np.abs(openai(server, query_prefix="coffee ").embed_query("plant") - by_hand("coffee plant")).max() < 1e-6


def test_a_text_is_cut_to_the_window(server: EmbeddingServer) -> None:
    openai(server, window=10).embed(["plant " * 100])
    assert [len(text) for text in server.requests[0][1]["input"]] == [40]


@pytest.mark.parametrize(
    ("fail", "words"),
    [
        (401, r"refuses the key \(HTTP 401\); check memory\.embedding\.apiKey"),
        (429, "HTTP 429"),
        (500, "HTTP 500"),
        (302, "HTTP 302"),
        ("json", "no JSON"),
        ("shape", "one vector a text"),
    ],
)
def test_a_failure_is_one_sentence_without_the_key(server: EmbeddingServer, fail: int | str, words: str) -> None:
    server.fail = fail
    with pytest.raises(EmbeddingError, match=words) as caught:
        openai(server).embed(["plant", "water"])
    assert KEY not in str(caught.value) and KEY not in repr(openai(server)._endpoint)


def test_a_wrong_key_is_not_repeated(server: EmbeddingServer) -> None:
    with pytest.raises(EmbeddingError) as caught:
        openai(server, api_key="sk-a-wrong-one-9999999999").embed(["plant"])
    assert "sk-a-wrong" not in str(caught.value)


def test_an_unknown_model_and_a_silent_server(server: EmbeddingServer) -> None:
    with pytest.raises(EmbeddingError, match="has no model 'other'"):
        openai(server, model="other").embed(["plant"])
    gone = openai(server, base_url="http://127.0.0.1:9/v1")
    with pytest.raises(EmbeddingError, match=r"does not answer \(ConnectError\)"):
        gone.embed(["plant"])


def test_a_model_that_changes_its_size_is_refused(server: EmbeddingServer) -> None:
    embedder = openai(server)
    embedder.embed(["plant"])
    server.fail = "dim"
    with pytest.raises(EmbeddingError, match="8 numbers a text, before it were 32"):
        embedder.embed(["plant"])


def test_the_budget_is_asked_first_and_told_after(server: EmbeddingServer) -> None:
    asked: list[int] = []
    told: list[int] = []

    def allow(tokens: int) -> None:
        asked.append(tokens)
        if len(asked) > 1:
            raise UserError("The budget of the day is spent.")

    embedder = RemoteEmbedder(Endpoint("openai", MODEL, f"{server.url}/v1", KEY), allow, told.append)
    with pytest.raises(UserError, match="budget"):
        embedder.embed(["plant"] * (BATCH + 1))
    assert asked == [2 * BATCH, 2] and told == [5] and len(server.requests) == 1
