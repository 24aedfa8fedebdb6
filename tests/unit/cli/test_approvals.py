"""`approvals allowlist`: what lasts is shown with its place and origin, and can be taken back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from openclaw_gateway.cli import main
from tests.unit.cli.fake_gateway import FakeGateway, fake_gateway, result


@pytest.fixture
def gateway() -> Iterator[FakeGateway]:
    with fake_gateway() as running:
        yield running


def _have() -> dict[str, Any]:
    def entry(pattern: str, cwd: str = "") -> dict[str, Any]:
        return {
            "pattern": pattern,
            "cwd": cwd,
            "createdAtMs": 1_795_201_762_206,
            "source": "allow-always",
            "addedBy": "sidebar",
        }

    agents = {"main": {"allowlist": [entry("=git log", "/home/w"), entry("ls")]}, "mail": {"allowlist": [entry("ls")]}}
    return {"path": "x", "exists": True, "file": {"version": 1, "defaults": {}, "agents": agents}, "hash": "h1"}


def run(gateway: FakeGateway, *words: str) -> int:
    return main(["approvals", "allowlist", *words, "--url", gateway.url, "--token", "t"])


def test_the_list_says_where_and_by_whom(gateway: FakeGateway, capsys: pytest.CaptureFixture[str]) -> None:
    gateway.reply("exec.approvals.get", _have())
    assert run(gateway, "list") == 0
    out = capsys.readouterr().out
    assert "=git log" in out and "/home/w" in out and "any" in out and "sidebar" in out
    assert run(gateway, "list", "--agent", "mail", "--json") == 0
    assert [row["agent"] for row in json.loads(capsys.readouterr().out)] == ["mail"]


def test_an_entry_is_taken_back_with_the_hash_that_was_read(gateway: FakeGateway, capsys: pytest.CaptureFixture[str]) -> None:
    gateway.reply("exec.approvals.get", _have())
    gateway.answers["exec.approvals.set"] = lambda request: [result(request, _have())]
    assert run(gateway, "remove", "ls", "--agent", "main") == 0
    assert "Took back 1 entry." in capsys.readouterr().out
    method, sent = gateway.requests[-1]
    assert method == "exec.approvals.set" and sent["baseHash"] == "h1"
    kept = {name: [entry["pattern"] for entry in agent["allowlist"]] for name, agent in sent["file"]["agents"].items()}
    assert kept == {"main": ["=git log"], "mail": ["ls"]}
    assert run(gateway, "remove", "nothing") == 1
    assert "There is no entry 'nothing'" in capsys.readouterr().err


def test_grants_of_jobs_are_listed_and_revoked(gateway: FakeGateway, capsys: pytest.CaptureFixture[str]) -> None:
    have = _have()
    grant = {**have["file"]["agents"]["mail"]["allowlist"][0], "job": "backup", "expiresAtMs": 1_895_201_762_206}
    have["file"]["agents"]["mail"]["allowlist"].append(grant)
    gateway.reply("exec.approvals.get", have)
    gateway.answers["exec.approvals.set"] = lambda request: [result(request, have)]
    words = ["--url", gateway.url, "--token", "t"]
    assert main(["approvals", "grants", "list", *words]) == 0
    out = capsys.readouterr().out
    assert "backup" in out and "2030" in out and "/home/w" not in out
    assert main(["approvals", "grants", "revoke", "ls", "--job", "backup", *words]) == 0
    kept = gateway.requests[-1][1]["file"]["agents"]
    assert [entry.get("job") for entry in kept["mail"]["allowlist"]] == [None] and len(kept["main"]["allowlist"]) == 2
    assert main(["approvals", "grants", "revoke", "ls", "--job", "other", *words]) == 1
    assert "approvals grants list" in capsys.readouterr().err
