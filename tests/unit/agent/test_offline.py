"""The whole turn with the model that needs no key."""

from __future__ import annotations

from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.config.secrets import Secrets
from openclaw_kernel.models.service import Models
from tests.unit.agent.conftest import Bench


async def test_a_turn_with_the_built_in_model(bench: Bench) -> None:
    config = OpenClawConfig()
    models = Models(config, Secrets(config, {}), env={})
    bench.models = models  # type: ignore[assignment]
    bench.open()
    outcome = await bench.run(text="hello")
    assert outcome.status == "ok" and outcome.message.text.strip() and outcome.message.provider == "builtin"
    assert [message["role"] for message in bench.history()] == ["user", "assistant"]
    await models.close()
