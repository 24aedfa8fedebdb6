"""The answers of channels, nodes, devices, jobs, skills and approvals are ones the published schema knows."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from openclaw_gateway.channels.webhook.signature import sign
from openclaw_kernel.client.connection import GatewayConnection
from openclaw_kernel.client.device import DeviceIdentity
from openclaw_kernel.client.node import Invocation, Node
from tests.contract.gateway_process import RunningGateway, running_gateway
from tests.contract.test_published_schema import problems, schema
from tests.flow.wire import Client, client

__all__ = ["schema"]

pytestmark = [pytest.mark.npm, pytest.mark.timeout(420)]

SECRET = "a secret of some length"
CONFIG = {"channels": {"webhook": {"secret": SECRET}}, "messages": {"inbound": {"debounceMs": 0}}}
Schema = dict[str, Any]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    with running_gateway(tmp_path_factory.mktemp("house") / "state", config=CONFIG) as running:
        yield running


@pytest.fixture
async def peer(house: RunningGateway) -> AsyncIterator[Client]:
    async with client(house.url, house.token) as connected:
        yield connected


def fits(schema: Schema, definition: str, value: Any) -> None:
    found = list(problems(schema, definition, value))
    assert not found, "\n".join([*found, json.dumps(value)[:2000]])


async def test_jobs(peer: Client, schema: Schema) -> None:
    shared = {"sessionTarget": "isolated", "wakeMode": "now", "payload": {"kind": "agentTurn", "message": "hello"}}
    schedules = (
        {"kind": "every", "everyMs": 3_600_000},
        {"kind": "cron", "expr": "0 7 * * *", "tz": "Europe/Vienna"},
        {"kind": "at", "at": "2100-01-01T00:00:00Z"},
    )
    added = [await peer.call("cron.add", {"name": f"j{n}", "schedule": s, **shared}) for n, s in enumerate(schedules)]
    for job in added:
        fits(schema, "CronAddResult", job)
        fits(schema, "CronJob", await peer.call("cron.get", {"id": job["id"]}))
    await peer.call("cron.run", {"id": added[0]["id"], "mode": "force"})
    for _ in range(600):
        entries = (await peer.call("cron.runs", {"id": added[0]["id"]}))["entries"]
        if entries:
            break
        await asyncio.sleep(0.05)
    for entry in entries:
        fits(schema, "CronRunLogEntry", entry)
    assert entries and entries[0]["status"] == "ok"
    changed = await peer.call("cron.update", {"id": added[1]["id"], "patch": {"enabled": False}})
    fits(schema, "CronJob", changed)
    listed = await peer.call("cron.list", {"includeDisabled": True, "limit": 200, "offset": 0})
    assert {job["id"] for job in listed["jobs"]} == {job["id"] for job in added}
    for job in listed["jobs"]:
        fits(schema, "CronJob", job)


async def test_channels_and_their_pairing(house: RunningGateway, peer: Client, schema: Schema) -> None:
    status = await peer.call("channels.status", {"probe": False, "timeoutMs": 1_000})
    fits(schema, "ChannelsStatusResult", status)
    for n, who in enumerate(("ann", "bob")):
        raw = json.dumps({"sender": {"id": who, "name": "A Name"}, "text": "hello", "id": f"m{n}"}).encode()
        async with httpx.AsyncClient() as http:
            url = f"{house.http_url}/channels/webhook/default/webhook"
            assert (await http.post(url, content=raw, headers=sign(SECRET, raw, int(time.time())))).is_success
        await peer.event("channel.pairing.requested", senderId=who)
    listed = await peer.call("channels.pairing.list", {})
    fits(schema, "ChannelsPairingListResult", listed)
    assert [row["senderId"] for row in listed["requests"]] == ["ann", "bob"] and not listed["commandOwnerConfigured"]
    first, second = [{key: row[key] for key in ("channel", "accountId", "requestId")} for row in listed["requests"]]
    approved = await peer.call("channels.pairing.approve", {**first, "notify": True, "bootstrapCommandOwner": True})
    fits(schema, "ChannelsPairingApproveResult", approved)
    assert (approved["senderId"], approved["commandOwnerBootstrap"]) == ("ann", "configured")
    dismissed = await peer.call("channels.pairing.dismiss", second)
    fits(schema, "ChannelsPairingDismissResult", dismissed)
    after = await peer.call("channels.pairing.list", {})
    assert after["requests"] == [] and after["commandOwnerConfigured"]
    fits(schema, "ChannelsPairingListResult", after)


async def test_a_node_and_what_it_is_asked(house: RunningGateway, peer: Client, schema: Schema) -> None:
    async def answer(call: Invocation) -> Mapping[str, Any]:
        return {"got": dict(call.params)}

    node = Node({"location.get": answer}, display_name="My phone", platform="ios")
    async with joined(node, house) as connection:
        asked = connection.events("node.invoke.request")
        request = await peer.event("node.pair.requested")
        pending = (await peer.call("node.pair.list"))["pending"]
        assert [row["requestId"] for row in pending] == [request["requestId"]]
        await peer.call("node.pair.approve", {"requestId": request["requestId"]})
        [row] = [one for one in (await peer.call("node.list"))["nodes"] if one["displayName"] == "My phone"]
        assert row["paired"] and row["connected"] and row["commands"] == ["location.get"]
        described = await peer.call("node.describe", {"nodeId": row["nodeId"]})
        assert described["nodeId"] == row["nodeId"]
        words = {"nodeId": row["nodeId"], "command": "location.get", "idempotencyKey": str(uuid.uuid4())}
        fits(schema, "NodeInvokeParams", words)
        assert (await peer.call("node.invoke", words | {"params": {"a": 1}}))["payload"] == {"got": {"a": 1}}
        fits(schema, "NodeInvokeRequestEvent", (await anext(asked)).payload)
        told = await connection.request("node.event", {"event": "something", "payload": {}})
        fits(schema, "NodeEventResult", told)


@asynccontextmanager
async def joined(node: Node, house: RunningGateway) -> AsyncIterator[GatewayConnection]:
    async with node.joined(house.url, token=house.token, device=DeviceIdentity.create()) as connection:
        serving = asyncio.ensure_future(node.attach(connection))
        try:
            yield connection
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)


async def test_approvals(peer: Client, schema: Schema) -> None:
    fits(schema, "ExecApprovalsSnapshot", await peer.call("exec.approvals.get"))
    run_id = await peer.say("run `uname -s`")
    asked = await peer.event("exec.approval.requested")
    assert "allow-always" in asked["request"]["allowedDecisions"]
    await peer.call("exec.approval.resolve", {"id": asked["id"], "decision": "allow-always"})
    await peer.final(run_id)
    snapshot = await peer.call("exec.approvals.get")
    assert snapshot["file"]["agents"]["main"]["allowlist"]
    fits(schema, "ExecApprovalsSnapshot", snapshot)


async def test_skills_have_every_key_a_client_reads(peer: Client) -> None:
    """The schema names no result here, so the keys are those the original sends."""
    status = await peer.call("skills.status", {"agentId": "main"})
    assert {"workspaceDir", "managedSkillsDir", "agentId", "skills"} <= set(status)
    wanted = {"name", "description", "source", "bundled", "filePath", "baseDir", "skillKey", "always", "disabled", "eligible"}
    wanted |= {"blockedByAllowlist", "modelVisible", "userInvocable", "commandVisible", "requirements", "missing", "install"}
    for row in status["skills"]:
        assert wanted <= set(row), sorted(wanted - set(row))
        assert {"bins", "anyBins", "env", "config", "os"} <= set(row["missing"])
