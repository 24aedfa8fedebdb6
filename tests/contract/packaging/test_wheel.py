"""The wheel as a user gets it: what is inside, and that it works where there is no Node.js and no source tree."""

from __future__ import annotations

import email
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
BUNDLE = Path("jupyter_server_ext/openclaw_gateway/labextension")
BUILT = (BUNDLE, Path("jupyter_server_ext/openclaw_gateway/http/webapp"), Path("openclaw_kernel/canvas/static"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy of the tracked files and the interface that is already built (the sdist's way)."""
    if missing := [str(path) for path in BUILT if not (ROOT / path).is_dir()]:
        pytest.fail(f"{', '.join(missing)} not built; run make test, which installs the project first")
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    for name in filter(None, tracked):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name)
    for path in BUILT:
        shutil.copytree(ROOT / path, source / path, dirs_exist_ok=True)
    subprocess.run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(out), str(source)], check=True)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment with the wheel; its requirements are borrowed from the one that runs the tests."""
    home = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    python = home / "bin" / "python"
    site = subprocess.run(
        [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    Path(site, "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--force-reinstall", str(wheel)], check=True)
    return home


def run(environment: Path, *argv: str) -> str:
    """Runs a module of the environment with nothing but its own programs on PATH, outside the source tree."""
    env = {"PATH": str(environment / "bin"), "HOME": str(environment), "JUPYTER_PREFER_ENV_PATH": "1"}
    if "LD_LIBRARY_PATH" in os.environ:
        env["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
    done = subprocess.run(
        [str(environment / "bin" / "python"), *argv], cwd=environment, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_the_wheel_holds_both_packages_and_each_bundle_once(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "openclaw_kernel/values/messages.py" in names
    assert "openclaw_gateway/gateway.py" in names
    assert {"openclaw_gateway/http/webapp/main.js", "openclaw_kernel/canvas/static/canvas.js"} <= set(names)
    assert sum(name.endswith("labextensions/jupyter-openclaw/package.json") for name in names) == 1
    assert sum(name.endswith("labextensions/jupyter-openclaw/static/style.js") for name in names) == 1
    assert [name for name in names if name.startswith("openclaw_gateway/labextension")] == []
    assert any(name.endswith("share/jupyter/kernels/openclaw/kernel.json") for name in names)
    assert any(name.endswith("jupyter_server_config.d/openclaw_gateway.json") for name in names)
    assert any("share/openclaw/skills/" in name for name in names)
    assert [name for name in names if name.startswith(("tests/", "jupyter_server_ext/", "skills/", "notebooks/"))] == []


def test_every_extra_can_be_asked_for(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        about = email.message_from_bytes(archive.read(name))
    wanted = {"lab", "canvas", "notebooks", "telegram", "docker", "memory", "discord", "slack", "all"}
    assert wanted <= set(about.get_all("Provides-Extra", []))
    needs: dict[str, set[str]] = {}
    for row in about.get_all("Requires-Dist", []):
        requirement, _, extra = row.replace('"', "'").partition("; extra == ")
        needs.setdefault(extra.strip("'"), set()).add(requirement)
    for extra in sorted(wanted):
        assert needs[extra] and needs[extra] <= needs["all"], f"`all` leaves out what {extra} needs"


def test_jupyter_finds_the_extension_the_interface_and_the_kernel(environment: Path) -> None:
    assert "openclaw_gateway" in run(environment, "-m", "jupyter_server.extension.serverextension", "list")
    assert "jupyter-openclaw" in run(environment, "-m", "jupyterlab.labextensions", "list")
    code = "from jupyter_client.kernelspec import get_kernel_spec as spec; print(spec('openclaw').display_name)"
    assert run(environment, "-c", code).strip() == "OpenClaw"


def test_the_command_is_on_the_path_and_says_its_version(environment: Path, wheel: Path) -> None:
    said = run(environment, str(environment / "bin" / "jupyter-openclaw"), "--version")
    assert wheel.name.split("-")[1] in said


def test_the_bundled_skills_come_along_and_run(environment: Path) -> None:
    openclaw = str(environment / "bin" / "jupyter-openclaw")
    listed = json.loads(run(environment, openclaw, "skills", "list", "--json"))
    places = {row["name"]: row["filePath"] for row in listed["skills"]}
    assert len(places) == 7 and all(path.startswith(str(environment / "share" / "openclaw")) for path in places.values())
    assert "| processors |" in run(environment, openclaw, "skills", "run", "system-report")


@pytest.mark.parametrize("name", ["tests", "skills", "jupyter_server_ext", "labextension", "notebooks"])
def test_nothing_but_the_two_packages_can_be_imported(environment: Path, name: str) -> None:
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({name!r}) is not None)"
    run(environment, "-c", code)
