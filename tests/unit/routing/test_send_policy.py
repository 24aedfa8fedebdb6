"""Where the assistant may speak."""

from __future__ import annotations

from typing import Any

import pytest

from openclaw_gateway.routing.send_policy import refusal
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.config.schema.session import SendPolicy

GROUP = "agent:main:fake:group:7"


def policy(default: str = "allow", *rules: dict[str, Any]) -> SendPolicy:
    found = {"session": {"sendPolicy": {"default": default, "rules": list(rules)}}}
    return OpenClawConfig.model_validate(found).session.send_policy


def rule(action: str, **match: str) -> dict[str, Any]:
    return {"action": action, "match": match}


def test_without_rules_the_default_holds() -> None:
    assert refusal(policy(), None, GROUP, "fake", "group") == ""
    assert refusal(policy("deny"), None, GROUP, "fake", "group") == "session.sendPolicy.default"


def test_the_first_deny_wins_whatever_allows_before_it() -> None:
    rules = policy("allow", rule("allow", channel="fake"), rule("deny", chatType="group"), rule("deny"))
    assert refusal(rules, None, GROUP, "fake", "group") == "session.sendPolicy.rules[1]"
    assert refusal(rules, None, "agent:main:main", "fake", "direct") == "session.sendPolicy.rules[2]"


def test_an_allow_opens_what_the_default_closes() -> None:
    rules = policy("deny", rule("allow", channel="Fake", chatType="dm"))
    assert refusal(rules, None, "agent:main:main", "fake", "direct") == ""
    assert refusal(rules, None, GROUP, "fake", "group") == "session.sendPolicy.default"
    assert refusal(rules, None, "agent:main:main", "other", "direct") == "session.sendPolicy.default"


@pytest.mark.parametrize(
    ("match", "hit"),
    [
        ({"keyPrefix": "fake:group:"}, True),
        ({"keyPrefix": "agent:main:fake"}, True),
        ({"rawKeyPrefix": "agent:main:fake"}, True),
        ({"rawKeyPrefix": "fake:group:"}, False),
        ({"keyPrefix": "cron:"}, False),
        ({"keyPrefix": "fake:", "chatType": "direct"}, False),
    ],
)
def test_prefixes_of_the_session_key(match: dict[str, str], hit: bool) -> None:
    assert bool(refusal(policy("allow", rule("deny", **match)), None, GROUP, "fake", "group")) is hit


def test_the_sessions_own_word_wins() -> None:
    closed = policy("deny", rule("deny"))
    assert refusal(closed, "allow", GROUP, "fake", "group") == ""
    assert refusal(policy(), "deny", GROUP, "fake", "group") == f"/send off in session {GROUP}"
    assert refusal(closed, "nonsense", GROUP, "fake", "group") == "session.sendPolicy.rules[0]"
