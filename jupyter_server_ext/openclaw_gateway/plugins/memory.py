"""Memory back ends of plugins: found by name, made late, and watched. A failure is a sentence, never a broken turn."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import TypeVar

from openclaw_gateway.plugins.loader import Plugins
from openclaw_kernel.memory.api import (
    KINDS,
    RESULTS,
    WINDOW_LINES,
    Excerpt,
    ForgetReport,
    Hit,
    Kind,
    MemoryBackend,
    MemoryStatus,
    Selector,
    SyncReport,
)
from openclaw_kernel.memory.memories import Maker, Wanted
from openclaw_kernel.values.errors import OpenClawError, UserError

T = TypeVar("T")
log = logging.getLogger(__name__)


def memory_makers(plugins: Plugins) -> dict[str, Maker]:
    """The back ends of all plugins that run, by name. A plugin with one back end is also found by its id."""
    found: dict[str, Maker] = {}
    named: dict[str, Maker] = {}
    for plugin in plugins.active():
        own = plugin.manifest.origin == "bundled"
        makers = {name: _later(build, None if own else (plugins, plugin.id)) for name, build in plugin.offers.memory.items()}
        for name in makers:
            if name in found:
                log.error("the memory back end %s of plugin %s is left out: the name is taken", name, plugin.id)
        found = makers | found
        if len(makers) == 1:
            named[plugin.id] = next(iter(makers.values()))
    return named | found


def _later(build: Callable[[], Maker], watched: tuple[Plugins, str] | None) -> Maker:
    """`watched` is what a plugin of somebody else belongs to."""

    def make(wanted: Wanted) -> MemoryBackend:
        if watched is None:
            return build()(wanted)
        plugins, plugin_id = watched
        if not plugins.is_active(plugin_id):
            raise UserError(f"The memory needs plugin {plugin_id}, which was switched off; see plugins.list.")
        try:
            return WatchedMemory(plugins, plugin_id, build()(wanted))
        except (UserError, OpenClawError):
            raise
        except Exception as error:
            log.exception("the memory of plugin %s could not be made", plugin_id)
            raise _failed(plugin_id, error) from error

    return make


class WatchedMemory:
    """`MemoryBackend` of a plugin. Raises nothing but `UserError` and `OpenClawError`."""

    def __init__(self, plugins: Plugins, plugin_id: str, inner: MemoryBackend) -> None:
        self._plugins = plugins
        self._id = plugin_id
        self._inner = inner

    async def sync(self, changed: Iterable[Path] | None = None) -> SyncReport:
        return await self._call(lambda: self._inner.sync(changed))

    async def search(self, query: str, *, limit: int = RESULTS, kinds: frozenset[Kind] = KINDS) -> list[Hit]:
        hits = await self._call(lambda: self._inner.search(query, limit=limit, kinds=kinds))
        return [hit for hit in hits if hit.kind in kinds][:limit]

    async def get(self, path: str, start: int = 1, lines: int = WINDOW_LINES) -> Excerpt:
        return await self._call(lambda: self._inner.get(path, start, lines))

    async def forget(self, selector: Selector) -> ForgetReport:
        return await self._call(lambda: self._inner.forget(selector))

    async def status(self) -> MemoryStatus:
        return await self._call(self._inner.status)

    async def close(self) -> None:
        await self._call(self._inner.close, always=True)

    async def _call(self, work: Callable[[], Awaitable[T]], *, always: bool = False) -> T:
        if not always and not self._plugins.is_active(self._id):
            raise UserError(f"The memory needs plugin {self._id}, which was switched off; see plugins.list.")
        try:
            return await work()
        except (UserError, OpenClawError):
            raise
        except Exception as error:
            log.exception("the memory of plugin %s failed", self._id)
            raise _failed(self._id, error) from error


def _failed(plugin_id: str, error: Exception) -> UserError:
    return UserError(f"The memory of plugin {plugin_id} failed: {type(error).__name__}: {error}.")
