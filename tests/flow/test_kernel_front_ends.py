"""The kernel in front ends without a browser: nbclient and `jupyter console`; nothing set up, no key, no gateway."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import nbformat
import pexpect
import pytest
from nbclient import NotebookClient

from openclaw_kernel.store.runtime_file import read_runtime
from tests.flow.kernels import LIMIT_S, end_gateway
from tests.processes import free_port

PROMPT = r"In \[\d+\]:"
INTERRUPT, YES = "<interrupt>", "<yes>"
CONVERSATION = [
    ("hello", "built-in stand-in", "Say `help`"),
    ("run `echo from-a-terminal`", r"\[y\] yes, once.*\[n\] no:", YES, "✓ exec", "from-a-terminal"),
    ("%time 6 * 7", "42"),
    ("run `echo never`", r"\[n\] no:", INTERRUPT, "Stopped"),
    ("/status", "agent:main:dashboard:kernel-"),
]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state directory as it is before the first start, but for the port, which other tests want too."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "openclaw.json").write_text(f'{{"gateway": {{"port": {free_port()}}}}}')
    for name in [name for name in os.environ if name.endswith("_API_KEY") or name.startswith(("OPENCLAW_", "JPY_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OPENCLAW_STATE_DIR", str(state))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "config"))
    return state


async def test_nbclient_runs_a_notebook_with_no_gateway_and_no_key(home: Path) -> None:
    assert read_runtime(home) is None
    cells = ["hello", "%%python\ncats = ['Miso']", "!echo from-the-shell", "/status", "%claw status", "run `echo x`"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    try:
        await NotebookClient(notebook, timeout=LIMIT_S, kernel_name="openclaw").async_execute()
        assert read_runtime(home) is not None
    finally:
        await end_gateway(home)
    nbformat.validate(notebook)
    shown = [str(cell.outputs) for cell in notebook.cells]
    assert "built-in stand-in" in shown[0] and "from-the-shell" in shown[2]
    assert "agent:main:dashboard:kernel-" in shown[3] and "127.0.0.1" in shown[4]
    assert "denied" in shown[5], "with nobody to ask, a command that needs a yes is not run"
    assert [cell.execution_count for cell in notebook.cells] == [1, 2, 3, 4, 5, 6]
    answer = [output for output in notebook.cells[0].outputs if "text/markdown" in output.get("data", {})]
    assert len(answer) == 1, "an answer that grew is one output"


async def test_jupyter_console(home: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "jupyter_console",
        "--kernel",
        "openclaw",
        "--ZMQTerminalInteractiveShell.kernel_timeout=60",
    ]
    try:
        await asyncio.to_thread(_talk, command, tmp_path)
    finally:
        await end_gateway(home)


def _talk(command: list[str], folder: Path) -> None:
    console = pexpect.spawn(
        command[0],
        command[1:],
        encoding="utf-8",
        timeout=LIMIT_S,
        cwd=str(folder),
        dimensions=(40, 200),
        env={**os.environ, "TERM": "dumb"},
    )
    try:
        for line, *shown in CONVERSATION:
            console.expect(PROMPT)
            console.sendline(line)
            for pattern in shown:
                if pattern == INTERRUPT:
                    console.sendintr()
                elif pattern == YES:
                    console.sendline("y")
                else:
                    console.expect(pattern)
    except pexpect.ExceptionPexpect as error:
        raise AssertionError(f"{type(error).__name__}; the terminal showed:\n{console.before}") from None
    finally:
        console.close(force=True)
