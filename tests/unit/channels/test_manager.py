"""Accounts: started, lost, started again, given up, watched, reloaded (CHN-03 to CHN-08)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from openclaw_gateway.channels.contract import ChannelError, ChannelManifest, ChannelMeta, WebhookRequest
from openclaw_gateway.channels.manager import HEALTH_EVERY_S, IDLE_MS, RESTARTS_PER_HOUR
from openclaw_gateway.channels.registry import Channels
from openclaw_gateway.channels.running import ATTEMPTS, FLAPS
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.values.errors import OpenClawError, UserError
from tests.unit.channels.world import FakePlatform, FakeTime, World, settle, until, world


async def lose(found: World, account: str = "default", error: Exception | None = None) -> None:
    live = found.platform.lives[account]
    if error is None:
        live.lost.set_result(None)
    else:
        live.lost.set_exception(error)
    await settle()


async def started(found: World, times: int) -> None:
    await until(lambda: len(found.platform.starts) >= times)
    await settle()


async def test_the_ladder_doubles_from_five_seconds_to_five_minutes_and_ends_after_ten(tmp_path: Path, time: FakeTime) -> None:
    platform = FakePlatform(start_errors=[ChannelError("no network")] * 20)
    async with world(tmp_path, time=time, platform=platform) as found:
        running = found.room.manager and found.room.manager.get("fake")
        assert running is not None
        for number in range(1, ATTEMPTS + 1):
            await started(found, number)
            await until(lambda number=number: len(time.slept) > number)
            await time.advance(time.slept[-1])
        await started(found, ATTEMPTS + 1)
        await until(lambda: not running.running)
        assert [round(seconds) for seconds in time.slept if seconds != HEALTH_EVERY_S] == [5, 10, 20, 40, 80, 160]
        assert len(platform.starts) == ATTEMPTS + 1 and running.snapshot()["lastError"] == "no network"


async def test_jitter_is_ten_percent_either_way() -> None:
    from openclaw_gateway.channels.timing import Timing

    for chance, wanted in ((0.0, 4.5), (1.0, 5.5)):
        timing = Timing(chance=lambda chance=chance: chance)
        assert timing.doubled(5.0, 1, 300.0) == pytest.approx(wanted)
        assert timing.doubled(5.0, 99, 300.0) <= 300.0


async def test_the_counter_clears_after_five_stable_minutes(tmp_path: Path, time: FakeTime) -> None:
    async with world(tmp_path, time=time) as found:
        await started(found, 1)
        for _ in range(3):
            count = len(found.platform.starts)
            await lose(found, error=ChannelError("lost"))
            await time.advance(300)
            await started(found, count + 1)
        running = found.room.manager and found.room.manager.get("fake")
        assert running is not None and running.attempts > 1
        await time.advance(301)
        await lose(found, error=ChannelError("lost"))
        assert running.attempts == 1


async def test_a_fatal_error_stops_the_account_and_nobody_restarts_it(tmp_path: Path, time: FakeTime) -> None:
    platform = FakePlatform(start_errors=[ChannelError("the token was revoked", "fatal")])
    async with world(tmp_path, time=time, platform=platform) as found:
        await started(found, 1)
        await time.advance(7_200)
        assert len(platform.starts) == 1
        manager = found.room.manager
        assert manager is not None
        row = manager.get("fake").snapshot()  # type: ignore[union-attr]
        assert (row["running"], row["connected"], row["lastError"]) == (False, False, "the token was revoked")


async def test_reconnect_loops_of_the_sdk_are_broken(tmp_path: Path, time: FakeTime) -> None:
    async with world(tmp_path, time=time) as found:
        await started(found, 1)
        host = found.platform.lives["default"].host
        for _ in range(FLAPS):
            host.connected(False)
            host.connected(True)
        await settle()
        assert "lost 10 times" in host.last_error
        await time.advance(6)
        await started(found, 2)


async def test_the_health_monitor_restarts_what_fell_silent_within_its_limits(tmp_path: Path, time: FakeTime) -> None:
    async with world(tmp_path, time=time) as found:
        await started(found, 1)
        manager = found.room.manager
        assert manager is not None
        running = manager.get("fake")
        assert running is not None
        for number in range(1, RESTARTS_PER_HOUR + 3):
            time.now += 1
            running.alive()
            time.now += IDLE_MS + 1
            await manager.check_health()
            await started(found, number + 1)
        assert len(found.platform.starts) >= RESTARTS_PER_HOUR
        # Within the cooldown nothing is restarted.
        count = len(found.platform.starts)
        running.is_connected = False
        time.now += 130_000
        running.last_start_at = time.now - 125_000
        await manager.check_health()
        assert len(found.platform.starts) == count


async def test_no_more_than_ten_restarts_an_hour(tmp_path: Path, time: FakeTime) -> None:
    async with world(tmp_path, time=time) as found:
        await started(found, 1)
        manager = found.room.manager
        assert manager is not None
        past = manager._restarts[("fake", "default")]
        time.now += 3_700_000
        past.extend(time.now - 3_500_000 + 200_000 * number for number in range(RESTARTS_PER_HOUR))
        running = manager.get("fake")
        assert running is not None
        running.last_frame_at = running.last_connected_at + 1
        time.now += 3_600_000 - 3_500_000 + 0
        past[-1] = time.now - 700_000
        await manager.check_health()
        assert len(found.platform.starts) == 1


async def test_stopped_by_hand_stays_stopped_until_a_hand_starts_it(tmp_path: Path, time: FakeTime) -> None:
    async with world(tmp_path, time=time) as found:
        await started(found, 1)
        manager = found.room.manager
        assert manager is not None
        await manager.stop("fake")
        await time.advance(7_200)
        assert len(found.platform.starts) == 1
        await manager.apply(OpenClawConfig.model_validate({"channels": {"fake": {"token": "new"}}}))
        await settle()
        assert len(found.platform.starts) == 1 and manager.get("fake").snapshot()["stoppedByHand"]  # type: ignore[union-attr]
        await manager.start("fake")
        await started(found, 2)


async def test_a_reload_restarts_only_the_accounts_that_changed(tmp_path: Path, time: FakeTime) -> None:
    block = {"accounts": {"one": {}, "two": {}}}
    async with world(tmp_path, block, time=time) as found:
        await started(found, 3)
        manager = found.room.manager
        assert manager is not None
        await manager.apply(OpenClawConfig.model_validate({"channels": {"fake": block}}))
        await settle()
        assert sorted(found.platform.starts) == ["default", "one", "two"]
        await manager.apply(OpenClawConfig.model_validate({"channels": {"fake": {"accounts": {"one": {}, "three": {}}}}}))
        await until(lambda: "three" in found.platform.starts)
        assert manager.get("fake", "two") is None
        await manager.apply(OpenClawConfig.model_validate({"channels": {}}))
        assert manager.all() == []
        with pytest.raises(OpenClawError, match=r"not configured; add channels\.fake"):
            manager.account("fake")


async def test_a_channel_without_its_sdk_is_an_install_hint(tmp_path: Path, time: FakeTime) -> None:
    async with world(tmp_path, time=time) as found:
        manager = found.room.manager
        assert manager is not None
        meta = ChannelMeta("Lacking", "", extra="lacking")
        manager.channels.add(ChannelManifest("lacking", meta, "nowhere:PLUGIN", requires=("no_such_sdk",)))
        await manager.apply(OpenClawConfig.model_validate({"channels": {"fake": {}, "lacking": {}, "unknwon": {}}}))
        assert manager.problems["lacking"] == (
            "Lacking needs no_such_sdk, which is not installed; run pip install 'jupyter-openclaw[lacking]'."
        )
        assert manager.problems["unknwon"] == "There is no channel 'unknwon'; known: fake, lacking."
        assert len(found.platform.starts) == 1, "the other channel goes on"


async def test_a_webhook_for_nobody_is_not_found(tmp_path: Path) -> None:
    async with world(tmp_path) as found:
        request = WebhookRequest("POST", {}, {}, b"")
        found_one = await found.room.webhook("fake", "other", request)
        assert found_one is not None and found_one.status == 404
        other = await found.room.webhook("nope", "default", request)
        assert other is not None and other.status == 404


def test_listing_imports_no_plugin_and_an_id_is_taken_once() -> None:
    code = (
        "import sys; from openclaw_gateway.channels.registry import Channels; c = Channels(); m = c.manifests();"
        "c.missing('telegram'); own = [n for n in sys.modules if n.startswith(('openclaw_gateway.channels', 'telegram'))];"
        "print(sorted(m), [n for n in own if n.endswith('.plugin') or n == 'telegram'])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "['telegram', 'webchat', 'webhook'] []"
    with pytest.raises(UserError, match="a channel 'webhook' already"):
        Channels().add(ChannelManifest("webhook", ChannelMeta("", ""), "x:Y"))


async def test_without_a_channel_nothing_is_opened(tmp_path: Path) -> None:
    async with world(tmp_path, {"enabled": False}) as found:
        assert found.room.manager is None and not (tmp_path / "channels").exists()
        assert not found.room.has_pairings
