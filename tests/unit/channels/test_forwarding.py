"""Approval cards in chats that the owner named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.channels.contract import Callback
from openclaw_gateway.channels.forwarding import asks_in_session, targets_of
from openclaw_kernel.config.schema.approvals import ApprovalForwarding
from openclaw_kernel.safety.api import Card
from openclaw_kernel.safety.approvals import Approval
from openclaw_kernel.values.envelope import Peer, Sender
from tests.unit.channels.world import settle, until, world

CARD = Card("Run ls", "ls", "/tmp", "exec asks", scopes=("allow-once", "deny"))
OWNER = {"commands": {"ownerAllowFrom": ["fake:ann"]}}
TARGET = {"channel": "fake", "to": "team"}


def approval(key: str = "agent:main:main", agent: str = "main") -> Approval:
    return Approval("a1", CARD, key, agent, "run-1", "call-1", 0, 1)


def forwarding(**more: Any) -> ApprovalForwarding:
    return ApprovalForwarding.model_validate({"enabled": True, "targets": [TARGET], **more})


@pytest.mark.parametrize(
    ("settings", "forwarded", "in_session"),
    [
        ({"mode": "both"}, True, True),
        ({"mode": "targets"}, True, False),
        ({"mode": "session"}, False, True),
        ({"mode": "targets", "enabled": False}, False, True),
        ({"mode": "targets", "targets": []}, False, True),
        ({"mode": "targets", "agentFilter": ["other"]}, False, True),
        ({"mode": "targets", "agentFilter": ["main"], "sessionFilter": ["agent:*:main"]}, True, False),
        ({"mode": "targets", "sessionFilter": [":telegram:"]}, False, True),
    ],
)
def test_who_is_asked(settings: dict[str, Any], forwarded: bool, in_session: bool) -> None:
    found = forwarding(**settings)
    assert (bool(targets_of(found, approval())), asks_in_session(found, approval())) == (forwarded, in_session)


async def test_a_question_goes_to_the_chat_named_and_only_an_owner_answers_there(tmp_path: Path) -> None:
    settings = {"exec": {"enabled": True, "mode": "targets", "targets": [TARGET, {"channel": "gone", "to": "x"}]}}
    async with world(tmp_path, {"dmPolicy": "open", "allowFrom": ["*"]}, approvals=settings, **OWNER) as found:
        row = found.approvals.request(CARD, session_key="agent:main:main", agent_id="main", run_id="r")
        await until(lambda: found.platform.sent)
        [sent] = found.platform.sent
        assert sent.target == Peer("direct", "team") and "May I?" in sent.text and sent.payload is not None
        data = sent.payload["buttons"][0][0]["data"]
        said = await found.room.pressed(Callback("fake", "default", Peer("direct", "team"), Sender("eve"), data))
        assert "Only the owner" in said and found.approvals.pending() == [row]
        said = await found.room.pressed(Callback("fake", "default", Peer("direct", "team"), Sender("ann"), data))
        await settle()
        assert said == "Allowed once." and found.approvals.pending() == []
