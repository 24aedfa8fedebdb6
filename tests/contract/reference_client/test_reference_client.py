"""The client OpenClaw publishes talks to our gateway as to its own (protocol sections 3 and 4)."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.contract.gateway_process import RunningGateway
from tests.contract.published import Published

pytestmark = [pytest.mark.npm, pytest.mark.timeout(420)]

SCRIPT = Path(__file__).with_name("turn.mjs")


def take_turn(packages: Published, job: dict[str, Any], *, expect: int = 0) -> dict[str, Any]:
    """Run `turn.mjs` where Node finds the packages; returns what it printed."""
    script = packages.folder / SCRIPT.name
    shutil.copyfile(SCRIPT, script)
    done = subprocess.run(
        [packages.node, str(script), json.dumps(job)], cwd=packages.folder, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == expect, done.stdout[-2000:] + done.stderr[-2000:]
    printed: dict[str, Any] = json.loads(done.stdout)
    return printed


def check_turn(turn: dict[str, Any], message: str) -> None:
    assert turn["hello"]["type"] == "hello-ok"
    assert turn["hello"]["protocol"] == 4
    assert turn["ack"]["runId"] == turn["runId"]
    assert turn["ack"]["status"] in ("started", "queued")
    assert turn["last"]["state"] == "final"
    text = "".join(part["text"] for part in turn["last"]["message"]["content"] if part["type"] == "text")
    assert turn["deltas"], "no deltas before the final event"
    assert "".join(turn["deltas"]) == text
    roles = [entry["role"] for entry in turn["history"]["messages"]]
    assert roles[-2:] == ["user", "assistant"]
    said = turn["history"]["messages"][-2]
    assert message in json.dumps(said["content"])
    assert said["idempotencyKey"] == f"{turn['runId']}:user"


def test_token_alone(gateway: RunningGateway, client_packages: Published) -> None:
    job = {"url": gateway.url, "token": gateway.token, "sessionKey": "agent:main:reference-token", "message": "hello"}
    turn = take_turn(client_packages, job)
    check_turn(turn, "hello")
    assert turn["hello"]["auth"]["scopes"] == ["operator.read", "operator.write"]
    assert "deviceToken" not in turn["hello"]["auth"]


def test_device_identity_and_the_token_it_earns(gateway: RunningGateway, client_packages: Published) -> None:
    session = "agent:main:reference-device"
    job = {"url": gateway.url, "token": gateway.token, "device": "new", "sessionKey": session, "message": "hello"}
    first = take_turn(client_packages, job)
    check_turn(first, "hello")
    earned = first["hello"]["auth"]["deviceToken"]
    assert len(earned) == 43
    assert first["device"]["deviceToken"] == earned

    again = take_turn(client_packages, {**job, "token": None, "device": first["device"], "message": "hello again"})
    check_turn(again, "hello again")
    assert len(again["history"]["messages"]) == 4


def test_wrong_token_is_refused(gateway: RunningGateway, client_packages: Published) -> None:
    job = {"url": gateway.url, "token": "wrong", "sessionKey": "agent:main:reference-wrong", "message": "hello"}
    refused = take_turn(client_packages, job, expect=1)
    assert refused["details"]["code"] == "AUTH_TOKEN_MISMATCH"
