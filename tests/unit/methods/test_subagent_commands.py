"""`/subagents` from a chat: whose word it is stays with what it says (SAF-23, AGT-33)."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from openclaw_gateway.methods.commands import CommandCall
from openclaw_gateway.methods.subagent_commands import subagents
from openclaw_kernel.values.messages import UserMessage
from tests.unit.agent.conftest import Held
from tests.unit.agent.subagents_bench import MAIN, House, Minds, house


def call(it: House, argument: str, **who: Any) -> CommandCall:
    services = cast(Any, SimpleNamespace(subagents=it.desk, sessions=it.bench.sessions))
    return CommandCall(services, MAIN, argument, **who)


@pytest.mark.parametrize("guest", [True, False])
async def test_a_guest_steers_as_a_guest(tmp_path: Path, guest: bool) -> None:
    """As the owner he could read the owner's other conversations and the configuration through the subagent."""
    async with house(tmp_path) as it:
        minds = Minds(it.bench)
        minds.child = slow = Held()
        child = await it.spawn(label="stars", guest=guest)
        await slow.reached.wait()
        assert await subagents(call(it, "steer stars and now something else", guest=guest)) == "Said."
        slow.release.set()
        await it.until(lambda: it.rows()[0].delivery == "delivered")
        stored = it.bench.sessions.open(child["childSessionKey"]).transcript.messages()
        said = [one.message for one in stored if isinstance(one.message, UserMessage)]
        assert [one.meta["senderIsOwner"] for one in said] == [not guest, not guest]
