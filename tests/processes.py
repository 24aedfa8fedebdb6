"""Starting and ending servers: what every test, and the bench, does the same way."""

from __future__ import annotations

import signal
import socket
import subprocess

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
