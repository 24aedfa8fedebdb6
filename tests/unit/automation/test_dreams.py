"""What dreaming is told by the configuration, and what its owner is told in the morning."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.automation.dreams import Dreams, Place
from openclaw_gateway.parts.dreaming import dreaming_settings
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.config.schema.memory import Dreaming
from openclaw_kernel.memory.api import Hit
from openclaw_kernel.memory.writes import Writes
from openclaw_kernel.values.errors import UserError

NOW = round(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp() * 1000)
EASY = {"enabled": True, "timezone": "UTC", "minScore": 0.2, "minRecallCount": 1, "minUniqueQueries": 1}


def settings(**config: Any) -> Dreaming:
    return dreaming_settings(OpenClawConfig.model_validate(config), "main")


def test_off_unless_asked_for_and_at_three() -> None:
    assert (settings().enabled, settings().frequency, settings().apply) == (False, "0 3 * * *", "ask")
    assert settings(memory={"dreaming": {"enabled": True, "timezone": "Europe/Vienna"}}).timezone == "Europe/Vienna"


def test_the_originals_place_is_read() -> None:
    theirs = {"enabled": True, "frequency": "0 4 * * *", "phases": {"deep": {"enabled": False, "minScore": 0.5, "limit": 3}}}
    found = settings(plugins={"entries": {"memory-core": {"config": {"dreaming": theirs}}}})
    assert (found.enabled, found.frequency, found.min_score, found.limit) == (True, "0 4 * * *", 0.5, 3)
    with pytest.raises(UserError, match=r"plugins.entries.memory-core.config.dreaming: enabled in openclaw.json"):
        settings(plugins={"entries": {"memory-core": {"config": {"dreaming": {"enabled": "yes"}}}}})


class House:
    def __init__(self, root: Path, **told: Any) -> None:
        self.workspace, self.folder = root / "workspace", root / "state"
        (self.workspace / "memory").mkdir(parents=True)
        self.writes = Writes(self.folder)
        self.told: list[Path] = []
        self.settings = Dreaming.model_validate({**EASY, **told})
        self.dreams = Dreams(lambda _agent: self.place(), lambda _agent: self.settings, lambda: NOW)

    def place(self) -> Place:
        return Place(self.workspace, self.folder, lambda: lambda: self.writes, self.taken_up)

    async def taken_up(self, paths: Sequence[Path]) -> None:
        self.told += paths

    def notes(self, *texts: str) -> None:
        for day in ("19", "20"):
            (self.workspace / f"memory/2026-11-{day}.md").write_text("".join(f"- {text}\n" for text in texts))

    async def close(self) -> None:
        await self.dreams.close()
        self.writes.close()


async def test_a_night_asks_once_and_waits(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.notes("The boiler is serviced every May")
    text = await house.dreams.night("main")
    assert "would change MEMORY.md in one place" in text and "The boiler is serviced every May" in text
    assert await house.dreams.night("main") == "" and not (house.workspace / "MEMORY.md").exists() and house.told == []
    await house.close()


async def test_auto_applies_and_says_so_and_a_refused_part_does_not_hold_the_rest(tmp_path: Path) -> None:
    house = House(tmp_path, apply="auto")
    house.notes("The boiler is serviced every May")
    (house.workspace / "MEMORY.md").write_text("- Tea is green\n" * 3)
    text = await house.dreams.night("main")
    kept = (house.workspace / "MEMORY.md").read_text()
    assert kept.startswith("- Tea is green\n" * 3) and kept.count("boiler") == 1
    assert "changed MEMORY.md in one place" in text and "would drop 2 of 4 entries" in text
    assert house.told == [house.workspace / "MEMORY.md"]
    assert await house.dreams.night("main") == "", "what was refused is not said again"
    await house.close()


async def test_recalls_are_counted_only_while_dreaming_is_on(tmp_path: Path) -> None:
    house = House(tmp_path)
    hits = [Hit("memory/2026-11-19.md", 1, 1, "- The boiler is serviced every May", 0.7)]
    house.dreams.recalled("main", "boiler", hits)
    house.settings = Dreaming.model_validate({**EASY, "enabled": False})
    house.dreams.recalled("main", "service in May", hits)
    await house.dreams.close()
    assert len((house.folder / "recalls.jsonl").read_bytes().splitlines()) == 1
    house.writes.close()


async def test_a_zone_that_is_not_there_is_named(tmp_path: Path) -> None:
    house = House(tmp_path, timezone="Europe/Atlantis")
    with pytest.raises(UserError, match=r"memory.dreaming.timezone in openclaw.json"):
        await house.dreams.night("main")
    await house.close()
