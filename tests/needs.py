"""What a test needs of the machine, by name.

A test that lacks something is skipped and says what it lacks. `OPENCLAW_TEST_REQUIRE` names what a lane was to have (several
names with commas or spaces, or `all`): there the same lack is a failure.

Names: chromium, bubblewrap, docker, npm, node (with the front end's packages), root,
git, older-duckdb.
"""

from __future__ import annotations

import os

import pytest


def need(name: str, found: object, reason: str) -> None:
    """Goes on where `found` is true; `reason` says what is missing and, where that helps, how to get it."""
    if found:
        return
    required = os.environ.get("OPENCLAW_TEST_REQUIRE", "").replace(",", " ").split()
    if name in required or "all" in required:
        pytest.fail(f"{name} is required here, but {reason}", pytrace=False)
    pytest.skip(f"{name}: {reason}")
