"""Where the owner wants silence, through a real gateway and Telegram's wire; and what he wrote about one group."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from tests.flow.test_telegram import LIMIT_S, OWNER, house

GROUP = -1007


async def test_what_is_not_to_be_sent_stays_in_the_session(tmp_path: Path) -> None:
    async with house(tmp_path / "state", streaming="off") as at:

        async def answered(text: str) -> None:
            at.telegram.world.say(f"[[echo {text}]]", user=OWNER)
            async with asyncio.timeout(LIMIT_S):
                while text not in await said():  # noqa: ASYNC110 — the transcript is asked over the wire
                    await asyncio.sleep(0.05)

        async def said() -> str:
            rows = (await at.peer.call("chat.history", {"sessionKey": "main"}))["messages"]
            return json.dumps([row["content"] for row in rows if row["role"] == "assistant"])

        at.telegram.world.say("/send off", user=OWNER)
        await at.said(OWNER, "Sending: off.")
        await answered("hush")
        at.telegram.world.say("/status", user=OWNER)
        assert "sending: no, by /send off" in await at.said(OWNER, "sending: no")
        refused = await at.peer.fails("send", {"to": f"telegram:{OWNER}", "message": "psst", "idempotencyKey": "s1"})
        assert "/send off" in refused["message"]

        patched = await at.peer.call("sessions.patch", {"key": "main", "sendPolicy": None})
        assert "sendPolicy" not in patched["entry"]
        at.telegram.world.say("[[echo aloud]]", user=OWNER)
        await at.said(OWNER, "aloud")
        assert not [text for text in at.telegram.world.texts(OWNER) if text in ("hush", "psst")]
        log = (at.gateway.state_dir / "logs" / "gateway.jsonl").read_text()
        assert "is not sent: /send off in session agent:main:main" in log


async def test_the_owner_s_words_about_a_group_reach_the_model_there(tmp_path: Path) -> None:
    groups = {str(GROUP): {"requireMention": False, "systemPrompt": "In this group speak Latin."}}
    async with house(tmp_path / "state", groups=groups, groupAllowFrom=[str(OWNER)]) as at:
        at.telegram.world.say("[[echo salve]]", user=OWNER, chat=GROUP)
        await at.said(GROUP, "salve")
        assert "In this group speak Latin." in json.dumps(at.model.requests[-1].body)
        at.telegram.world.say("[[echo hello]]", user=OWNER)
        await at.said(OWNER, "hello")
        assert "speak Latin" not in json.dumps(at.model.requests[-1].body)


async def test_a_job_s_answer_stays_where_nothing_is_to_be_sent(tmp_path: Path) -> None:
    async with house(tmp_path / "state", streaming="off") as at:
        await at.peer.call("sessions.patch", {"key": "main", "sendPolicy": "deny"})
        telling = {"mode": "announce", "channel": "telegram", "to": str(OWNER)}
        job = {
            "name": "report",
            "schedule": {"kind": "every", "everyMs": 3_600_000},
            "sessionTarget": "isolated",
            "payload": {"kind": "agentTurn", "message": "[[echo the report]]"},
            "delivery": telling,
        }
        made = await at.peer.call("cron.add", job)
        started = await at.peer.call("cron.run", {"id": made["id"], "mode": "force"})
        done = await at.peer.event("cron", action="finished", runId=started["runId"])
        assert done["status"] == "ok" and done["deliveryStatus"] != "delivered" and done["summary"] == "the report"
        assert at.telegram.world.texts(OWNER) == []
        log = (at.gateway.state_dir / "logs" / "gateway.jsonl").read_text()
        assert "stays in its session" in log and "/send off" in log
