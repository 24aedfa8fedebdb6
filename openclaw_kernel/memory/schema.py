"""The tables of `index.duckdb` and how the file is opened: no extension, no network, a bounded cache.

The file is disposable: every row comes from a note or from a model and can be made again.
"""

from __future__ import annotations

from typing import Any

VERSION = "1"
"""Of the tables. A file of another version is not read but built anew."""

STORAGE = "v1.5.0"
"""The oldest file format that can be read back; the default would shut out every earlier DuckDB."""

CONFIG: dict[str, Any] = {
    "storage_compatibility_version": STORAGE,
    "memory_limit": "256MB",
    "threads": 1,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
"""Without the last two an unknown name waits for a download; the default memory limit is most of the machine."""

TABLES = """
CREATE TABLE meta(key VARCHAR PRIMARY KEY, value VARCHAR);
CREATE TABLE source(
    id INTEGER PRIMARY KEY, kind VARCHAR, path VARCHAR, session_key VARCHAR, size BIGINT, mtime_ns BIGINT, inode BIGINT,
    hash VARCHAR, chunker VARCHAR, tail_offset BIGINT, tail_line INTEGER, provenance VARCHAR, indexed_at TIMESTAMP,
    UNIQUE(kind, path));
CREATE TABLE chunk(
    id BIGINT, source_id INTEGER, ord INTEGER, line0 INTEGER, line1 INTEGER, byte0 BIGINT, byte1 BIGINT, heading VARCHAR,
    hash VARCHAR, digest BIGINT, tokens INTEGER, text VARCHAR, day VARCHAR, importance TINYINT, provenance VARCHAR,
    revision BIGINT);
CREATE TABLE embedding(model VARCHAR, hash VARCHAR, dim SMALLINT, vec FLOAT[], created_at TIMESTAMP);
"""
"""Keys only on the small tables: they are indexes in memory. `chunk.hash` and `embedding.hash` name what a model reads;
`chunk.revision` is the one in which the row last changed its place."""
