"""Starting what is measured, and reading its memory and CPU from /proc (Linux)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from jupyter_core.paths import jupyter_config_path

from tests.processes import free_port, stop

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN_S = 90.0
_POLL_S = 0.01
_Running = tuple["subprocess.Popen[bytes]", float]
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Started:
    """A process that is ready, and what getting there took. `cpu_s` is user + system of its whole tree."""

    pid: int
    url: str
    token: str
    wall_s: float
    cpu_s: float


@contextmanager
def gateway(state_dir: Path, config: Mapping[str, Any] | None = None) -> Iterator[Started]:
    """`jupyter openclaw serve --json` of the installed package over `state_dir`, ready to take turns."""
    state_dir.mkdir(parents=True, exist_ok=True)
    if config is not None:
        (state_dir / "openclaw.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "openclaw_gateway", "serve", "--json", "--port", str(free_port())]
    with _process([*command, "--state-dir", str(state_dir)], state_dir) as (process, start):
        assert process.stdout is not None
        line = process.stdout.readline()
        wall, cpu = time.perf_counter() - start, cpu_s(process.pid)
        if not line:
            raise RuntimeError(f"the gateway did not get ready: {(state_dir / 'stderr.log').read_text()[-2000:]}")
        ready = json.loads(line)
        yield Started(process.pid, str(ready["url"]), ready["token"], wall, cpu)


@contextmanager
def bare_jupyter_server(directory: Path) -> Iterator[Started]:
    """`jupyter server` with every extension switched off, ready to answer `GET /api`."""
    directory.mkdir(parents=True, exist_ok=True)
    port = free_port()
    settings = directory / "bare.json"
    settings.write_text(json.dumps({"ServerApp": {"jpserver_extensions": dict.fromkeys(_enabled_extensions(), False)}}))
    command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", f"--port={port}"]
    options = ["--IdentityProvider.token=bench", f"--config={settings}", f"--ServerApp.root_dir={directory}"]
    url = f"http://127.0.0.1:{port}"
    with _process([*command, *options], directory) as (process, start):
        _await_http(process, f"{url}/api")
        yield Started(process.pid, url, "bench", time.perf_counter() - start, cpu_s(process.pid))


@contextmanager
def model_server(directory: Path) -> Iterator[str]:
    """The project's zero-delay model server; yields its base URL without `/v1`."""
    directory.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = [sys.executable, "-m", "tests.fakes.model_server", "--port", str(port), "--no-check"]
    with _process(command, directory, cwd=ROOT) as (process, _start):
        url = f"http://127.0.0.1:{port}"
        _await_http(process, f"{url}/v1/models")
        yield url


def cpu_s(pid: int) -> float:
    """User + system seconds of `pid`, its descendants, and those descendants that have ended."""
    return sum(_stat(member)[1] for member in _tree(pid))


def rss_mb(pid: int) -> float:
    """Resident set of `pid` and its descendants in MB (2**20 bytes)."""
    total = 0
    for member in _tree(pid):
        try:
            status = Path(f"/proc/{member}/status").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
    return total / 1024


def median_wall_s(command: list[str], rounds: int) -> float:
    """Median wall time of `command` from start to exit."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=os.path.expanduser("~"))
        times.append(time.perf_counter() - start)
    return sorted(times)[len(times) // 2]


@contextmanager
def _process(
    command: list[str], directory: Path, *, cwd: Path | None = None
) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("OPENCLAW_", "JUPYTER_"))}
    start = time.perf_counter()
    with (directory / "stderr.log").open("wb") as stderr:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, cwd=cwd or directory, env=environment)
    try:
        yield process, start
    finally:
        stop(process)


def _await_http(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    with httpx.Client() as client:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if client.get(url).status_code < 500:
                    return
            except httpx.TransportError:
                pass
            time.sleep(_POLL_S)
    raise RuntimeError(f"nothing answered at {url}")


def _enabled_extensions() -> set[str]:
    """Every server extension some config directory switches on."""
    names: set[str] = set()
    for directory in jupyter_config_path():
        for file in Path(directory, "jupyter_server_config.d").glob("*.json"):
            enabled = json.loads(file.read_text()).get("ServerApp", {}).get("jpserver_extensions", {})
            names.update(name for name, on in enabled.items() if on)
    return names


def _tree(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            children.setdefault(_stat(int(entry))[0], []).append(int(entry))
    found, queue = [], [pid]
    while queue:
        member = queue.pop()
        found.append(member)
        queue += children.get(member, [])
    return found


def _stat(pid: int) -> tuple[int, float]:
    """Parent and CPU seconds (own and of ended children); (-1, 0) when the process is gone. Fields as in proc(5)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return -1, 0.0
    return int(fields[1]), sum(int(field) for field in fields[11:15]) / _TICKS
