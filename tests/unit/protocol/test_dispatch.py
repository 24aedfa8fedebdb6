"""Requests and their answers."""

from __future__ import annotations

import logging

import pytest

from openclaw_gateway.protocol.dispatch import WriteLimit
from openclaw_kernel.values.errors import OpenClawError


async def test_params_may_be_absent(bench):
    wire = await bench.connected()
    assert await wire.request("health") == {"type": "res", "id": "2", "ok": True, "payload": {}}


async def test_two_answers_under_one_id(bench):
    wire = await bench.connected(scopes=["operator.write"])
    await wire.request("agent")
    assert [(frame["id"], frame["payload"]["status"]) for frame in wire.frames] == [("2", "accepted"), ("2", "ok")]


async def test_a_dynamic_scope_without_a_rule_needs_write(bench):
    wire = await bench.connected()
    assert (await wire.request("agent"))["error"]["details"]["missingScope"] == "operator.write"


async def test_a_dynamic_scope_depends_on_the_parameters(bench):
    wire = await bench.connected(scopes=["operator.write"])
    assert (await wire.request("sessions.patch", {"sessionKey": "m", "limit": 5}))["ok"]
    answer = await wire.request("sessions.patch", {"sessionKey": "m", "limit": 600})
    assert answer["error"]["details"]["missingScope"] == "operator.admin"


async def test_an_inner_failure_is_logged_and_not_shown(bench, caplog):
    wire = await bench.connected()
    with caplog.at_level(logging.ERROR):
        answer = await wire.request("broken")
    assert answer["error"] == {"code": "UNAVAILABLE", "message": "internal error"}
    assert "the inside of the house" in caplog.text


async def test_a_users_mistake_is_told(bench):
    wire = await bench.connected()
    answer = await wire.request("mistaken")
    assert answer["error"]["code"] == "INVALID_REQUEST"
    assert "models.default names no model" in answer["error"]["message"]


async def test_operators_may_not_call_node_methods(bench):
    wire = await bench.connected(scopes=["operator.admin"])
    assert (await wire.request("node.event"))["error"]["message"] == "unauthorized role: operator"


async def test_nodes_may_call_only_node_methods(bench, device):
    wire = await bench.connected(device=device, client="node-host", mode="node", role="node", scopes=[])
    assert (await wire.request("node.event"))["ok"]
    assert (await wire.request("health"))["error"]["message"] == "unauthorized role: node"


async def test_answers_to_a_closed_connection_are_dropped(bench):
    wire = await bench.connected()
    wire.connection.closed()
    assert await wire.request("health") is None and len(bench.hub.broadcaster) == 0


async def test_config_writes_are_limited(bench):
    wire = await bench.connected()
    limit = WriteLimit(clock=lambda: bench.now)
    for _ in range(3):
        limit.check("config.patch", wire.connection)
    with pytest.raises(OpenClawError) as caught:
        limit.check("config.patch", wire.connection)
    assert caught.value.retry_after_ms == 60_000 and caught.value.retryable
    bench.now += 60_000
    limit.check("config.patch", wire.connection)
