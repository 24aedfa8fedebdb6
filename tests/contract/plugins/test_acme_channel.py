"""The contract of channels over the one that somebody else's package brings."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest

from tests.contract.channels import OWNER, ChannelCase, ChannelContract, Heard, counter


class AcmeCase(ChannelCase):
    """Its platform is a folder."""

    name: ClassVar[str] = "acme"
    cannot: ClassVar[dict[str, str]] = {
        "rate": "a folder never refuses",
        "resume": "a folder cannot be away",
        "forge": "its webhook knows no secret",
        "picture-in": "it carries words only",
        "picture-out": "it carries words only",
        "preview": "it does not offer edits",
        "typing": "a folder shows nothing of the kind",
    }

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp())
        self._url = ""

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    def config(self) -> dict[str, Any]:
        return {
            "plugins": {"allow": ["acme"], "entries": {"acme": {"config": {"only": "channel"}}}},
            "channels": {"acme": {"folder": str(self._folder), "dmPolicy": "pairing"}},
        }

    async def joined(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")

    async def says(self, text: str, *, who: str = OWNER, picture: bytes | None = None) -> dict[str, Any]:
        said = {"from": who, "id": f"a{next(counter)}", "text": text}
        await self.repeat(said)
        return said

    async def repeat(self, said: dict[str, Any]) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
            assert (await http.post(f"{self._url}/channels/acme/default/webhook", json=said)).status_code == 200

    def heard(self, who: str = OWNER) -> list[Heard]:
        return [Heard(path.read_text(), at=path.stat().st_mtime) for path in sorted((self._folder / who).glob("*.txt"))]


class TestAcme(ChannelContract):
    make = AcmeCase

    @pytest.fixture(autouse=True)
    def on_the_path(self, acme: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.syspath_prepend(str(acme))
        monkeypatch.setenv("PYTHONPATH", str(acme))
