"""The rows of the memory indexes, read from their files. Only for a process that runs no gateway: the owner of an index answers
for itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from openclaw_kernel.memory.owner import owned
from openclaw_kernel.memory.schema import CONFIG
from openclaw_kernel.sessions.sql_gate import SqlRefused, first_lines
from openclaw_kernel.sessions.sql_places import Row

INDEX = "index.duckdb"
COLUMNS = ("id", "kind", "path", "session_key", "line0", "line1", "heading", "day", "tokens", "provenance", "text")
SELECT = """SELECT c.id, s.kind, s.path, s.session_key, c.line0, c.line1, c.heading, c.day, c.tokens, c.provenance, c.text
    FROM chunk c JOIN source s ON s.id = c.source_id ORDER BY c.id"""
"""`COLUMNS` of every chunk of one index."""
_BATCH = 500


def index_files(state_dir: Path) -> list[tuple[str, Path]]:
    """Agent and index, for every agent that has one."""
    return [(path.parent.name, path) for path in sorted((state_dir / "memory").glob(f"*/{INDEX}")) if path.is_file()]


def chunk_rows(state_dir: Path) -> Iterator[Row]:
    """Every chunk of every index. Raises `SqlRefused` for one that another process owns or that cannot be read."""
    import duckdb

    for agent, path in index_files(state_dir):
        try:
            with duckdb.connect(str(path), read_only=True, config=CONFIG) as con:
                con.execute(SELECT)
                while batch := con.fetchmany(_BATCH):
                    for row in batch:
                        yield {"agent": agent, **dict(zip(COLUMNS, row, strict=True))}
        except duckdb.Error as error:
            refusal = owned(path, error) if isinstance(error, duckdb.IOException) else None
            raise SqlRefused(str(refusal) if refusal else f"SQL cannot read {path}: {first_lines(error)}") from error
