"""Session keys: four dmScopes, groups, threads, linked people; different conversations never share a key."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.routing.session_keys import DmScope, SessionRules, main_key, session_key
from openclaw_gateway.routing.target import target_id
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.values.envelope import Peer, Thread
from openclaw_kernel.values.errors import OpenClawError
from openclaw_kernel.values.session_key import build, parse

LINKS = {"ann": ["telegram:7", "discord:77", "@ann:example.org"]}


def rules(**session: Any) -> SessionRules:
    return SessionRules.from_config(OpenClawConfig.model_validate({"session": session}))


def direct(scope: DmScope, channel: str, account: str, peer: str, **session: Any) -> str:
    return session_key(rules(dmScope=scope, **session), "main", channel, account, Peer("direct", peer))


@pytest.mark.parametrize(
    ("scope", "key"),
    [
        ("main", "agent:main:main"),
        ("per-peer", "agent:main:direct:7"),
        ("per-channel-peer", "agent:main:telegram:direct:7"),
        ("per-account-channel-peer", "agent:main:telegram:bot2:direct:7"),
    ],
)
def test_the_four_scopes(scope: DmScope, key: str) -> None:
    assert direct(scope, "Telegram", "bot2", "7") == key
    assert rules().dm_scope == "main"


@pytest.mark.parametrize(
    ("scope", "ann"),
    [
        ("main", "agent:main:main"),
        ("per-peer", "agent:main:direct:ann"),
        ("per-channel-peer", "agent:main:{}:direct:ann"),
        ("per-account-channel-peer", "agent:main:{}:default:direct:ann"),
    ],
)
def test_linked_ids_are_one_person(scope: DmScope, ann: str) -> None:
    for channel, peer in (("telegram", "7"), ("discord", "77"), ("matrix", "@ann:example.org")):
        assert direct(scope, channel, "default", peer, identityLinks=LINKS) == ann.format(channel)


@pytest.mark.parametrize(("channel", "peer"), [("irc", "ann"), ("irc", "telegram:7"), ("discord", "7"), ("irc", "Ann")])
def test_a_stranger_does_not_become_a_linked_person_by_his_name(channel: str, peer: str) -> None:
    assert direct("per-peer", channel, "default", peer, identityLinks=LINKS) != "agent:main:direct:ann"


def test_groups_rooms_threads_and_topics() -> None:
    plain = rules()
    group, room = Peer("group", "-100"), Peer("channel", "C1")
    assert session_key(plain, "main", "discord", "default", group) == "agent:main:discord:group:-100"
    assert session_key(plain, "ops", "slack", "default", room) == "agent:ops:slack:channel:C1"
    topic = Thread("5", "topic")
    assert session_key(plain, "main", "telegram", "a", group, topic) == "agent:main:telegram:group:-100:topic:5"
    assert session_key(plain, "main", "slack", "a", room, Thread("1.2")) == "agent:main:slack:channel:C1:thread:1.2"
    assert session_key(plain, "main", "x", "a", group, group_scope="main") == "agent:main:main"


def test_a_shared_scope_and_a_main_key_of_ones_own() -> None:
    assert session_key(rules(scope="global"), "main", "x", "a", Peer("group", "1")) == "global"
    assert main_key(rules(mainKey="home"), "main") == direct("main", "x", "a", "1", mainKey="home") == "agent:main:home"


def test_a_peer_without_an_id_has_no_session() -> None:
    with pytest.raises(OpenClawError, match="names no peer"):
        direct("main", "telegram", "default", " ")


WORDS = st.sampled_from(
    ["a", "7", "direct", "group", "thread", "topic", ":", "%3A", "%", "main", " ", "\n", "@x:y.org", "é", "~"]
)
IDS = st.lists(WORDS, min_size=1, max_size=6).map("".join).filter(lambda text: bool(text.strip()))
PLACES = st.tuples(IDS, st.sampled_from(["direct", "group", "channel"]), IDS, st.none() | st.tuples(IDS, st.booleans()))


def key_of(place: Any) -> str:
    account, kind, peer, thread = place
    strict = SessionRules(dm_scope="per-account-channel-peer")
    where = Thread(thread[0], "topic" if thread[1] else "thread") if thread else None
    return session_key(strict, "main", "telegram", account, Peer(kind, peer), where)


@given(PLACES, PLACES)
def test_different_conversations_never_share_a_key(one: Any, other: Any) -> None:
    first, second = ((place if place[1] == "direct" else ("", *place[1:])) for place in (one, other))
    assert (key_of(one) == key_of(other)) == (first == second)


@given(PLACES)
def test_every_key_can_be_parsed_back(place: Any) -> None:
    key = parse(key_of(place))
    assert build(key) == key_of(place) and key.kind == place[1] and (key.suffix is not None) == (place[3] is not None)


def test_hostile_lengths_stay_inside_a_key_and_apart() -> None:
    keys = {key_of((f"{'b' * 5000}{n}", "direct", f"{'x' * 5000}{n}", (f"{'t' * 5000}{n}", False))) for n in range(50)}
    assert len(keys) == 50 and all(parse(key).kind == "direct" for key in keys)


def test_an_explicit_target_must_belong_to_the_channel() -> None:
    channels = ("telegram", "discord", "matrix")
    assert target_id("telegram:7", "telegram", channels) == target_id(" 7 ", "Telegram", channels) == "7"
    assert target_id("!room:example.org", "matrix", channels) == "!room:example.org"
    for wrong in ("discord:7", "telegram:", ""):
        with pytest.raises(OpenClawError):
            target_id(wrong, "telegram", channels)
