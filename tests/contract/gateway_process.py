"""A real gateway in a process of its own, as `jupyter openclaw serve --json` starts it."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.processes import stop

READY_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class RunningGateway:
    """A gateway that has said it is ready. `url` is the socket's, `http_url` the same port's."""

    url: str
    http_url: str
    token: str
    pid: int
    state_dir: Path


@contextmanager
def running_gateway(state_dir: Path, *, config: Mapping[str, Any] | None = None) -> Iterator[RunningGateway]:
    """Start a gateway on a free port over `state_dir` and stop it at the end.

    Raises RuntimeError with the process's own words when it does not get ready.
    """
    state_dir.mkdir(parents=True, exist_ok=True)
    if config is not None:
        (state_dir / "openclaw.json").write_text(json.dumps(config))
    log = state_dir / "serve.log"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OPENCLAW_")}
    command = [sys.executable, "-m", "openclaw_gateway", "serve", "--json", "--port", "0", "--state-dir", str(state_dir)]
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=stderr, env=environment, cwd=state_dir, start_new_session=True
        )
        try:
            yield _ready(process, state_dir, log)
        finally:
            stop(process)


def _ready(process: subprocess.Popen[bytes], state_dir: Path, log: Path) -> RunningGateway:
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    assert process.stdout is not None
    threading.Thread(target=_pump, args=(process.stdout, lines), daemon=True).start()
    try:
        line = lines.get(timeout=READY_WITHIN_S)
    except queue.Empty:
        line = b""
    if not line:
        raise RuntimeError(f"the gateway did not get ready: {log.read_text(errors='replace')[-4000:]}")
    ready = json.loads(line)
    assert ready["ready"] is True
    address = str(ready["url"]).split("://", 1)[1].rstrip("/")
    return RunningGateway(f"ws://{address}/", f"http://{address}", ready["token"], ready["pid"], state_dir)


def _pump(stream: Any, lines: queue.SimpleQueue[bytes]) -> None:
    for line in stream:
        lines.put(line)
    lines.put(b"")
