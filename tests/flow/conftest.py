from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.flow.wire import Client, Served, client, served


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Served]:
    """A gateway without any configuration."""
    async with served(tmp_path / "state") as running:
        yield running


@pytest.fixture
async def peer(gateway: Served) -> AsyncIterator[Client]:
    """A client with all scopes that hears tool events."""
    async with client(gateway.ws, gateway.token, caps=["tool-events"]) as connected:
        yield connected
