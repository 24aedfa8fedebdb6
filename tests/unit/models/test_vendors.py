"""Every provider by name with just a key: the real SDK, its own client, against a server that speaks the format (MOD-03)."""

from __future__ import annotations

from typing import Any

import pytest

from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.config.secrets import Secrets
from openclaw_kernel.models.api import ModelCall, Prompt
from openclaw_kernel.models.service import Models
from openclaw_kernel.models.vendors import VENDORS
from openclaw_kernel.values.messages import Text, UserMessage
from tests.fakes.model_server import FakeModelServer

NAMED = {
    "anthropic": "ANTHROPIC_API_KEY",
    "openai": "OPENAI_API_KEY",
    "google": "GEMINI_API_KEY",
    "ollama": "",
    "openrouter": "OPENROUTER_API_KEY",
    "deepseek": "DEEPSEEK_API_KEY",
    "huggingface": "HF_TOKEN",
    "amazon-bedrock": "AWS_BEARER_TOKEN_BEDROCK",
    "litellm": "LITELLM_API_KEY",
    "mistral": "MISTRAL_API_KEY",
    "groq": "GROQ_API_KEY",
    "xai": "XAI_API_KEY",
    "lmstudio": "",
    "vllm": "",
}
PATHS = {"anthropic": "/v1/messages", "amazon-bedrock": "/v1/messages", "openai": "/v1/responses"}


def house(config: dict[str, Any], env: dict[str, str]) -> Models:
    settings = OpenClawConfig.model_validate(config)
    return Models(settings, Secrets(settings, env), env=env)


@pytest.mark.parametrize("provider", [*NAMED, "mine"])
async def test_by_name_with_just_a_key(provider: str, server: FakeModelServer) -> None:
    anthropic = PATHS.get(provider) == "/v1/messages"
    place: dict[str, Any] = {"baseUrl": server.url if anthropic else server.openai_url}
    variable = NAMED.get(provider, "")
    if provider == "mine":
        place["apiKey"] = "a-key"
    service = house({"models": {"providers": {provider: place}}}, {variable: "a-key"} if variable else {})
    said = (UserMessage((Text("[[echo from the other side]]"),), 0),)
    message = await service.stream(ModelCall(service.resolve(f"{provider}/some-model"), Prompt("p"), said)).result()
    await service.close()
    assert message.text == "from the other side", message.error
    request = server.requests[-1]
    assert request.path == PATHS.get(provider, "/v1/chat/completions") and request.body["model"] == "some-model"
    assert request.key == ("a-key" if variable or provider == "mine" else "no-key")


def test_the_addresses_are_the_vendors_own() -> None:
    for provider, variable in NAMED.items():
        vendor = VENDORS[provider]
        assert vendor.key_env == variable
        assert vendor.base_url.startswith("https://" if variable and provider != "litellm" else "http://127.0.0.1:")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("bedrock/anthropic.claude-opus", "amazon-bedrock/anthropic.claude-opus"),
        ("gemini/gemini-3", "google/gemini-3"),
        ("hf/org/model", "huggingface/org/model"),
        ("grok/grok-5", "xai/grok-5"),
        ("LM-Studio/qwen", "lmstudio/qwen"),
    ],
)
def test_what_people_also_call_them(written: str, meant: str) -> None:
    assert house({}, {}).resolve(written).ref == meant


def test_a_region_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    import anthropic

    from openclaw_kernel.models.sdk import _bedrock

    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    model = house({}, {}).resolve("amazon-bedrock/anthropic.claude-opus")
    client = _bedrock(anthropic, ModelCall(model, Prompt(), (), credential="a-key"))
    assert str(client.base_url).startswith("https://bedrock-mantle.eu-central-1.api.aws/anthropic")
