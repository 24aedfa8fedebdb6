"""Starting and ending servers: what every test, and the bench, does the same way."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
STOP_WITHIN_S = 15


def free_port() -> int:
    """A port on loopback that nobody listened on a moment ago, for a server that cannot choose one itself."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def stop(process: subprocess.Popen[bytes]) -> None:
    """Asks a process to end, and kills it when it has not after 15 seconds."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def program(*arguments: str, env: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
    """`python -m …` in a process of its own; yields the line of JSON it prints when it is ready."""
    with subprocess.Popen([sys.executable, "-m", *arguments], stdout=subprocess.PIPE, env=env, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, f"{arguments[0]} ended before it was ready"
            yield json.loads(line)
        finally:
            stop(process)


def gone(pid: int, seconds: float = 10) -> bool:
    """Whether a process that was killed has ended; the kernel may take a moment, so its end is waited for."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], seconds)[0])
    finally:
        os.close(handle)
