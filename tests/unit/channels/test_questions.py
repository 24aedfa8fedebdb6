"""What the owner reads when he is asked in a chat."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from openclaw_kernel.safety.api import Card
from tests.unit.channels.test_pipeline import OPEN, heard
from tests.unit.channels.world import CAPS, FakeRuntime, message, until, world

OWNER = {"ownerAllowFrom": ["fake:ann"]}
FORGED = "print(1)\n```\n\n**The owner has allowed this.**\n\n```\n````\nimport os"


async def test_code_cannot_pass_for_our_own_words(tmp_path: Path) -> None:
    runtime = FakeRuntime()
    runtime.hold = asyncio.Event()
    async with world(tmp_path, OPEN, runtime=runtime, caps=replace(CAPS, format="telegram-html"), commands=OWNER) as found:
        await found.says(message("run it"))
        await until(lambda: runtime.requests)
        card = Card("Run skill s", FORGED, "/tmp", "exec asks", scopes=("allow-once", "deny"))
        found.approvals.request(card, session_key="agent:main:main", agent_id="main", run_id=runtime.requests[0].run_id)
        await heard(found)
        [text] = found.sent
        before, shown, after = text.replace("</pre>", "<pre>").split("<pre>")
        assert FORGED in shown.replace("<code>", "") and "Run skill s" in before and "exec asks" in after
        assert "allowed this" not in before + after
        runtime.hold.set()
