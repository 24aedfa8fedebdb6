"""What a search has to find: 317 notes of a life, 266 queries in five kinds, recall among the first five.

p paraphrases with almost no word of the note, k identifiers, m both, w three words of the note, t the same three with two
letters swapped in each. Notes, queries and labels were written before any ranking was tried. One review changed labels before
anything was tuned, by one rule for all 88 paraphrases: the note alone must answer the question. Seven did not (they needed
another note, mostly to know who a person is) and were put in other words; with them as they were, MiniLM alone and the
house's rule both had .898 of the paraphrases.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from openclaw_kernel.memory.embedding.fastembed_local import open_folder
from openclaw_kernel.memory.ram import Entry, RamIndex
from openclaw_kernel.memory.ranking import Options
from tests.minilm import minilm_folder
from tests.needs import need

HERE = Path(__file__).parent
FIRST = 5
WITHOUT_MODEL = {"k": 1.0, "m": 1.0, "w": 1.0, "t": 0.95}
WITH_MINILM = {"p": 0.93, "k": 1.0, "m": 1.0, "w": 0.94, "t": 0.93}


@cache
def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (HERE / name).read_text("utf-8").splitlines()]


@pytest.fixture
def index() -> RamIndex:
    index = RamIndex()
    index.add(Entry(note["id"], note["text"], path=f"memory/note {note['id']}.md") for note in rows("notes.jsonl"))
    return index


def recall(index: RamIndex, vectors: Sequence[Any] | None = None, options: Options | None = None) -> dict[str, float]:
    """By kind, the share of queries whose note is among the first five."""
    found: dict[str, list[bool]] = defaultdict(list)
    for at, query in enumerate(rows("queries.jsonl")):
        vector = vectors[at] if vectors is not None else None
        hits = index.search(query["query"], vector, limit=FIRST, options=options or Options())
        found[query["kind"]].append(any(hit.id in query["notes"] for hit in hits))
    return {kind: sum(each) / len(each) for kind, each in found.items()}


def test_the_set_is_large_enough_and_well_formed() -> None:
    notes, queries = rows("notes.jsonl"), rows("queries.jsonl")
    assert len(notes) >= 300 and len(queries) >= 200
    assert len({note["text"] for note in notes}) == len(notes)
    known = {note["id"] for note in notes}
    assert all(set(query["notes"]) <= known and query["kind"] in "pkmwt" for query in queries)


def test_without_a_model_words_identifiers_and_typos_are_found(index: RamIndex) -> None:
    reached = recall(index)
    print(reached)
    assert {kind: reached[kind] for kind, floor in WITHOUT_MODEL.items() if reached[kind] < floor} == {}


def test_with_minilm_paraphrases_too(index: RamIndex) -> None:
    folder, reason = minilm_folder()
    need("minilm", folder, reason)
    assert folder is not None
    model = open_folder(folder)
    notes = rows("notes.jsonl")
    index.set_vectors(model.model_id, model.dim, [n["id"] for n in notes], model.embed([n["text"] for n in notes]))
    vectors = model.embed([query["query"] for query in rows("queries.jsonl")])
    reached = recall(index, vectors, Options(floor=model.floor))
    print(reached)
    assert {kind: reached[kind] for kind, floor in WITH_MINILM.items() if reached[kind] < floor} == {}
    product = recall(index, vectors, Options(rule="openclaw"))
    print("the product's rule:", product)
    assert np.mean(list(product.values())) < np.mean(list(reached.values()))
