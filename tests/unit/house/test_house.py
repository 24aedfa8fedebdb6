"""The house rules a machine can check: sizes, light imports, one version, no trace of the builder's machine."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PYTHON = sorted([*(ROOT / "openclaw_kernel").rglob("*.py"), *(ROOT / "jupyter_server_ext").rglob("*.py")])
TYPESCRIPT = sorted(path for path in (ROOT / "labextension" / "src").rglob("*.ts*") if "__tests__" not in path.parts)
MAX_LINES = 450
HEAVY = ("anthropic", "openai", "duckdb", "fastembed", "jupyter_server", "IPython", "pandas", "numpy", "httpx")


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.splitlines()]


def test_no_module_is_longer_than_the_ceiling() -> None:
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in PYTHON + TYPESCRIPT}
    assert lengths, "found no source file"
    assert {str(path.relative_to(ROOT)): n for path, n in lengths.items() if n > MAX_LINES} == {}


def test_architecture_is_short_enough_to_be_read() -> None:
    assert len((ROOT / "ARCHITECTURE.md").read_text("utf-8").splitlines()) < 200


def test_files_named_in_architecture_exist() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    named = re.findall(r"`((?:openclaw_kernel|jupyter_server_ext|labextension|tests)/[\w./-]+)`", text)
    assert named, "ARCHITECTURE.md names no file"
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("package", ["openclaw_kernel", "openclaw_gateway", "openclaw_gateway.cli"])
def test_importing_a_package_loads_nothing_heavy(package: str) -> None:
    code = f"import {package}, sys, json; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    assert [name for name in HEAVY if name in loaded] == []


def test_serving_loads_nothing_that_waits_for_a_use() -> None:
    later = {"anthropic", "openai", "httpx", "websockets", "rich", "yaml", "cryptography", "pluggy", "mistune", "nbformat"}
    later |= {"nbclient", "jsonschema", "PIL", "telegram", "docker", "ipykernel", "anywidget", "watchfiles"}
    later |= {"openclaw_kernel.canvas.guard", "openclaw_gateway.methods.cron", "openclaw_gateway.channels.telegram.adapter"}
    code = "import openclaw_gateway.cli.serve, openclaw_gateway.serve, sys, json; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    assert later & set(loaded) == set()


def test_the_front_end_has_the_same_version() -> None:
    from openclaw_kernel import __version__

    assert json.loads((ROOT / "labextension" / "package.json").read_text("utf-8"))["version"] == __version__


def test_nothing_tracked_names_a_machine_path_or_a_registry() -> None:
    traces = re.compile(
        r"/work/main|/work/shared|/root/\.|registry\.npmjs|registry\.yarnpkg|pypi\.org/simple|files\.pythonhosted"
    )
    offenders = []
    for path in tracked():
        if path.suffix in (".png", ".ico") or path == Path(__file__) or not path.exists():
            continue
        if traces.search(path.read_text("utf-8", errors="replace")):
            offenders.append(str(path.relative_to(ROOT)))
    assert offenders == []
