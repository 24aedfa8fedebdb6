from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from openclaw_kernel.config.loader import ConfigError, LoadedConfig
from openclaw_kernel.config.redact import REDACTED, RedactionError, redact, restore
from openclaw_kernel.config.reload import ReloadPlan, plan
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.config.service import ConfigStore
from openclaw_kernel.store.errors import StoreError
from openclaw_kernel.values.errors import OpenClawError

RAW = """{
  // my gateway; once the token was hunter2-hunter2
  gateway: {mode: "local", auth: {token: "hunter2-hunter2"}},
  models: {providers: {p: {apiKey: "${KEY}", headers: {"X-Any": "hunter3-hunter3"}}}},
}
"""


@pytest.fixture
def store(tmp_path: Path) -> ConfigStore:
    path = tmp_path / "openclaw.json"
    path.write_text(RAW)
    return ConfigStore(path, {"HOME": str(tmp_path), "KEY": "hunter4-hunter4"}, clock=lambda: 7)


def test_the_snapshot_has_no_secret_in_any_part(store: ConfigStore) -> None:
    snapshot = store.snapshot()
    assert "hunter" not in json.dumps(snapshot)
    assert snapshot["valid"] is True
    assert snapshot["parsed"]["gateway"]["auth"]["token"] == REDACTED
    assert snapshot["parsed"]["models"]["providers"]["p"]["apiKey"] == "${KEY}"
    assert snapshot["config"]["models"]["providers"]["p"]["apiKey"] == REDACTED


async def test_writing_the_snapshot_back_keeps_secrets_and_tells_what_changed(store: ConfigStore) -> None:
    seen: list[tuple[LoadedConfig, ReloadPlan]] = []
    store.on_reload.append(lambda loaded, changes: seen.append((loaded, changes)))
    snapshot = store.snapshot()
    raw = snapshot["raw"].replace('mode: "local",', 'mode: "local", port: 5,')
    loaded = await store.write(raw, snapshot["hash"])
    assert loaded.config.gateway.auth.token == "hunter2-hunter2"
    assert seen == [(loaded, ReloadPlan(restart=("gateway.port",)))]
    assert store.current is loaded
    assert store.path.stat().st_mode & 0o777 == 0o600


async def test_patch_keeps_comments(store: ConfigStore) -> None:
    await store.patch({"ui": {"assistant": {"name": "Claw"}}}, store.current.hash)
    text = store.path.read_text()
    assert "// my gateway" in text
    assert store.current.config.ui.assistant.name == "Claw"


async def test_a_stale_or_missing_hash_is_refused(store: ConfigStore) -> None:
    old = store.current.hash
    store.path.write_text(RAW.replace("once", "long ago"))
    for base in (old, None):
        with pytest.raises(OpenClawError, match="base hash"):
            await store.patch({"cron": {"enabled": False}}, base)
    assert "long ago" in store.path.read_text()


async def test_an_invalid_write_is_refused_and_kept_aside(store: ConfigStore) -> None:
    with pytest.raises(ConfigError, match=r"gateway\.prot"):
        await store.patch({"gateway": {"prot": 1}}, store.current.hash)
    assert store.path.read_text() == RAW
    assert "prot" in store.path.with_name("openclaw.json.rejected-7").read_text()
    with pytest.raises(ConfigError, match="not valid JSON5"):
        await store.write('{"a": "__OPENCLAW_REDACTED__"', store.current.hash)


async def test_the_clobber_guard(store: ConfigStore) -> None:
    with pytest.raises(OpenClawError, match=r"drop gateway\.mode"):
        await store.write("{gateway: {}}", store.current.hash)
    with pytest.raises(OpenClawError, match=r"gateway\.auth\.token holds a placeholder"):
        await store.patch({"gateway": {"auth": {"token": "***"}}}, store.current.hash)
    await store.patch({"tools": {"exec": {"safeBins": ["*"]}}, "meta": {"text": "x" * 600}}, store.current.hash)
    with pytest.raises(OpenClawError, match="more than half"):
        await store.patch({"meta": None}, store.current.hash)
    with pytest.raises(RedactionError, match=r"ui\.assistant\.name holds the placeholder"):
        await store.write(RAW[:-2] + f'ui: {{assistant: {{name: "{REDACTED}"}}}}}}', store.current.hash)


async def test_a_broken_edit_keeps_the_running_config_and_says_so(store: ConfigStore) -> None:
    before = store.current
    store.path.write_text("{gateway: {port: 'x'}}")
    assert isinstance(await store.reload(), ConfigError)
    assert store.current is before
    snapshot = store.snapshot()
    assert snapshot["valid"] is False
    assert snapshot["issues"] == [{"path": "gateway.port", "message": "must be a whole number, not a text"}]
    store.path.write_text(RAW)
    assert await store.reload() == ReloadPlan()
    assert store.snapshot()["valid"] is True


async def test_a_client_can_mend_a_broken_file(store: ConfigStore) -> None:
    store.path.write_text("{broken")
    await store.reload()
    await store.patch({"cron": {"enabled": False}}, store.current.hash)
    assert store.current.config.cron.enabled is False
    assert store.path.with_name("openclaw.json.rejected-7").read_text() == "{broken"


async def test_last_known_good_and_a_full_disk(store: ConfigStore, monkeypatch: pytest.MonkeyPatch) -> None:
    await store.mark_good()
    assert store.last_good_path.name == "openclaw.json.last-good"
    assert store.last_good_path.read_text() == RAW

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    before = store.current
    with pytest.raises(StoreError, match="the disk is full"):
        await store.patch({"cron": {"enabled": False}}, store.current.hash)
    await store.mark_good()
    assert store.current is before
    assert store.path.read_text() == RAW


async def test_the_first_write_makes_the_file(tmp_path: Path) -> None:
    store = ConfigStore(tmp_path / "new" / "openclaw.json", {"HOME": str(tmp_path)})
    assert store.snapshot()["exists"] is False
    await store.patch({"gateway": {"port": 5}}, None)
    assert store.current.config.gateway.port == 5
    assert store.path.exists()


async def test_an_edit_on_disk_is_noticed(store: ConfigStore) -> None:
    changed = asyncio.Event()
    stop = asyncio.Event()
    store.on_reload.append(lambda _loaded, _changes: changed.set())
    watcher = asyncio.create_task(store.watch(stop=stop))

    async def edit_until_seen() -> None:
        # The watcher gives no sign of being ready, so the edit is repeated until it answers.
        number = 0
        while not changed.is_set():
            number += 1
            store.path.write_text(RAW.replace('mode: "local",', f'mode: "local", port: {number},'))
            try:
                await asyncio.wait_for(changed.wait(), 1)
            except TimeoutError:
                continue

    await asyncio.wait_for(edit_until_seen(), 30)
    stop.set()
    await watcher
    assert store.current.config.gateway.port > 0


def test_the_schema_speaks_openclaws_keys(store: ConfigStore) -> None:
    schema = store.schema()
    assert {"$schema", "gateway", "nodeHost"} <= schema["properties"].keys()
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize(
    ("change", "hot", "restart"),
    [
        ({"gateway": {"port": 1}}, (), ("gateway.port",)),
        ({"gateway": {"auth": {"token": "t"}}}, ("gateway.auth.token",), ()),
        ({"gateway": {"auth": {"password": "t"}}}, ("gateway.auth.password",), ("gateway.auth.mode",)),
        ({"channels": {"telegram": {"enabled": True}}}, ("channels.telegram",), ()),
        ({"plugins": {"load": {"paths": ["x"]}}}, (), ("plugins.load.paths",)),
        ({"tools": {"deny": ["exec"]}, "logging": {"level": "debug"}}, ("logging.level", "tools.deny"), ()),
        ({}, (), ()),
    ],
)
def test_the_reload_plan(change: dict[str, object], hot: tuple[str, ...], restart: tuple[str, ...]) -> None:
    changes = plan(OpenClawConfig(), OpenClawConfig.model_validate(change))
    assert changes == ReloadPlan(hot, restart)
    assert changes.empty == (not hot and not restart)
    assert changes.touches("channels") == ("channels.telegram" in hot)


def test_redact_and_restore_are_inverse_also_for_moved_rows() -> None:
    parsed = {
        "list": [{"id": "a", "apiKey": "ka"}, {"id": "b", "botToken": "kb"}],
        "maxTokens": 5,
        "url": "redis://user:pw@host/",
        "signingSecret": {"source": "env", "id": "X"},
    }
    hidden = redact(parsed)
    assert "ka" not in json.dumps(hidden) and "pw@" not in json.dumps(hidden)
    assert (hidden["maxTokens"], hidden["signingSecret"]) == (5, parsed["signingSecret"])
    assert restore(hidden, parsed) == parsed
    moved = hidden | {"list": hidden["list"][::-1]}
    assert restore(moved, parsed)["list"] == parsed["list"][::-1]  # type: ignore[index]


def test_the_variables_of_servers_and_skills_are_hidden_whatever_their_names() -> None:
    reference = {"source": "env", "id": "PIN"}
    parsed = {
        "mcp": {"servers": {"bank": {"command": "bank-mcp", "env": {"PIN": "0815-hush", "OTHER": reference}}}},
        "skills": {"entries": {"door": {"env": {"CODE": "4711-hush"}}}},
    }
    hidden = redact(parsed)
    assert "hush" not in str(hidden) and hidden["mcp"]["servers"]["bank"]["command"] == "bank-mcp"
    assert hidden["mcp"]["servers"]["bank"]["env"]["OTHER"] == reference
    assert restore(hidden, parsed) == parsed
