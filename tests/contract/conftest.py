"""A gateway and the published packages, each made once for all contract tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.gateway_process import RunningGateway, running_gateway
from tests.contract.published import Published, gateway_client


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """A gateway with no key configured: the built-in offline model answers."""
    with running_gateway(tmp_path_factory.mktemp("gateway") / "state") as running:
        yield running


@pytest.fixture(scope="session")
def client_packages() -> Published:
    return gateway_client()
