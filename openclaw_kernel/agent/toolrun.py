"""Running one tool for one turn: its context, and what becomes of its output before anyone sees it.

Secrets are replaced (SAF-26), long text is cut with the whole kept in a file of the workspace (AGT-05), and output from
outside taints the turn (SAF-23).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from openclaw_kernel.agent.recall import is_private
from openclaw_kernel.agent.repeats import Repeats
from openclaw_kernel.agent.run import Turn
from openclaw_kernel.safety import taint
from openclaw_kernel.safety.environment import child_env, with_path
from openclaw_kernel.store.atomic import write_atomic
from openclaw_kernel.store.paths import ensure_private_dir
from openclaw_kernel.tools.api import Tool, ToolContext, ToolResult
from openclaw_kernel.tools.node_api import NodePlace
from openclaw_kernel.values.events import ToolUpdated
from openclaw_kernel.values.messages import Part, Text, ToolCall

RESULTS_FOLDER = ".openclaw/results"


class ToolRunner:
    """Runs the tools of one turn. By call id, `places` says which node a call was let through for, and `seen` what a person was
    shown of it. `repeats` takes every result down."""

    def __init__(
        self,
        turn: Turn,
        places: Mapping[str, NodePlace],
        seen: Mapping[str, str],
        repeats: Repeats | None = None,
        env: Mapping[str, str] = os.environ,
    ) -> None:
        self._repeats = repeats
        self._turn = turn
        self._places = places
        self._seen = seen
        self._parent_env = env
        self._cap = result_cap(turn.model.context_window if turn.model else 0)

    async def run(self, call: ToolCall, tool: Tool, arguments: BaseModel) -> ToolResult:
        """The result as it is stored, shown and sent to the model. Raises what the tool raises."""
        turn = self._turn
        context = ToolContext(
            run_id=turn.run_id,
            session_key=turn.session.entry.key,
            agent_id=turn.agent_id,
            workspace=turn.workspace,
            signal=turn.signal,
            progress=self._progress(call),
            env=self._env,
            services=turn.house.services,
            nodes=turn.house.services.nodes if turn.house.services is not None else None,
            node=self._places.get(call.id),
            result_chars=self._cap,
            seen=self._seen.get(call.id, ""),
            guest=turn.request.message.meta.get("senderIsOwner") is False,
            notes_closed=not is_private(turn.house.notes, turn.agent_id, turn.session.entry.key, turn.request.message),
        )
        if tool.untrusted_output or taint.from_outside(call):
            self._taint(tool)
        result = await tool.run(arguments, context)
        details: dict[str, Any] = turn.house.redactor.value(result.details)
        content = tuple([await self._clean(call, part) for part in result.content])
        if taint.shows_outside(content):
            self._taint(tool)
        if self._repeats is not None and (note := self._repeats.note(call, content)):
            content = (*content, Text(note))
        return replace(result, content=content, details=details)

    def _taint(self, tool: Tool) -> None:
        if not self._turn.tainted:
            self._turn.tainted = True
            self._turn.session.transcript.append({"type": "custom", "customType": "taint", "data": {"tool": tool.name}})

    @cached_property
    def _env(self) -> Mapping[str, str]:
        first = self._turn.house.config().tools.exec.path_prepend
        return with_path(child_env(self._parent_env, self._turn.house.redactor), first)

    def _progress(self, call: ToolCall) -> Callable[[str, float | None], None]:
        turn = self._turn

        def progress(text: str, fraction: float | None = None) -> None:
            turn.emit(ToolUpdated(call, turn.house.redactor.text(text), fraction))

        return progress

    async def _clean(self, call: ToolCall, part: Part) -> Part:
        if not isinstance(part, Text):
            return part
        text = self._turn.house.redactor.text(part.text)
        if len(text) <= self._cap:
            return replace(part, text=text)
        name = f"{RESULTS_FOLDER}/{self._turn.run_id[:8]}-{safe_name(call.id)}.txt"
        await asyncio.to_thread(_keep, self._turn.workspace / name, text)
        return replace(part, text=f"{text[: self._cap]}\n[cut: {self._cap} of {len(text)} characters; the whole is in {name}]")


def result_cap(context_window: int) -> int:
    """Characters of one result that go to the model: 16,000, 32,000 or 64,000 by context size (AGT-05)."""
    if context_window >= 200_000:
        return 64_000
    return 32_000 if context_window >= 64_000 else 16_000


def safe_name(text: str) -> str:
    return "".join(char if char.isalnum() or char in "-_" else "-" for char in text)[:64]


def _keep(path: Path, text: str) -> None:
    ensure_private_dir(path.parent)
    write_atomic(path, text)
