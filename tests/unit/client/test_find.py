"""Finding the gateway, or starting one: the started program is a small stand-in that speaks HTTP."""

from __future__ import annotations

import os
import signal
import stat
import sys

import pytest

from openclaw_kernel.client.find import GatewayNotStarted, ensure_gateway, find_gateway
from openclaw_kernel.store.lock import StateLock

STAND_IN = """
import http.server, os, pathlib, time
from openclaw_kernel.store.runtime_file import RuntimeInfo, write_runtime
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/ready" else 404)
        self.end_headers()
server = http.server.HTTPServer(("127.0.0.1", 0), Ready)
url = f"ws://127.0.0.1:{server.server_port}"
write_runtime(pathlib.Path(os.environ["OPENCLAW_STATE_DIR"]), RuntimeInfo(url, "t", os.getpid(), 1, "0"))
server.serve_forever()
"""


async def test_a_gateway_is_started_and_then_found(tmp_path):
    said = []
    command = (sys.executable, "-c", STAND_IN)
    info = await ensure_gateway(tmp_path, command=command, progress=said.append)
    try:
        assert find_gateway(tmp_path) == info
        assert os.getsid(info.pid) == info.pid
        assert (await ensure_gateway(tmp_path, command=("/nonexistent",))).pid == info.pid
        assert said == ["starting the OpenClaw gateway", f"the gateway is ready at {info.url}"]
        assert stat.S_IMODE((tmp_path / "logs" / "serve.log").stat().st_mode) == 0o600
    finally:
        os.kill(info.pid, signal.SIGTERM)


async def test_a_gateway_that_ends_is_reported_with_its_last_words(tmp_path):
    command = (sys.executable, "-c", "import sys; sys.exit('port 18789 is taken')")
    with pytest.raises(GatewayNotStarted, match=r"ended with code 1; see .*serve\.log: port 18789 is taken"):
        await ensure_gateway(tmp_path, command=command)


async def test_no_gateway(tmp_path):
    assert find_gateway(tmp_path) is None


async def test_giving_way_to_another_start_is_no_failure(tmp_path):
    command = (sys.executable, "-c", "import sys; sys.exit('the directory is in use')")
    with StateLock.acquire(tmp_path), pytest.raises(GatewayNotStarted, match=r"was not ready within 0\.5 s"):
        await ensure_gateway(tmp_path, command=command, timeout=0.5)
