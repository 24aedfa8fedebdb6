"""Does the key that a device shows belong to it, and did it sign this very handshake? (protocol section 3.4)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openclaw_kernel.client.device import SignedClaim, device_id, from_base64url
from openclaw_kernel.values.errors import OpenClawError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

SKEW_MS = 120_000  # the original's tolerance between the signature's time and ours
_KEY_BYTES = 32


def verify(claim: SignedClaim, *, public_key: str, signature: str, nonce: str, now: int) -> None:
    """Raises `OpenClawError` with one of the `DEVICE_AUTH_…` codes; returns when the claim is signed, fresh and for `nonce`."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # 10 ms; a token needs no signature

    try:
        raw = from_base64url(public_key)
        if len(raw) != _KEY_BYTES:
            raise ValueError("an Ed25519 key has 32 bytes")
        key = Ed25519PublicKey.from_public_bytes(raw)
    except ValueError:
        raise _failure("PUBLIC_KEY_INVALID", "device public key invalid", "device-public-key") from None
    if device_id(raw) != claim.device_id:
        raise _failure("DEVICE_ID_MISMATCH", "device identity mismatch", "device-id-mismatch")
    if abs(now - claim.signed_at) > SKEW_MS:
        raise _failure("SIGNATURE_EXPIRED", "device signature expired", "device-signature-stale")
    if not claim.nonce:
        raise _failure("NONCE_REQUIRED", "device nonce required", "device-nonce-missing")
    if claim.nonce != nonce:
        raise _failure("NONCE_MISMATCH", "device nonce mismatch", "device-nonce-mismatch")
    if not any(_signed(key, signature, text) for text in (claim.text_v3(), claim.text_v2())):
        raise _failure("SIGNATURE_INVALID", "device signature invalid", "device-signature")


def _signed(key: Ed25519PublicKey, signature: str, text: str) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(from_base64url(signature), text.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def _failure(code: str, message: str, reason: str) -> OpenClawError:
    return OpenClawError("INVALID_REQUEST", message, {"code": f"DEVICE_AUTH_{code}", "reason": reason})
