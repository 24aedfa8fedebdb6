from __future__ import annotations

import pytest

from tests.unit.channels.world import FakeTime


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()
