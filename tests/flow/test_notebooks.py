"""Every tutorial runs from top to bottom, on the kernel that is installed, with a gateway and a home of its own."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

from openclaw_kernel.store.runtime_file import read_runtime
from tests.processes import free_port

ROOT = Path(__file__).parents[2]
TUTORIALS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def shown(notebook: NotebookNode, cell_id: str) -> str:
    """All that a cell shows, as text."""
    cell = next(cell for cell in notebook.cells if cell.id == cell_id)
    data = [output.get("data", {}) for output in cell.outputs]
    return "\n".join(str(item.get("text/markdown") or item.get("text/plain", "")) for item in data)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "state"
    path.mkdir(mode=0o700)
    (path / "openclaw.json").write_text(f'{{"gateway": {{"port": {free_port()}}}}}')
    monkeypatch.setenv("OPENCLAW_STATE_DIR", str(path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    return path


async def execute(path: Path, state: Path) -> NotebookNode:
    notebook = nbformat.read(path, as_version=4)
    try:
        await NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(state)}}).async_execute()
    finally:
        running = read_runtime(state)
        if running is not None:
            os.kill(running.pid, 15)
    return notebook


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
async def test_a_tutorial_runs_to_its_end(path: Path, state: Path) -> None:
    notebook = await execute(path, state)
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")


async def test_the_first_conversation_says_what_it_promises(state: Path) -> None:
    notebook = await execute(ROOT / "notebooks" / "first-conversation.ipynb", state)
    assert "built-in" in shown(notebook, "hello")
    assert "Miso" in shown(notebook, "recall")
    assert "13.0" in shown(notebook, "python")
    notes = "".join(file.read_text() for file in (state / "workspace" / "memory").glob("*.md"))
    assert "my cat is called Miso" in notes
