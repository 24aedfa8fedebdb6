"""A device's identity: an Ed25519 key, its id, and the text it signs to connect (protocol section 3.4)."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openclaw_kernel.store.atomic import write_atomic
from openclaw_kernel.values.errors import UserError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FILE_NAME = "device.json"


def to_base64url(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """Raises `ValueError` for anything that is not base64url without padding."""
    if not text.isascii() or set(text) & set("+/= \r\n\t"):
        raise ValueError("not base64url without padding")
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if to_base64url(data) != text:
        raise ValueError("not canonical base64url")
    return data


def device_id(public_key: bytes) -> str:
    """SHA-256 of the 32 raw key bytes, lower-case hex."""
    return hashlib.sha256(public_key).hexdigest()


@dataclass(frozen=True, slots=True)
class SignedClaim:
    """What a device signs: who it is, what it asks for, and the server's nonce. `token` is the credential sent in `auth`."""

    device_id: str
    client_id: str
    client_mode: str
    role: str
    scopes: Sequence[str]
    signed_at: int
    token: str
    nonce: str
    platform: str = ""
    device_family: str = ""

    def text_v2(self) -> str:
        return "|".join(("v2", *self._common()))

    def text_v3(self) -> str:
        tail = (self.platform.strip().lower(), self.device_family.strip().lower())
        return "|".join(("v3", *self._common(), *tail))

    def _common(self) -> tuple[str, ...]:
        head = (self.device_id, self.client_id, self.client_mode, self.role)
        return (*head, ",".join(self.scopes), str(self.signed_at), self.token, self.nonce)


class DeviceIdentity:
    """A key pair of this device. The private key never appears in a repr."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        raw = key.public_key().public_bytes_raw()
        self.public_key = to_base64url(raw)
        self.id = device_id(raw)

    def __repr__(self) -> str:
        return f"DeviceIdentity(id={self.id!r})"

    @classmethod
    def create(cls) -> DeviceIdentity:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # 10 ms, only for those who sign

        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_seed(cls, seed: bytes) -> DeviceIdentity:
        """From the 32 private bytes."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def load(cls, path: Path) -> DeviceIdentity:
        """Reads the identity at `path`, creating it (mode 0600) on first use. Raises `UserError` for a damaged file."""
        if not path.exists():
            identity = cls.create()
            identity.save(path)
            return identity
        try:
            return cls.from_seed(from_base64url(json.loads(path.read_text(encoding="utf-8"))["privateKey"]))
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{path} is not a device identity ({error}); delete it to create a new one") from error

    def save(self, path: Path) -> None:
        seed = self._key.private_bytes_raw()
        record = {"deviceId": self.id, "publicKey": self.public_key, "privateKey": to_base64url(seed)}
        write_atomic(path, json.dumps(record, indent=2) + "\n", 0o600)

    def sign(self, text: str) -> str:
        return to_base64url(self._key.sign(text.encode()))

    def claim(
        self,
        client: Mapping[str, Any],
        *,
        role: str,
        scopes: Sequence[str],
        token: str,
        challenge: Mapping[str, Any],
    ) -> dict[str, Any]:
        """The `device` object of `connect` for a client description and the server's `connect.challenge`."""
        signed_at = int(challenge["ts"])
        nonce = str(challenge["nonce"])
        claim = SignedClaim(
            device_id=self.id,
            client_id=str(client["id"]),
            client_mode=str(client["mode"]),
            role=role,
            scopes=scopes,
            signed_at=signed_at,
            token=token,
            nonce=nonce,
            platform=str(client.get("platform", "")),
            device_family=str(client.get("deviceFamily", "")),
        )
        signature = self.sign(claim.text_v3())
        return {"id": self.id, "publicKey": self.public_key, "signature": signature, "signedAt": signed_at, "nonce": nonce}
