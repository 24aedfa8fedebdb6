"""Which names may be picked, and how a thinking level is taken by models that differ (MOD-07, MOD-17)."""

from __future__ import annotations

from typing import Any

import pytest

from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.config.secrets import Secrets
from openclaw_kernel.models.api import ThinkingLevel
from openclaw_kernel.models.effort import levels_of, nearest_level
from openclaw_kernel.models.service import Models, UnknownModel


def house(models: dict[str, Any], model: Any = None) -> Models:
    config = OpenClawConfig.model_validate({"agents": {"defaults": {"models": models, **({"model": model} if model else {})}}})
    return Models(config, Secrets(config, {}), env={})


def test_a_policy_holds_what_is_picked_and_not_what_is_configured() -> None:
    service = house({"anthropic/*": {}, "openai/gpt-6-luna": {"alias": "quick"}}, {"primary": "groq/x", "fallbacks": ["xai/y"]})
    for allowed in ("anthropic/claude-opus-5-5", "quick", "groq/x", "xai/y", "builtin/offline"):
        service.resolve(allowed)
    assert service.resolve(None).ref == "groq/x" and [row.ref for row in service.fallbacks()] == ["xai/y"]
    for refused in ("openai/gpt-6-sol", "groq/z"):
        with pytest.raises(UnknownModel, match="not allowed here"):
            service.resolve(refused)


def test_without_a_star_everything_may_be_picked() -> None:
    assert house({"openai/gpt-6-luna": {"alias": "quick"}}).resolve("groq/z").ref == "groq/z"


@pytest.mark.parametrize(
    ("ref", "offered"),
    [
        ("openai/gpt-4o", "off"),
        ("openai/gpt-5", "minimal low medium high"),
        ("openai/gpt-5.1", "off low medium high"),
        ("openai/gpt-6-sol", "off low medium high xhigh max"),
        ("anthropic/claude-sonnet-4-5", "off minimal low medium high xhigh max"),
        ("anthropic/claude-sonnet-5-5", "off minimal low medium high xhigh max adaptive"),
        ("anthropic/claude-opus-5-5", "minimal low medium high xhigh max adaptive"),
        ("ollama/some", "off"),
    ],
)
def test_the_levels_a_model_offers(ref: str, offered: str) -> None:
    assert levels_of(house({}).resolve(ref)) == offered.split()


@pytest.mark.parametrize(
    ("ref", "asked", "taken"),
    [
        ("openai/gpt-5", "off", "minimal"),
        ("openai/gpt-5", "ultra", "high"),
        ("openai/gpt-6-sol", "ultra", "max"),
        ("openai/gpt-5.1", "adaptive", "medium"),
        ("openai/gpt-4o", "high", "off"),
        ("anthropic/claude-opus-5-5", "off", "minimal"),
        ("anthropic/claude-sonnet-5-5", "adaptive", "adaptive"),
    ],
)
def test_what_a_level_is_taken_as(ref: str, asked: ThinkingLevel, taken: str) -> None:
    assert nearest_level(house({}).resolve(ref), asked) == taken
