"""`index.duckdb`: the durable copy of the index, visible to SQL, owned by one process.

Blocking; one thread calls it. Rows travel in batches, so that no conversion holds the interpreter for long.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openclaw_kernel.memory import schema
from openclaw_kernel.memory.api import Provenance
from openclaw_kernel.memory.owner import owned
from openclaw_kernel.memory.records import Change, Row, Source, parts
from openclaw_kernel.store.paths import PRIVATE_FILE, ensure_private_dir
from openclaw_kernel.values.errors import UserError

if TYPE_CHECKING:
    import duckdb
    from numpy import float32
    from numpy.typing import NDArray

BATCH = 400
"""Rows of one statement or fetch: about 2 ms of conversion."""
VECTORS = 24
"""Vectors of one fetch."""
_CHUNK = (
    ("id", "BIGINT"), ("source_id", "INTEGER"), ("ord", "INTEGER"), ("line0", "INTEGER"), ("line1", "INTEGER"),
    ("byte0", "BIGINT"), ("byte1", "BIGINT"), ("heading", "VARCHAR"), ("hash", "VARCHAR"), ("digest", "BIGINT"),
    ("tokens", "INTEGER"), ("text", "VARCHAR"), ("day", "VARCHAR"), ("importance", "TINYINT"), ("provenance", "VARCHAR"),
)  # fmt: skip
_SOURCE = (
    ("id", "INTEGER"), ("kind", "VARCHAR"), ("path", "VARCHAR"), ("size", "BIGINT"), ("mtime_ns", "BIGINT"),
    ("inode", "BIGINT"), ("hash", "VARCHAR"), ("chunker", "VARCHAR"), ("session_key", "VARCHAR"),
    ("tail_offset", "BIGINT"), ("tail_line", "INTEGER"), ("provenance", "VARCHAR"),
)  # fmt: skip
"""The fields of `Row` and `Source` as columns; the tables have a few more."""
_NAMES = ", ".join(name for name, _ in _CHUNK)


class BrokenIndex(UserError):
    """The file is damaged or of another version; it is deleted and made again from the notes."""


class Durable:
    """The open index. `index_id` names this file's life: side files of another one are never read."""

    def __init__(self, path: Path, connection: duckdb.DuckDBPyConnection) -> None:
        self.path = path
        self._con = connection
        self.index_id = self.meta("index_id")
        self.revision = int(self.meta("revision") or 0)
        self.next_id = int(self.meta("next_id") or 1)

    @classmethod
    def open(cls, path: Path) -> Durable:
        """Opens the file, or makes it (0600, in a folder 0700). Raises `IndexOwned`, `BrokenIndex` and `StoreError`."""
        import duckdb

        ensure_private_dir(path.parent)
        path.with_name(path.name + ".new").unlink(missing_ok=True)
        try:
            connection = duckdb.connect(str(path), config=schema.CONFIG)
            os.chmod(path, PRIVATE_FILE)
            if not connection.execute("SELECT 1 FROM duckdb_tables() LIMIT 1").fetchall():
                _create(connection)
            found = connection.execute("SELECT value FROM meta WHERE key = 'schema'").fetchall()
            if found != [(schema.VERSION,)]:
                connection.close()
                raise BrokenIndex(f"The memory index {path} is of another version; it is built anew from the notes.")
            durable = cls(path, connection)
        except duckdb.Error as error:
            refusal = owned(path, error) if isinstance(error, duckdb.IOException) else None
            raise refusal or _broken(path, error) from error
        if durable.meta("scrub"):
            durable.rewrite()
        return durable

    # --- reading

    def meta(self, key: str) -> str:
        """A value of the table `meta`, empty when it was never set."""
        found = self._con.execute("SELECT value FROM meta WHERE key = ?", [key]).fetchall()
        return str(found[0][0]) if found else ""

    def sources(self) -> list[Source]:
        return [Source(*row) for row in self._read(f"SELECT {', '.join(name for name, _ in _SOURCE)} FROM source ORDER BY id")]

    def chunk_ids(self) -> NDArray[Any]:
        """The ids of all chunks, ascending (int64)."""
        return self._con.execute("SELECT id FROM chunk ORDER BY id").fetchnumpy()["id"]

    def rows(self, *, ids: Sequence[int] | None = None, source: int | None = None, after: int | None = None) -> Iterator[Row]:
        """Chunks by id, of one source in order, or whose place changed after a revision; all of them without a filter."""
        if ids is not None:
            for part in parts(ids, BATCH):
                found = self._read(f"SELECT {_NAMES} FROM chunk WHERE id IN (SELECT unnest(?::BIGINT[]))", [part])
                yield from (Row(*row) for row in found)
            return
        where, value = ("source_id = ?", [source]) if source is not None else ("revision > ?", [after or 0])
        if source is None and after is None:
            where, value = "true", []
        order = "ord" if source is not None else "id"
        found = self._read(f"SELECT {_NAMES} FROM chunk WHERE {where} ORDER BY {order}", value)
        yield from (Row(*row) for row in found)

    def counts(self) -> tuple[int, int]:
        """Sources and chunks."""
        [row] = self._con.execute("SELECT (SELECT count(*) FROM source), (SELECT count(*) FROM chunk)").fetchall()
        return int(row[0]), int(row[1])

    # --- writing

    def commit(self, change: Change) -> None:
        """Writes a change whole or not at all; on disk when this returns. Raises `BrokenIndex`."""
        with self._transaction():
            self.revision += 1
            self._drop("source", change.gone_sources)
            if change.gone_sources:
                self._con.execute(
                    "DELETE FROM chunk WHERE source_id IN (SELECT unnest(?::INTEGER[]))", [list(change.gone_sources)]
                )
            self._drop("chunk", [*change.removed, *(row.id for row in change.moved)])
            for rows in parts([*change.moved, *change.added], BATCH):
                self._insert(rows)
            for sources in parts(change.sources, BATCH):
                self._put_sources(sources)
            self.next_id = max(self.next_id, change.next_id)
            self._set_meta(revision=str(self.revision), next_id=str(self.next_id))

    def set_provenance(self, ids: Sequence[int], provenance: Provenance) -> None:
        with self._transaction():
            for part in parts(ids, BATCH):
                self._con.execute(
                    "UPDATE chunk SET provenance = ? WHERE id IN (SELECT unnest(?::BIGINT[]))", [provenance, part]
                )

    # --- vectors

    def unembedded(self, model: str, limit: int) -> list[tuple[str, str, str]]:
        """`(hash, heading, text)` of texts that have no vector of `model`, each text once."""
        return self._con.execute(
            "SELECT c.hash, any_value(c.heading), any_value(c.text) FROM chunk c "
            "WHERE c.hash NOT IN (SELECT hash FROM embedding WHERE model = ?) GROUP BY c.hash LIMIT ?",
            [model, limit],
        ).fetchall()

    def waiting(self, model: str) -> int:
        """How many chunks have no vector of `model`."""
        [(count,)] = self._con.execute(
            "SELECT count(*) FROM chunk WHERE hash NOT IN (SELECT hash FROM embedding WHERE model = ?)", [model]
        ).fetchall()
        return int(count)

    def kept(self, model: str, hashes: Sequence[str]) -> set[str]:
        """Which of the hashes have a vector of `model`."""
        found = self._con.execute(
            "SELECT hash FROM embedding WHERE model = ? AND hash IN (SELECT unnest(?::VARCHAR[]))", [model, list(hashes)]
        ).fetchall()
        return {str(row[0]) for row in found}

    def having(self, hashes: Sequence[str]) -> list[tuple[int, str]]:
        """`(chunk id, hash)` of every chunk that has one of the hashes."""
        return self._con.execute(
            "SELECT id, hash FROM chunk WHERE hash IN (SELECT unnest(?::VARCHAR[])) ORDER BY id", [list(hashes)]
        ).fetchall()

    def put_vectors(self, model: str, hashes: Sequence[str], matrix: NDArray[float32]) -> None:
        """Keeps one row of `matrix` a hash."""
        dim = int(matrix.shape[1])
        literal = "[" + ",".join(str(row.tolist()) for row in matrix) + "]"
        with self._transaction():
            names = list(hashes)
            self._con.execute("DELETE FROM embedding WHERE model = ? AND hash IN (SELECT unnest(?::VARCHAR[]))", [model, names])
            self._con.execute(
                "INSERT INTO embedding SELECT ?, unnest(?::VARCHAR[]), ?, unnest(?::FLOAT[][]), current_localtimestamp()",
                [model, names, dim, literal],
            )

    def vectors(self, model: str, ids: Sequence[int] | None = None) -> Iterator[tuple[list[int], NDArray[float32]]]:
        """Batches of chunk ids with their vectors of `model`; `ids` asks for these chunks alone."""
        import numpy as np

        only = "" if ids is None else "AND c.id IN (SELECT unnest(?::BIGINT[]))"
        given = [] if ids is None else [list(ids)]
        with self._con.cursor() as cursor:
            cursor.execute(
                f"SELECT c.id, e.vec FROM chunk c JOIN embedding e ON e.hash = c.hash AND e.model = ? WHERE true {only}",
                [model, *given],
            )
            while batch := cursor.fetchmany(VECTORS):
                yield [int(row[0]) for row in batch], np.array([row[1] for row in batch], dtype=np.float32)

    def dim(self, model: str) -> int:
        """The length of the model's vectors, 0 when there is none."""
        found = self._con.execute("SELECT dim FROM embedding WHERE model = ? LIMIT 1", [model]).fetchall()
        return int(found[0][0]) if found else 0

    # --- maintenance

    def forget(self, ids: Sequence[int]) -> int:
        """Deletes chunks with every vector no other chunk needs, and then every byte of them. Returns how many vectors went."""
        with self._transaction():
            [(before,)] = self._con.execute("SELECT count(*) FROM embedding").fetchall()
            self._drop("chunk", ids)
            self._con.execute("DELETE FROM embedding WHERE hash NOT IN (SELECT hash FROM chunk)")
            [(after,)] = self._con.execute("SELECT count(*) FROM embedding").fetchall()
            self.revision += 1
            self._set_meta(scrub="1", revision=str(self.revision))
        self.rewrite()
        return int(before) - int(after)

    def wasteful(self) -> bool:
        """Whether more than half of the file is free space that DuckDB never gives back."""
        found = self._con.execute("SELECT total_blocks, free_blocks FROM pragma_database_size()").fetchall()
        return bool(found) and int(found[0][0]) > 64 and int(found[0][1]) * 2 > int(found[0][0])

    def rewrite(self) -> None:
        """Copies what is alive into a new file and puts it in the place of this one: nothing deleted is left in any byte."""
        import duckdb

        fresh = self.path.with_name(self.path.name + ".new")
        fresh.unlink(missing_ok=True)
        try:
            self._con.execute("DELETE FROM meta WHERE key = 'scrub'")
            [(name,)] = self._con.execute("SELECT current_database()").fetchall()
            self._con.execute(f"ATTACH '{_quoted(fresh)}' AS fresh (STORAGE_VERSION '{schema.STORAGE}')")
            self._con.execute(f'COPY FROM DATABASE "{name}" TO fresh')
            self._con.execute("DETACH fresh")
            self._con.execute("INSERT INTO meta VALUES ('scrub', '1')")  # in the old file: until the new one is in its place
            self._con.close()
            os.chmod(fresh, PRIVATE_FILE)
            os.replace(fresh, self.path)
            self.path.with_name(self.path.name + ".wal").unlink(missing_ok=True)
            self._con = duckdb.connect(str(self.path), config=schema.CONFIG)
        except duckdb.Error as error:
            raise _broken(self.path, error) from error

    def take_embeddings(self, old: Path) -> int:
        """Copies the vectors out of another index file; returns how many. Raises `BrokenIndex` when it cannot be read."""
        import duckdb

        try:
            self._con.execute(f"ATTACH '{_quoted(old)}' AS old (READ_ONLY)")
            try:
                self._con.execute("INSERT INTO embedding SELECT model, hash, dim, vec, created_at FROM old.embedding")
            finally:
                self._con.execute("DETACH old")
            return int(self._con.execute("SELECT count(*) FROM embedding").fetchall()[0][0])
        except duckdb.Error as error:
            raise _broken(old, error) from error

    def close(self) -> None:
        """Closing folds the log into the file."""
        self._con.close()

    # --- hands

    def _read(self, sql: str, values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """Rows of committed data, on a cursor of their own: the caller may write between two of them."""
        with self._con.cursor() as cursor:
            cursor.execute(sql, list(values))
            while batch := cursor.fetchmany(BATCH):
                yield from batch

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        import duckdb

        try:
            self._con.execute("BEGIN")
            yield
            self._con.execute("COMMIT")
        except duckdb.Error as error:
            self._roll_back()
            raise _broken(self.path, error) from error
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        import duckdb

        with suppress(duckdb.Error):
            self._con.execute("ROLLBACK")

    def _drop(self, table: str, ids: Sequence[int]) -> None:
        for part in parts(ids, BATCH):
            self._con.execute(f"DELETE FROM {table} WHERE id IN (SELECT unnest(?::BIGINT[]))", [part])

    def _insert(self, rows: Sequence[Row]) -> None:
        wanted = ", ".join(f"unnest(?::{kind}[])" for _, kind in _CHUNK)
        columns = [[getattr(row, name) for row in rows] for name, _ in _CHUNK]
        self._con.execute(f"INSERT INTO chunk SELECT {wanted}, ?", [*columns, self.revision])

    def _put_sources(self, sources: Sequence[Source]) -> None:
        self._drop("source", [one.id for one in sources])
        names = [name for name, _ in _SOURCE]
        wanted = ", ".join(f"unnest(?::{kind}[])" for _, kind in _SOURCE)
        columns = [[getattr(one, name) for one in sources] for name in names]
        self._con.execute(
            f"INSERT INTO source({', '.join(names)}, indexed_at) SELECT {wanted}, current_localtimestamp()", columns
        )

    def _set_meta(self, **values: str) -> None:
        for key, value in values.items():
            self._con.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", [key, value])


def _create(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("BEGIN")
    connection.execute(schema.TABLES)
    for key, value in {"schema": schema.VERSION, "index_id": uuid.uuid4().hex, "revision": "0", "next_id": "1"}.items():
        connection.execute("INSERT INTO meta VALUES (?, ?)", [key, value])
    connection.execute("COMMIT")


def _broken(path: Path, error: Exception) -> BrokenIndex:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return BrokenIndex(f"The memory index {path} cannot be read ({reason}); it is built anew from the notes.")


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
