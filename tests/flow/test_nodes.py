"""Nodes over a real socket: pairing, approval, invocation, and every way to get in without them (PRO-10 to PRO-13)."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.client.connection import GatewayConnection
from openclaw_kernel.client.device import DeviceIdentity
from openclaw_kernel.client.node import Invocation, Node
from openclaw_kernel.values.errors import OpenClawError, UserError
from tests.flow.wire import ALL_SCOPES, Client, Served, client, served

WAIT_S = 20


class Phone:
    """A simulated phone: a node on a device of its own."""

    def __init__(self, *commands: str, platform: str = "ios", instance_id: str = "") -> None:
        self.calls: list[Invocation] = []
        self.started = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.go = asyncio.Event()
        self.device = DeviceIdentity.create()
        handlers = dict.fromkeys(commands or ("location.get",), self.answer)
        self.node = Node(handlers, display_name="My phone", platform=platform, instance_id=instance_id)

    async def answer(self, call: Invocation) -> Mapping[str, Any]:
        self.calls.append(call)
        self.started.set()
        if call.params.get("wait"):
            try:
                await self.go.wait()
            except asyncio.CancelledError:
                self.cancelled.set()
                raise
        if call.params.get("fail"):
            raise UserError("The battery is empty.")
        return {"got": dict(call.params)}

    @asynccontextmanager
    async def here(self, gateway: Served, token: str | None = None) -> AsyncIterator[GatewayConnection]:
        async with self.node.joined(gateway.ws, token=token or gateway.token, device=self.device) as connection:
            serving = asyncio.ensure_future(self.node.attach(connection))
            try:
                yield connection
            finally:
                serving.cancel()
                await asyncio.gather(serving, return_exceptions=True)


def ask(node_id: str, command: str = "location.get", **more: Any) -> dict[str, Any]:
    return {"nodeId": node_id, "command": command, "idempotencyKey": str(uuid.uuid4()), **more}


async def approve(peer: Client, node_id: str) -> dict[str, Any]:
    request = await peer.event("node.pair.requested", nodeId=node_id)
    return dict(await peer.call("node.pair.approve", {"requestId": request["requestId"]}))


async def node_row(peer: Client, node_id: str) -> dict[str, Any]:
    rows = (await peer.call("node.list"))["nodes"]
    return dict(next(row for row in rows if row["nodeId"] == node_id))


async def test_a_phone_is_approved_and_does_what_it_is_asked(gateway: Served, peer: Client) -> None:
    phone = Phone("location.get", "device.info")
    async with phone.here(gateway):
        row = await node_row(peer, phone.device.id)
        assert row["connected"] and not row["paired"] and row["commands"] == []
        assert set(row["blockedCommands"]) == {"location.get", "device.info"}
        refused = await peer.fails("node.invoke", ask(phone.device.id))
        assert refused["details"]["code"] == "COMMAND_NOT_APPROVED" and phone.calls == []

        approved = await approve(peer, phone.device.id)
        assert approved["node"]["commands"] == ["location.get", "device.info"]
        await peer.event("node.pair.resolved", nodeId=phone.device.id, decision="approved")
        answer = await peer.call("node.invoke", ask(phone.device.id, params={"accuracy": "fine"}))
        assert answer["payload"] == {"got": {"accuracy": "fine"}} and answer["ok"] is True
        described = await peer.call("node.describe", {"nodeId": phone.device.id})
        assert described["commands"] == ["device.info", "location.get"] and described["platform"] == "ios"
        await peer.call("node.rename", {"nodeId": phone.device.id, "displayName": "Pocket"})
        assert (await node_row(peer, phone.device.id))["displayName"] == "Pocket"
        entries = await peer.call("system-presence")
        assert any(entry.get("deviceId") == phone.device.id and entry["roles"] == ["node"] for entry in entries)

    async with phone.here(gateway):  # approved once, approved after coming back
        assert (await peer.call("node.invoke", ask(phone.device.id)))["ok"]


async def test_new_commands_of_a_known_node_stay_blocked(gateway: Served, peer: Client) -> None:
    phone = Phone("location.get")
    async with phone.here(gateway):
        await approve(peer, phone.device.id)
    more = Phone("location.get", "device.info")
    more.device = phone.device
    async with more.here(gateway):
        assert (await peer.call("node.invoke", ask(phone.device.id)))["ok"]
        refused = await peer.fails("node.invoke", ask(phone.device.id, "device.info"))
        assert refused["details"]["code"] == "COMMAND_NOT_APPROVED"


async def test_rejection_and_removal_close_the_door(gateway: Served, peer: Client) -> None:
    phone = Phone()
    async with phone.here(gateway):
        request = await peer.event("node.pair.requested", nodeId=phone.device.id)
        await peer.call("node.pair.reject", {"requestId": request["requestId"]})
        assert (await peer.call("node.pair.list"))["pending"] == []  # no asking again on the same connection
        assert (await peer.fails("node.pair.approve", {"requestId": request["requestId"]}))["code"] == "INVALID_REQUEST"
        await peer.fails("node.invoke", ask(phone.device.id))
    peer.events.clear()
    async with phone.here(gateway):
        await approve(peer, phone.device.id)
        assert (await peer.call("node.pair.list"))["paired"][0]["connected"] is True
        await peer.call("node.pair.remove", {"nodeId": phone.device.id})
        await peer.fails("node.invoke", ask(phone.device.id))
    assert phone.calls == []


async def test_what_is_not_declared_or_not_for_the_platform_is_refused(gateway: Served, peer: Client) -> None:
    phone = Phone("location.get", "camera.snap", "system.run")
    async with phone.here(gateway):
        approved = await approve(peer, phone.device.id)
        assert approved["node"]["commands"] == ["location.get"]
        for command, code in (
            ("camera.snap", "COMMAND_NOT_ALLOWED"),
            ("system.run", "COMMAND_NOT_ALLOWED"),
            ("sms.send", "COMMAND_NOT_DECLARED"),
        ):
            assert (await peer.fails("node.invoke", ask(phone.device.id, command)))["details"]["code"] == code
    assert (await peer.fails("node.invoke", ask(phone.device.id)))["details"]["code"] == "NOT_CONNECTED"
    assert phone.calls == []


async def test_the_camera_opens_by_configuration_and_a_persons_word(tmp_path: Path) -> None:
    config = {"gateway": {"nodes": {"allowCommands": ["camera.snap"], "denyCommands": ["location.get"]}}}
    async with served(tmp_path / "state", config) as gateway, client(gateway.ws, gateway.token) as peer:
        phone = Phone("location.get", "camera.snap")
        async with phone.here(gateway):
            assert (await approve(peer, phone.device.id))["node"]["commands"] == ["camera.snap"]
            assert (await peer.call("node.invoke", ask(phone.device.id, "camera.snap")))["ok"]
            assert (await peer.fails("node.invoke", ask(phone.device.id)))["details"]["code"] == "COMMAND_NOT_ALLOWED"


async def test_running_programs_takes_admin(gateway: Served, peer: Client) -> None:
    phone = Phone("system.run", platform="linux")
    scopes = [scope for scope in ALL_SCOPES if scope != "operator.admin"]
    async with phone.here(gateway), client(gateway.ws, gateway.token, scopes=scopes) as other:
        request = await other.event("node.pair.requested", nodeId=phone.device.id) if other.events else None
        pending = (await other.call("node.pair.list"))["pending"][0]
        assert request is None or request["requestId"] == pending["requestId"]
        refused = await other.fails("node.pair.approve", {"requestId": pending["requestId"]})
        assert refused["details"]["missingScope"] == "operator.admin"
        await peer.call("node.pair.approve", {"requestId": pending["requestId"]})
        refused = await other.fails("node.invoke", ask(phone.device.id, "system.run"))
        assert refused["details"]["missingScope"] == "operator.admin"
        assert (await peer.call("node.invoke", ask(phone.device.id, "system.run")))["ok"]


async def test_a_node_that_leaves_fails_what_it_owed_at_once(gateway: Served, peer: Client) -> None:
    phone = Phone()
    async with phone.here(gateway):
        await approve(peer, phone.device.id)
        asked = await peer.send("node.invoke", ask(phone.device.id, params={"wait": True}, timeoutMs=600_000))
        await asyncio.wait_for(phone.started.wait(), WAIT_S)
    frame = await peer.answer(asked)
    assert frame["error"]["code"] == "UNAVAILABLE" and "disconnected" in frame["error"]["message"]


async def test_a_timeout_tells_the_node_to_stop(gateway: Served, peer: Client) -> None:
    phone = Phone()
    async with phone.here(gateway):
        await approve(peer, phone.device.id)
        failed = await peer.fails("node.invoke", ask(phone.device.id, params={"wait": True}, timeoutMs=50))
        assert failed["code"] == "UNAVAILABLE" and "0.05 s" in failed["message"]
        await asyncio.wait_for(phone.cancelled.wait(), WAIT_S)
        failed = await peer.fails("node.invoke", ask(phone.device.id, params={"fail": True}))
        assert failed["message"] == "The battery is empty."


async def test_the_same_key_is_one_call(gateway: Served, peer: Client) -> None:
    phone = Phone()
    async with phone.here(gateway):
        await approve(peer, phone.device.id)
        params = ask(phone.device.id, params={"wait": True})
        first, second = await peer.send("node.invoke", params), await peer.send("node.invoke", params)
        await asyncio.wait_for(phone.started.wait(), WAIT_S)
        conflict = await peer.fails("node.invoke", {**params, "params": {"wait": False}})
        assert conflict["details"]["reason"] == "node-invoke-conflict"
        phone.go.set()
        assert (await peer.answer(first))["payload"] == (await peer.answer(second))["payload"]
        assert await peer.call("node.invoke", params) == (await peer.answer(first))["payload"]
    assert len(phone.calls) == 1


async def test_another_nodes_result_and_a_late_one_are_ignored(gateway: Served, peer: Client) -> None:
    phone, thief = Phone(), Phone()
    async with phone.here(gateway), thief.here(gateway) as stolen:
        await approve(peer, phone.device.id)
        asked = await peer.send("node.invoke", ask(phone.device.id, params={"wait": True}))
        await asyncio.wait_for(phone.started.wait(), WAIT_S)
        invoke_id = phone.calls[0].id
        for node_id in (phone.device.id, thief.device.id):
            forged = {"id": invoke_id, "nodeId": node_id, "ok": True, "payload": {"forged": True}}
            assert (await stolen.request("node.invoke.result", forged))["ignored"] is True
        phone.go.set()
        frame = await peer.answer(asked)
        assert frame["payload"]["payload"] == {"got": {"wait": True}}
        late = {"id": invoke_id, "nodeId": thief.device.id, "ok": True}
        assert (await stolen.request("node.invoke.result", late))["ignored"] is True


async def test_a_node_may_call_node_methods_only_and_nobody_else_may(gateway: Served, peer: Client) -> None:
    phone = Phone()
    async with phone.here(gateway) as connection:
        for method in ("chat.send", "node.list", "node.invoke", "node.pair.approve", "config.get", "device.pair.list"):
            with pytest.raises(OpenClawError) as refused:
                await connection.request(method, {})
            assert refused.value.code in ("INVALID_REQUEST", "FORBIDDEN"), method
        for event in ("session.bind", "notebook.focus", "canvas.action", "something.new"):
            answer = await connection.request("node.event", {"event": event, "payload": {"sessionKeys": ["main"]}})
            told = answer["handled"] or answer.get("reason")
            assert told is True or isinstance(told, str)
        assert not (await connection.request("node.event", {"event": "something.new"}))["handled"]
    for method in ("node.event", "node.invoke.result", "node.invoke.progress"):
        assert (await peer.fails(method, {}))["code"] == "INVALID_REQUEST"


async def test_no_device_no_node_and_a_foreign_device_is_asked_about(gateway: Served, peer: Client) -> None:
    with pytest.raises(OpenClawError) as refused:
        async with Node({}).joined(gateway.ws, token=gateway.token):
            raise AssertionError("a node without a device came in")
    assert refused.value.details["code"] == "DEVICE_IDENTITY_REQUIRED"
    phone = Phone()
    with pytest.raises(OpenClawError) as refused:
        async with phone.node.joined(gateway.ws, device=phone.device):
            raise AssertionError("an unpaired device came in")
    assert refused.value.details["code"] == "PAIRING_REQUIRED"
    request = await peer.event("device.pair.requested", deviceId=phone.device.id)
    await peer.call("device.pair.approve", {"requestId": request["requestId"]})
    async with phone.node.joined(gateway.ws, device=phone.device) as connection:
        assert connection.hello["auth"]["role"] == "node" and connection.hello["auth"]["scopes"] == []
        assert (await node_row(peer, phone.device.id))["commands"] == []


async def test_our_own_kernels_need_no_word_for_exactly_our_own_commands(gateway: Served, peer: Client) -> None:
    kernel = Phone("python.run", "canvas.present", platform="linux", instance_id="kernel-1")
    async with kernel.here(gateway) as connection:
        row = await node_row(peer, "local:kernel-1")
        assert row["commands"] == ["canvas.present", "python.run"] and row["blockedCommands"] == []
        assert (await peer.call("node.invoke", ask("local:kernel-1", "python.run")))["ok"]
        bound = {"event": "session.bind", "payload": {"sessionKeys": ["main"], "notebook": "/n/a.ipynb", "kernelId": "k"}}
        assert (await connection.request("node.event", bound))["handled"] is True
        assert (await node_row(peer, "local:kernel-1"))["sessionKeys"] == ["agent:main:main"]
    mixed = Phone("python.run", "system.run", platform="linux", instance_id="kernel-1")
    async with mixed.here(gateway):
        row = await node_row(peer, mixed.device.id)
        assert row["commands"] == ["python.run"] and row["blockedCommands"] == ["system.run"]


async def test_silence_can_be_switched_off(tmp_path: Path) -> None:
    config = {"gateway": {"nodes": {"autoApproveLocal": False}}}
    async with served(tmp_path / "state", config) as gateway, client(gateway.ws, gateway.token) as peer:
        kernel = Phone("python.run", platform="linux", instance_id="kernel-1")
        with pytest.raises(OpenClawError) as refused:
            async with kernel.here(gateway):
                raise AssertionError("it came in unasked")
        assert refused.value.details["code"] == "PAIRING_REQUIRED"
        request = await peer.event("device.pair.requested", deviceId=kernel.device.id)
        await peer.call("device.pair.approve", {"requestId": request["requestId"]})
        async with kernel.here(gateway):
            refused_call = await peer.fails("node.invoke", ask("local:kernel-1", "python.run"))
            assert refused_call["details"]["code"] == "COMMAND_NOT_APPROVED"
            await approve(peer, "local:kernel-1")
            assert (await peer.call("node.invoke", ask("local:kernel-1", "python.run")))["ok"]
