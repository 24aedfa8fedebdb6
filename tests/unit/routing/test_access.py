"""Who is heard: every policy against every sender in private and in groups, and the doors that must stay shut."""

import dataclasses
import itertools
from typing import Any

import pytest

from openclaw_gateway.routing.access import AccessFacts, Lists, Verdict, decide
from openclaw_gateway.routing.mention import Mention
from openclaw_gateway.routing.policy import CLOSED, AccessError, AccessPolicy, read_policy
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.values.envelope import Inbound, Peer, Sender

SPOKEN_TO = AccessFacts(mention=Mention(native=True))


def verdict(
    block: dict[str, Any] | None, sender: Sender | str, group: str = "", facts: AccessFacts = SPOKEN_TO, **top: Any
) -> Verdict:
    config = OpenClawConfig.model_validate({"channels": {} if block is None else {"telegram": block}, **top})
    who = Sender(sender) if isinstance(sender, str) else sender
    peer = Peer("group", group) if group else Peer("direct", who.id)
    message = Inbound("telegram", peer, who, "m", 1, "secret words")
    return decide(read_policy(config, "telegram"), Lists.from_config(config), message, facts)


DM_POLICIES = (None, "pairing", "allowlist", "open", "disabled")
ALLOW = (None, [], ["7"], ["*"], ["telegram:7"], ["discord:7"], ["accessGroup:crew"], ["accessGroup:none"])
SENDERS = ("7", "8", "owner")
LISTS = {
    "accessGroups": {"crew": {"type": "message.senders", "members": {"telegram": ["7"], "discord": ["8"]}}},
    "commands": {"ownerAllowFrom": ["telegram:owner"]},
}


@pytest.mark.parametrize(("policy", "allow"), list(itertools.product(DM_POLICIES, ALLOW)), ids=str)
@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize("sender", SENDERS)
def test_direct_messages(policy: str | None, allow: list[str] | None, paired: bool, sender: str) -> None:
    block = {key: value for key, value in (("dmPolicy", policy), ("allowFrom", allow)) if value is not None}
    listed = allow == ["*"] or (sender == "7" and allow in (["7"], ["telegram:7"], ["accessGroup:crew"]))
    if policy == "disabled":
        expected = "drop"
    elif sender == "owner" or listed:
        expected = "hear"
    elif policy in (None, "pairing"):
        expected = "hear" if paired else "pair"
    else:
        expected = "drop"
    found = verdict(block, sender, facts=AccessFacts(paired=paired), **LISTS)
    assert found.action == expected
    assert found.owner == (sender == "owner")
    by_id = listed and allow != ["*"]
    may = sender == "owner" or by_id or (paired and policy in (None, "pairing"))
    assert found.may_command == (expected == "hear" and may)


GROUP_POLICIES = (None, "allowlist", "open", "disabled")
GROUPS = (None, {"g": {}}, {"other": {}}, {"*": {}}, {"g": {"enabled": False}}, {"g": {"allowFrom": ["8"]}})
GROUP_LISTS = (None, ["7"], ["*"])


@pytest.mark.parametrize(("policy", "groups", "listed"), list(itertools.product(GROUP_POLICIES, GROUPS, GROUP_LISTS)), ids=str)
@pytest.mark.parametrize("mentioned", [False, True])
@pytest.mark.parametrize("sender", SENDERS)
def test_groups(
    policy: str | None, groups: dict[str, Any] | None, listed: list[str] | None, mentioned: bool, sender: str
) -> None:
    settings = (("groupPolicy", policy), ("groups", groups), ("groupAllowFrom", listed), ("dmPolicy", "open"))
    block = {key: value for key, value in settings if value is not None} | {"allowFrom": ["*"]}
    own_list = groups == {"g": {"allowFrom": ["8"]}}
    named = groups is None or groups == {"g": {}} or groups == {"*": {}} or own_list
    if policy == "disabled" or not named:
        allowed = False
    elif sender == "owner":
        allowed = True
    elif own_list:
        allowed = sender == "8"
    elif policy == "open":
        allowed = True
    else:
        allowed = listed == ["*"] or (listed == ["7"] and sender == "7")
    found = verdict(block, sender, "g", AccessFacts(paired=True, mention=Mention(pattern=mentioned)), **LISTS)
    assert found.action == ("drop" if not allowed else "hear" if mentioned else "observe")


def test_what_is_not_configured_is_closed() -> None:
    config = OpenClawConfig.model_validate(
        {
            "channels": {
                "defaults": {"dmPolicy": "open", "allowFrom": ["*"]},
                "off": {"enabled": False},
                "on": {"accounts": {"a": {"enabled": False}, "b": {}}},
            }
        }
    )
    closed = [("missing", "default"), ("defaults", "default"), ("off", "default"), ("on", "a"), ("on", "unheard-of")]
    assert all(read_policy(config, *where) == CLOSED for where in closed)
    assert read_policy(config, "on", "b").dm == "open" and verdict(None, "7").action == "drop"
    assert (AccessPolicy().dm, AccessPolicy().group, AccessPolicy().require_mention) == ("pairing", "allowlist", True)


def test_the_account_goes_before_the_channel_and_the_channel_before_the_defaults() -> None:
    config = OpenClawConfig.model_validate(
        {
            "channels": {
                "defaults": {"dmPolicy": "disabled", "groupPolicy": "open", "allowFrom": [1]},
                "telegram": {"dmPolicy": "allowlist", "allowFrom": [2], "accounts": {"b": {"allowFrom": [3]}}},
            }
        }
    )
    own, other = read_policy(config, "telegram", "b"), read_policy(config, "telegram")
    assert (own.dm, own.group, own.allow_from, other.allow_from) == ("allowlist", "open", ("3",), ("2",))


@pytest.mark.parametrize(
    ("facts", "block", "action"),
    [
        (AccessFacts(), {}, "observe"),
        *[
            (AccessFacts(mention=Mention(**{kind: True})), {}, "hear")
            for kind in ("native", "pattern", "reply", "quote", "thread")
        ],
        (AccessFacts(always=True), {}, "hear"),
        (AccessFacts(command=True), {}, "hear"),
        (AccessFacts(), {"requireMention": False}, "hear"),
        (AccessFacts(), {"groups": {"g": {"requireMention": False}}}, "hear"),
        (AccessFacts(), {"groups": {"g": {}, "*": {"requireMention": False}}}, "hear"),
        (AccessFacts(), {"requireMention": False, "groups": {"g": {"requireMention": True}}}, "observe"),
    ],
    ids=str,
)
def test_the_mention_gate(facts: AccessFacts, block: dict[str, Any], action: str) -> None:
    assert verdict({"groupAllowFrom": ["7"], **block}, "7", "g", facts).action == action


def test_a_command_of_someone_without_leave_does_not_pass_the_mention_gate() -> None:
    found = verdict({"groupPolicy": "open"}, "7", "g", AccessFacts(command=True))
    assert (found.action, found.may_command) == ("observe", False)


def test_pairing_opens_direct_messages_only() -> None:
    facts = dataclasses.replace(SPOKEN_TO, paired=True)
    assert verdict({}, "7", facts=facts).action == "hear" and verdict({}, "7", "g", facts).action == "drop"


def test_an_owner_named_by_pairing_is_the_owner() -> None:
    found = verdict({}, "7", facts=AccessFacts(paired=True, paired_owner=True))
    assert found.owner and found.may_command


@pytest.mark.parametrize(
    "sender",
    [
        Sender("telegram:7"),
        Sender("9", name="7"),
        Sender("9", username="7"),
        Sender("*"),
        Sender(""),
        Sender("accessGroup:crew"),
    ],
)
@pytest.mark.parametrize("entry", ["7", "telegram:7", "@7", "accessGroup:crew", "discord:7"])
def test_a_name_is_not_an_id(sender: Sender, entry: str) -> None:
    block = {"dmPolicy": "allowlist", "allowFrom": [entry], "groupAllowFrom": [entry]}
    assert verdict(block, sender, **LISTS).action == "drop"
    assert verdict({}, sender, commands={"ownerAllowFrom": [entry, "*"]}).owner is False


def test_names_count_only_where_the_user_says_so_and_never_for_the_owner() -> None:
    block = {"dmPolicy": "allowlist", "allowFrom": ["@ann"], "dangerouslyAllowNameMatching": True}
    found = verdict(block, Sender("9", username="ann"), commands={"ownerAllowFrom": ["@ann"]})
    assert (found.action, found.owner) == ("hear", False)


@pytest.mark.parametrize(
    ("allow", "may"),
    [({"telegram": ["8"]}, False), ({"telegram": ["7"]}, True), ({"*": ["*"]}, True), ({"*": ["7"], "telegram": []}, False)],
)
def test_the_command_list_replaces_every_other_leave_to_command(allow: dict[str, list[str]], may: bool) -> None:
    commands = {"allowFrom": allow, "ownerAllowFrom": ["7"]}
    assert verdict({"allowFrom": ["7"]}, "7", commands=commands).may_command is may


@pytest.mark.parametrize(
    ("block", "key"),
    [
        ({"dmPolicy": "opne"}, "channels.telegram.dmPolicy"),
        ({"groupPolicy": "pairing"}, "channels.telegram.groupPolicy"),
        ({"allowFrom": "7"}, "channels.telegram.allowFrom"),
        ({"allowFrom": [True]}, "channels.telegram.allowFrom"),
        ({"requireMention": "no"}, "channels.telegram.requireMention"),
        ({"groups": {"g": {"requireMention": 0}}}, "channels.telegram.groups.g.requireMention"),
        ({"groups": ["g"]}, "channels.telegram.groups"),
        ({"enabled": "false"}, "channels.telegram.enabled"),
        ({"accounts": ["a"]}, "channels.telegram.accounts"),
        ({"accounts": {"default": 5}}, "channels.telegram.accounts.default"),
    ],
)
def test_a_typing_error_is_named_and_opens_nothing(block: dict[str, Any], key: str) -> None:
    with pytest.raises(AccessError, match=key):
        verdict(block, "7")


@pytest.mark.parametrize(
    "top",
    [{"accessGroups": {"a": {"type": "moon"}}}, {"commands": {"allowFrom": ["7"]}}, {"commands": {"ownerAllowFrom": "7"}}],
)
def test_a_wrong_list_is_named(top: dict[str, Any]) -> None:
    with pytest.raises(AccessError, match=r"accessGroups\.a|commands\."):
        verdict({}, "7", **top)


def test_an_access_group_does_not_reach_into_another() -> None:
    groups = {"outer": ["accessGroup:inner"], "inner": ["7"]}
    assert verdict({"dmPolicy": "allowlist", "allowFrom": ["accessGroup:outer"]}, "7", accessGroups=groups).action == "drop"
    assert verdict({"dmPolicy": "allowlist", "allowFrom": ["accessGroup:inner"]}, "7", accessGroups=groups).action == "hear"


@pytest.mark.parametrize(("account", "room", "action"), [("disabled", "open", "drop"), ("allowlist", "open", "hear")])
def test_a_room_may_be_opened_but_not_where_groups_are_switched_off(account: str, room: str, action: str) -> None:
    assert verdict({"groupPolicy": account, "groups": {"g": {"groupPolicy": room}}}, "7", "g").action == action
