"""The catalogue and the service: which model a name means, where its key comes from, what is said when it fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.config.secrets import Secrets
from openclaw_kernel.models import ollama
from openclaw_kernel.models.api import ModelCall, Prompt
from openclaw_kernel.models.service import Models, UnknownModel
from openclaw_kernel.values.errors import UserError
from openclaw_kernel.values.messages import Text, UserMessage
from tests.fakes.model_server import FakeModelServer


class PlainSecrets:
    """Secrets that are written in clear; `missing` stands for one that cannot be read."""

    def resolve(self, value: object, where: str) -> str:
        if value == "${MISSING}":
            raise UserError(f"{where}: the variable MISSING is not set")
        return str(value or "")


def models(config: Mapping[str, Any] | None = None, env: Mapping[str, str] | None = None) -> Models:
    secrets: Any = PlainSecrets()
    return Models(OpenClawConfig.model_validate(config or {}), secrets, env=env or {}, clock=lambda: 1)


def fake_provider(url: str, **fields: Any) -> dict[str, Any]:
    provider = {"baseUrl": url, "api": "openai-completions", "apiKey": "good-key", "models": [{"id": "fake-1"}]}
    return {"models": {"providers": {"fake": provider | fields}}}


def call(service: Models, ref: str | None, text: str = "[[echo hi]]") -> ModelCall:
    return ModelCall(service.resolve(ref), Prompt(), (UserMessage((Text(text),), 0),))


def test_nothing_configured_means_the_stand_in() -> None:
    assert models().resolve(None).ref == "builtin/offline"


def test_the_default_and_an_agents_own_model() -> None:
    agents = {
        "defaults": {"model": "anthropic/claude-opus-5-5"},
        "list": [{"id": "clerk", "model": {"primary": "openai/gpt-6-luna", "fallbacks": ["anthropic/claude-haiku-5-5"]}}],
    }
    service = models({"agents": agents})
    assert service.resolve(None).ref == "anthropic/claude-opus-5-5"
    assert service.resolve(None, "clerk").ref == "openai/gpt-6-luna"
    assert service.resolve(None, "stranger").ref == "anthropic/claude-opus-5-5"
    assert [row.ref for row in service.fallbacks("clerk")] == ["anthropic/claude-haiku-5-5"]
    assert service.fallbacks() == []


def test_names_in_several_forms() -> None:
    service = models({"agents": {"defaults": {"models": {"anthropic/claude-opus-5-5": {"alias": "Opus"}}}}})
    assert service.resolve("opus").ref == "anthropic/claude-opus-5-5"
    assert service.resolve("claude-haiku-4-5").ref == "anthropic/claude-haiku-4-5"
    dated = service.resolve("anthropic/claude-haiku-4-5-20251001")
    assert (dated.id, dated.cost.input) == ("claude-haiku-4-5-20251001", 1)
    other = service.resolve("openrouter/some/model")
    assert (other.id, other.base_url) == ("some/model", "https://openrouter.ai/api/v1")


@pytest.mark.parametrize(
    ("ref", "words"),
    [
        ("antropic/claude-opus-5-5", ["'antropic'", "anthropic/claude-opus-5-5", "models.providers.antropic"]),
        ("nowhere/x", ["'nowhere'", "models.providers.nowhere"]),
        ("claude-hiaku-4-5", ["claude-haiku-4-5"]),
        ("3", ["provider/model"]),
    ],
)
def test_an_unknown_name_gets_one_sentence_with_near_names(ref: str, words: list[str]) -> None:
    with pytest.raises(UnknownModel) as caught:
        models().resolve(ref)
    for word in words:
        assert word in str(caught.value)


def test_a_custom_provider() -> None:
    row = {
        "id": "big",
        "name": "Big",
        "contextWindow": 9_000,
        "maxTokens": 500,
        "cost": {"input": 2.0},
        "input": ["text", "image"],
    }
    service = models(fake_provider("http://127.0.0.1:1/v1", models=[row]))
    big = service.resolve("fake/big")
    assert (big.name, big.context_window, big.max_output_tokens, big.cost.input) == ("Big", 9_000, 500, 2.0)
    assert big.input == ("text", "image")
    assert big.base_url == "http://127.0.0.1:1/v1"
    assert service.resolve("fake/unlisted").base_url == big.base_url


def test_no_more_of_a_window_is_used_than_the_owner_wants() -> None:
    rows = [{"id": "a", "contextWindow": 9_000, "contextTokens": 4_000}, {"id": "b", "contextTokens": 999_999_999}]
    service = models(fake_provider("http://127.0.0.1:1/v1", models=rows))
    assert service.resolve("fake/a").context_window == 4_000 and service.resolve("fake/b").context_window == 128_000


def test_a_known_provider_at_another_address() -> None:
    service = models({"models": {"providers": {"anthropic": {"baseUrl": "https://proxy.example"}}}})
    assert service.resolve("anthropic/claude-opus-5-5").base_url == "https://proxy.example"


def test_replace_mode_hides_the_built_in_rows() -> None:
    config = fake_provider("http://127.0.0.1:1/v1")
    config["models"]["mode"] = "replace"
    assert {row.ref for row in models(config).list()} == {"builtin/offline", "fake/fake-1"}


def test_a_provider_without_an_address_is_refused() -> None:
    with pytest.raises(UserError, match=r"models\.providers\.mine has no baseUrl"):
        models({"models": {"providers": {"mine": {"apiKey": "k"}}}})


def test_keys_come_from_config_then_environment() -> None:
    assert not models().has_key("anthropic")
    assert models(env={"ANTHROPIC_API_KEY": "k"}).credentials.own_key("anthropic") == "k"
    configured = models({"models": {"providers": {"anthropic": {"apiKey": "mine"}}}}, {"ANTHROPIC_API_KEY": "k"})
    assert configured.credentials.own_key("anthropic") == "mine"
    assert models({"env": {"vars": {"OPENAI_API_KEY": "v"}}}).credentials.own_key("openai") == "v"
    assert models().has_key("ollama")
    assert models().has_key("builtin")
    assert not models().has_key("nowhere")


def test_a_key_from_the_environment_is_known_to_redaction() -> None:
    config = OpenClawConfig()
    secrets = Secrets(config, {})
    service = Models(config, secrets, env={"ANTHROPIC_API_KEY": "sk-ant-a-long-key"})
    assert service.credentials.own_key("anthropic") == "sk-ant-a-long-key"
    assert "sk-ant-a-long-key" in secrets.known()


def test_usable_models_come_first() -> None:
    rows = models(env={"OPENAI_API_KEY": "k"}).list()
    assert rows[0].ref == "builtin/offline"
    assert rows[1].provider == "openai"
    assert rows[-1].provider == "anthropic"
    assert {row.provider for row in models().list(usable_only=True)} == {"builtin"}


async def test_a_missing_key_is_a_failure_that_says_where_to_put_it() -> None:
    service = models()
    message = await service.stream(call(service, "anthropic/claude-opus-5-5")).result()
    assert message.error is not None
    assert message.error.kind == "auth"
    assert "ANTHROPIC_API_KEY" in message.error.message
    assert "models.providers.anthropic.apiKey" in message.error.message


async def test_an_unreadable_secret_is_a_failure() -> None:
    service = models(fake_provider("http://127.0.0.1:1/v1", apiKey="${MISSING}"))
    message = await service.stream(call(service, "fake/fake-1")).result()
    assert message.error is not None
    assert "MISSING is not set" in message.error.message


async def test_a_call_through_the_service(server: FakeModelServer) -> None:
    service = models(fake_provider(server.openai_url, headers={"X-Team": "blue"}))
    await service.warm("fake/fake-1")
    message = await service.stream(call(service, "fake/fake-1")).result()
    await service.close()
    assert message.text == "hi"
    assert server.requests[-1].key == "good-key"
    assert server.requests[-1].headers["x-team"] == "blue"


async def test_the_stand_in_needs_no_key() -> None:
    service = models()
    assert "not a language model" in (await service.stream(call(service, None, "hello")).result()).text


async def test_ollama_is_found_and_its_models_listed(server: FakeModelServer) -> None:
    service = models({"models": {"providers": {"ollama": {"baseUrl": server.openai_url}}}})
    rows = await service.detect_ollama()
    assert [(row.ref, row.context_window, row.input) for row in rows] == [
        ("ollama/fake-1", 16_384, ("text", "image")),
        ("ollama/fake-2", 40_960, ("text",)),
    ]
    message = await service.stream(call(service, "ollama/fake-1")).result()
    await service.close()
    assert message.text == "hi"


async def test_no_ollama_is_no_error() -> None:
    assert await ollama.detect("http://127.0.0.1:9") == []


async def test_a_long_prompt_has_its_own_price() -> None:
    from openclaw_kernel.models.answer import Answer

    model = models().resolve("anthropic/claude-haiku-5-5")
    answer = Answer(model, lambda event: None, lambda: 0)
    answer.count(input=100_000, output=1_000_000)
    assert answer.usage.cost.output == 0.5
    answer.count(input=90_000, cache_read=20_000, output=1_000_000)
    assert answer.usage.cost.output == 2.5


def test_secrets_stay_out_of_the_representation() -> None:
    made = ModelCall(models().resolve(None), Prompt(), (), credential="sk-very-secret")
    assert "sk-very-secret" not in repr(made)
