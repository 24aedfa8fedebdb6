"""Where state lives, and making sure that only its owner can look inside (CFG-01, STO-04)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from openclaw_kernel.store.errors import StoreError

PRIVATE_DIR = 0o700
PRIVATE_FILE = 0o600


def home_dir(env: Mapping[str, str] = os.environ) -> Path:
    """The user's home as `env` tells it, else as the system knows it."""
    home = env.get("HOME")
    return Path(home) if home else Path.home()


def expand(text: str, env: Mapping[str, str] = os.environ) -> Path:
    """`text` as an absolute path, a leading `~` meaning `home_dir(env)`."""
    if text == "~" or text.startswith("~/"):
        return home_dir(env) / text[2:]
    return Path(text).expanduser().absolute()


def state_dir(env: Mapping[str, str] = os.environ) -> Path:
    """`OPENCLAW_STATE_DIR`, else `~/.openclaw`, or `~/.openclaw-<profile>` under `OPENCLAW_PROFILE` (CFG-20)."""
    named = env.get("OPENCLAW_STATE_DIR", "").strip()
    if named:
        return expand(named, env)
    profile = env.get("OPENCLAW_PROFILE", "").strip()
    suffix = f"-{profile}" if profile and profile != "default" else ""
    return home_dir(env) / f".openclaw{suffix}"


def config_path(env: Mapping[str, str] = os.environ) -> Path:
    """`OPENCLAW_CONFIG_PATH`, else `openclaw.json` in the state directory."""
    named = env.get("OPENCLAW_CONFIG_PATH", "").strip()
    return expand(named, env) if named else state_dir(env) / "openclaw.json"


def ensure_private_dir(path: Path) -> Path:
    """Make `path` with its missing parents, mode 0700, and check that we may write in it. Raises `StoreError`."""
    try:
        make_private_parents(path)
    except OSError as error:
        raise StoreError.from_os("create the directory", path, error) from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise StoreError(
            f"The directory {path} is not writable; "
            "make it writable for this user or set OPENCLAW_STATE_DIR to another directory.",
            path,
        )
    return path


def make_private_parents(path: Path) -> None:
    """`mkdir -p` with 0700 for every directory it makes; `Path.mkdir(parents=True)` gives that mode to the last one only."""
    if path.is_dir():
        return
    if path.parent != path:
        make_private_parents(path.parent)
    try:
        path.mkdir(mode=PRIVATE_DIR)
    except FileExistsError:
        if not path.is_dir():
            raise
