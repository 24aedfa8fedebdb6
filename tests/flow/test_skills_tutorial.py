"""The tutorial "a skill of your own" shows what it promises, and its last sentence works in a gateway."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from openclaw_kernel.canvas.guard import check_messages
from openclaw_kernel.store.runtime_file import read_runtime
from tests.flow.wire import client, text_of
from tests.processes import free_port

TUTORIAL = Path(__file__).parents[2] / "notebooks" / "a-skill-of-your-own.ipynb"


def shown(notebook: Any, cell_id: str) -> str:
    cell = next(cell for cell in notebook.cells if cell.id == cell_id)
    parts = [output.get("text") or output.get("data", {}).get("text/plain") or "" for output in cell.outputs]
    return "\n".join(map(str, parts))


async def test_it_makes_checks_and_runs_a_skill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "openclaw.json").write_text(json.dumps({"gateway": {"port": free_port()}}))
    monkeypatch.setenv("OPENCLAW_STATE_DIR", str(state))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(TUTORIAL, as_version=4)
    try:
        await NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(state)}}).async_execute()
        assert "csv-report: Report on a CSV file" in shown(notebook, "list")
        assert "rain-report: valid" in shown(notebook, "check")
        assert "197.5 mm in 3 months; the wettest was Jan with 80.0 mm" in shown(notebook, "check")
        assert '"enum"' not in shown(notebook, "load") and "CSV file with the columns month and mm" in shown(notebook, "load")
        await the_last_sentence(state)
    finally:
        running = read_runtime(state)
        if running is not None:
            os.kill(running.pid, 15)


async def the_last_sentence(state: Path) -> None:
    """What the tutorial says to type, taken from it, with the yes of a person."""
    [sentence] = re.findall(r"^> (.+)$", "\n".join(cell.source for cell in nbformat.read(TUTORIAL, as_version=4).cells), re.M)
    running = read_runtime(state)
    assert running is not None
    async with client(running.url.replace("http", "ws", 1) + "/", running.token, caps=["tool-events"]) as peer:
        run_id = await peer.say(sentence, "tutorial")
        asked = await peer.event("exec.approval.requested")
        await peer.call("exec.approval.resolve", {"id": asked["id"], "decision": "allow-once"})
        assert "7.78 inch in 3 months; the wettest was Jan with 3.15 inch" in text_of(await peer.final(run_id))
        history = await peer.call("chat.history", {"sessionKey": "agent:main:tutorial"})
    [result] = [message for message in history["messages"] if message["role"] == "toolResult"]
    assert check_messages(result["details"]["surface"]["messages"]) == []
    assert Path(result["details"]["notebook"]).parent == state / "skill-runs"
