"""The assistant and its own configuration: what it sees, what it may propose, and every door that stays shut."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.config.service import ConfigStore
from openclaw_kernel.safety.api import Ask, PolicyState, ToolFacts
from openclaw_kernel.safety.decide import decide
from openclaw_kernel.tools.api import Asking, Tool, ToolContext, ToolError
from openclaw_kernel.tools.gateway_config import GatewayArgs, gateway_tool
from openclaw_kernel.values.errors import UserError
from openclaw_kernel.values.messages import Text, ToolCall
from openclaw_kernel.values.stream import AbortSignal

WRITTEN = {
    "gateway": {"auth": {"token": "the-token-of-the-gateway"}},
    "agents": {"list": [{"id": "main", "name": "Old", "tools": {"deny": ["exec"]}}]},
    "mcp": {"servers": {"x": {"command": "x", "env": {"PLAIN": "hidden-all-the-same"}}}},
}


@pytest.fixture
def config(tmp_path: Path) -> ConfigStore:
    path = tmp_path / "openclaw.json"
    path.write_text("// mine\n" + json.dumps(WRITTEN))
    return ConfigStore(path, {"A_SECRET": "from-the-environment"})


def context(guest: bool = False) -> ToolContext:
    return ToolContext("r", "agent:main:main", "main", Path("/tmp"), AbortSignal(), lambda text, done: None, {}, guest=guest)


async def use(tool: Tool, guest: bool = False, **arguments: Any) -> str:
    """As the gate does it: the preview first, then the call."""
    if tool.preview is not None:
        await tool.preview(arguments, Asking("main"))
    result = await tool.run(GatewayArgs.model_validate(arguments), context(guest))
    return "".join(part.text for part in result.content if isinstance(part, Text))


async def test_it_reads_without_secrets(config: ConfigStore) -> None:
    text = await use(gateway_tool(config), action="config.get")
    assert "the-token-of-the-gateway" not in text and "hidden-all-the-same" not in text
    assert await use(gateway_tool(config), action="config.get", path="agents.list.main.name") == '"Old"'
    with pytest.raises(ToolError, match="nothing at"):
        await use(gateway_tool(config), action="config.get", path="no.such")


async def test_it_looks_a_key_up(config: ConfigStore) -> None:
    found = json.loads(await use(gateway_tool(config), action="config.schema.lookup", path="agents.defaults.thinkingDefault"))
    assert found["open"] is True
    closed = json.loads(await use(gateway_tool(config), action="config.schema.lookup", path="tools.exec"))
    assert closed["open"] is False and "security" in closed["keys"]
    with pytest.raises(ToolError, match="no key"):
        await use(gateway_tool(config), action="config.schema.lookup", path="tools.nonsense")


async def test_it_changes_what_is_open(config: ConfigStore) -> None:
    patch = {"logging": {"level": "debug"}, "agents": {"list": [{"id": "main", "name": "New"}]}}
    said = await use(gateway_tool(config), action="config.patch", patch=patch)
    assert "agents.list.main.name" in said and "logging.level" in said
    entry = config.current.config.agents.list[0]
    assert entry.name == "New" and entry.tools.deny == ["exec"] and config.current.config.logging.level == "debug"
    assert config.path.read_text().startswith("// mine")


SHUT: list[dict[str, Any]] = [
    {"gateway": {"auth": {"mode": "none"}}},
    {"gateway": {"bind": "lan"}},
    {"gateway": {"controlUi": {"allowedOrigins": ["*"]}}},
    {"gateway": None},
    {"auth": {"profiles": {}}},
    {"tools": {"exec": {"security": "full"}}},
    {"tools": {"exec": {"ask": "off"}}},
    {"tools": {"exec": {"safeBins": ["sh"]}}},
    {"tools": {"exec": {"pathPrepend": ["/tmp"]}}},
    {"tools": {"exec": None}},
    {"tools": None},
    {"tools": {"profile": "full"}},
    {"tools": {"alsoAllow": ["gateway"]}},
    {"tools": {"deny": []}},
    {"tools": {"allow": ["*"]}},
    {"tools": {"elevated": {"enabled": True}}},
    {"tools": {"fs": {"workspaceOnly": False}}},
    {"tools": {"sandbox": {"tools": {}}}},
    {"tools": {"web": {"fetch": {"ssrfPolicy": {"allowedHostnames": ["127.0.0.1"]}}}}},
    {"tools": {"web": {"search": {"searxng": {"baseUrl": "http://evil"}}}}},
    {"tools": {"web": {"search": {"apiKey": {"source": "exec", "id": "x"}}}}},
    {"approvals": {"exec": {"enabled": False}}},
    {"agents": {"list": [{"id": "main", "tools": {"deny": []}}]}},
    {"agents": {"list": [{"id": "main", "workspace": "/"}]}},
    {"agents": {"list": [{"id": "main", "sandbox": {"mode": "off"}}]}},
    {"agents": {"list": [{"id": "new", "name": "without the old one's limits"}]}},
    {"agents": {"list": [{"name": "nameless"}]}},
    {"agents": {"list": []}},
    {"agents": {"defaults": {"sandbox": {"mode": "off"}}}},
    {"agents": {"defaults": {"workspace": "/etc"}}},
    {"agents": {"defaults": {"elevatedDefault": "full"}}},
    {"channels": {"telegram": {"allowFrom": ["*"]}}},
    {"channels": {"telegram": {"groupAllowFrom": ["*"]}}},
    {"channels": {"telegram": {"dmPolicy": "open"}}},
    {"channels": {"telegram": {"groupPolicy": "open"}}},
    {"channels": {"telegram": {"botToken": "1:x"}}},
    {"channels": {"telegram": {"groups": {"*": {"tools": {}}}}}},
    {"accessGroups": {"x": ["*"]}},
    {"bindings": [{"agentId": "main"}]},
    {"commands": {"ownerAllowFrom": ["*"]}},
    {"session": {"identityLinks": {"me": ["telegram:2"]}}},
    {"mcp": {"servers": {"evil": {"command": "sh"}}}},
    {"plugins": {"allow": ["evil"]}},
    {"plugins": {"load": {"paths": ["/tmp"]}}},
    {"skills": {"load": {"extraDirs": ["/tmp"]}}},
    {"skills": {"entries": {"x": {"env": {"PATH": "/tmp"}}}}},
    {"hooks": {"enabled": True}},
    {"secrets": {"providers": {"x": {"source": "exec", "command": "sh"}}}},
    {"env": {"vars": {"LD_PRELOAD": "x"}}},
    {"models": {"providers": {"x": {"baseUrl": "http://evil"}}}},
    {"browser": {"executablePath": "/tmp/x"}},
    {"logging": {"file": "/etc/passwd"}},
    {"budget": {"day": {"usd": 1000}}},
    {"nodeHost": {"x": 1}},
    {"update": {"auto": True}},
    {"acp": {"command": "sh"}},
    {"proxy": {"url": "http://evil"}},
    {"jupyter": {"listen": True}},
    {"$include": "/tmp/evil.json"},
    {"messages": {"queue": {"$include": "/tmp/evil.json"}}},
    {"agents": {"defaults": {"$include": "/tmp/evil.json"}}},
    {"logging.level": "debug"},
    {"messages": {"responsePrefix": "${A_SECRET}"}},
    {"messages": {"responsePrefix": "__OPENCLAW_REDACTED__"}},
    {"keyOfALaterVersion": True},
    {"logging": {"level": "debug"}, "gateway": {"port": 1}},
    {},
]


@pytest.mark.parametrize("patch", SHUT, ids=lambda patch: json.dumps(patch)[:60])
async def test_what_only_a_person_may_change_is_refused_before_anybody_is_asked(
    config: ConfigStore, patch: dict[str, Any]
) -> None:
    before, tool = config.path.read_text(), gateway_tool(config)
    assert tool.preview is not None
    with pytest.raises(UserError):
        await tool.preview({"action": "config.patch", "patch": patch}, Asking("main"))
    with pytest.raises(ToolError, match="not changed"):
        await tool.run(GatewayArgs(action="config.patch", patch=patch), context())
    assert config.path.read_text() == before


async def test_a_first_list_of_agents_is_not_the_assistants_to_make(tmp_path: Path) -> None:
    empty = gateway_tool(ConfigStore(tmp_path / "openclaw.json", {}))
    with pytest.raises(UserError):
        await use(empty, action="config.patch", patch={"agents": {"list": [{"id": "main", "name": "x"}]}})


async def test_a_guest_gets_nothing(config: ConfigStore) -> None:
    for arguments in ({"action": "config.get"}, {"action": "config.patch", "patch": {"logging": {"level": "debug"}}}):
        with pytest.raises(ToolError, match="Only the owner"):
            await use(gateway_tool(config), guest=True, **arguments)


def test_a_change_always_asks_and_a_tainted_turn_asks_to_read(config: ConfigStore) -> None:
    tool = gateway_tool(config)

    def asks(arguments: dict[str, Any], state: PolicyState) -> bool:
        facts = ToolFacts(tool.name, tool.effect_for(arguments), tool.read_only, tool.untrusted_output, tool.grant)
        verdict = decide(ToolCall("1", "gateway", arguments), facts, state)
        return isinstance(verdict, Ask) and "allow-always" not in verdict.card.scopes

    patch = {"action": "config.patch", "patch": {"logging": {"level": "debug"}}}
    for state in (PolicyState(), PolicyState(security="full", ask="off"), PolicyState(tainted=True), PolicyState(guest=True)):
        assert asks(patch, state)
    assert asks({"action": "config.get"}, PolicyState(tainted=True)) and not asks({"action": "config.get"}, PolicyState())
