"""Ways out of the SQL room, tried one by one: none may succeed, and no file may change.

Each attempt meets the gate and the locked connection. Those that read are also tried against the locked connection alone, and
some that write against the limits of the process alone: every wall stands for itself.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from openclaw_kernel.sessions.sql import _CONFIG, SqlRefused, _lock_down, query
from openclaw_kernel.sessions.sql_process import ask
from openclaw_kernel.sessions.sql_views import lay_out
from tests.unit.sessions.sql_state import CANARY, State, build


@pytest.fixture
def state(tmp_path: Path) -> State:
    return build(tmp_path)


READS = {
    "the configuration": "SELECT * FROM read_text('{root}/openclaw.json')",
    "the token of the gateway": "SELECT content FROM read_text('{root}/gateway.json')",
    "the approvals": "SELECT * FROM read_json('{root}/approvals.jsonl')",
    "the devices": "SELECT * FROM read_json_auto('{root}/devices.jsonl')",
    "the secrets file": "SELECT * FROM read_blob('{root}/.env')",
    "the system's users": "SELECT * FROM read_csv('/etc/passwd', sep=':')",
    "a process's environment": "SELECT * FROM read_blob('/proc/self/environ')",
    "a file by its name": "SELECT * FROM '{outside}/secret.csv'",
    "a file by its quoted name": 'SELECT * FROM "{outside}/secret.csv"',
    "a file by FROM alone": "FROM '{outside}/secret.jsonl'",
    "through dots": "SELECT * FROM read_text('{sessions}/../../../openclaw.json')",
    "through dots and a name": "SELECT * FROM '{sessions}/s1.jsonl/../../../../openclaw.json'",
    "through a link in the folder": "SELECT * FROM read_text('{sessions}/link.jsonl')",
    "through a linked folder": "SELECT * FROM read_text('{sessions}/folder/secret.jsonl')",
    "through a pattern": "SELECT * FROM read_text('{root}/*.json')",
    "through a deep pattern": "SELECT * FROM read_json('{base}/**/*.jsonl')",
    "through a list": "SELECT * FROM read_text(['{sessions}/s1.jsonl', '{root}/openclaw.json'])",
    "a deleted session": "SELECT * FROM read_text('{sessions}/s0.jsonl.deleted-1')",
    "names of files": "SELECT * FROM glob('{root}/*')",
    "names below the root": "SELECT * FROM glob('/*')",
    "with the sniffer": "SELECT * FROM sniff_csv('{outside}/secret.csv')",
    "as Parquet": "SELECT * FROM parquet_metadata('{outside}/secret.csv')",
    "as a database": "SELECT * FROM read_duckdb('{outside}/x.db', table_name='t')",
    "as one file of many": "SELECT * FROM read_single_csv_file('{outside}/secret.csv')",
    "a file URL": "SELECT * FROM read_text('file://{outside}/secret.csv')",
    "a web server": "SELECT * FROM read_csv('http://127.0.0.1:9/x.csv')",
    "a web server with TLS": "SELECT * FROM 'https://127.0.0.1:9/x.parquet'",
    "a bucket": "SELECT * FROM read_parquet('s3://bucket/x.parquet')",
    "inside a CTE": "WITH x AS (SELECT * FROM read_text('{root}/openclaw.json')) SELECT * FROM x",
    "inside a subquery": "SELECT (SELECT content FROM read_text('{root}/openclaw.json'))",
    "inside a join": "SELECT * FROM messages JOIN read_text('{root}/openclaw.json') t ON true",
    "inside EXISTS": "SELECT 1 WHERE EXISTS (FROM read_text('{root}/openclaw.json') WHERE content LIKE '{{%')",
    "inside LATERAL": "SELECT * FROM (SELECT '{root}/openclaw.json' p) a, LATERAL (SELECT * FROM read_text(a.p))",
    "built by query": "SELECT * FROM query('SELECT * FROM read_text(''{root}/openclaw.json'')')",
    "built by query_table": "SELECT * FROM query_table('{outside}/secret.csv')",
    "as serialised SQL": (
        "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT * FROM read_text(''{root}/openclaw.json'')'))"
    ),
    "a variable of the program": "SELECT * FROM CANARY",
    "the environment": "SELECT getenv('HOME')",
    "stored secrets": "SELECT * FROM duckdb_secrets()",
    "which secret is used": "SELECT * FROM which_secret('{outside}', 's3')",
    "the extensions on disk": "SELECT * FROM duckdb_extensions() WHERE install_path LIKE '/%'",
    "logs": "SELECT * FROM duckdb_logs()",
    "an address in memory": "SELECT * FROM pandas_scan(1)",
    "an arrow address": "SELECT * FROM arrow_scan(1, 2, 3)",
    "a hidden view": "SELECT * FROM files.line",
    "the catalogue": "SELECT sql FROM sqlite_master",
    "the system's views": "SELECT * FROM duckdb_views()",
    "another catalogue": "SELECT * FROM system.information_schema.tables",
    "a setting": "SELECT current_setting('allowed_paths')",
    "all settings": "SELECT * FROM duckdb_settings()",
}

CHANGES = {
    "COPY to a new file": "COPY (SELECT 1) TO '{sessions}/evil.csv'",
    "COPY over a transcript": "COPY (SELECT 1) TO '{sessions}/s1.jsonl'",
    "COPY with a query": "COPY messages TO '{outside}/evil.parquet' (FORMAT parquet)",
    "COPY FROM": "COPY messages FROM '{outside}/secret.csv'",
    "EXPLAIN ANALYZE COPY": "EXPLAIN ANALYZE COPY (SELECT 1) TO '{sessions}/evil.csv'",
    "EXPLAIN": "EXPLAIN SELECT 1",
    "ATTACH": "ATTACH '{sessions}/evil.db' AS evil",
    "ATTACH read-only": "ATTACH '{outside}/secret.csv' (READ_ONLY)",
    "EXPORT": "EXPORT DATABASE '{sessions}/evil'",
    "IMPORT": "IMPORT DATABASE '{outside}'",
    "INSTALL": "INSTALL httpfs",
    "INSTALL from": "FORCE INSTALL spatial FROM 'http://127.0.0.1:9'",
    "LOAD": "LOAD '{outside}/evil.duckdb_extension'",
    "SET": "SET enable_external_access=true",
    "SET of paths": "SET allowed_directories=['/']",
    "SET of the temporary folder": "SET temp_directory='{sessions}/tmp'",
    "SET of secrets": "SET secret_directory='{sessions}/s'",
    "RESET": "RESET lock_configuration",
    "PRAGMA": "PRAGMA enable_profiling='json'",
    "PRAGMA with a path": "PRAGMA profiling_output='{sessions}/evil.json'",
    "CREATE": "CREATE TABLE evil AS SELECT 1",
    "CREATE MACRO": "CREATE MACRO f() AS 1",
    "CREATE SECRET": "CREATE PERSISTENT SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')",
    "CREATE VIEW": "CREATE OR REPLACE VIEW messages AS SELECT 1",
    "INSERT": "INSERT INTO usage SELECT * FROM usage",
    "UPDATE": "UPDATE usage SET calls = 0",
    "DELETE": "DELETE FROM usage",
    "DROP": "DROP VIEW messages",
    "CALL": "CALL enable_logging(storage='file', storage_config={{'path': '{sessions}/evil'}})",
    "a call as a table": "SELECT * FROM enable_logging(storage='file', storage_config={{'path': '{sessions}/evil'}})",
    "profiling as a table": "SELECT * FROM enable_profiling(save_location='{sessions}/evil')",
    "a checkpoint as a table": "SELECT * FROM force_checkpoint()",
    "USE": "USE files",
    "VACUUM": "VACUUM",
    "BEGIN": "BEGIN",
    "PREPARE": "PREPARE p AS COPY (SELECT 1) TO '{sessions}/evil.csv'",
    "EXECUTE": "EXECUTE p",
    "two statements": "SELECT 1; COPY (SELECT 1) TO '{sessions}/evil.csv'",
    "two, the second hidden": "SELECT 1;/* ; */COPY (SELECT 1) TO '{sessions}/evil.csv' --",
    "out of the bracket": "SELECT 1) AS a; COPY (SELECT 1) TO '{sessions}/evil.csv'; SELECT * FROM (SELECT 1",
    "INSERT inside WITH": "WITH x AS (INSERT INTO usage SELECT * FROM usage RETURNING *) SELECT * FROM x",
    "PIVOT, which makes a type": "PIVOT (SELECT 1 a, 2 b) ON a USING sum(b)",
    "a line of the log": "SELECT write_log('evil')",
    "a variable": "SET VARIABLE x = 1",
    "EXPLAIN of EXPORT": "EXPLAIN ANALYZE EXPORT DATABASE '{sessions}/evil'",
}


def spelled(state: State, sql: str) -> str:
    names = {"root": state.root, "sessions": state.sessions, "outside": state.outside, "base": state.root.parent}
    return sql.format(**{name: str(path).replace("'", "''") for name, path in names.items()})


@pytest.mark.parametrize("sql", [*READS.values(), *CHANGES.values()], ids=[*READS, *CHANGES])
def test_no_attempt_succeeds(state: State, sql: str) -> None:
    before = state.files()
    with pytest.raises(SqlRefused) as refused:
        query(spelled(state, sql), state.places)
    assert CANARY not in str(refused.value) and "\n" not in str(refused.value)
    assert state.files() == before


def test_there_are_enough_of_them() -> None:
    assert len(READS) + len(CHANGES) >= 90


READS_BY_DUCKDB = {name: sql for name, sql in READS.items() if "_scan(" not in sql}
"""Without those that read the memory of this very process: against them there is the gate alone, and the process of its own."""


@pytest.mark.parametrize("sql", READS_BY_DUCKDB.values(), ids=list(READS_BY_DUCKDB))
def test_the_locked_connection_shows_nothing_without_the_gate(state: State, sql: str) -> None:
    """Without the gate some may run, but none reaches a file that is not a transcript."""
    import duckdb

    before = state.files()
    with duckdb.connect(config=_CONFIG) as con:
        files, _ = lay_out(con, state.places, frozenset({"messages", "usage"}))
        _lock_down(con, files)
        try:
            shown = str(con.execute(spelled(state, sql)).fetchall())
        except duckdb.Error:
            shown = ""
    for secret in (CANARY, "root:", "PATH=", "deleted", str(state.root / "openclaw.json"), "/etc"):
        assert secret not in shown
    assert state.files() == before


def test_a_link_that_replaces_a_transcript_is_left_out(state: State) -> None:
    (state.sessions / "s1.jsonl").unlink()
    (state.sessions / "s1.jsonl").symlink_to(state.outside / "secret.jsonl")
    assert query("SELECT count(*) FROM messages WHERE agent = 'main'", state.places).rows == ((0,),)


@pytest.mark.parametrize("name", ["COPY to a new file", "COPY over a transcript", "EXPLAIN ANALYZE COPY", "ATTACH", "EXPORT"])
def test_the_process_cannot_write_even_past_gate_and_lock(state: State, name: str) -> None:
    """The same statement in a process with the limits and nothing else: the system refuses the write."""
    code = (
        "import sys, duckdb\nfrom openclaw_kernel.sessions.sql_process import _bound\n_bound(5)\n"
        "con = duckdb.connect()\ncon.execute('CREATE TABLE t AS SELECT * FROM range(100000)')\n"
        "con.execute(sys.argv[1].replace('(SELECT 1)', 't'))"
    )
    before = state.files()
    subprocess.run([sys.executable, "-c", code, spelled(state, CHANGES[name])], capture_output=True, timeout=60)
    after = state.files()
    assert {path: after.get(path) for path in before} == before
    assert [path for path, data in after.items() if path not in before and data] == []


def test_the_whole_door_answers_and_refuses_alike(state: State) -> None:
    before = state.files()
    assert ask("SELECT count(*) FROM messages", state.places).rows == ((5,),)
    assert "redacted" in str(ask("SELECT text FROM messages WHERE id = 'm1'", state.places))
    for sql in (READS["the configuration"], CHANGES["EXPLAIN ANALYZE COPY"]):
        with pytest.raises(SqlRefused):
            ask(spelled(state, sql), state.places)
    assert state.files() == before


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT levenshtein(repeat('a', 1000000), repeat('b', 1000000))",
        "SELECT 1 FROM range(2)" + ", range(2)" * 900,
        "SELECT lpad('x', 2000000000, 'y')",
    ],
    ids=["a step without an end", "a plan without an end", "a value without an end"],
)
def test_what_duckdb_does_not_end_is_ended_from_outside(state: State, sql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openclaw_kernel.sessions.sql_process.GRACE_S", 1.0)
    with pytest.raises(SqlRefused, match=r"ended|memory|longer"):
        ask(sql, state.places, timeout_s=0.5)


def test_the_process_gets_no_environment(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    from openclaw_kernel.sessions import sql_process

    monkeypatch.setenv("OPENCLAW_GATEWAY_TOKEN", CANARY)
    seen: dict[str, object] = {}

    def run(command: object, **named: object) -> subprocess.CompletedProcess[bytes]:
        seen.update(named)
        return subprocess.CompletedProcess([], 0, b'{"refused":"no"}')

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(SqlRefused, match=r"^no$"):
        sql_process.ask("SELECT 1", state.places)
    assert CANARY not in str(seen["env"]) and seen["cwd"] == "/"
