"""Calling the hooks (PLG-05, PLG-06): higher priority first, a block is final, a slow or failing function harms only itself."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from openclaw_gateway.plugins.api import HOOKS, Hook

log = logging.getLogger(__name__)

GATE_S = 15.0
MODIFIER_S = 15.0
OBSERVER_S = 30.0
STOP_S = 5.0
FAILURES = 3
"""Failures of one plugin's hooks in a row after which the plugin is switched off."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the hooks made of an event. `by` is the plugin that blocked or cancelled."""

    event: Mapping[str, Any]
    blocked: bool = False
    reason: str = ""
    by: str = ""


class HookBus:
    """The functions of all plugins. `failed(plugin, sentence)` hears of a plugin that is to be switched off."""

    def __init__(
        self, failed: Callable[[str, str], None] = lambda _plugin, _why: None, limits: Mapping[str, float] | None = None
    ) -> None:
        self._hooks: dict[str, list[Hook]] = {}
        self._failed = failed
        self._limits = limits or {}
        self._errors: dict[str, int] = {}
        self._watching: set[asyncio.Task[None]] = set()

    def add(self, hook: Hook) -> None:
        rows = self._hooks.setdefault(hook.name, [])
        rows.append(hook)
        rows.sort(key=lambda row: -row.priority)

    def remove(self, plugin: str) -> None:
        for name, rows in self._hooks.items():
            self._hooks[name] = [row for row in rows if row.plugin != plugin]

    def has(self, name: str) -> bool:
        return bool(self._hooks.get(name))

    async def gate(self, name: str, event: Mapping[str, Any]) -> Decision:
        """Asks the gates one after the other. The first `block: true` is final; a gate that fails or is late blocks too."""
        for hook in self._of(name, event):
            try:
                answer = await self._call(hook, event, GATE_S)
            except _Failed as failure:
                self._count(hook, str(failure))
                return Decision(event, True, f"plugin {hook.plugin} could not decide: {failure}", hook.plugin)
            self._errors.pop(hook.plugin, None)
            if answer.get("block") is True:
                return Decision(event, True, str(answer.get("reason") or f"plugin {hook.plugin} refuses it"), hook.plugin)
        return Decision(event)

    async def modify(self, name: str, event: Mapping[str, Any]) -> Decision:
        """Hands the event through the modifiers. `cancel: true` is final; one that fails or is late is passed over."""
        for hook in self._of(name, event):
            try:
                answer = await self._call(hook, event, MODIFIER_S)
            except _Failed as failure:
                self._count(hook, str(failure))
                continue
            self._errors.pop(hook.plugin, None)
            if answer.get("cancel") is True:
                return Decision(event, True, str(answer.get("reason") or f"plugin {hook.plugin} withheld it"), hook.plugin)
            event = {**event, **{key: answer[key] for key in answer if key in event and key != "cancel"}}
        return Decision(event)

    async def tell(self, name: str, event: Mapping[str, Any]) -> None:
        """Tells the observers, all at once, and waits for them."""
        limit = STOP_S if name == "gateway_stop" else OBSERVER_S
        await asyncio.gather(*(self._observe(hook, event, limit) for hook in self._of(name, event)))

    def notify(self, name: str, event: Mapping[str, Any]) -> None:
        """`tell` without waiting; from the event loop."""
        if self.has(name):
            task = asyncio.ensure_future(self.tell(name, event))
            self._watching.add(task)
            task.add_done_callback(self._watching.discard)

    async def close(self) -> None:
        """Waits a moment for observers under way."""
        if self._watching:
            await asyncio.wait(set(self._watching), timeout=STOP_S)
        for task in self._watching:
            task.cancel()

    async def _observe(self, hook: Hook, event: Mapping[str, Any], limit_s: float) -> None:
        try:
            await self._call(hook, event, limit_s)
            self._errors.pop(hook.plugin, None)
        except _Failed as failure:
            self._count(hook, str(failure))

    def _of(self, name: str, event: Mapping[str, Any]) -> list[Hook]:
        assert name in HOOKS
        return [hook for hook in self._hooks.get(name, ()) if not hook.tools or event.get("tool") in hook.tools]

    async def _call(self, hook: Hook, event: Mapping[str, Any], limit_s: float) -> Mapping[str, Any]:
        try:
            async with asyncio.timeout(self._limits.get(hook.name, limit_s)):
                answer: Any = hook.fn(dict(event))
                if inspect.isawaitable(answer):
                    answer = await answer
        except TimeoutError:
            raise _Failed(f"{hook.name} took longer than {self._limits.get(hook.name, limit_s):g} s") from None
        except Exception as error:
            log.warning("hook %s of plugin %s failed", hook.name, hook.plugin, exc_info=error)
            raise _Failed(f"{hook.name} failed: {type(error).__name__}: {error}") from error
        return answer if isinstance(answer, Mapping) else {}

    def _count(self, hook: Hook, sentence: str) -> None:
        self._errors[hook.plugin] = self._errors.get(hook.plugin, 0) + 1
        log.warning("plugin %s: %s", hook.plugin, sentence)
        if self._errors[hook.plugin] >= FAILURES:
            self._failed(hook.plugin, sentence)


class _Failed(Exception):
    """A function raised or was late."""
