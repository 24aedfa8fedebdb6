"""Keys of the configuration that loosen or tighten safety do what they say."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.safety.api import Allow, Ask, ToolFacts, Verdict
from openclaw_kernel.safety.decide import decide
from openclaw_kernel.safety.effective import exec_policy
from openclaw_kernel.safety.redact import PLACEHOLDER, Redactor
from openclaw_kernel.safety.tool_policy import layers, model_layers, standings
from openclaw_kernel.values.messages import ToolCall

CODE = "python3 -c 'print(1)'"


def config(tools: dict[str, Any], agents: list[Any] | None = None) -> OpenClawConfig:
    return OpenClawConfig.model_validate({"tools": tools, "agents": {"list": agents or []}})


def verdict(command: str, settings: OpenClawConfig, *allowed: str, agent: str = "main", tainted: bool = False) -> Verdict:
    state = exec_policy(settings, agent).state(allowed, "/workspace", tainted=tainted)
    call = ToolCall("c", "exec", {"command": command})
    return decide(call, ToolFacts("exec", "host"), state, which=lambda name: f"/usr/bin/{name}", digest=lambda _: "")


def test_inline_code_is_asked_about_every_time_by_default() -> None:
    asked = verdict(CODE, config({}), f"={CODE}", "python3", "python3 *")
    assert isinstance(asked, Ask) and asked.rule == "inline-code" and "allow-always" not in asked.card.scopes


def test_without_strict_inline_eval_exactly_this_code_may_be_remembered() -> None:
    loose = config({"exec": {"strictInlineEval": False}})
    asked = verdict(CODE, loose)
    assert isinstance(asked, Ask) and "allow-always" in asked.card.scopes and asked.card.facts["pattern"] == f"={CODE}"
    assert isinstance(verdict(CODE, loose, f"={CODE}"), Allow)
    for other in ("python3 -c 'print(2)'", f"{CODE}; ls", f"env X=1 {CODE}", f'bash -c "{CODE}"'):
        assert isinstance(verdict(other, loose, f"={CODE}"), Ask), other
    assert isinstance(verdict(CODE, loose, "python3", "python3 *"), Ask)
    assert isinstance(verdict(CODE, loose, f"={CODE}", tainted=True), Ask)


def test_an_agent_can_be_strict_alone_and_never_loose_alone() -> None:
    agents = [{"id": "mail", "tools": {"exec": {"strictInlineEval": True}}}, {"id": "b", "tools": {"exec": {}}}]
    loose = config({"exec": {"strictInlineEval": False}}, agents)
    assert isinstance(verdict(CODE, loose, f"={CODE}", agent="mail"), Ask)
    assert exec_policy(loose, "mail").layers["strictInlineEval"] == "agents.list[mail].tools.exec"
    assert isinstance(verdict(CODE, loose, f"={CODE}", agent="b"), Allow)
    own = config({}, [{"id": "mail", "tools": {"exec": {"strictInlineEval": False}}}])
    assert isinstance(verdict(CODE, own, f"={CODE}", agent="mail"), Ask)


@pytest.mark.parametrize("tools", [{"fs": {"workspaceOnly": False}}, {"exec": {"applyPatch": {"workspaceOnly": False}}}])
def test_the_path_guard_cannot_be_switched_off(tools: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="the file tools never leave the workspace"):
        config(tools)


def taken(settings: OpenClawConfig, model: str = "") -> dict[str, str]:
    of = layers(settings, "main") + (model_layers(settings, "main", model.partition("/")[0], model) if model else ())
    found = standings([("apply_patch", frozenset({"fs"})), ("write", frozenset({"fs"}))], of)
    return {row.name: row.layer for row in found.values() if not row.callable}


def test_apply_patch_can_be_switched_off_or_kept_for_some_models() -> None:
    assert taken(config({})) == {}
    assert taken(config({"exec": {"applyPatch": {"enabled": False}}})) == {"apply_patch": "tools.exec.applyPatch.enabled"}
    some = config({"exec": {"applyPatch": {"allowModels": ["openai", "fake/One"]}}})
    assert taken(some, "openai/gpt-x") == {} and taken(some, "fake/one") == {}
    assert taken(some, "fake/two") == {"apply_patch": "tools.exec.applyPatch.allowModels"}


def test_patterns_of_the_house_are_redacted_and_follow_the_configuration() -> None:
    patterns = ["BADGE-[0-9]{4}"]
    redactor = Redactor(patterns=lambda: patterns)
    assert redactor.text("my BADGE-1234 and PIN 77") == f"my {PLACEHOLDER} and PIN 77"
    patterns.append("PIN [0-9]+")
    assert redactor.value({"a": ["BADGE-1 PIN 77"]}) == {"a": [f"BADGE-1 {PLACEHOLDER}"]}


def test_without_shapes_what_is_known_stays_hidden() -> None:
    key = "sk-" + "a" * 30
    redactor = Redactor(lambda: ["the-known-one"], shapes=lambda: False)
    assert redactor.text(f"{key} the-known-one") == f"{key} {PLACEHOLDER}"
    assert key not in Redactor().text(key)


@pytest.mark.parametrize(("pattern", "said"), [("(", "is no regular expression"), ("x*", "matches the empty text")])
def test_a_bad_pattern_is_told_when_the_configuration_is_read(pattern: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        OpenClawConfig.model_validate({"logging": {"redactPatterns": [pattern]}})
