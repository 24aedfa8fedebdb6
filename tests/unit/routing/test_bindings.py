"""Bindings: eight tiers, first match wins, all fields must match, two caches, closed when nobody is responsible."""

import itertools
from typing import Any

import pytest

from openclaw_gateway.routing.bindings import EVALUATED, RESOLVED, BindingError, Place, Refused, Route, Router
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.values.envelope import GroupInfo, Inbound, Peer, Sender, Thread

ROOM, PARENT = Peer("group", "room"), Peer("channel", "parent")
EVERYTHING = Place("discord", "bot", ROOM, Thread("t", parent=PARENT), "guild", "team", frozenset({"admin", "user"}))

# One binding per step of the ladder, best first, each matching EVERYTHING.
LADDER: list[tuple[int, str, dict[str, Any]]] = [
    (1, "peer", {"peer": {"kind": "group", "id": "room"}}),
    (1, "peer.wildcard", {"peer": {"kind": "group", "id": "*"}}),
    (2, "peer.parent", {"peer": {"kind": "channel", "id": "parent"}}),
    (3, "guild.roles", {"guildId": "guild", "roles": ["admin"]}),
    (4, "guild", {"guildId": "guild"}),
    (5, "team", {"teamId": "team"}),
    (6, "account", {"accountId": "bot"}),
    (7, "channel", {}),
]


def config(bindings: list[dict[str, Any]], agents: int = 9, default: int | None = 8, **session: Any) -> OpenClawConfig:
    rows = [{"id": f"a{number}", **({"default": True} if number == default else {})} for number in range(agents)]
    return OpenClawConfig.model_validate({"agents": {"list": rows}, "bindings": bindings, "session": session})


def binding(agent: int, **match: Any) -> dict[str, Any]:
    return {"agentId": f"a{agent}", "match": {"channel": "discord", **match}}


def routed(router: Router, place: Place) -> Route:
    route = router.resolve(place)
    assert isinstance(route, Route)
    return route


@pytest.mark.parametrize("present", [set(s) for n in range(9) for s in itertools.combinations(range(8), n)], ids=str)
def test_the_best_tier_present_wins_whatever_the_order_in_the_config(present: set[int]) -> None:
    rows = [binding(step, **LADDER[step][2]) for step in sorted(present)]
    best = min(present, default=8)
    number, tier = LADDER[best][:2] if present else (8, "default")
    for order in (rows, rows[::-1]):
        route = routed(Router(config(order)), EVERYTHING)
        assert (route.agent, route.number, route.tier) == (f"a{best}", number, tier)


@pytest.mark.parametrize("step", range(8))
def test_the_first_entry_wins_inside_a_tier(step: int) -> None:
    route = routed(Router(config([binding(5, **LADDER[step][2]), binding(6, **LADDER[step][2])])), EVERYTHING)
    assert (route.agent, route.binding) == ("a5", 0)


@pytest.mark.parametrize("step", range(8))
@pytest.mark.parametrize("wrong", [{"accountId": "x"}, {"guildId": "x"}, {"teamId": "x"}, {"roles": ["x"]}, {"channel": "irc"}])
def test_one_field_that_does_not_match_is_enough(step: int, wrong: dict[str, Any]) -> None:
    route = routed(Router(config([binding(1, **{**LADDER[step][2], **wrong})])), EVERYTHING)
    assert route.tier == "default" and route.binding is None


def test_a_wildcard_is_of_one_kind_and_never_a_parent() -> None:
    router = Router(config([binding(1, peer={"kind": "channel", "id": "*"})]))
    assert routed(router, EVERYTHING).tier == "default"
    assert routed(router, Place("discord", "bot", Peer("channel", "any"))).tier == "peer.wildcard"


def test_an_account_left_out_or_a_star_is_every_account() -> None:
    for match in ({}, {"accountId": "*"}):
        assert routed(Router(config([binding(1, **match)])), EVERYTHING).tier == "channel"


def test_with_several_agents_and_no_default_the_unmatched_are_refused() -> None:
    refused = Router(config([], default=None)).resolve(EVERYTHING)
    assert isinstance(refused, Refused) and "agents.list" in refused.reason
    assert routed(Router(config([], agents=1, default=None)), EVERYTHING).agent == "a0"
    assert routed(Router(OpenClawConfig()), EVERYTHING).agent == "main"


def test_a_message_is_routed_by_its_place_and_never_by_its_words() -> None:
    router = Router(config([binding(3, guildId="guild", roles=["admin"])]))
    group = GroupInfo("guild", "", frozenset({"admin"}))
    routes = {
        router.route(Inbound("Discord", ROOM, Sender("7"), str(n), n, text, text, group=group))
        for n, text in enumerate(("hi", "route this to agent a4", "/agent a4"))
    }
    assert len(routes) == 1 and routes.pop().session_key == "agent:a3:discord:group:room"  # type: ignore[union-attr]


def test_a_binding_may_override_the_scopes() -> None:
    rows = [binding(1, peer={"kind": "dm", "id": "7"}), binding(2, peer={"kind": "group", "id": "room"})]
    rows[0]["session"], rows[1]["session"] = {"dmScope": "per-peer"}, {"groupScope": "main"}
    router = Router(config(rows))
    assert routed(router, Place("discord", "bot", Peer("direct", "7"))).session_key == "agent:a1:direct:7"
    assert routed(router, Place("discord", "bot", Peer("direct", "8"))).session_key == "agent:a8:main"
    assert routed(router, Place("discord", "bot", ROOM)).session_key == "agent:a2:main"


def test_the_caches_hold_2000_and_4000_and_the_oldest_go_first() -> None:
    assert (EVALUATED, RESOLVED) == (2_000, 4_000)
    router = Router(config([binding(1)]))
    for number in range(RESOLVED + 100):
        router.resolve(Place("discord", f"bot{number % (EVALUATED + 50)}", Peer("direct", str(number))))
    assert router.cached == (EVALUATED, RESOLVED)
    newest = Place("discord", f"bot{(RESOLVED + 99) % (EVALUATED + 50)}", Peer("direct", str(RESOLVED + 99)))
    oldest = Place("discord", "bot0", Peer("direct", "0"))
    assert router.resolve(newest) is router.resolve(newest)
    before = router.cached
    router.resolve(oldest)
    assert router.cached == before


def test_a_new_config_is_in_force_at_once() -> None:
    router = Router(config([binding(1)]))
    assert routed(router, EVERYTHING).agent == "a1"
    router.reconfigure(config([binding(2)]))
    assert router.cached == (0, 0) and routed(router, EVERYTHING).agent == "a2"


def test_a_wrong_config_leaves_the_old_one_in_force() -> None:
    router = Router(config([binding(1)]))
    with pytest.raises(BindingError):
        router.reconfigure(config([{"agentId": "nobody", "match": {"channel": "discord"}}]))
    assert routed(router, EVERYTHING).agent == "a1"


@pytest.mark.parametrize(
    ("row", "key"),
    [
        ({"match": {"channel": "x"}}, "agentId"),
        ({"agentId": "nobody", "match": {"channel": "x"}}, "agentId"),
        ({"agentId": "a1"}, "match.channel"),
        ({"agentId": "a1", "match": {"channel": ""}}, "match.channel"),
        ({"agentId": "a1", "match": {"channel": "x", "guild": "g"}}, "match.guild"),
        ({"agentId": "a1", "match": {"channel": "x", "guildId": ""}}, "match.guildId"),
        ({"agentId": "a1", "match": {"channel": "x", "roles": "admin"}}, "match.roles"),
        ({"agentId": "a1", "match": {"channel": "x", "peer": {"kind": "person", "id": "7"}}}, "match.peer"),
        ({"agentId": "a1", "match": {"channel": "x", "peer": {"kind": "direct"}}}, "match.peer"),
        ({"agentId": "a1", "match": {"channel": "x"}, "session": {"dmScope": "per-planet"}}, "session.dmScope"),
    ],
)
def test_a_wrong_row_is_named(row: dict[str, Any], key: str) -> None:
    with pytest.raises(BindingError, match=rf"bindings\[0\]\.{key}"):
        Router(config([row]))
