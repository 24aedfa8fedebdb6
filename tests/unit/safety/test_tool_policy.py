"""Which tools are there, and who took the others away (SAF-02, SAF-03)."""

from __future__ import annotations

from typing import Any

import pytest

from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.safety.tool_policy import layers, model_layers, standings
from openclaw_kernel.tools.builtin import builtin_tools

TOOLS = {
    "read": {"fs"},
    "write": {"fs"},
    "exec": {"runtime"},
    "web_fetch": {"web"},
    "session_status": {"sessions"},
    "message": {"messaging"},
    "acme_lookup": set[str](),
}


def taken(config: dict[str, Any], agent_id: str = "main", model: str = "") -> dict[str, str]:
    """Tool → the key that took it away."""
    parsed = OpenClawConfig.model_validate(config)
    of = layers(parsed, agent_id)
    if model:
        of += model_layers(parsed, agent_id, model.partition("/")[0], model)
    found = standings(((name, frozenset(groups)) for name, groups in TOOLS.items()), of)
    return {row.name: row.layer for row in found.values() if not row.callable}


def agent(**tools: Any) -> dict[str, Any]:
    return {"agents": {"list": [{"id": "main", "tools": tools}]}}


@pytest.mark.parametrize(
    ("profile", "left"),
    [
        ("minimal", {"session_status"}),
        ("messaging", {"session_status", "message"}),
        ("coding", set(TOOLS) - {"message"}),
        ("full", set(TOOLS)),
    ],
)
def test_profiles(profile: str, left: set[str]) -> None:
    assert set(TOOLS) - set(taken({"tools": {"profile": profile}})) == left
    assert set(TOOLS) - set(taken(agent(profile=profile))) == left


def test_every_built_in_tool_is_in_the_profile_of_a_new_installation() -> None:
    everything = [(tool.name, tool.groups) for tool in builtin_tools()]
    found = standings(everything, layers(OpenClawConfig(), "main"))
    assert [name for name, row in found.items() if not row.callable] == []


def test_deny_wins_over_every_allow() -> None:
    config = {
        "tools": {"profile": "full", "allow": ["*"], "alsoAllow": ["exec"], "deny": ["EXEC"]},
        **agent(allow=["exec", "read"]),
    }
    assert taken(config)["exec"] == "tools.deny"
    assert taken(config)["write"] == "agents.list[main].tools.allow"
    assert "read" not in taken(config)
    assert taken(agent(alsoAllow=["exec"], deny=["group:run*"]))["exec"] == "agents.list[main].tools.deny"


def test_groups_wildcards_and_what_is_added() -> None:
    assert set(taken({"tools": {"allow": ["GROUP:FS", "web_*"]}})) == {"exec", "session_status", "message", "acme_lookup"}
    assert set(taken({"tools": {"profile": "minimal", "alsoAllow": ["read", "group:plugins"]}})) == {
        "write",
        "exec",
        "web_fetch",
        "message",
    }
    assert taken(agent(deny=["*"])) == {"message": "tools.profile"} | dict.fromkeys(
        set(TOOLS) - {"message"}, "agents.list[main].tools.deny"
    )
    assert "message" in taken(agent(deny=["*"]), agent_id="other") and len(taken(agent(deny=["*"]), agent_id="other")) == 1


def test_layers_of_a_model() -> None:
    table = {"fake": {"deny": ["exec"]}, "fake/small": {"profile": "minimal"}, "other": {"deny": ["*"]}}
    config = {"tools": {"profile": "full", "byProvider": table}}
    assert taken(config, model="fake/big") == {"exec": "tools.byProvider.fake"}
    small = taken(config, model="fake/small")
    assert small["exec"] == "tools.byProvider.fake" and small["read"] == "tools.byProvider.fake/small"
    assert set(TOOLS) - set(small) == {"session_status"}
    assert taken(config, model="third/x") == {}
