"""The config of a running gateway: what is in force, who may change it, and what a change does (CFG-08 to CFG-13)."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from openclaw_kernel.config.edit import merge_patch
from openclaw_kernel.config.json5 import Json5Error, loads, parse
from openclaw_kernel.config.loader import ConfigError, LoadedConfig, load_config, read_config
from openclaw_kernel.config.problems import Problem
from openclaw_kernel.config.redact import REDACTED, redact, redact_raw, restore_raw, scalars
from openclaw_kernel.config.reload import ReloadPlan, plan, watch
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.store.atomic import write_atomic
from openclaw_kernel.store.errors import StoreError
from openclaw_kernel.values.clock import Clock, system_clock
from openclaw_kernel.values.errors import invalid

OnReload = Callable[[LoadedConfig, ReloadPlan], None]
LAST_GOOD = ".last-good"
_SHRINK_FROM = 512
"""Bytes below which a file may shrink by any amount."""

_MASK = re.compile(r"[*•]{3,}")

_log = logging.getLogger(__name__)


class ConfigStore:
    """Loads in its constructor, which blocks and raises `ConfigError`; afterwards `current` is always a valid config."""

    def __init__(self, path: Path, env: Mapping[str, str], *, clock: Clock = system_clock) -> None:
        self.path = path
        self.env = env
        self.current: LoadedConfig = load_config(path, env)
        self.broken: ConfigError | None = None
        self.on_reload: list[OnReload] = []
        self.before_reload: list[Callable[[OpenClawConfig], None]] = []
        """Run in a thread before a changed configuration is in force: what blocks, such as resolving secrets."""
        self._clock = clock
        self._lock = asyncio.Lock()
        self._schema: dict[str, Any] | None = None

    def snapshot(self) -> dict[str, Any]:
        """The result of `config.get`, secrets as `__OPENCLAW_REDACTED__` (protocol section 6). No disk is touched."""
        loaded = self.current
        issues = self.broken.problems if self.broken else []
        return {
            "path": str(self.path),
            "exists": loaded.exists,
            "raw": redact_raw(loaded.raw) if loaded.exists else None,
            "parsed": redact(loaded.parsed),
            "valid": self.broken is None,
            "config": redact(loaded.config.to_wire()),
            "hash": loaded.hash,
            "issues": [{"path": row.path, "message": row.message} for row in issues],
            "warnings": [{"path": "", "message": text} for text in loaded.warnings],
        }

    async def write(self, raw: str, base_hash: str | None) -> LoadedConfig:
        """Replace the file by `raw`, whose placeholders get their stored values back, and take it in.

        Raises `OpenClawError` when `base_hash` is not that of the file now or the guard refuses, `ConfigError` when `raw`
        is not valid (it is kept beside the file then), `StoreError` when the disk refuses.
        """
        async with self._lock:
            disk = await self._disk(base_hash)
            return await self._replace(disk, raw)

    async def patch(self, patch: Mapping[str, Any], base_hash: str | None) -> LoadedConfig:
        """Merge `patch` into the file, comments kept; raises as `write` does."""
        async with self._lock:
            disk = await self._disk(base_hash)
            return await self._replace(disk, merge_patch(disk.raw, patch))

    async def reload(self) -> ReloadPlan | ConfigError:
        """Read the file again. A broken one is returned, remembered for `snapshot`, and the running config stays."""
        async with self._lock:
            try:
                loaded = await asyncio.to_thread(load_config, self.path, self.env)
            except ConfigError as error:
                self.broken = error
                _log.warning("The running configuration stays in force. %s", error)
                return error
            return await self._take(loaded)

    async def watch(self, *, stop: asyncio.Event | None = None) -> None:
        """Reload on every change of the file or its includes until `stop`; nothing when `gateway.reload.mode` is off."""
        settings = self.current.config.gateway.reload

        async def changed() -> None:
            await self.reload()

        if settings.mode != "off":
            await watch(lambda: [self.path, *self.current.files], changed, debounce_ms=settings.debounce_ms, stop=stop)

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the file, in OpenClaw's keys."""
        if self._schema is None:
            self._schema = OpenClawConfig.model_json_schema(by_alias=True)
        return self._schema

    async def mark_good(self) -> None:
        """Keep a copy of the file as `<name>.last-good` after a start that worked (CFG-11). A full disk is only logged."""
        if self.current.exists:
            try:
                await asyncio.to_thread(write_atomic, self.last_good_path, self.current.raw)
            except StoreError as error:
                _log.warning("The last known good configuration was not kept. %s", error)

    @property
    def last_good_path(self) -> Path:
        return self.path.with_name(self.path.name + LAST_GOOD)

    async def _disk(self, base_hash: str | None) -> LoadedConfig:
        """The file as it is now; a broken one counts as its text, so that a write can mend it."""
        try:
            disk = await asyncio.to_thread(load_config, self.path, self.env)
        except ConfigError as error:
            if self.broken is None or str(error) != str(self.broken):
                raise
            disk = self.current
            # The write starts from the config in force and replaces the broken edit, which may be someone's work.
            await self._keep_rejected(await asyncio.to_thread(self.path.read_text, "utf-8", "replace"))
        if disk.exists and base_hash != disk.hash:
            reason = "is missing" if base_hash is None else "is not that of the file now"
            raise invalid(f"The base hash {reason}; read the configuration again (config.get) and repeat the change.")
        return disk

    async def _replace(self, disk: LoadedConfig, raw: str) -> LoadedConfig:
        text = self._restored(raw, disk)
        try:
            self._guard(disk, text)
            loaded = await asyncio.to_thread(read_config, self.path, text, self.env)
        except ConfigError:
            await self._keep_rejected(text)
            raise
        await asyncio.to_thread(write_atomic, self.path, text)
        await self._take(loaded)
        return loaded

    def _restored(self, raw: str, disk: LoadedConfig) -> str:
        try:
            return restore_raw(raw, loads(disk.raw) if disk.exists else {})
        except Json5Error as error:
            problem = Problem(
                "", f"this is not valid JSON5: {error.reason} (column {error.column})", str(self.path), error.line
            )
            raise ConfigError(self.path, [problem]) from error

    def _guard(self, disk: LoadedConfig, text: str) -> None:
        """Refuse what looks like an accident rather than a wish (CFG-12)."""
        try:
            tree = parse(text)
        except Json5Error:
            return
        for node, path in scalars(tree):
            if isinstance(node.value, str) and (node.value == REDACTED or _MASK.fullmatch(node.value)):
                raise invalid(f"{'.'.join(map(str, path))} holds a placeholder instead of a value; write the value.")
        new = loads(text)
        if not isinstance(new, dict) or not disk.exists:
            return
        had_mode = (disk.parsed.get("gateway") or {}).get("mode")
        if had_mode and "mode" not in (new.get("gateway") or {}) and "$include" not in new:
            raise invalid("The change would drop gateway.mode; keep it, or edit the file by hand.")
        if len(disk.raw) >= _SHRINK_FROM and len(text) * 2 < len(disk.raw):
            raise invalid("The change would shrink the file by more than half; edit the file by hand if that is meant.")

    async def _keep_rejected(self, text: str) -> None:
        aside = self.path.with_name(f"{self.path.name}.rejected-{self._clock()}")
        try:
            await asyncio.to_thread(write_atomic, aside, text)
        except StoreError as error:
            _log.warning("The rejected configuration was not kept. %s", error)

    async def _take(self, loaded: LoadedConfig) -> ReloadPlan:
        """Put `loaded` in force and tell who asked to know."""
        changes = plan(self.current.config, loaded.config)
        for prepare in self.before_reload:
            await asyncio.to_thread(prepare, loaded.config)
        self.current, self.broken = loaded, None
        for warning in loaded.warnings:
            _log.warning("%s", warning)
        if not changes.empty:
            for listener in self.on_reload:
                listener(loaded, changes)
        return changes
