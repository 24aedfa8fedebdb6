"""Devices that may connect: pairing and their tokens (protocol section 3.4)."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from openclaw_gateway.methods.services import NoParams, Params, parts
from openclaw_gateway.protocol.dispatch import Call, Method

SCOPE = "operator.pairing"


class RequestIdParams(Params):
    request_id: str = Field(min_length=1)


class DeviceIdParams(Params):
    device_id: str = Field(min_length=1)


class RenameParams(DeviceIdParams):
    display_name: str = Field(min_length=1, max_length=200)


class TokenParams(DeviceIdParams):
    role: str = Field(min_length=1)


class RotateParams(TokenParams):
    scopes: list[str] | None = None


async def pair_list(_params: NoParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    connected = {connection.device_id for connection in services.broadcaster if connection.device_id}
    return services.devices.to_wire(connected)


async def approve(params: RequestIdParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    device = services.devices.approve(params.request_id, approver=call.scopes)
    await services.devices.flush()
    return {"requestId": params.request_id, "device": device.to_wire(connected=False)}


async def reject(params: RequestIdParams, call: Call) -> dict[str, Any]:
    request = parts(call).devices.reject(params.request_id)
    return {"requestId": params.request_id, "deviceId": request.facts.device_id}


async def remove(params: DeviceIdParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    services.devices.remove(params.device_id)
    await services.devices.flush()
    return {"deviceId": params.device_id}


async def rename(params: RenameParams, call: Call) -> dict[str, Any]:
    device = parts(call).devices.rename(params.device_id, params.display_name)
    return {"deviceId": device.device_id, "displayName": params.display_name}


async def rotate(params: RotateParams, call: Call) -> dict[str, Any]:
    """A new token; the old one is dead and its sockets are closed. Only the device itself is told the token."""
    services = parts(call)
    keep = call.connection.conn_id
    if params.scopes is not None:
        for scope in params.scopes:
            call.require(scope)
    token = services.devices.rotate(params.device_id, params.role, params.scopes, keep=keep)
    await services.devices.flush()
    result: dict[str, Any] = {"deviceId": params.device_id, "role": params.role, "rotatedAtMs": services.clock()}
    if call.connection.device_id == params.device_id or call.is_admin:
        result |= {"token": token, "tokenDelivery": "in-band"}
    return result


async def revoke(params: TokenParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    services.devices.revoke(params.device_id, params.role)
    await services.devices.flush()
    return {"deviceId": params.device_id, "role": params.role, "revokedAtMs": services.clock()}


METHODS = [
    Method("device.pair.list", NoParams, pair_list, SCOPE),
    Method("device.pair.approve", RequestIdParams, approve, SCOPE),
    Method("device.pair.reject", RequestIdParams, reject, SCOPE),
    Method("device.pair.remove", DeviceIdParams, remove, SCOPE),
    Method("device.pair.rename", RenameParams, rename, SCOPE),
    Method("device.token.rotate", RotateParams, rotate, SCOPE),
    Method("device.token.revoke", TokenParams, revoke, SCOPE),
]
