"""Who is heard, by which agent, in which session: every policy against every sender, kind of chat, scope and binding tier,
through the real pipeline. The tables below were written from the rules, not computed by the code under test.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.values.envelope import Attachment, GroupInfo, Inbound, Peer, Sender, Thread
from tests.unit.channels.world import World, settle, until, world

SENDERS = ("known", "paired", "owner", "unknown")

# dmPolicy → what becomes of each of SENDERS
DIRECT = {
    "pairing": ("hear", "hear", "hear", "pair"),
    "allowlist": ("hear", "drop", "hear", "drop"),
    "open": ("hear", "hear", "hear", "hear"),
    "disabled": ("drop", "drop", "drop", "drop"),
}
# (groupPolicy, were we mentioned) → what becomes of each of SENDERS. Pairing opens direct messages only.
GROUP = {
    ("allowlist", True): ("hear", "drop", "hear", "drop"),
    ("allowlist", False): ("observe", "drop", "observe", "drop"),
    ("open", True): ("hear", "hear", "hear", "hear"),
    ("open", False): ("observe", "observe", "observe", "observe"),
    ("disabled", True): ("drop", "drop", "drop", "drop"),
    ("disabled", False): ("drop", "drop", "drop", "drop"),
}
SCOPES = {
    "main": "agent:{agent}:main",
    "per-peer": "agent:{agent}:direct:{peer}",
    "per-channel-peer": "agent:{agent}:fake:direct:{peer}",
    "per-account-channel-peer": "agent:{agent}:fake:acc:direct:{peer}",
}
# Highest first; each row is the match of one binding, all of which fit the messages below.
GROUP_TIERS: dict[str, dict[str, Any]] = {
    "peer": {"peer": {"kind": "{kind}", "id": "room"}},
    "wildcard": {"peer": {"kind": "{kind}", "id": "*"}},
    "parent": {"peer": {"kind": "channel", "id": "parent"}},
    "roles": {"guildId": "guild", "roles": ["admin"]},
    "guild": {"guildId": "guild"},
    "team": {"teamId": "team"},
    "account": {"accountId": "acc"},
    "channel": {},
    "default": {},
}
DIRECT_TIERS: dict[str, dict[str, Any]] = {
    "wildcard": {"peer": {"kind": "direct", "id": "*"}},
    "account": {"accountId": "acc"},
    "channel": {},
    "default": {},
}
SECRET = "a very private sentence"


@dataclass(frozen=True)
class Cell:
    """One message: who sends it where, and what must become of it."""

    sender: str
    kind: str
    mention: bool
    action: str
    key: str

    @property
    def text(self) -> str:
        return f"{SECRET} {'@us' if self.mention else ''} {self.kind} {self.sender}"


def direct_cells(policy: str, scope: str, tier: str) -> list[Cell]:
    return [
        Cell(sender, "direct", False, action, SCOPES[scope].format(agent=f"for-{tier}", peer=sender))
        for sender, action in zip(SENDERS, DIRECT[policy], strict=True)
    ]


def group_cells(policy: str, kind: str, tier: str) -> list[Cell]:
    key = f"agent:for-{tier}:fake:{kind}:room:thread:th"
    return [
        Cell(sender, kind, mention, action, key)
        for mention in (True, False)
        for sender, action in zip(SENDERS, GROUP[policy, mention], strict=True)
    ]


DIRECT_CASES = [(policy, scope, tier) for policy in DIRECT for scope in SCOPES for tier in DIRECT_TIERS]
GROUP_CASES = [
    (policy, kind, tier)
    for policy in ("allowlist", "open", "disabled")
    for kind in ("group", "channel")
    for tier in GROUP_TIERS
]
COUNT = sum(len(direct_cells(*case)) for case in DIRECT_CASES) + sum(len(group_cells(*case)) for case in GROUP_CASES)


def test_there_are_more_than_three_hundred_cells() -> None:
    print(f"{COUNT} cells")
    assert COUNT >= 300


def config_of(tiers: dict[str, dict[str, Any]], tier: str, kind: str) -> dict[str, Any]:
    """The binding of `tier` and of every tier below it, in the wrong order: the tiers must sort them, not the config."""
    names = list(tiers)[list(tiers).index(tier) :]
    bindings = []
    for name in reversed(names[:-1]):
        match = {"channel": "fake", **tiers[name]}
        if "peer" in match:
            match["peer"] = {**match["peer"], "kind": match["peer"]["kind"].format(kind=kind)}
        bindings.append({"agentId": f"for-{name}", "match": match})
    agents = [{"id": f"for-{name}", "default": name == "default"} for name in tiers]
    return {"agents": {"list": agents}, "bindings": bindings}


def message_of(cell: Cell, number: int) -> Inbound:
    group = cell.kind != "direct"
    return Inbound(
        "fake",
        Peer(cell.kind, "room") if group else Peer("direct", cell.sender),  # type: ignore[arg-type]
        Sender(cell.sender, name="Mallory Name"),
        str(number),
        0,
        cell.text,
        cell.text,
        account="acc",
        thread=Thread("th", parent=Peer("channel", "parent")) if group else None,
        attachments=(Attachment("image", ref=f"ref-{number}", name=f"{number}.png"),),
        group=GroupInfo("guild", "team", frozenset({"admin", "user"})) if group else GroupInfo(),
    )


async def check(found: World, cells: list[Cell], caplog: pytest.LogCaptureFixture) -> None:
    pairings = found.room.pairings
    for name in ("owner", "paired"):  # the first one becomes the owner
        challenge = pairings.challenge("fake", "acc", name)
        assert challenge is not None
        pairings.approve("fake", challenge.code, by="me", via="cli")
    for number, cell in enumerate(cells):
        runs, sent, fetched = len(found.runtime.requests), len(found.sent), len(found.platform.fetched)
        caplog.clear()
        await found.room.intake(message_of(cell, number))
        if cell.action == "hear":
            await until(lambda sent=sent: len(found.sent) > sent)
        await settle()
        requests = found.runtime.requests[runs:]
        said = found.sent[sent:]
        assert [row.session_key for row in requests] == ([cell.key] if cell.action == "hear" else []), cell
        assert len(said) == (1 if cell.action in ("hear", "pair") else 0), cell
        assert (said == ["the answer"]) == (cell.action == "hear"), cell
        assert len(found.platform.fetched) - fetched == (1 if cell.action == "hear" else 0), cell
        for private in (SECRET, "Mallory", *(row.code for row in pairings.pending())):
            assert private not in caplog.text, cell
        if cell.action in ("pair", "drop"):
            assert found.room.inbox is not None and found.room.inbox.knows(message_of(cell, number)) is False, cell


@pytest.mark.parametrize(("policy", "scope", "tier"), DIRECT_CASES)
async def test_direct_messages(tmp_path: Path, caplog: pytest.LogCaptureFixture, policy: str, scope: str, tier: str) -> None:
    caplog.set_level(logging.DEBUG)
    allow = ["*", "known"] if policy == "open" else ["known"]
    block = {"dmPolicy": policy, "allowFrom": allow, "accounts": {"acc": {}}}
    config = config_of(DIRECT_TIERS, tier, "direct") | {"session": {"dmScope": scope}}
    async with world(tmp_path, block, **config) as found:
        await check(found, direct_cells(policy, scope, tier), caplog)


@pytest.mark.parametrize(("policy", "kind", "tier"), GROUP_CASES)
async def test_groups(tmp_path: Path, caplog: pytest.LogCaptureFixture, policy: str, kind: str, tier: str) -> None:
    caplog.set_level(logging.DEBUG)
    block = {"groupPolicy": policy, "groupAllowFrom": ["known"], "accounts": {"acc": {}}}
    async with world(tmp_path, block, **config_of(GROUP_TIERS, tier, kind)) as found:
        await check(found, group_cells(policy, kind, tier), caplog)
