"""Whose code may run: files anybody may write, other owners, links and entries that lead out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from openclaw_gateway.plugins.trust import MAX_FILES, escapes, problem_of
from tests.needs import need


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "plugin"
    (root / "sub").mkdir(parents=True)
    (root / "__init__.py").write_text("")
    (root / "sub" / "code.py").write_text("")
    for path in (tmp_path, root, root / "sub"):
        path.chmod(0o755)
    return root


def test_a_tidy_folder_is_fine(folder: Path) -> None:
    assert problem_of(folder) == "" and problem_of(folder / "__init__.py") == ""


@pytest.mark.parametrize("name", ["__init__.py", "sub", "sub/code.py", "."])
def test_what_anybody_may_write_is_refused(folder: Path, name: str) -> None:
    path = folder / name
    path.chmod(0o777)
    assert "can be written by anybody" in problem_of(folder)


def test_so_is_a_folder_whose_parent_anybody_may_write(folder: Path) -> None:
    folder.parent.chmod(0o777)
    assert "can be written by anybody" in problem_of(folder)
    folder.parent.chmod(0o1777)
    assert problem_of(folder) == "", "the sticky bit keeps others from swapping it, as in /tmp"


def test_code_of_another_user_is_refused(folder: Path) -> None:
    need("root", os.getuid() == 0, "only root can give a file away")
    os.chown(folder / "sub" / "code.py", 12345, -1)
    assert "belongs to another user (uid 12345)" in problem_of(folder)


def test_links_may_stay_inside_and_not_leave(folder: Path, tmp_path: Path) -> None:
    (folder / "near.py").symlink_to(folder / "sub" / "code.py")
    assert problem_of(folder) == ""
    outside = tmp_path / "outside.py"
    outside.write_text("")
    (folder / "far.py").symlink_to(outside)
    assert "link out of the plugin's folder" in problem_of(folder)


def test_a_planted_cache_is_seen(folder: Path) -> None:
    cache = folder / "__pycache__"
    cache.mkdir(mode=0o755)
    assert problem_of(folder) == ""
    cache.chmod(0o777)
    assert "can be written by anybody" in problem_of(folder)


def test_a_missing_or_endless_folder_is_no_reason_to_trust(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "cannot be looked at" in problem_of(folder / "nowhere")
    monkeypatch.setattr("openclaw_gateway.plugins.trust.MAX_FILES", 2)
    assert "more than 2 files" in problem_of(folder) and MAX_FILES > 2


def test_entries_that_lead_out(folder: Path, tmp_path: Path) -> None:
    (folder / "link").symlink_to(tmp_path)
    for entry in ("../x.py", "/etc/passwd", "sub/../../x.py", "link/x.py"):
        assert escapes(folder, entry), entry
    assert not escapes(folder, "sub/code.py")
