"""Session keys: build and parse are inverse for every form of VAL-06."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_kernel.values.errors import OpenClawError
from openclaw_kernel.values.session_key import SessionKey, build, parse, resolve

FORMS = [
    ("agent:main:main", "main"),
    ("agent:main:direct:user123", "direct"),
    ("agent:main:telegram:direct:user123", "direct"),
    ("agent:main:telegram:bot2:direct:user123", "direct"),
    ("agent:main:discord:group:server456", "group"),
    ("agent:main:discord:group:server456:thread:thread789", "group"),
    ("agent:main:slack:channel:C1:thread:17.5", "channel"),
    ("agent:main:telegram:group:-100200:topic:7", "group"),
    ("agent:main:telegram:slash:42", "slash"),
    ("agent:main:subagent:a", "subagent"),
    ("agent:main:subagent:a:subagent:b", "subagent"),
    ("agent:ops:acp:a", "acp"),
    ("agent:main:boot:run1", "boot"),
    ("agent:main:dashboard:notes", "dashboard"),
    ("agent:main:openai:5f", "custom"),
    ("agent:main:openai-user:bob", "custom"),
    ("agent:main:demo", "custom"),
    ("cron:job1", "cron"),
    ("hook:uuid", "hook"),
    ("node:phone", "node"),
    ("global", "global"),
    ("unknown", "unknown"),
]


@pytest.mark.parametrize(("text", "kind"), FORMS)
def test_every_form_is_read_and_written_back(text: str, kind: str) -> None:
    key = parse(text)
    assert key.kind == kind
    assert build(key) == text


def test_parts_of_a_fully_isolated_direct_chat() -> None:
    assert parse("agent:main:telegram:bot2:direct:u1") == SessionKey("direct", "main", "u1", "telegram", "bot2")


@pytest.mark.parametrize(
    ("short", "full"), [("main", "agent:main:main"), ("demo", "agent:main:demo"), ("agent:ops", "agent:ops:main")]
)
def test_short_forms_belong_to_the_default_agent(short: str, full: str) -> None:
    assert resolve(short) == full


def test_another_default_agent() -> None:
    assert resolve("main", default_agent="ops") == "agent:ops:main"


@pytest.mark.parametrize("bad", ["", "   ", "agent::main", "x" * 513, "agent:main:a\nb"])
def test_a_bad_key_is_one_sentence(bad: str) -> None:
    with pytest.raises(OpenClawError) as caught:
        parse(bad)
    assert caught.value.code == "INVALID_REQUEST"
    assert "\n" not in caught.value.message


WORDS = st.text(st.characters(whitelist_categories=("L", "N"), whitelist_characters="-_.@+"), min_size=1, max_size=20)


@given(st.lists(WORDS, min_size=1, max_size=6))
def test_resolving_twice_changes_nothing(words: list[str]) -> None:
    once = resolve("agent:main:" + ":".join(words))
    assert resolve(once) == once
