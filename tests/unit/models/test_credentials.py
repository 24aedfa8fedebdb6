"""Credentials: where they come from, in which order, how a token is renewed, and that none is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.config.secrets import Secrets
from openclaw_kernel.models.credentials import CredentialBook, CredentialStore, StoredCredential
from openclaw_kernel.models.profiles import Profiles
from openclaw_kernel.models.vendors import VENDORS
from openclaw_kernel.values.errors import UserError

HOUR_MS = 3_600_000
NOW_MS = 1_795_000_000_000


class World:
    """A credential book, its clock, and the server that renews tokens."""

    def __init__(self, state_dir: Path | None, config: dict[str, Any] | None = None, env: dict[str, str] | None = None) -> None:
        self.now = NOW_MS
        self.forms: list[tuple[str, dict[str, str]]] = []
        self.answer: Any = {"access_token": "fresh", "refresh_token": "next", "expires_in": 3600}
        self.gate: asyncio.Event | None = None
        self.state_dir = state_dir
        self.config = OpenClawConfig.model_validate(config or {})
        self.env = env or {}
        self.open()

    def open(self) -> None:
        self.secrets = Secrets(self.config, self.env)
        self.profiles = Profiles(self.state_dir, lambda: self.now)
        stored = CredentialStore(self.state_dir)
        self.book = CredentialBook(self.secrets, self.env, self.profiles, stored, lambda: self.now, self.post)
        self.book.reconfigure(self.config, VENDORS)

    async def post(self, url: str, form: Mapping[str, str]) -> Any:
        self.forms.append((url, dict(form)))
        if self.gate is not None:
            await self.gate.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def oauth(self, left_ms: int = HOUR_MS, **more: Any) -> None:
        row = {"refresh": "r1", "token_url": "https://auth.test/token", "client_id": "us"} | more
        self.book.store(StoredCredential("groq:sub", "groq", "oauth", "stale-token", expires_at=self.now + left_ms, **row))

    async def secret(self, provider: str = "groq") -> str:
        return await self.book.secret(self.book.order(provider, "")[0])


def test_where_they_come_from_and_which_goes_first() -> None:
    profiles = {
        "groq:key": {"provider": "groq", "apiKey": "k1"},
        "groq:token": {"provider": "groq", "mode": "token", "apiKey": "t1"},
        "groq:absent": {"provider": "groq"},
        "openai:x": {"provider": "openai", "apiKey": "o"},
    }
    world = World(None, {"auth": {"profiles": profiles}}, {"GROQ_API_KEY": "env-key"})
    world.book.store(StoredCredential("groq:sub", "groq", "oauth", "s1"))
    assert [one.id for one in world.book.order("groq", "")] == ["groq:sub", "groq:token", "groq:key", "groq:default"]
    assert [world.book.kept(one) for one in world.book.order("groq", "")] == ["s1", "t1", "k1", "env-key"]
    assert {"env-key"} <= world.secrets.known()
    assert world.book.of("deepseek") == [] and "DEEPSEEK_API_KEY" in world.book.missing("deepseek")
    assert [one.source for one in world.book.of("ollama")] == ["none"]


def test_an_explicit_order_leaves_the_others_out() -> None:
    profiles = {f"groq:{name}": {"provider": "groq", "apiKey": name} for name in "abc"}
    world = World(None, {"auth": {"profiles": profiles, "order": {"groq": ["groq:c", "groq:a", "groq:zz"]}}})
    assert [one.id for one in world.book.order("groq", "s")] == ["groq:c", "groq:a"]
    world.profiles.prefer("s", "groq", "groq:a")
    assert [one.id for one in world.book.order("groq", "s")] == ["groq:a", "groq:c"]


async def test_a_token_is_renewed_before_it_is_void_and_kept(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.oauth()
    assert await world.secret() == "stale-token" and world.forms == []
    world.now += HOUR_MS - 4 * 60_000
    assert await world.secret() == "fresh"
    form = {"grant_type": "refresh_token", "refresh_token": "r1", "client_id": "us"}
    assert world.forms == [("https://auth.test/token", form)]
    world.book.stored.close()
    world.open()
    assert await world.secret() == "fresh" and len(world.forms) == 1
    world.now += HOUR_MS
    await world.secret()
    assert world.forms[1][1]["refresh_token"] == "next"


async def test_calls_side_by_side_renew_once() -> None:
    world = World(None)
    world.oauth(left_ms=1_000)
    world.gate = asyncio.Event()
    asked = [asyncio.ensure_future(world.secret()) for _ in range(8)]
    await asyncio.sleep(0)
    world.gate.set()
    assert await asyncio.gather(*asked) == ["fresh"] * 8 and len(world.forms) == 1


@pytest.mark.parametrize("answer", [{}, {"access_token": 7}, UserError("the server said no")])
async def test_what_cannot_be_renewed_is_one_sentence_and_the_old_one_stays(answer: Any) -> None:
    world = World(None)
    world.oauth(left_ms=1_000)
    world.answer = answer
    with pytest.raises(UserError) as caught:
        await world.secret()
    assert "stale-token" not in str(caught.value) and "r1" not in str(caught.value)
    world.answer = {"access_token": "fresh"}
    assert await world.secret() == "fresh"


async def test_a_token_nobody_can_renew() -> None:
    world = World(None)
    world.oauth(left_ms=2 * 24 * HOUR_MS, refresh="", token_url="")
    profile = world.book.of("groq")[0]
    assert world.book.state(profile) == "valid"
    world.now += 30 * HOUR_MS
    assert world.book.state(profile) == "expiring_soon" and await world.secret() == "stale-token"
    world.now += 24 * HOUR_MS
    assert world.book.state(profile) == "expired"
    with pytest.raises(UserError, match="has expired"):
        await world.secret()


def test_nothing_shows_a_secret(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.oauth()
    row = world.book.stored.get("groq:sub")
    assert row is not None and "stale-token" not in repr(row) and "r1" not in repr(row)
    assert (tmp_path / "credentials.jsonl").stat().st_mode & 0o777 == 0o600
    assert world.book.forget("groq:sub") and not world.book.forget("groq:sub") and world.book.of("groq") == []
