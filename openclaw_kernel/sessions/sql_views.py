"""The six tables SQL sees, laid over the files. A table is only made when the statement names it.

`messages` and `tool_calls` read the transcripts as they are, line by line, without a lock; the others are small and loaded.
Times are UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from openclaw_kernel.sessions.sql_places import Loaded, Places, Row

if TYPE_CHECKING:
    import duckdb

MAX_LINE = 32 * 1024 * 1024
"""Bytes of one line: a picture inside a message is at most a few megabytes."""
_BATCH = 2_000
_TIMES = frozenset({"created_at", "updated_at", "session_started_at", "last_interaction_at", "started_at", "ended_at"})
_MAYBE_TIMES = frozenset({"archived_at", "pinned_at"})

_SESSIONS = {
    "key": "VARCHAR", "session_id": "VARCHAR", "agent": "VARCHAR", "label": "VARCHAR", "title": "VARCHAR",
    "preview": "VARCHAR", "channel": "VARCHAR", "chat_type": "VARCHAR", "model": "VARCHAR", "model_provider": "VARCHAR",
    "input_tokens": "BIGINT", "output_tokens": "BIGINT", "cache_read": "BIGINT", "cache_write": "BIGINT",
    "total_tokens": "BIGINT", "context_tokens": "BIGINT", "cost_usd": "DOUBLE", "status": "VARCHAR",
    "last_run_error": "VARCHAR", "compaction_count": "INTEGER", "created_via": "VARCHAR", "parent_session_key": "VARCHAR",
    "spawn_depth": "INTEGER", "created_at": "BIGINT", "updated_at": "BIGINT", "last_interaction_at": "BIGINT",
    "archived_at": "BIGINT", "pinned_at": "BIGINT",
}  # fmt: skip
_USAGE = {
    "day": "DATE", "agent": "VARCHAR", "session_key": "VARCHAR", "session_id": "VARCHAR", "provider": "VARCHAR",
    "model": "VARCHAR", "calls": "BIGINT", "input_tokens": "BIGINT", "output_tokens": "BIGINT", "cache_read": "BIGINT",
    "cache_write": "BIGINT", "cost_usd": "DOUBLE", "unpriced": "BIGINT", "updated_at": "BIGINT",
}  # fmt: skip
_NOTES = {"agent": "VARCHAR", "path": "VARCHAR", "line": "INTEGER", "day": "VARCHAR", "text": "VARCHAR"}
_CHUNKS = {
    "agent": "VARCHAR", "id": "BIGINT", "kind": "VARCHAR", "path": "VARCHAR", "session_key": "VARCHAR", "line0": "INTEGER",
    "line1": "INTEGER", "heading": "VARCHAR", "day": "VARCHAR", "tokens": "INTEGER", "provenance": "VARCHAR",
    "text": "VARCHAR",
}  # fmt: skip

_LINES = {"type": "VARCHAR", "id": "VARCHAR", "parentId": "VARCHAR", "timestamp": "VARCHAR", "message": "JSON"}
_FILE = r"""regexp_extract(filename, '/agents/([^/]+)/sessions/[^/]+$', 1) AS agent,
    regexp_extract(filename, '([^/]+)\.jsonl$', 1) AS session_id"""
_TEXT = """CASE json_type(message, '$.content') WHEN 'ARRAY'
    THEN array_to_string(json_extract_string(message, '$.content[*].text'), chr(10))
    ELSE message->>'$.content' END"""
_TS = "coalesce(TRY_CAST(timestamp AS TIMESTAMP), make_timestamp_ms(TRY_CAST(timestamp AS BIGINT)))"

_MESSAGES = f"""CREATE VIEW messages AS SELECT {_FILE},
    id, parentId AS parent_id, {_TS} AS ts, message->>'$.role' AS role, {_TEXT} AS text,
    message->>'$.toolName' AS tool_name, message->>'$.toolCallId' AS tool_call_id,
    TRY_CAST(message->>'$.isError' AS BOOLEAN) AS is_error, message->>'$.provider' AS provider, message->>'$.model' AS model,
    message->>'$.stopReason' AS stop_reason, TRY_CAST(message->>'$.usage.input' AS BIGINT) AS input_tokens,
    TRY_CAST(message->>'$.usage.output' AS BIGINT) AS output_tokens,
    TRY_CAST(message->>'$.usage.cacheRead' AS BIGINT) AS cache_read,
    TRY_CAST(message->>'$.usage.cacheWrite' AS BIGINT) AS cache_write,
    TRY_CAST(message->>'$.usage.cost.total' AS DOUBLE) AS cost_usd, message->'$.content' AS content
    FROM files.line WHERE type = 'message' AND id IS NOT NULL AND message IS NOT NULL"""

_TOOL_CALLS = f"""CREATE VIEW tool_calls AS
    WITH call AS (
        SELECT agent, session_id, message_id, ts, part->>'$.id' AS call_id, part->>'$.name' AS name,
            part->'$.arguments' AS arguments
        FROM (SELECT {_FILE}, id AS message_id, {_TS} AS ts, unnest(json_extract(message, '$.content[*]')) AS part
            FROM files.line WHERE type = 'message' AND message->>'$.role' = 'assistant')
        WHERE part->>'$.type' = 'toolCall'),
    answer AS (
        SELECT session_id, agent, call_id, min(ended) AS ended_at, arg_min(said, ended) AS result,
            arg_min(failed, ended) AS is_error
        FROM (SELECT {_FILE}, message->>'$.toolCallId' AS call_id, {_TS} AS ended, {_TEXT} AS said,
                TRY_CAST(message->>'$.isError' AS BOOLEAN) AS failed
            FROM files.line WHERE type = 'message' AND message->>'$.role' = 'toolResult')
        GROUP BY session_id, agent, call_id)
    SELECT call.agent, call.session_id, call.message_id, call.ts, call.call_id, call.name, call.arguments, answer.result,
        answer.is_error, answer.ended_at, date_diff('millisecond', call.ts, answer.ended_at) AS took_ms
    FROM call LEFT JOIN answer USING (agent, session_id, call_id)"""


def named(sql: str, names: Iterable[str]) -> frozenset[str]:
    """The tables a text may mean; one that only stands in a comment is loaded in vain. Who asks for a list means all."""
    words = set(re.findall(r"\w+", sql.lower()))
    if words & {"show", "information_schema"}:
        return frozenset(names)
    return frozenset(name for name in names if name in words)


def lay_out(con: duckdb.DuckDBPyConnection, places: Places, wanted: frozenset[str]) -> tuple[list[Path], int]:
    """Makes the tables `wanted`. Returns the files that must stay readable, and the bad lines found so far."""
    files: list[Path] = []
    bad = 0
    if wanted & {"messages", "tool_calls"}:
        files = places.transcripts()
        con.execute(_lines_view(files))
        con.execute(_MESSAGES)
        con.execute(_TOOL_CALLS)
    for name, columns, load in (
        ("sessions", _SESSIONS, places.sessions),
        ("usage", _USAGE, places.usage),
        ("notes", _NOTES, places.notes),
    ):
        if name in wanted:
            loaded: Loaded = load()
            bad += loaded.bad_lines
            _fill(con, name, columns, loaded.rows)
    if "chunks" in wanted:
        _fill(con, "chunks", _CHUNKS, places.chunks() if places.chunks is not None else ())
    return files, bad


def count_bad(con: duckdb.DuckDBPyConnection, files: list[Path]) -> int:
    """Lines of the transcripts that are no record: torn, with NUL bytes, not UTF-8, or something else."""
    if not files:
        return 0
    row = con.execute("SELECT count(*) FROM files.line WHERE type IS NULL").fetchone()
    return int(row[0]) if row else 0


def quoted(text: object) -> str:
    return "'" + str(text).replace("'", "''") + "'"


def _lines_view(files: list[Path]) -> str:
    if not files:
        columns = ", ".join(f"NULL::{kind} AS {name}" for name, kind in {**_LINES, "filename": "VARCHAR"}.items())
        return f"CREATE SCHEMA files; CREATE VIEW files.line AS SELECT {columns} WHERE false"
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in _LINES.items())
    listed = ", ".join(quoted(path) for path in files)
    # Types are given because inferred ones let one odd file change every other; a bad line becomes a row of NULLs.
    return f"""CREATE SCHEMA files; CREATE VIEW files.line AS SELECT * FROM read_json([{listed}], format='newline_delimited',
        ignore_errors=true, filename=true, maximum_object_size={MAX_LINE}, columns={{{columns}}})"""


def _fill(con: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, str], rows: Iterable[Row]) -> None:
    shown = ", ".join(_shown(column, kind) for column, kind in columns.items())
    shape = orjson.dumps([dict(columns)]).decode()
    source = f"SELECT {shown} FROM (SELECT unnest(from_json(?::JSON, {quoted(shape)}), recursive := true))"
    con.execute(f"CREATE TABLE {name} AS {source}", ["[]"])
    for batch in _batches(rows):
        con.execute(f"INSERT INTO {name} {source}", [orjson.dumps(batch).decode()])


def _shown(column: str, kind: str) -> str:
    if column in _TIMES | _MAYBE_TIMES:
        return f"make_timestamp_ms(nullif({column}, 0)) AS {column}"
    return f"{column}::{kind} AS {column}"


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    waiting = iter(rows)
    while batch := list(islice(waiting, _BATCH)):
        yield batch
