"""Finding plugins without running them, letting in only the named ones, and living on when one fails."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.channels.registry import BUILT_IN
from openclaw_gateway.plugins.api import PluginApi
from openclaw_gateway.plugins.builtins import BUILTINS, CHANNELS
from openclaw_gateway.plugins.loader import Plugins
from openclaw_gateway.plugins.manifest import PluginManifest, installed
from openclaw_kernel.config.schema.plugins import Plugins as Settings
from openclaw_kernel.values.errors import UserError

GOOD = """
from openclaw_gateway.plugins.api import hookimpl
RAN.append("imported") if "RAN" in globals() else None
@hookimpl
def openclaw_register(api):
    api.hook("agent_end", lambda event: None)
    api.config["seen"] if api.config.get("crash") else None
"""


def write(folder: Path, code: str, **manifest: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    folder.parent.chmod(0o755)
    (folder / "code.py").write_text(code)
    (folder / "openclaw.plugin.json").write_text(json.dumps({"id": folder.name, "entry": "code.py", **manifest}))
    return folder


def loaded(state: Path, *paths: Path, allow: Sequence[str] = (), **more: Any) -> Plugins:
    settings = {"allow": list(allow), "load": {"paths": [str(path) for path in paths]}, **more}
    plugins = Plugins(Settings.model_validate(settings), state, scan=lambda _cache: [])
    plugins.load()
    return plugins


def test_built_ins_register_the_same_way(tmp_path: Path) -> None:
    plugins = loaded(tmp_path)
    assert [row.id for row in plugins.active()] == list(BUILTINS)
    brought = {row.id: row.offers.counts() for row in plugins.active()}
    assert brought["telegram"] == {"channels": 1} and brought["core-providers"]["providers"] > 10
    assert brought["core-tools"] == {"tools": 1} and brought["core-memory"] == {"memory": 1}
    assert list(CHANNELS.values()) == list(BUILT_IN), "the channels room and the plugin list name the same"
    off = loaded(tmp_path, entries={"telegram": {"enabled": False}})
    row = off.get("telegram")
    assert row is not None and row.state == "disabled"


def test_only_named_plugins_run(tmp_path: Path) -> None:
    place = write(tmp_path / "p" / "good", GOOD + "raise SystemError('its code ran')\n")
    row = loaded(tmp_path / "s", place).get("good")
    assert row is not None and row.state == "unacknowledged" and "plugins enable good" in row.reason
    good = write(tmp_path / "p" / "good", GOOD)
    plugins = loaded(tmp_path / "s", good, allow=["good"])
    assert plugins.is_active("good") and plugins.bus.has("agent_end")
    for denied in ({"deny": ["good"]}, {"entries": {"good": {"enabled": False}}}):
        row = loaded(tmp_path / "s", good, allow=["good"], **denied).get("good")
        assert row is not None and row.state == "disabled"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise RuntimeError('boom')", "RuntimeError: boom"),
        ("import nothing_like_this", "nothing_like_this"),
        ("x = 1", "no openclaw_register"),
        ("def broken(:", "SyntaxError"),
        (GOOD.replace('"agent_end"', '"no_such_hook"'), "no hook 'no_such_hook'"),
        (GOOD.replace("lambda event: None)", "lambda event: None); 1 / 0"), "ZeroDivisionError"),
    ],
)
def test_a_failing_plugin_is_named_and_alone(tmp_path: Path, code: str, words: str) -> None:
    bad = write(tmp_path / "p" / "bad", code)
    good = write(tmp_path / "p" / "good", GOOD)
    plugins = loaded(tmp_path / "s", bad, good, allow=["good", "bad"])
    row = plugins.get("bad")
    assert row is not None and row.state == "failed" and words in row.reason
    assert row.offers.hooks == [] and plugins.is_active("good")
    assert [found["id"] for found in plugins.health()["errors"]] == ["bad"]


def test_what_is_not_trusted_does_not_run(tmp_path: Path) -> None:
    ran = "raise SystemError('its code ran')"
    writable = write(tmp_path / "p" / "writable", ran)
    (writable / "code.py").chmod(0o666)
    away = write(tmp_path / "p" / "away", ran, entry="../writable/code.py")
    broken = write(tmp_path / "p" / "broken", ran)
    (broken / "openclaw.plugin.json").write_text("{")
    plugins = loaded(tmp_path / "s", writable, away, broken, tmp_path / "none", allow=["writable", "away", "broken", "none"])
    reasons = {row.id: row.reason for row in plugins.all() if row.state == "blocked"}
    assert set(reasons) == {"writable", "away", "broken", "none"}
    assert "by anybody" in reasons["writable"] and "leads out" in reasons["away"]


def test_a_taken_id_is_left_out(tmp_path: Path) -> None:
    fake = write(tmp_path / "p" / "telegram", "raise SystemError('its code ran')")
    plugins = loaded(tmp_path / "s", fake, allow=["telegram"])
    row = plugins.get("telegram")
    assert row is not None and row.manifest.origin == "bundled" and row.state == "active"


def test_quarantine_takes_its_hooks_and_tells(tmp_path: Path) -> None:
    plugins = loaded(tmp_path / "s", write(tmp_path / "p" / "good", GOOD), allow=["good"])
    told: list[str] = []
    plugins.on_failure.append(lambda name, why: told.append(f"{name}: {why}"))
    plugins.quarantine("good", "it is slow")
    plugins.quarantine("good", "again")
    assert told == ["good: it is slow"] and not plugins.bus.has("agent_end") and not plugins.is_active("good")


def test_packages_are_listed_from_metadata_and_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    info = site / "acme_thing-2.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-thing\nVersion: 2.0\nSummary: A thing.\n")
    (info / "entry_points.txt").write_text("[openclaw.plugins]\nthing = acme_thing\n../bad = acme_thing\ngone = not_there\n")
    (site / "acme_thing.py").write_text("raise SystemError('its code ran')")
    monkeypatch.syspath_prepend(str(site))
    cache = tmp_path / "packages.jsonl"
    first = {row.id: row for row in installed(cache, [str(site)])}
    assert first["thing"].package == "acme-thing" and first["thing"].version == "2.0"
    assert first["thing"].root == str(site / "acme_thing.py") and first["thing"].problem == ""
    assert "no plugin id" in first["bad"].problem and "not there" in first["gone"].problem
    assert "acme_thing" not in sys.modules
    monkeypatch.setattr("openclaw_gateway.plugins.manifest._scan", lambda _folders: pytest.fail("it was remembered"))
    assert {row.id for row in installed(cache, [str(site)])} == set(first)


def test_nothing_is_scanned_while_nobody_is_let_in(tmp_path: Path) -> None:
    def scan(_cache: Path) -> list[PluginManifest]:
        pytest.fail("the packages were listed")

    Plugins(Settings(), tmp_path, scan=scan).load()
    Plugins(Settings.model_validate({"enabled": False, "allow": ["x"]}), tmp_path, scan=scan).load()


def test_offers_that_cannot_be(tmp_path: Path) -> None:
    api = PluginApi("acme", {}, tmp_path)
    for path in ("../x", "a//b", "", "a?b", "..", "a/../b"):
        with pytest.raises(UserError):
            api.route(path, None)  # type: ignore[arg-type]
    with pytest.raises(UserError):
        api.command("Bad Name", "", None)  # type: ignore[arg-type]
