"""Old files of messages go; what is needed, young or not ours stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from openclaw_gateway.channels.expiry import DAY_S, Expiry, expire
from openclaw_kernel.safety.paths import ToolPathError, regular_file
from openclaw_kernel.values.envelope import Attachment
from tests.unit.channels.world import FakeTime, message, settle, until, world

RUN = "channel-" + "a" * 32
OPEN = {"dmPolicy": "open", "allowFrom": ["*"]}


def made(path: Path, days: float, now: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    at = now - days * DAY_S
    os.utime(path, (at, at))
    os.utime(path.parent, (at, at))
    return path


def test_only_what_is_ours_and_old_goes(tmp_path: Path) -> None:
    now = 1_000 * DAY_S
    old = made(tmp_path / "inbound" / RUN / "letter.pdf", 9, now)
    young = made(tmp_path / "inbound" / f"{RUN}-1" / "letter.pdf", 2, now)
    needed = made(tmp_path / "inbound" / f"{RUN}-2" / "letter.pdf", 9, now)
    theirs = made(tmp_path / "inbound" / "my-notes" / "letter.pdf", 900, now)
    elsewhere = made(tmp_path / "elsewhere" / RUN / "thesis.pdf", 900, now)
    os.symlink(elsewhere.parent, tmp_path / "inbound" / f"{RUN}-3")
    os.utime(tmp_path / "inbound" / f"{RUN}-3", (0, 0), follow_symlinks=False)
    assert expire(tmp_path / "inbound", now - 7 * DAY_S, {f"{RUN}-2"}) == 2
    assert not old.parent.exists() and not (tmp_path / "inbound" / f"{RUN}-3").is_symlink()
    assert young.exists() and needed.exists() and theirs.exists() and elsewhere.exists()


def test_a_folder_that_is_a_link_is_left_alone(tmp_path: Path) -> None:
    home = made(tmp_path / "home" / RUN / "thesis.pdf", 900, 1_000 * DAY_S)
    os.symlink(tmp_path / "home", tmp_path / "inbound")
    assert expire(tmp_path / "inbound", 1_000 * DAY_S) == 0 and home.exists()
    assert expire(tmp_path / "nowhere", 1_000 * DAY_S) == 0


def test_a_reader_hears_that_it_has_expired(tmp_path: Path) -> None:
    with pytest.raises(ToolPathError, match="has expired"):
        regular_file(tmp_path / "inbound" / RUN / "a.pdf", f"inbound/{RUN}/a.pdf")


async def test_it_looks_once_a_day(tmp_path: Path) -> None:
    time = FakeTime(now=1_000 * DAY_S * 1_000)
    picture = made(tmp_path / ("b" * 32 + ".png"), 6.5, time.now / 1_000)
    expiry = Expiry(lambda: [tmp_path], lambda: (), lambda: 7, lambda: time.now, time.sleep)
    expiry.start()
    try:
        await until(lambda: time._waiting)
        assert picture.exists()
        await time.advance(DAY_S)
        await until(lambda: not picture.exists())
    finally:
        await expiry.close()


async def test_files_of_a_message_that_waits_are_kept(tmp_path: Path) -> None:
    time = FakeTime()
    async with world(tmp_path, OPEN, time=time) as found:
        assert found.room._opened is not None
        await found.says(message("look", attachments=[Attachment("document", ref="f", name="a.pdf")]))
        await until(lambda: found.platform.sent)
        await settle()
        [folder] = list((tmp_path / "workspace-main" / "inbound").iterdir())
        assert await found.room._opened._expiry.look() == 0 and folder.exists()
        time.now = int((folder.stat().st_mtime + 8 * DAY_S) * 1_000)
        assert await found.room._opened._expiry.look() == 1 and not folder.exists()
