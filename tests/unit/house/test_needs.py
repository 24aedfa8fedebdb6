"""A lack is skipped by name, and a failure where it was required."""

from __future__ import annotations

import pytest

from tests.needs import need


@pytest.mark.parametrize("required", ["", "docker", "chromiums"])
def test_a_lack_is_skipped_by_name(monkeypatch: pytest.MonkeyPatch, required: str) -> None:
    monkeypatch.setenv("OPENCLAW_TEST_REQUIRE", required)
    need("chromium", True, "it is here")
    with pytest.raises(pytest.skip.Exception, match=r"^chromium: not installed$"):
        need("chromium", None, "not installed")


@pytest.mark.parametrize("required", ["chromium", "docker, chromium", "docker chromium", "all"])
def test_a_required_lack_fails(monkeypatch: pytest.MonkeyPatch, required: str) -> None:
    monkeypatch.setenv("OPENCLAW_TEST_REQUIRE", required)
    with pytest.raises(pytest.fail.Exception, match="chromium is required here, but not installed"):
        need("chromium", None, "not installed")
