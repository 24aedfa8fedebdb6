"""Finding the one running gateway of a state directory, or starting it (DESIGN section 3, "One owner")."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from openclaw_kernel.store.lock import StateLock, StateLocked
from openclaw_kernel.store.paths import ensure_private_dir
from openclaw_kernel.store.runtime_file import RuntimeInfo, read_runtime
from openclaw_kernel.values.errors import UserError

if TYPE_CHECKING:
    import httpx

READY_TIMEOUT_S = 60.0
_POLL_S = 0.05
_LOG_TAIL = 2_000

Progress = Callable[[str], None]


class GatewayNotStarted(UserError):
    """A gateway was started and did not become ready."""


def find_gateway(state_dir: Path) -> RuntimeInfo | None:
    """The running gateway of this state directory, from its runtime file; `None` when there is none or its process is gone."""
    return read_runtime(state_dir)


async def ensure_gateway(
    state_dir: Path,
    *,
    timeout: float = READY_TIMEOUT_S,
    progress: Progress = lambda _text: None,
    command: tuple[str, ...] = (sys.executable, "-m", "openclaw_gateway", "serve"),
) -> RuntimeInfo:
    """The running gateway, started detached if there is none.

    Waits up to `timeout` seconds until its `/ready` says yes. Raises `GatewayNotStarted` with the end of the log otherwise.
    Two callers at once are safe: the state directory's lock lets one gateway live, and both find that one.
    """
    import httpx  # slow to import, and finding a gateway that runs needs none of it

    info = find_gateway(state_dir)
    process: subprocess.Popen[bytes] | None = None
    log_path = state_dir / "logs" / "serve.log"
    if info is None:
        progress("starting the OpenClaw gateway")
        process = await asyncio.to_thread(_start, state_dir, log_path, command)
    deadline = time.monotonic() + timeout
    async with httpx.AsyncClient(timeout=2.0, trust_env=False) as http:
        while time.monotonic() < deadline:
            info = find_gateway(state_dir)
            if info is not None and await _is_ready(http, info.url):
                progress(f"the gateway is ready at {info.url}")
                return info
            code = process.poll() if process is not None and info is None else None
            if code and not await asyncio.to_thread(_is_owned, state_dir):
                raise GatewayNotStarted(_failure(f"the gateway ended with code {code}", log_path))
            await asyncio.sleep(_POLL_S)
    raise GatewayNotStarted(_failure(f"the gateway was not ready within {timeout:g} s", log_path))


def _is_owned(state_dir: Path) -> bool:
    """Whether another gateway holds the directory: then ours gave way to it and it is about to be ready."""
    try:
        StateLock.acquire(state_dir, wait_s=0).release()
    except StateLocked:
        return True
    return False


def _start(state_dir: Path, log_path: Path, command: tuple[str, ...]) -> subprocess.Popen[bytes]:
    ensure_private_dir(state_dir)
    ensure_private_dir(log_path.parent)
    descriptor = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(
            command,
            env={**os.environ, "OPENCLAW_STATE_DIR": str(state_dir)},
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            start_new_session=True,
            cwd=state_dir,
        )
    finally:
        os.close(descriptor)


async def _is_ready(http: httpx.AsyncClient, url: str) -> bool:
    import httpx

    address = url.replace("ws://", "http://", 1).replace("wss://", "https://", 1).rstrip("/")
    try:
        return (await http.get(f"{address}/ready")).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _failure(sentence: str, log_path: Path) -> str:
    try:
        tail = log_path.read_bytes()[-_LOG_TAIL:].decode(errors="replace").strip()
    except OSError:
        tail = ""
    last = tail.splitlines()[-1] if tail else "its log is empty"
    return f"{sentence}; see {log_path}: {last}"
