"""`models.list`: what can be spoken to."""

from __future__ import annotations

from typing import Any, Literal

from openclaw_gateway.methods.rows import thinking_levels
from openclaw_gateway.methods.services import GatewayServices, Params, parts
from openclaw_gateway.protocol.dispatch import Call, Method
from openclaw_kernel.models.api import Model


class ModelsListParams(Params):
    agent_id: str | None = None
    include_details: bool | None = None
    include_provider_capabilities: bool | None = None
    prepared_only: bool | None = None
    refresh: bool | None = None
    view: Literal["default", "configured", "provider-config", "all"] | None = None


def model_rows(services: GatewayServices, agent_id: str, *, everything: bool = False) -> list[dict[str, Any]]:
    """`models` of `models.list` and `chat.metadata`: what can be called now; the agent's default comes first and is tagged."""
    default = services.models.resolve(None, agent_id)
    models = [default, *(model for model in services.models.list(usable_only=not everything) if model.ref != default.ref)]
    return [_row(services, model, model.ref == default.ref) for model in models]


def _row(services: GatewayServices, model: Model, is_default: bool) -> dict[str, Any]:
    available = services.models.has_key(model.provider)
    row: dict[str, Any] = {
        "id": model.id,
        "name": model.name or model.id,
        "provider": model.provider,
        "contextWindow": model.context_window,
        "reasoning": model.reasoning,
        "input": list(model.input),
        "thinkingLevels": thinking_levels(model),
        "thinkingDefault": "off",
        "available": available,
    }
    if is_default:
        row["tags"] = ["default"]
    if alias := next((name for name, ref in services.models.aliases().items() if ref == model.ref), ""):
        row["alias"] = alias
    if not available:
        row["unavailableReason"] = "missing-auth"
    return row


async def models_list(params: ModelsListParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    if params.refresh:
        await services.models.detect_ollama()
    return {"models": model_rows(services, params.agent_id or services.default_agent, everything=params.view == "all")}


METHODS = [Method("models.list", ModelsListParams, models_list, "operator.read")]
