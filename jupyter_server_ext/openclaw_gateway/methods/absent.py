"""What clients ask for at start and this gateway does not have yet: true, empty answers (protocol section 5.1)."""

from __future__ import annotations

from typing import Any

from openclaw_gateway.methods.services import Params
from openclaw_gateway.protocol.dispatch import Call, Method


class TaskSuggestionsParams(Params):
    session_key: str | None = None
    agent_id: str | None = None


async def task_suggestions(_params: TaskSuggestionsParams, _call: Call) -> dict[str, Any]:
    return {"suggestions": []}


METHODS = [
    Method("taskSuggestions.list", TaskSuggestionsParams, task_suggestions, "operator.read"),
]
