"""Every example A2UI publishes with its basic catalogue passes the guard. The package is fetched, never committed."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from openclaw_kernel.canvas.read import check_file

PACKAGE = "@a2ui/web_core@0.11.0"
EXAMPLES = "package/src/v0_9/schemas/catalogs/basic/examples"


@pytest.mark.npm
@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_basic_examples_are_valid(tmp_path: Path) -> None:
    subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=tmp_path, check=True, capture_output=True, timeout=100)
    with tarfile.open(next(tmp_path.glob("*.tgz"))) as archive:
        for member in archive:
            source = archive.extractfile(member) if member.name.startswith(f"{EXAMPLES}/") else None
            if source is not None:
                (tmp_path / Path(member.name).name).write_bytes(source.read())
    files = sorted(tmp_path.glob("*.json"))
    assert len(files) == 43
    assert {file.name: problems for file in files if (problems := check_file(file))} == {}
