"""SQL through a real gateway: what was just said is there, secrets are not, and only an admin may ask."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.notebook.assistant import Assistant
from openclaw_kernel.notebook.session import KernelLink
from openclaw_kernel.values.errors import OpenClawError
from tests.flow.processes import running
from tests.flow.wire import client

KEY = "sk-ant-api03-PlantedAAAABBBBCCCCDDDDEEEE"
SAID = "the plants need water on monday"


async def command(state_dir: Path, *arguments: str) -> tuple[int, str, str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OPENCLAW_")}
    line = ["-m", "openclaw_gateway", *arguments, "--state-dir", str(state_dir)]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, *line, stdout=pipe, stderr=pipe, env=environment)
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def rows(table: dict[str, Any]) -> list[list[Any]]:
    found: list[list[Any]] = table["rows"]
    return found


async def test_the_whole_way(tmp_path: Path) -> None:
    state_dir = tmp_path / "s"
    async with running(state_dir) as live, client(live.ws, live.token) as peer:
        await peer.final(await peer.say(SAID))
        found = await peer.call("sql.query", {"sql": f"SELECT role, text FROM messages WHERE text = '{SAID}'"})
        assert rows(found) == [["user", SAID]] and found["columns"][0] == {"name": "role", "type": "VARCHAR"}
        joined = "SELECT s.key, count(*) FROM messages m JOIN sessions s USING (session_id) GROUP BY ALL"
        assert rows(await peer.call("sql.query", {"sql": joined})) == [["agent:main:main", 2]]
        assert rows(await peer.call("sql.query", {"sql": "SELECT sum(calls) FROM usage"})) == [[1]]
        limited = await peer.call("sql.query", {"sql": "SELECT * FROM range(10)", "limit": 3})
        assert len(rows(limited)) == 3 and limited["truncated"] is True

        for sql, words in (
            (f"SELECT * FROM read_text('{state_dir}/gateway-token')", "the table function read_text is not allowed"),
            (f"COPY messages TO '{state_dir}/x.csv'", "only SELECT is allowed"),
            ("SELECT 1; SELECT 2", "2 statements"),
        ):
            error = await peer.fails("sql.query", {"sql": sql})
            assert error["code"] == "INVALID_REQUEST" and words in error["message"]
        assert (await peer.fails("sql.query", {"sql": ""}))["code"] == "INVALID_REQUEST"
        late = await peer.fails(
            "sql.query", {"sql": "SELECT max(a.range) FROM range(9999999) a, range(9999999) b", "timeoutMs": 300}
        )
        assert "took longer than 0.3 seconds" in late["message"]

        hidden = await peer.call("sql.query", {"sql": f"SELECT '{KEY}' AS a, '{live.token}' AS b"})
        assert KEY not in json.dumps(hidden["rows"]) and live.token not in json.dumps(hidden)
        async with client(live.ws, live.token, scopes=["operator.read", "operator.write"]) as reader:
            assert (await reader.fails("sql.query", {"sql": "SELECT 1"}))["code"] == "FORBIDDEN"

        await _from_outside(state_dir, live_gateway=True)
        await asyncio.to_thread(_from_python, state_dir)
    await _from_outside(state_dir, live_gateway=False)


async def _from_outside(state_dir: Path, *, live_gateway: bool) -> None:
    """The command, which reads the files itself when no gateway runs."""
    sql = f"SELECT role, text, ts FROM messages WHERE text = '{SAID}'"
    status, out, err = await command(state_dir, "sql", sql, "--format", "json")
    assert status == 0 and [row["text"] for row in json.loads(out)] == [SAID], (live_gateway, err)
    status, out, _ = await command(state_dir, "sql", "SELECT 1 AS a, NULL AS b, 'x,y' AS c", "--format", "csv")
    assert (status, out) == (0, 'a,b,c\n1,,"x,y"\n')
    status, out, err = await command(state_dir, "sql", "SELECT * FROM range(9)", "--limit", "2")
    assert status == 0 and out.split() == ["range", "0", "1"] and "There is more" in err
    status, out, err = await command(state_dir, "sql", "DROP TABLE messages")
    assert status == 1 and out == "" and err.endswith("jupyter openclaw: SQL: only SELECT is allowed, and this is DROP.\n")


def _from_python(state_dir: Path) -> None:
    link = KernelLink(state_dir)
    try:
        assistant = Assistant("main", link=link)
        assert assistant.sql("SELECT 1 AS a, DATE '2026-11-21' AS d", form="rows") == [{"a": 1, "d": "2026-11-21"}]
        with pytest.raises(OpenClawError, match="only SELECT is allowed"):
            assistant.sql("DELETE FROM usage")
    finally:
        link.close()
