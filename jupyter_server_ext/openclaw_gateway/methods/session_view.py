"""A session's row and model, looked up: shared by chat and session methods."""

from __future__ import annotations

from typing import Any

from openclaw_gateway.methods.rows import session_row
from openclaw_gateway.methods.services import GatewayServices
from openclaw_kernel.models.api import Model
from openclaw_kernel.sessions.index import SessionEntry
from openclaw_kernel.values.errors import UserError


def model_of(services: GatewayServices, entry: SessionEntry | None, agent_id: str) -> Model | None:
    """The model a session would use now; `None` when what it names is no longer known."""
    try:
        return services.models.resolve(entry.model_override if entry is not None else None, agent_id)
    except UserError:
        return None


def row_of(services: GatewayServices, entry: SessionEntry, model: Model | None = None) -> dict[str, Any]:
    active = [run.run_id for run in services.runtime.active(entry.key)]
    return session_row(entry, model or model_of(services, entry, entry.agent_id), active)


def row_by_key(services: GatewayServices, key: str) -> dict[str, Any] | None:
    entry = services.sessions.get(key)
    return row_of(services, entry) if entry is not None else None
