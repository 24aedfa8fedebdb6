"""The device's own key."""

from __future__ import annotations

import stat

import pytest

from openclaw_kernel.client.device import DeviceIdentity, from_base64url, to_base64url
from openclaw_kernel.values.errors import UserError


def test_an_identity_is_created_once(tmp_path):
    path = tmp_path / "identity" / "device.json"
    path.parent.mkdir()
    first = DeviceIdentity.load(path)
    assert DeviceIdentity.load(path).id == first.id
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "device.json"
    path.write_text("{}")
    with pytest.raises(UserError, match=r"device\.json is not a device identity"):
        DeviceIdentity.load(path)


@pytest.mark.parametrize("text", ["A", "AA==", "A+", "A/", "ä", "AB"])
def test_only_canonical_base64url_is_read(text):
    with pytest.raises(ValueError):
        from_base64url(text)


def test_base64url_round_trip():
    for size in range(40):
        assert from_base64url(to_base64url(bytes(range(size)))) == bytes(range(size))
