"""Where nothing is to be said, nothing is; and what the owner wrote about a group."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace

import pytest

from openclaw_gateway.channels.group_words import group_words
from openclaw_gateway.channels.telegram.settings import AccountSettings
from openclaw_kernel.values.envelope import Inbound, Peer, Sender, Thread
from openclaw_kernel.values.events import MessageDelta, MessageStarted, RunEvent
from tests.unit.channels.world import FakeTime, message, settle, until, world

OPEN = {"dmPolicy": "open", "allowFrom": ["*"], "streaming": "partial"}
OWNER = {"ownerAllowFrom": ["fake:ann"]}


async def test_a_denied_answer_is_not_sent_nor_shown_and_the_log_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    time, asked = FakeTime(), []

    def withheld(key: str, channel: str, chat_type: str) -> str:
        asked.append((key, channel, chat_type))
        return "session.sendPolicy.rules[0]"

    async with world(tmp_path, OPEN, time=time, withheld=withheld, commands=OWNER) as found:
        await found.says(message("hello"))
        await until(lambda: found.runtime.done)
        [run_id] = found.runtime.done
        for event in (MessageStarted("m"), MessageDelta("m", "a long enough part of an answer", "text")):
            found.runtime.listeners[run_id](RunEvent(run_id, "agent:main:main", 1, 0, event))
        await time.advance(10)
        await settle()
        assert found.platform.sent == [] and found.platform.edits == [] and found.platform.typed == 0
        assert ("agent:main:main", "fake", "direct") in asked
        assert "is not sent: session.sendPolicy.rules[0]" in caplog.text
        await found.says(message("/status", id="2"))
        await until(lambda: found.platform.sent)
        assert found.sent == ["done /status"]


SETTINGS = AccountSettings.model_validate(
    {
        "groups": {
            "-7": {"systemPrompt": "Speak Latin.", "topics": {"3": {"systemPrompt": "Only about cooking.", "skills": ["x"]}}},
            "*": {"systemPrompt": "Be brief."},
        }
    }
)


def at(group: str, topic: str = "") -> Inbound:
    thread = Thread(topic) if topic else None
    return Inbound("telegram", Peer("group", group), Sender("1"), "1", 0, "hi", thread=thread)


def test_the_prompt_of_a_group_and_a_topic() -> None:
    assert group_words(SETTINGS, at("-7")) == "## This group\nSpeak Latin."
    assert group_words(SETTINGS, at("-7", "3")) == "## This group\nSpeak Latin.\nOnly about cooking."
    assert group_words(SETTINGS, at("-7", "4")) == "## This group\nSpeak Latin."
    assert group_words(SETTINGS, at("-8", "3")) == "## This group\nBe brief."
    assert group_words(SETTINGS, message("hi")) == "" and group_words(SimpleNamespace(), at("-7")) == ""


async def test_it_goes_with_every_run_of_the_group_and_no_other(tmp_path: Path) -> None:
    block = {
        **OPEN,
        "groupPolicy": "open",
        "requireMention": False,
        "groups": {"g1": {"systemPrompt": "Speak Latin."}, "*": {}},
    }
    async with world(tmp_path, block) as found:
        await found.says(message("hello", group="g1"))
        await found.says(message("hello", group="g2", id="2"))
        await found.says(message("hello", id="3"))
        await until(lambda: len(found.runtime.done) == 3)
        told = {row.session_key: row.extra_system_prompt for row in found.runtime.requests}
        assert told == {
            "agent:main:fake:group:g1": "## This group\nSpeak Latin.",
            "agent:main:fake:group:g2": None,
            "agent:main:main": None,
        }
