"""The README's how-tos, run as written: its Python in a notebook, its configuration by the reader, its commands for real."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from openclaw_gateway.cli.app import COMMANDS
from openclaw_kernel.config.loader import load_config
from tests.flow.processes import running
from tests.minilm import minilm_folder

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
ENV = {"TELEGRAM_BOT_TOKEN": "1:a-token", "ANTHROPIC_API_KEY": "a-key"}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("number", range(len(blocks("json5"))))
def test_its_configuration_is_valid(tmp_path: Path, number: int) -> None:
    path = tmp_path / "openclaw.json"
    path.write_text(blocks("json5")[number])
    assert load_config(path, ENV).warnings == []


def test_every_command_it_names_exists() -> None:
    named = set(re.findall(r"jupyter openclaw ([a-z0-9]+)", README))
    assert {"serve", "dashboard", "skills", "cron", "pairing", "devices"} <= named <= set(COMMANDS)


async def test_its_python_runs_in_a_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = [*blocks("python"), "answers"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    async with running(tmp_path / "s"):
        monkeypatch.setenv("OPENCLAW_STATE_DIR", str(tmp_path / "s"))
        monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
        await NotebookClient(notebook, kernel_name="python3", timeout=60).async_execute()
    shown = [str(cell.outputs) for cell in notebook.cells]
    assert "built-in stand-in" in shown[0] and "phrases" in shown[1]
    assert "Sales" in shown[2] and "Feb" in shown[2] and "Who are you?" in shown[3] and "'role': 'user'" in shown[4]


async def test_its_commands_run(tmp_path: Path) -> None:
    """What stands behind `$` in console blocks, but for those that run for ever or set a secret."""
    lines = [line[2:] for block in blocks("console") for line in block.splitlines() if line.startswith("$ ")]
    commands = [line for line in lines if line.startswith("jupyter openclaw") and not line.endswith("serve")]
    assert len(commands) == 9, commands
    if missing := minilm_folder("fp32")[1]:
        commands = [command for command in commands if "minilm" not in command and "two-wheeler" not in command]
        print(f"the line that adds a model is left out: {missing}")
    said = ""
    async with running(tmp_path / "s"):
        env = {**os.environ, "OPENCLAW_STATE_DIR": str(tmp_path / "s")}
        for command in commands:
            argv = [sys.executable, "-m", "openclaw_gateway", *shlex.split(command)[2:]]
            done = await asyncio.to_thread(subprocess.run, argv, env=env, capture_output=True, text=True, timeout=100)
            assert done.returncode == 0, (command, done.stderr)
            said += done.stdout
    assert said.count("behind the old library") == (2 if missing else 3) and "memory_append" in said
    assert "Hello, Ada!\nHello, Ada!" in said and "standup" in said and "workspace/skills/greeting/skill.ipynb" in said
