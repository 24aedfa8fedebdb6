"""Looking after the memory: by the wire and from the terminal, with a running gateway and without one."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

from tests.fakes.tiny_model import build_tiny
from tests.flow.processes import running
from tests.flow.wire import Client, client, text_of

LIMIT_S = 90


async def command(state_dir: Path, *arguments: str) -> tuple[int, str, str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OPENCLAW_")}
    line = ["-m", "openclaw_gateway", "memory", *arguments, "--state-dir", str(state_dir)]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, *line, stdout=pipe, stderr=pipe, env=environment)
    out, err = await asyncio.wait_for(process.communicate(), LIMIT_S)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def told(state_dir: Path, *arguments: str) -> Any:
    status, out, err = await command(state_dir, *arguments, "--json")
    assert status == 0, err
    return json.loads(out)


def clawd(root: Path) -> Path:
    """The workspace of an assistant of before."""
    folder = root / "clawd"
    (folder / "memory").mkdir(parents=True)
    (folder / "MEMORY.md").write_text("# Memory\n\n- The boiler is serviced in May.\n")
    (folder / "memory" / "2026-01-02.md").write_text("# 2026-01-02\n\n- bought red skis\n")
    (folder / "SOUL.md").write_text("another soul\n")
    return folder


async def test_by_the_wire(tmp_path: Path) -> None:
    state, other = tmp_path / "s", await asyncio.to_thread(clawd, tmp_path)
    async with running(state) as live, client(live.ws, live.token) as peer:
        assert text_of(await peer.final(await peer.say("remember that my cat is called Miso"))).startswith("Noted.")
        found = await peer.call("memory.search", {"query": "Miso"})
        [hit] = found["results"]
        assert hit["provenance"] == "agent" and hit["citation"].startswith("memory/") and "Miso" in hit["snippet"]
        assert found["semantic"] is False and "memory model add minilm" in found["sentence"]
        got = await peer.call("memory.get", {"path": hit["citation"], "start": hit["startLine"], "lines": 1})
        assert "Miso" in got["text"]
        [write] = (await peer.call("memory.log"))["entries"]
        assert (write["kind"], write["sessionKey"], write["state"]) == ("write", "agent:main:main", "written")

        made = await peer.call("memory.promote", {"ref": write["id"], "triggers": ["miso"]})
        assert made["source"] == hit["citation"]
        brought = await peer.call("memory.import", {"path": str(other)})
        assert {row["path"]: row["action"] for row in brought["files"]} == {"MEMORY.md": "added", "memory/2026-01-02.md": "new"}
        assert (await peer.call("memory.search", {"query": "boiler"}))["results"], "searchable when the answer is there"
        status = await peer.call("memory.status")
        assert (status["files"] >= 3, status["backend"], status["waiting"]) == (True, "builtin", 0)
        export = await peer.call("memory.export")
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(export["data"]))) as archive:
            assert {"MEMORY.md", "memory/2026-01-02.md", "provenance.jsonl"} <= set(archive.namelist())

        entries = (await peer.call("memory.log"))["entries"]
        assert [row["kind"] for row in entries] == ["import", "write", "write"]
        undone = await peer.call("memory.undo", {"id": brought["id"]})
        assert undone["notes"] == 2 and not (await peer.call("memory.search", {"query": "boiler"}))["results"]
        gone = await peer.call("memory.forget", {"sessionKey": "agent:main:main"})
        assert gone["notes"] == 2, "the day's note, and what was promoted of it"
        assert (await peer.call("doctor.memory.status"))["embedding"]["ok"] is False
        await _refused(peer)
        async with client(live.ws, live.token, scopes=["operator.read"]) as reader:
            await reader.call("memory.status")
            for name, params in (
                ("memory.index", {}),
                ("memory.undo", {"id": "x"}),
                ("memory.promote", {"ref": "x"}),
                ("memory.import", {"path": "/"}),
                ("memory.export", {}),
                ("memory.forget", {"text": "cat"}),
            ):
                assert (await reader.fails(name, params))["code"] == "FORBIDDEN"


async def _refused(peer: Client) -> None:
    """One sentence each, and nothing of a file that is no note."""
    for name, params, words in (
        ("memory.get", {"path": "../openclaw.json"}, "is not a note of this workspace"),
        ("memory.get", {"path": "/etc/passwd"}, "is not a note of this workspace"),
        ("memory.get", {"path": "SOUL.md"}, "is not a note of this workspace"),
        ("memory.promote", {"ref": "../gateway-token#1"}, "neither path#line"),
        ("memory.import", {"path": "/nowhere"}, "is no folder"),
        ("memory.import", {"path": "/etc"}, "has no MEMORY.md"),
        ("memory.undo", {"id": "nothing"}, "There is no write 'nothing'"),
        ("memory.forget", {}, "Say what to forget"),
        ("memory.forget", {"text": "a"}, "too short"),
        ("memory.search", {"query": "x", "sources": ["web"]}, "may be memory and sessions"),
        ("memory.status", {"agentId": "eve"}, "unknown agent"),
    ):
        error = await peer.fails(name, params)
        assert error["code"] == "INVALID_REQUEST" and words in error["message"], (name, error)


async def test_the_notes_of_any_agent_are_where_its_turns_work(tmp_path: Path) -> None:
    state = tmp_path / "s"
    config = {"agents": {"list": [{"id": "work", "default": True}, {"id": "home", "workspace": str(tmp_path / "home")}]}}
    async with running(state, config) as live, client(live.ws, live.token) as peer:
        for agent, folder in (("work", state / "workspace-work"), ("home", tmp_path / "home")):
            key = f"agent:{agent}:main"
            assert text_of(await peer.final(await peer.say("remember that the boiler hums", key))).startswith("Noted.")
            assert (await peer.call("memory.status", {"agentId": agent}))["workspace"] == str(folder)
            [note] = await asyncio.to_thread(lambda folder=folder: list((folder / "memory").glob("*.md")))  # type: ignore[misc]
            assert "boiler" in note.read_text() and (folder / "AGENTS.md").exists()
        assert not (state / "workspace").exists()
        row = await told(state, "search", "boiler", "--agent", "home")
        assert row["agentId"] == "home" and len(row["results"]) == 1


async def test_a_model_that_is_added_is_taken_up_at_once(tmp_path: Path) -> None:
    state = tmp_path / "s"
    folder = state / "workspace" / "memory"
    await asyncio.to_thread(folder.mkdir, parents=True)
    for number in range(90):
        await asyncio.to_thread((folder / f"{number}.md").write_text, f"- the plant number {number} wants water on monday\n")
    tiny = await asyncio.to_thread(lambda: build_tiny(tmp_path / "tiny", manifest=False))
    async with running(state) as live, client(live.ws, live.token) as peer:
        before = await peer.call("memory.status")
        chunks = before["chunks"]
        assert before["semantic"] is False and chunks >= 90
        status, out, err = await command(state, "model", "add", "--path", str(tiny))
        assert status == 0 and "tiny is installed" in out, err
        seen = await peer.event("memory.progress", active=False)
        assert (seen["agentId"], seen["done"], seen["total"]) == ("main", chunks, chunks)
        first = await peer.event("memory.progress")
        assert first["active"] is True and 0 < first["done"] < chunks
        found = await peer.call("memory.search", {"query": "montage"})
        assert found["semantic"] is True and found["model"] and found["results"], "found by meaning alone"
        status, out, _ = await command(state, "status", "--watch")
        assert status == 0 and "Semantic search is on." in out and str(chunks) in out
        assert (await told(state, "index", "--force"))["embedded"] == chunks, "kept, not computed anew"
        status, out, _ = await command(state, "model", "remove", "tiny")
        assert status == 0 and "memory model add minilm" in (await peer.call("memory.status"))["sentence"]


async def test_from_the_terminal(tmp_path: Path) -> None:
    state, other = tmp_path / "s", await asyncio.to_thread(clawd, tmp_path)
    await _commands(tmp_path, state, other)
    async with running(state):
        brought = await told(state, "import", str(other))
        status, out, err = await command(state, "search", "red skis")
        assert status == 0 and "memory/2026-01-02.md#L" in out and "Semantic search is off" in err
        assert (await told(state, "undo", brought["id"][:8]))["notes"] == 2
        status, out, err = await command(state, "undo", brought["id"])
        assert (status, out) == (1, "") and err.count("\n") == 1 and "taken back before" in err


async def _commands(tmp_path: Path, state: Path, other: Path) -> None:
    """Without a gateway: each command owns the memory while it runs."""
    status, out, _ = await command(state, "import", str(other), "--dry-run")
    assert status == 0 and "2 notes would come in" in out
    brought = await told(state, "import", str(other))
    assert sum(row["notes"] for row in brought["files"]) == 2
    status, out, err = await command(state, "search", "red skis")
    assert status == 0 and "memory/2026-01-02.md#L" in out and "Semantic search is off" in err
    made = await told(state, "promote", "memory/2026-01-02.md#L3", "--trigger", "skis")
    assert made["text"] == "- bought red skis <!-- trigger: skis -->"
    status, out, _ = await command(state, "log")
    assert status == 0 and made["id"][:8] in out and brought["id"][:8] in out
    for id in (made["id"], brought["id"]):
        assert (await told(state, "undo", id[:8]))["notes"]
    status, out, err = await command(state, "undo", made["id"])
    assert (status, out) == (1, "") and err.count("\n") == 1 and "nothing to take back" in err
    status, out, _ = await command(state, "status", "--watch")
    assert status == 0 and "Semantic search is off" in out and "memory model add minilm" in out
    assert (await told(state, "index"))["waiting"] == 0
    assert (await told(state, "export", str(tmp_path / "notes.zip")))["files"] >= 0
    status, _, err = await command(state, "export", str(tmp_path / "notes.zip"))
    assert status == 1 and "name a new file" in err
