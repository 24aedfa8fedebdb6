"""The official command line plans, lists, runs and removes our jobs. Optional, as its neighbour."""

from __future__ import annotations

from tests.contract.official_cli.test_official_cli import OfficialCli, _json, cli, packages, pytestmark

__all__ = ["cli", "packages", "pytestmark"]


def test_cron_add_list_run_remove(cli: OfficialCli) -> None:
    words = ["cron", "add", "--name", "t1", "--every", "1h", "--session", "isolated", "--message", "hello", "--json"]
    job = _json(cli.run(*words, addressed=True))
    assert job["id"] and job["schedule"]["everyMs"] == 3_600_000
    assert "t1" in cli.run("cron", "list", addressed=True)
    assert _json(cli.run("cron", "status", "--json", addressed=True))["jobs"] == 1
    assert _json(cli.run("cron", "run", job["id"], addressed=True))["ok"] is True
    assert job["id"] in cli.run("cron", "runs", "--id", job["id"], addressed=True)
    cli.run("cron", "disable", job["id"], addressed=True)
    assert _json(cli.run("cron", "rm", job["id"], "--json", addressed=True))["removed"] is True
