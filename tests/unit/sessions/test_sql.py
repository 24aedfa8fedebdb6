"""SQL over transcripts, ledgers and notes: what the tables hold, what a spoilt line does, how an answer is kept small."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.sessions.sql import MAX_LIMIT, Places, SqlRefused, Table, query
from openclaw_kernel.sessions.sql_table import MAX_CELL_CHARS
from tests.unit.sessions.sql_state import KEY, State, build, message


@pytest.fixture
def state(tmp_path: Path) -> State:
    return build(tmp_path)


def rows(state: State, sql: str, **named: Any) -> list[dict[str, Any]]:
    return query(sql, state.places, **named).dicts()


def test_messages(state: State) -> None:
    found = rows(state, "SELECT * EXCLUDE (content) FROM messages ORDER BY agent, id")
    assert [(row["agent"], row["session_id"], row["id"], row["role"], row["text"]) for row in found] == [
        ("main", "s1", "m1", "user", "What is here? My key is [redacted: use a ${NAME} reference]."),
        ("main", "s1", "m2", "assistant", "I look."),
        ("main", "s1", "m3", "toolResult", "a.txt"),
        ("main", "s1", "m4", "assistant", "One\nfile."),
        ("work", "s2", "m70", "user", "Grüße"),
    ]
    assert found[1] == {
        **found[1],
        "provider": "fake",
        "model": "fake-1",
        "stop_reason": "toolUse",
        "input_tokens": 11,
        "output_tokens": 7,
        "cache_read": 3,
        "cache_write": 2,
        "cost_usd": 0.25,
        "ts": "2026-11-21T10:00:02.250000",
    }
    assert (found[2]["tool_name"], found[2]["tool_call_id"], found[2]["is_error"]) == ("exec", "c1", False)
    assert found[4]["ts"] == "2026-09-21T14:13:20.123000", "a time in milliseconds"


def test_tool_calls_meet_their_results(state: State) -> None:
    [row] = rows(state, "SELECT * FROM tool_calls")
    assert row == {
        "agent": "main",
        "session_id": "s1",
        "message_id": "m2",
        "ts": "2026-11-21T10:00:02.250000",
        "call_id": "c1",
        "name": "exec",
        "arguments": '{"command":"ls -la"}',
        "result": "a.txt",
        "is_error": False,
        "ended_at": "2026-11-21T10:00:03.250000",
        "took_ms": 1000,
    }


def test_of_a_ledger_the_last_row_counts(state: State) -> None:
    assert rows(state, "SELECT key, session_id, title, input_tokens, created_at, updated_at FROM sessions") == [
        {
            "key": "agent:main:main",
            "session_id": "s1",
            "title": "Files",
            "input_tokens": 11,
            "created_at": "2026-09-21T14:13:20",
            "updated_at": "1970-01-01T00:00:00.001000",
        }
    ]
    assert rows(state, "SELECT day, model, calls, input_tokens, cost_usd, unpriced FROM usage") == [
        {"day": "2026-11-21", "model": "fake-1", "calls": 2, "input_tokens": 22, "cost_usd": 0.5, "unpriced": 1}
    ]


def test_notes_and_chunks(state: State) -> None:
    assert rows(state, "SELECT path, line, day, text FROM notes ORDER BY path") == [
        {"path": "MEMORY.md", "line": 3, "day": None, "text": "likes green tea"},
        {"path": "memory/2026-11-20.md", "line": 3, "day": "2026-11-20", "text": "10:00 the plants need water"},
    ]
    assert rows(state, "SELECT * FROM chunks") == []
    chunk = {"agent": "main", "id": 7, "kind": "memory", "path": "MEMORY.md", "line0": 1, "line1": 3, "text": "tea", "other": 1}
    held = Places(state.root, chunks=lambda: iter([chunk] * 4_100))
    assert query("SELECT count(*) AS n, min(text) AS t, max(id) AS i FROM chunks", held).dicts() == [
        {"n": 4100, "t": "tea", "i": 7}
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "WITH m AS (SELECT * FROM messages) SELECT role, count(*) FROM m GROUP BY ALL",
        "SELECT m.text, s.title FROM messages m JOIN sessions s USING (session_id) WHERE m.text ILIKE '%look%';",
        "FROM messages SELECT count(*)",
        "SELECT unnest(json_extract(content, '$[*]')) FROM messages WHERE json_type(content) = 'ARRAY'",
        "SELECT text, row_number() OVER (PARTITION BY role ORDER BY ts) FROM messages -- a comment",
        "SELECT * FROM messages WHERE id IN (SELECT message_id FROM tool_calls)",
        "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT * FROM n",
        "VALUES (1), (2)",
        "DESCRIBE messages",
        "SUMMARIZE usage",
        "SHOW TABLES",
        "SELECT table_name FROM information_schema.tables",
        "SELECT * FROM range(3)",
        "SELECT 1 AS a UNION ALL SELECT 2 ORDER BY a",
        "SELECT * FROM main.usage, generate_series(1, 2)",
        "SELECT list_transform([1, 2], lambda x: x + 1), {'a': 1}, INTERVAL 3 DAY, 'x'::BLOB, uuid()",
    ],
)
def test_ordinary_sql_works(state: State, sql: str) -> None:
    assert query(sql, state.places).rows


def test_show_tables_lists_what_there_is(state: State) -> None:
    names = [row["name"] for row in rows(state, "SHOW TABLES")]
    assert names == ["chunks", "messages", "notes", "sessions", "tool_calls", "usage"]


def test_an_empty_state_has_empty_tables(tmp_path: Path) -> None:
    places = Places(tmp_path / "nothing", {"main": tmp_path / "none"})
    for name in ("messages", "tool_calls", "sessions", "usage", "notes", "chunks"):
        assert query(f"SELECT * FROM {name}", places).rows == ()


BAD = {
    "torn": b'{"type":"message","id":"m9","message":{"role":"us',
    "nul": b'{"type":"message","id":"m\x009","message":{"role":"user","content":"x"}}\n',
    "not utf-8": b'{"type":"message","id":"m9","message":{"role":"user","content":"\xff\xfe\xc3"}}\n',
    "a list": b"[1, 2]\n",
    "a number": b"12\n",
    "glued": b'{"type":"message","id"{"type":"message","id":"m9"}\n',
    "binary": bytes(range(32, 256)) + b"\n",
}


@pytest.mark.parametrize("bad", BAD.values(), ids=list(BAD))
def test_a_bad_line_is_counted_and_hurts_no_other(state: State, bad: bytes) -> None:
    path = state.sessions / "s1.jsonl"
    whole = path.read_bytes()
    first, _, rest = whole.partition(b"\n")
    path.write_bytes(first + b"\n" + (bad if bad.endswith(b"\n") else b"") + rest + (b"" if bad.endswith(b"\n") else bad))
    table = query("SELECT id FROM messages WHERE agent = 'main' ORDER BY id", state.places)
    assert [row[0] for row in table.rows] == ["m1", "m2", "m3", "m4"]
    assert table.bad_lines == 1


def test_bad_lines_of_the_ledgers_are_counted(state: State) -> None:
    with (state.sessions / "index.jsonl").open("ab") as file:
        file.write(b'\xff\n{"key":"agent:main:x"}\n[]\n{"key":"agent')
    with (state.root / "usage.jsonl").open("ab") as file:
        file.write(b'{"day":"x"}\n')
    table = query("SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM usage)", state.places)
    assert table.rows == ((1, 1),) and table.bad_lines == 5


def test_odd_values_of_one_file_do_not_change_the_others(state: State) -> None:
    (state.sessions / "odd.jsonl").write_bytes(
        message(80, {"role": ["x"], "content": {"a": 1}, "usage": "none", "isError": "maybe"})
        + b'{"type":"message","id":81,"timestamp":{},"message":"text"}\n{"type":5,"id":null,"message":null}\n'
    )
    found = rows(state, "SELECT id, role, input_tokens FROM messages WHERE session_id = 'odd' ORDER BY id")
    assert [row["id"] for row in found] == ["81", "m80"] and found[1]["input_tokens"] is None
    assert len(rows(state, "SELECT * FROM messages WHERE session_id = 's1'")) == 4


def test_a_long_line_is_read(state: State) -> None:
    picture = {"type": "image", "data": "A" * 20_000_000, "mimeType": "image/png"}
    (state.sessions / "big.jsonl").write_bytes(
        message(5, {"role": "user", "content": [picture, {"type": "text", "text": "see"}]})
    )
    assert rows(state, "SELECT text FROM messages WHERE session_id = 'big'") == [{"text": "see"}]
    table = query("SELECT content FROM messages WHERE session_id = 'big'", state.places)
    assert table.truncated and len(table.rows[0][0]) == MAX_CELL_CHARS + 1


def test_a_file_that_grows_meanwhile_is_read_as_far_as_it_is(state: State) -> None:
    stop = threading.Event()

    def write() -> None:
        with (state.sessions / "grows.jsonl").open("ab", buffering=0) as file:
            number = 100
            while not stop.is_set() and number < 20_000:
                file.write(message(number, {"role": "user", "content": "more"}))
                number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        counts = [query("SELECT count(*) FROM messages", state.places).rows[0][0] for _ in range(5)]
    finally:
        stop.set()
        writer.join()
    assert counts == sorted(counts)


def test_the_limit_is_kept_and_said(state: State) -> None:
    table = query("SELECT * FROM range(1000)", state.places, limit=3)
    assert table.rows == ((0,), (1,), (2,)) and table.truncated
    assert not query("SELECT * FROM range(3)", state.places, limit=3).truncated
    assert query("SELECT 1 AS a LIMIT 0", state.places).rows == ()
    assert len(query("SELECT * FROM range(300000)", state.places, limit=10**9).rows) == MAX_LIMIT


def test_the_order_of_the_statement_is_kept(state: State) -> None:
    found = query("SELECT id FROM messages WHERE agent = 'main' ORDER BY id DESC", state.places, limit=2)
    assert [row[0] for row in found.rows] == ["m4", "m3"]


def test_an_answer_stays_small(state: State) -> None:
    table = query("SELECT repeat('x', 30000) AS t FROM range(100000)", state.places, limit=100_000)
    assert table.truncated and 200 < len(table.rows) < 400


def test_values_become_json(state: State) -> None:
    [row] = rows(
        state,
        "SELECT 2::HUGEINT ** 80 AS h, 9007199254740993 AS big, 'nan'::DOUBLE AS n, 1.5::DECIMAL(9, 2) AS d, [1, NULL] AS l",
    )
    assert row == {"h": 2.0**80, "big": "9007199254740993", "n": None, "d": 1.5, "l": [1, None]}


def test_secrets_are_hidden_wherever_they_stand(state: State) -> None:
    table = query("SELECT content, text, [text], {'k': text} FROM messages WHERE id = 'm1'", state.places)
    assert KEY not in str(table) and "redacted" in str(table.rows[0][3])
    known = query("SELECT 'hush' AS t, {'hush': 1} AS s", state.places, redact=lambda text: text.replace("hush", "…"))
    assert known.rows == (("…", {"…": 1}),)
    cut = query(f"SELECT repeat('x', {MAX_CELL_CHARS - 10}) || ' {KEY}' AS t", state.places)
    assert KEY[:6] not in cut.rows[0][0]


def test_a_long_query_ends_at_its_time(state: State) -> None:
    with pytest.raises(SqlRefused, match=r"took longer than 0\.3 seconds"):
        query(
            "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range * b.range % 7 = 3",
            state.places,
            timeout_s=0.3,
        )


def test_a_large_query_ends_at_its_memory(state: State) -> None:
    before = state.files()
    with pytest.raises(SqlRefused, match="more than 512MB of memory"):
        query("SELECT list(r) FROM range(300000000) t(r)", state.places)
    assert state.files() == before and not Path(".tmp").exists()


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT nope FROM messages", 'Referenced column "nope" not found'),
        ("SELEC 1", "syntax error"),
        ("", "0 statements"),
        ("SELECT 1; SELECT 2", "2 statements"),
        ("DELETE FROM messages", "only SELECT is allowed, and this is DELETE"),
        ("SELECT * FROM nothing", "there is no table 'nothing'; the tables are messages, tool_calls"),
        ("SELECT " + "1+" * 40_000 + "1", "longer than"),
        ("SELECT " + "(" * 5_000, "more than 100 brackets"),
        ("SELECT " + "NOT " * 2_000 + "true", "Max expression depth"),
    ],
)
def test_a_mistake_is_one_sentence(state: State, sql: str, words: str) -> None:
    with pytest.raises(SqlRefused) as caught:
        query(sql, state.places)
    assert words in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 600


def test_a_state_directory_with_a_pattern_in_its_name_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "a[b]" / "agents" / "main" / "sessions"
    folder.mkdir(parents=True)
    (folder / "s.jsonl").write_bytes(message(1, {"role": "user", "content": "x"}))
    with pytest.raises(Exception, match=r"has one of the characters \* \? \["):
        query("SELECT * FROM messages", Places(tmp_path / "a[b]"))


def test_a_table_travels(state: State) -> None:
    table = query("SELECT id, ts FROM messages ORDER BY id", state.places, limit=2)
    assert Table.from_wire(table.to_wire()) == table
