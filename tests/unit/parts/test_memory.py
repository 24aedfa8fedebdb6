"""Memories joined to the house: which back end the config means, and what clients hear of the reading of notes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from openclaw_gateway.parts.memory import memory_settings
from openclaw_gateway.parts.memory_progress import EVERY_MS, ProgressTeller
from openclaw_gateway.protocol.broadcast import Broadcaster
from openclaw_kernel.config.schema import OpenClawConfig


class Heard(Broadcaster):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[tuple[str, int, int, bool]] = []
        self.over = asyncio.Event()

    def send(self, event: str, payload: Mapping[str, Any], **_more: Any) -> int:
        assert event == "memory.progress"
        self.said.append((payload["agentId"], payload["done"], payload["total"], payload["active"]))
        if not payload["active"]:
            self.over.set()
        return 1


async def test_progress_is_told_seldom_and_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    heard, now = Heard(), 1_000_000
    teller = ProgressTeller(heard, lambda: now)
    tell, other = teller.of("main"), teller.of("other")
    for done in range(1, 100):
        tell(done, 5_000)
    assert heard.said == [("main", 1, 5_000, True)]
    now += EVERY_MS
    tell(1_240, 5_000)
    other(3, 3)
    tell(5_000, 5_000)
    assert heard.said[1:] == [("main", 1_240, 5_000, True), ("other", 3, 3, False), ("main", 5_000, 5_000, False)]
    monkeypatch.setattr("openclaw_gateway.parts.memory_progress.QUIET_S", 0.0)
    heard.over.clear()
    tell(10, 20)
    await asyncio.wait_for(heard.over.wait(), 10)
    assert heard.said[-1] == ("main", 10, 20, False), "without news it is shown no more"
    teller.close()


@pytest.mark.parametrize(
    ("config", "enabled", "backend"),
    [
        ({}, True, "builtin"),
        ({"plugins": {"slots": {"memory": "memory-core"}}}, True, "builtin"),
        ({"plugins": {"slots": {"memory": "none"}}}, False, "builtin"),
        ({"plugins": {"slots": {"memory": "lines"}}}, True, "lines"),
        ({"plugins": {"slots": {"memory": "lines"}}, "memory": {"backend": "own"}}, True, "own"),
        (
            {"plugins": {"slots": {"memory": "lines"}}, "agents": {"list": [{"id": "a", "memorySearch": {"enabled": False}}]}},
            False,
            "lines",
        ),
    ],
)
def test_the_slot_picks_the_back_end(config: dict[str, Any], enabled: bool, backend: str) -> None:
    settings = memory_settings(OpenClawConfig.model_validate(config), "a")
    assert (settings.enabled, settings.backend) == (enabled, backend)
