"""The official command line against our gateway (protocol section 8). Optional: the package is some 700 MB."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.contract.gateway_process import RunningGateway
from tests.contract.published import Published, official_cli

LANE = "OPENCLAW_TEST_OFFICIAL_CLI"

pytestmark = [
    pytest.mark.npm,
    pytest.mark.timeout(1500),
    pytest.mark.skipif(os.environ.get(LANE) != "1", reason=f"official CLI lane is off; set {LANE}=1 to install npm `openclaw`"),
]


@pytest.fixture(scope="module")
def packages() -> Published:
    return official_cli()


class OfficialCli:
    """`openclaw …` with a home of its own, pointed at our gateway through its own config."""

    def __init__(self, packages: Published, home: Path, gateway: RunningGateway) -> None:
        self._packages = packages
        self._home = home
        self._address = ["--url", gateway.url, "--token", gateway.token]
        config = {"gateway": {"mode": "remote", "remote": {"url": gateway.url, "token": gateway.token}}}
        state = home / ".openclaw"
        state.mkdir(parents=True)
        (state / "openclaw.json").write_text(json.dumps(config))

    def run(self, *args: str, addressed: bool = False) -> str:
        """Standard output of one command; fails the test with what it printed when it exits otherwise than 0."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("OPENCLAW_")}
        environment |= {"HOME": str(self._home), "OPENCLAW_STATE_DIR": str(self._home / ".openclaw"), "NO_COLOR": "1"}
        entry = self._packages.package("openclaw") / "openclaw.mjs"
        command = [self._packages.node, str(entry), *args, *(self._address if addressed else [])]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, cwd=self._home)
        print(f"$ openclaw {' '.join(args)}\n{done.stdout[-3000:]}{done.stderr[-1500:]}")
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout


@pytest.fixture
def cli(packages: Published, tmp_path: Path, gateway: RunningGateway) -> OfficialCli:
    return OfficialCli(packages, tmp_path / "home", gateway)


def _json(text: str) -> Any:
    """The JSON value in what a command printed, past any line that came before it."""
    start = re.search(r"^[\[{]", text, re.MULTILINE)
    assert start is not None, text
    return json.loads(text[start.start() :])


def test_gateway_call_health(cli: OfficialCli) -> None:
    health = _json(cli.run("gateway", "call", "health", "--params", "{}", "--json", addressed=True))
    assert health["ok"] is True
    assert health["defaultAgentId"] == "main"


def test_gateway_probe(cli: OfficialCli) -> None:
    probe = _json(cli.run("gateway", "probe", "--json", addressed=True))
    assert probe["ok"] is True


def test_agent_message(cli: OfficialCli) -> None:
    answer = _json(cli.run("agent", "--session-key", "agent:main:official", "--message", "hello", "--json"))
    assert answer["status"] == "ok"
    assert answer["result"]["payloads"][0]["text"].strip()


def test_models_list(cli: OfficialCli) -> None:
    assert "offline" in cli.run("models", "list")


def test_logs(cli: OfficialCli) -> None:
    assert cli.run("logs", "--limit", "5", addressed=True).strip()
