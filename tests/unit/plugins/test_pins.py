"""Code that has changed since it was let in does not run."""

from __future__ import annotations

import os
from pathlib import Path

from openclaw_gateway.plugins.loader import Plugins
from openclaw_gateway.plugins.pins import digest_of
from tests.unit.plugins.test_loader import GOOD, loaded, write


def state(plugins: Plugins, name: str = "good") -> tuple[str, str]:
    row = plugins.get(name)
    assert row is not None
    return row.state, row.reason


def test_a_change_is_noticed_before_it_runs_and_may_be_let_in_again(tmp_path: Path) -> None:
    place = write(tmp_path / "p" / "good", GOOD, version="1.0")
    assert state(loaded(tmp_path / "s", place, allow=["good"]))[0] == "active"
    assert state(loaded(tmp_path / "s", place, allow=["good"]))[0] == "active"
    write(place, GOOD + f"\nopen({str(tmp_path / 'proof')!r}, 'w')\n", version="1.1")
    plugins = loaded(tmp_path / "s", place, allow=["good"])
    found, reason = state(plugins)
    assert found == "unacknowledged" and "1.0 to 1.1" in reason and "plugins enable good" in reason
    assert not (tmp_path / "proof").exists()
    plugins.trust("good")
    assert state(loaded(tmp_path / "s", place, allow=["good"]))[0] == "active" and (tmp_path / "proof").exists()


def test_a_file_that_came_went_or_was_renamed_is_a_change(tmp_path: Path) -> None:
    place = write(tmp_path / "p" / "good", GOOD)
    first = digest_of(place)
    (place / "__pycache__").mkdir()
    (place / "__pycache__" / "code.pyc").write_bytes(b"x")
    assert digest_of(place) == first
    more = place / "sub" / "more.py"
    more.parent.mkdir()
    more.write_text("pass")
    second = digest_of(place)
    more.rename(place / "sub" / "other.py")
    third = digest_of(place)
    os.symlink("code.py", place / "link.py")
    fourth = digest_of(place)
    (place / "link.py").unlink()
    os.symlink("sub/other.py", place / "link.py")
    assert len({first, second, third, fourth, digest_of(place)}) == 5
    assert digest_of(place / "code.py") != digest_of(place / "sub" / "other.py")


def test_its_author_may_go_without(tmp_path: Path) -> None:
    place = write(tmp_path / "p" / "good", GOOD)
    entries = {"good": {"pinned": False}}
    for code in (GOOD, GOOD + "\n# more\n"):
        write(place, code)
        assert state(loaded(tmp_path / "s", place, allow=["good"], entries=entries))[0] == "active"
    assert not (tmp_path / "s" / "plugins" / "pins.jsonl").exists()


def test_a_pin_that_cannot_be_read_lets_nothing_in(tmp_path: Path) -> None:
    place = write(tmp_path / "p" / "good", GOOD)
    (tmp_path / "s" / "plugins" / "pins.jsonl").mkdir(parents=True)
    assert state(loaded(tmp_path / "s", place, allow=["good"]))[0] == "blocked"
