"""What a changed config asks for: take it in while running, or start anew (CFG-08, CFG-09)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from openclaw_kernel.config.schema import OpenClawConfig

RESTART: tuple[str, ...] = (
    "gateway.port",
    "gateway.bind",
    "gateway.customBindHost",
    "gateway.mode",
    "gateway.auth.mode",
    "gateway.tls",
    "gateway.tailscale",
    "gateway.controlUi.basePath",
    "gateway.controlUi.root",
    "plugins.load",
    "plugins.enabled",
    "secrets.egressProxy",
    "jupyter.listen",
)
"""Keys, with all below them, that are read once at start. Everything else is read when it is used."""


@dataclass(frozen=True, slots=True)
class ReloadPlan:
    """The dotted keys that changed, by what they need."""

    hot: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        return not self.hot and not self.restart

    def touches(self, *sections: str) -> bool:
        """Whether a hot key lies in one of `sections` (`"channels"`, `"agents.defaults"`)."""
        return any(_below(key, section) for key in self.hot for section in sections)


def plan(old: OpenClawConfig, new: OpenClawConfig) -> ReloadPlan:
    """The difference of two configs, lists taken as one value."""
    changed = sorted(_changed(old.to_wire(), new.to_wire(), ""))
    restart = tuple(key for key in changed if any(_below(key, prefix) for prefix in RESTART))
    return ReloadPlan(tuple(key for key in changed if key not in restart), restart)


async def watch(
    paths: Callable[[], Sequence[Path]],
    on_change: Callable[[], Awaitable[None]],
    *,
    debounce_ms: int = 300,
    stop: asyncio.Event | None = None,
) -> None:
    """Call `on_change` after one of `paths()` changed and was quiet for `debounce_ms`; ends with `stop` or cancellation.

    Directories are watched, not files: editors replace a file, and then a watch on it would be on the old one. `paths` is
    asked again after each change, because an edit may add an include.
    """
    from watchfiles import awatch

    stop = stop or asyncio.Event()
    while not stop.is_set():
        files = {form for path in paths() for form in (path.absolute(), path.resolve())}
        folders = {file.parent for file in files if file.parent.is_dir()}
        if not folders:
            return
        wanted = frozenset(map(str, files))
        changes = awatch(
            *folders,
            watch_filter=partial(_wanted, wanted),
            debounce=max(debounce_ms * 4, 50),
            step=max(debounce_ms, 10),
            recursive=False,
            stop_event=stop,
        )
        async for _ in changes:
            await on_change()
            if {form for path in paths() for form in (path.absolute(), path.resolve())} != files:
                break


def _wanted(wanted: frozenset[str], _change: object, name: str) -> bool:
    return name in wanted


def _changed(old: Any, new: Any, at: str) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in old.keys() | new.keys():
            yield from _changed(old.get(key), new.get(key), f"{at}.{key}" if at else str(key))
    elif old != new:
        yield at


def _below(key: str, prefix: str) -> bool:
    return key == prefix or key.startswith(prefix + ".")
