"""Fixtures of the whole suite."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture
def jp_asyncio_loop() -> Iterator[None]:
    """pytest-jupyter opens an event loop and a Jupyter server for every test of a run; only its own tests want that."""
    yield None


@pytest.fixture
def jp_server_cleanup() -> Iterator[None]:
    yield None
