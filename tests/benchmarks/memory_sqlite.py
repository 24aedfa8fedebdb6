"""The same memory as SQLite arranges it: FTS5 and sqlite-vec in the shape that OpenClaw gives them.

A chunk table with text ids that holds each vector a second time, as JSON; a `vec0` table asked for 8 × as many neighbours as
there are candidates, with the cosine computed again in the join; an FTS5 table asked for all words; a merge of 0.7 vector +
0.3 text with a minimum of 0.35 (memory page). SQLite's cache is as large as it is by itself (2 MB);
what a large one changes is told beside it.
"""

from __future__ import annotations

import _sqlite3
import ctypes
import re
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson
import sqlite_vec
from numpy import float32
from numpy.typing import NDArray

RESULTS = 6
CANDIDATES = 4 * RESULTS
NEIGHBOURS = 8 * CANDIDATES

SCHEMA = """
CREATE TABLE IF NOT EXISTS chunks(id TEXT PRIMARY KEY, path TEXT, source TEXT, start_line INT, end_line INT, hash TEXT,
  model TEXT, text TEXT, embedding TEXT);
CREATE INDEX IF NOT EXISTS by_path ON chunks(path);
CREATE VIRTUAL TABLE IF NOT EXISTS chunks_fts USING fts5(text, id UNINDEXED, path UNINDEXED, source UNINDEXED);
CREATE VIRTUAL TABLE IF NOT EXISTS chunks_vec USING vec0(id TEXT PRIMARY KEY, embedding FLOAT[{dim}]);
"""
BY_VECTOR = """
SELECT c.id, c.path, c.start_line, c.end_line, c.text, vec_distance_cosine(v.embedding, :query) AS apart
FROM (SELECT id, embedding FROM chunks_vec WHERE embedding MATCH :query AND k = :k) v JOIN chunks c ON c.id = v.id
WHERE c.model = 'bench' ORDER BY apart LIMIT :many
"""
BY_WORDS = """
SELECT c.id, c.path, c.start_line, c.end_line, c.text, bm25(chunks_fts) AS rank
FROM chunks_fts JOIN chunks c ON c.id = chunks_fts.id WHERE chunks_fts MATCH :words ORDER BY rank LIMIT :many
"""


def connected(path: Path) -> sqlite3.Connection:
    """A connection that knows sqlite-vec, also where Python's module cannot load extensions: the library that it is linked
    with is then told to open every connection with it. Raises `OSError`, `AttributeError` or `sqlite3.Error`."""
    connection = sqlite3.connect(path)
    if hasattr(connection, "enable_load_extension"):
        connection.enable_load_extension(True)
        sqlite_vec.load(connection)
        return connection
    connection.close()
    start = ctypes.CDLL(str(next(Path(sqlite_vec.loadable_path()).parent.glob("vec0.*")))).sqlite3_vec_init
    if ctypes.CDLL(_sqlite3.__file__).sqlite3_auto_extension(ctypes.cast(start, ctypes.c_void_p)):
        raise OSError("SQLite does not take sqlite-vec")
    return sqlite3.connect(path)


def why_not() -> str:
    """Why sqlite-vec cannot be used here; empty when it can."""
    try:
        connection = connected(Path(":memory:"))
        connection.execute("SELECT vec_version()").fetchone()
        connection.execute("CREATE VIRTUAL TABLE t USING fts5(text)")
        connection.close()
    except (OSError, AttributeError, StopIteration, sqlite3.Error) as error:
        return f"this Python's SQLite cannot be given sqlite-vec or FTS5 ({error})"
    return ""


class SqliteMemory:
    """`cache_mb` is the size of SQLite's own cache, as it is by itself when 0."""

    def __init__(self, path: Path, dim: int, cache_mb: int = 0) -> None:
        self._connection = connected(path)
        self._connection.execute("PRAGMA journal_mode = WAL")
        if cache_mb:
            self._connection.execute(f"PRAGMA cache_size = {-1024 * cache_mb}")
        self._connection.executescript(SCHEMA.format(dim=dim))

    def fill(self, chunks: Iterable[tuple[int, str, int, str]], matrix: NDArray[float32]) -> None:
        """(number from 0, path, line, text) of each chunk, and their vectors."""
        cursor = self._connection
        rows = [(f"chunk-{number:08d}", path, line, text) for number, path, line, text in chunks]
        kept = (
            (id, path, line, line, f"{hash(text):x}", text, orjson.dumps(vector, option=orjson.OPT_SERIALIZE_NUMPY).decode())
            for (id, path, line, text), vector in zip(rows, matrix, strict=True)
        )
        cursor.executemany("INSERT INTO chunks VALUES (?, ?, 'memory', ?, ?, ?, 'bench', ?, ?)", kept)
        texts = ((text, id, path) for id, path, _, text in rows)
        cursor.executemany("INSERT INTO chunks_fts VALUES (?, ?, ?, 'memory')", texts)
        vectors = zip((row[0] for row in rows), matrix, strict=True)
        cursor.executemany("INSERT INTO chunks_vec VALUES (?, ?)", ((id, vector.tobytes()) for id, vector in vectors))
        cursor.commit()
        cursor.execute("ANALYZE")

    def search(self, query: str, vector: NDArray[float32]) -> list[tuple[Any, ...]]:
        """(score, id, path, first line, last line, text), best first."""
        blob = vector.tobytes()
        near = self._connection.execute(BY_VECTOR, {"query": blob, "k": NEIGHBOURS, "many": CANDIDATES}).fetchall()
        words = " AND ".join(f'"{word}"' for word in re.findall(r"\w+", query))
        said = self._connection.execute(BY_WORDS, {"words": words, "many": CANDIDATES}).fetchall() if words else []
        rows = {row[0]: row for row in (*near, *said)}
        scores = dict.fromkeys(rows, 0.0)
        for row in near:
            scores[row[0]] += 0.7 * (1 - row[-1])
        for row in said:
            relevance = max(0.0, -row[-1])
            scores[row[0]] += 0.3 * relevance / (1 + relevance)
        best = sorted(((score, *rows[id][:-1]) for id, score in scores.items() if score >= 0.35), reverse=True)
        return best[:RESULTS]

    def close(self) -> None:
        self._connection.close()
