"""Device identity, pairing and tokens (protocol section 3.4)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from openclaw_gateway.protocol import signatures
from openclaw_gateway.protocol.devices import Devices
from openclaw_kernel.client.device import DeviceIdentity, SignedClaim, to_base64url
from openclaw_kernel.values.errors import OpenClawError

VECTOR = json.loads((Path(__file__).parent / "device_signature.json").read_text())
ASKED = VECTOR["connect"]
ELSEWHERE = {"remote_ip": "192.0.2.7"}


def claim(**changes):
    values = {
        "device_id": VECTOR["deviceId"],
        "client_id": ASKED["clientId"],
        "client_mode": ASKED["clientMode"],
        "role": ASKED["role"],
        "scopes": ASKED["scopes"],
        "signed_at": ASKED["signedAt"],
        "token": ASKED["token"],
        "nonce": ASKED["nonce"],
        "platform": ASKED["platform"],
        "device_family": ASKED["deviceFamily"],
    }
    return SignedClaim(**(values | changes))


def verify(
    signature=VECTOR["signatureV3"], *, public_key=VECTOR["publicKey"], nonce=ASKED["nonce"], now=ASKED["signedAt"], **changes
):
    signatures.verify(claim(**changes), public_key=public_key, signature=signature, nonce=nonce, now=now)


def code_of(caught):
    return caught.value.details["code"]


def test_vector_texts_and_signing():
    identity = DeviceIdentity.from_seed(bytes.fromhex(VECTOR["seedHex"]))
    assert (identity.public_key, identity.id) == (VECTOR["publicKey"], VECTOR["deviceId"])
    assert claim().text_v3() == VECTOR["textV3"] and claim().text_v2() == VECTOR["textV2"]
    assert identity.sign(VECTOR["textV3"]) == VECTOR["signatureV3"]
    assert identity.sign(VECTOR["textV2"]) == VECTOR["signatureV2"]


@pytest.mark.parametrize("version", ["V2", "V3"])
def test_vector_signatures_are_accepted(version):
    verify(VECTOR[f"signature{version}"])


@pytest.mark.parametrize("version", ["V2", "V3"])
@pytest.mark.parametrize("position", [0, 20, 43, 84, 85])
def test_one_flipped_character_is_refused(version, position):
    text = VECTOR[f"signature{version}"]
    flipped = text[:position] + ("A" if text[position] != "A" else "B") + text[position + 1 :]
    with pytest.raises(OpenClawError) as caught:
        verify(flipped)
    assert code_of(caught) == "DEVICE_AUTH_SIGNATURE_INVALID"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"scopes": ["operator.admin"]}, "SIGNATURE_INVALID"),
        ({"token": "another"}, "SIGNATURE_INVALID"),
        ({"role": "node"}, "SIGNATURE_INVALID"),
        ({"signature": ""}, "SIGNATURE_INVALID"),
        ({"signature": VECTOR["signatureV3"] + "=="}, "SIGNATURE_INVALID"),
        ({"device_id": "0" * 64}, "DEVICE_ID_MISMATCH"),
        ({"nonce": "another"}, "NONCE_MISMATCH"),
        ({"now": ASKED["signedAt"] + 120_001}, "SIGNATURE_EXPIRED"),
        ({"now": ASKED["signedAt"] - 120_001}, "SIGNATURE_EXPIRED"),
        ({"public_key": "AAAA"}, "PUBLIC_KEY_INVALID"),
        ({"public_key": "not base64!"}, "PUBLIC_KEY_INVALID"),
        ({"public_key": to_base64url(b"\x01" * 32)}, "DEVICE_ID_MISMATCH"),
    ],
)
def test_failures(changes, code):
    with pytest.raises(OpenClawError) as caught:
        verify(**changes)
    assert code_of(caught) == f"DEVICE_AUTH_{code}"


def test_platform_is_only_in_v3():
    verify(VECTOR["signatureV2"], platform="darwin")
    with pytest.raises(OpenClawError):
        verify(platform="darwin")


async def test_a_missing_nonce_is_named(bench, device):
    wire = bench.wire()
    shown = device.claim(
        {"id": "cli", "mode": "cli"}, role="operator", scopes=[], token="", challenge=wire.challenge["payload"] | {"nonce": ""}
    )
    answer = await wire.send(_connect_frame(shown))
    assert answer["error"]["details"]["code"] == "DEVICE_AUTH_NONCE_REQUIRED" and wire.closes[0][0] == 1008


def _connect_frame(device):
    client = {"id": "cli", "mode": "cli", "version": "1", "platform": "linux"}
    params = {"minProtocol": 4, "maxProtocol": 4, "client": client, "device": device, "scopes": []}
    return {"type": "req", "id": "1", "method": "connect", "params": params}


async def test_loopback_with_the_secret_is_paired_silently(bench, device):
    answer = await bench.wire().connect(device=device, client="openclaw-tui", mode="ui", scopes=["operator.admin"])
    auth = answer["payload"]["auth"]
    assert auth["scopes"] == ["operator.admin"] and len(auth["deviceToken"]) == 43
    assert bench.devices.get(device.id).approved_via == "silent"
    on_disk = bench.devices._ledger.path.read_text()
    assert auth["deviceToken"] not in on_disk and device.id in on_disk


async def test_a_device_token_stands_for_the_secret(bench, device):
    token = await _token(bench, device, ["operator.read"])
    answer = await bench.wire(**ELSEWHERE).connect(device=device, auth={"deviceToken": token})
    assert answer["payload"]["auth"] == {
        "method": "device-token",
        "role": "operator",
        "scopes": ["operator.read"],
        "deviceToken": token,
    }


async def test_a_device_token_is_bound_to_device_role_and_scopes(bench, device):
    token = await _token(bench, device, ["operator.read"])
    stranger = DeviceIdentity.create()
    answer = await bench.wire(**ELSEWHERE).connect(device=stranger, auth={"deviceToken": token})
    assert answer["error"]["details"]["code"] == "AUTH_DEVICE_TOKEN_MISMATCH"
    answer = await bench.wire(**ELSEWHERE).connect(device=device, auth={"deviceToken": token}, scopes=["operator.admin"])
    assert answer["error"]["details"] | {"requestId": ""} == {
        "code": "PAIRING_REQUIRED",
        "requestId": "",
        "reason": "scope-upgrade",
        "deviceId": device.id,
    }
    answer = await bench.wire(**ELSEWHERE).connect(device=device, auth={"deviceToken": token}, role="node", scopes=[])
    assert answer["error"]["details"]["code"] == "AUTH_DEVICE_TOKEN_MISMATCH"


async def test_a_device_token_without_the_device_opens_nothing(bench, device):
    token = await _token(bench, device, ["operator.read"])
    answer = await bench.wire().connect(auth={"deviceToken": token})
    assert answer["error"]["details"]["code"] == "DEVICE_IDENTITY_REQUIRED"


async def test_pairing_from_elsewhere(bench, device):
    operator = await bench.connected(scopes=["operator.pairing"])
    refused = bench.wire(**ELSEWHERE)
    error = (await refused.connect(device=device, token=None))["error"]
    assert (error["code"], error["message"], error["details"]["code"]) == ("NOT_PAIRED", "pairing required", "PAIRING_REQUIRED")
    assert refused.closes == [(1008, "pairing required")]
    requested = operator.events("device.pair.requested")[0]["payload"]
    assert requested["requestId"] == error["details"]["requestId"] and requested["remoteIp"] == "192.0.2.7"
    again = (await bench.wire(**ELSEWHERE).connect(device=device, token=None))["error"]
    assert again["details"]["requestId"] == requested["requestId"]
    bench.devices.approve(requested["requestId"])
    assert operator.events("device.pair.resolved")[0]["payload"]["decision"] == "approved"
    auth = (await bench.wire(**ELSEWHERE).connect(device=device, token=None))["payload"]["auth"]
    assert auth["scopes"] == ["operator.read"] and len(auth["deviceToken"]) == 43
    once_more = (await bench.wire(**ELSEWHERE).connect(device=device, token=None))["error"]
    assert once_more["details"]["reason"] == "token-required"


async def test_the_secret_from_elsewhere_does_not_pair_by_itself(bench, device):
    answer = await bench.wire(**ELSEWHERE).connect(device=device)
    assert answer["error"]["details"]["code"] == "PAIRING_REQUIRED"


async def test_a_rejected_device_stays_out(bench, device):
    answer = await bench.wire(**ELSEWHERE).connect(device=device, token=None)
    bench.devices.reject(answer["error"]["details"]["requestId"])
    assert bench.devices.pending() == [] and bench.devices.get(device.id) is None


async def test_requests_expire(bench, device):
    await bench.wire(**ELSEWHERE).connect(device=device, token=None)
    bench.now += 300_000
    assert bench.devices.pending() == []


async def test_nobody_approves_more_than_they_have(bench, device):
    answer = await bench.wire(**ELSEWHERE).connect(device=device, token=None, scopes=["operator.admin"])
    with pytest.raises(OpenClawError, match=r"missing scope: operator\.admin"):
        bench.devices.approve(answer["error"]["details"]["requestId"], approver={"operator.pairing"})


async def test_a_revoked_token_closes_the_live_socket(bench, device):
    token = await _token(bench, device, ["operator.read"])
    wire = await bench.connected(peer=ELSEWHERE, device=device, auth={"deviceToken": token})
    bench.devices.revoke(device.id, "operator")
    assert wire.closes == [(1008, "device token revoked")]
    assert await wire.request("health") is None
    answer = await bench.wire(**ELSEWHERE).connect(device=device, auth={"deviceToken": token})
    assert answer["error"]["details"]["code"] == "AUTH_DEVICE_TOKEN_MISMATCH"


async def test_rotation_replaces_the_token_and_spares_the_caller(bench, device):
    old = await _token(bench, device, ["operator.read"])
    caller = await bench.connected(device=device, auth={"deviceToken": old})
    other = await bench.connected(device=device, auth={"deviceToken": old})
    new = bench.devices.rotate(device.id, "operator", keep=caller.connection.conn_id)
    assert other.closed and not caller.closed and new != old
    assert bench.devices.check_token(device.id, "operator", old) is None
    assert bench.devices.check_token(device.id, "operator", new).scopes == ("operator.read",)
    with pytest.raises(OpenClawError, match="exceed the approved scopes"):
        bench.devices.rotate(device.id, "operator", ["operator.admin"])


async def test_a_removed_device_must_pair_again(bench, device):
    wire = await bench.connected(device=device)
    bench.devices.remove(device.id)
    assert wire.closed and bench.devices.paired() == []
    with pytest.raises(OpenClawError, match="unknown deviceId"):
        bench.devices.remove(device.id)


async def test_devices_survive_a_restart(bench, device):
    token = await _token(bench, device, ["operator.read"])
    path = bench.devices._ledger.path
    bench.devices.close()
    reopened = Devices(path)
    assert reopened.check_token(device.id, "operator", token) is not None
    assert reopened.to_wire({device.id})["paired"][0]["connected"] is True
    reopened.close()


async def _token(bench, device, scopes):
    wire = bench.wire()
    answer = await wire.connect(device=device, scopes=scopes)
    wire.connection.closed()
    return answer["payload"]["auth"]["deviceToken"]
