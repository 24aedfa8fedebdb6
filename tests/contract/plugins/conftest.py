"""The package acme, built and installed by pip into a folder of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ACME = Path(__file__).parent / "acme"


@pytest.fixture(scope="session")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder to put on the import path."""
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*command, "--target", str(target), str(ACME)], check=True, timeout=120)
    target.chmod(0o755)
    return target
