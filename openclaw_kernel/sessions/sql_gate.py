"""What SQL may say: one SELECT over the views, and nothing that reaches a file, a server, a setting or an address in memory.

The text is not searched for bad words: DuckDB parses it, and every table and function of the tree must be one we know. The
connection is locked down besides (`sql.py`), so a hole here is still no way out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import orjson

from openclaw_kernel.sessions.sql_limits import MAX_CHARS
from openclaw_kernel.values.errors import UserError

if TYPE_CHECKING:
    import duckdb

VIEWS = ("messages", "tool_calls", "sessions", "usage", "notes", "chunks")
MAX_DEPTH = 100
"""Of brackets. DuckDB's parser takes a time that grows with the square of open ones, and cannot be interrupted."""
_TABLE_FUNCTIONS = frozenset({"unnest", "range", "generate_series", "json_each", "json_tree", "repeat"})
"""Those that make rows of their arguments. All others read something or change something; two take bare addresses."""
_CLOSED_FUNCTIONS = frozenset({"current_setting", "getvariable", "write_log", "sleep_ms", "nextval", "currval", "getenv"})
_LISTS = frozenset({"tables", "columns"})
"""Of `information_schema`, and what SHOW may list."""


class SqlRefused(UserError):
    """The statement is not run; the sentence says why."""


def checked(con: duckdb.DuckDBPyConnection, sql: str, limit: int) -> str:
    """`sql` with a limit around it, ready to run. Raises `SqlRefused`."""
    import duckdb

    if len(sql) > MAX_CHARS:
        raise SqlRefused(f"SQL: the text is longer than {MAX_CHARS:,} characters; say it shorter.")
    if _depth(sql) > MAX_DEPTH:
        raise SqlRefused(f"SQL: the text has more than {MAX_DEPTH} brackets inside each other; say it simpler.")
    try:
        statements = con.extract_statements(sql)
    except duckdb.Error as error:
        raise SqlRefused(f"SQL: {first_lines(error)}") from error
    if len(statements) != 1:
        raise SqlRefused(f"SQL: give one SELECT; these are {len(statements)} statements.")
    if statements[0].type != duckdb.StatementType.SELECT:
        raise SqlRefused(f"SQL: only SELECT is allowed, and this is {statements[0].type.name}.")
    text = statements[0].query.strip().rstrip(";").strip()
    whole = f"SELECT * FROM (\n{text}\n) AS answer LIMIT {int(limit)}"
    _check(con, text)
    # What runs is what was looked at: a text that closes the bracket early would be another tree here.
    _check(con, whole)
    return whole


def first_lines(error: BaseException) -> str:
    """What an error says, without the drawing below it."""
    text = " ".join(str(error).split("\n\nLINE ")[0].split())
    return re.sub(r"^(\w+ )+Error: ", "", text)[:400]


def _depth(sql: str) -> int:
    """How many brackets are open at most, those in texts included."""
    depth = most = 0
    for char in sql:
        if char in "([{":
            depth += 1
            most = max(most, depth)
        elif char in ")]}":
            depth = max(0, depth - 1)
    return most


def _check(con: duckdb.DuckDBPyConnection, text: str) -> None:
    tree = _tree(con, text)
    known = set(VIEWS) | {name.lower() for name in _cte_names(tree)}
    for node in _nodes(tree):
        kind = node.get("type")
        if kind == "BASE_TABLE":
            _check_table(node, known)
        elif kind == "SHOW_REF":
            name = str(node.get("table_name") or "").strip('"').lower()
            if name and name not in _LISTS | known:
                raise SqlRefused(f"SQL: SHOW {name} is not allowed; the tables are {', '.join(VIEWS)}.")
        elif kind == "TABLE_FUNCTION":
            name = str((node.get("function") or {}).get("function_name", "")).lower()
            if name not in _TABLE_FUNCTIONS:
                raise SqlRefused(f"SQL: the table function {name} is not allowed; the tables are {', '.join(VIEWS)}.")
        elif kind in ("COLUMN_DATA", "DELIM_GET", "BOUND_TABLE_REF"):
            raise SqlRefused("SQL: only the tables themselves can be read.")
        if node.get("class") == "FUNCTION" and str(node.get("function_name", "")).lower() in _CLOSED_FUNCTIONS:
            raise SqlRefused(f"SQL: the function {node['function_name']} is not allowed.")


def _check_table(node: dict[str, Any], known: set[str]) -> None:
    name = str(node.get("table_name", "")).lower()
    schema = str(node.get("schema_name") or "").lower()
    catalog = str(node.get("catalog_name") or "").lower()
    if schema == "information_schema" and not catalog and name in _LISTS:
        return
    if schema not in ("", "main") or catalog not in ("", "memory") or name not in known:
        shown = ".".join(part for part in (catalog, schema, name) if part)
        raise SqlRefused(f"SQL: there is no table {shown!r}; the tables are {', '.join(VIEWS)}.")


def _tree(con: duckdb.DuckDBPyConnection, text: str) -> dict[str, Any]:
    import duckdb

    try:
        found = con.execute("SELECT json_serialize_sql(?)", [text]).fetchone()
        tree: dict[str, Any] = orjson.loads(found[0]) if found else {"error": True}
    except duckdb.Error as error:
        raise SqlRefused(f"SQL: {first_lines(error)}") from error
    except orjson.JSONDecodeError as error:  # its reader has a depth that no sensible statement reaches
        raise SqlRefused("SQL: the statement is nested too deeply; say it simpler.") from error
    if tree.get("error"):
        raise SqlRefused(f"SQL: {tree.get('error_message') or 'this statement cannot be checked'}")
    if len(tree.get("statements", ())) != 1:
        raise SqlRefused("SQL: give one SELECT.")
    return tree


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every object of the tree, without recursion."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def _cte_names(tree: Any) -> Iterator[str]:
    for node in _nodes(tree):
        for entry in (node.get("cte_map") or {}).get("map") or ():
            yield str(entry["key"])
