"""The tools for sessions, subagents and agents: what they hand on, what they say, and that they fail with a sentence."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from openclaw_kernel.tools import sessions, subagents
from openclaw_kernel.tools.agents import agent_tools
from openclaw_kernel.tools.api import ToolContext, ToolError, ToolResult
from openclaw_kernel.tools.registry import Toolbox
from openclaw_kernel.tools.sessions_api import Caller, Task
from openclaw_kernel.values.errors import invalid
from openclaw_kernel.values.messages import Text
from openclaw_kernel.values.stream import AbortSignal

BOX = Toolbox((*sessions.TOOLS, *subagents.TOOLS, *agent_tools()))


@dataclass
class FakeDesk:
    """Remembers what it was asked; answers `reply`, or refuses with `refusal`."""

    reply: Any = None
    refusal: str = ""
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        if name in ("spawn", "steer", "send", "search", "next_result"):

            async def later(*arguments: Any) -> Any:
                return self._answer(name, arguments)

            return later
        return lambda *arguments: self._answer(name, arguments)

    def _answer(self, name: str, arguments: tuple[Any, ...]) -> Any:
        self.asked.append((name, *arguments[1:]))
        assert arguments[0] == Caller("agent:main:main", "main", "r", True, 500)
        if self.refusal:
            raise invalid(self.refusal)
        return self.reply


class House:
    nodes = None

    def __init__(self, desk: FakeDesk | None) -> None:
        self.sessions = desk


def context(tmp_path: Path, desk: FakeDesk | None) -> ToolContext:
    house: Any = House(desk)
    return ToolContext(
        "r",
        "agent:main:main",
        "main",
        tmp_path,
        AbortSignal(),
        lambda _text, _part: None,
        {},
        house,
        result_chars=500,
        guest=True,
    )


async def use(ctx: ToolContext, name: str, **arguments: Any) -> str:
    tool = BOX.get(name)
    assert tool is not None
    result: ToolResult = await tool.run(tool.parameters.model_validate(arguments), ctx)
    return "".join(part.text for part in result.content if isinstance(part, Text))


async def test_a_task_is_handed_on_whole(tmp_path: Path) -> None:
    desk = FakeDesk({"status": "accepted", "childSessionKey": "k", "runId": "i"})
    said = await use(
        context(tmp_path, desk), "sessions_spawn", task="count", label="c", agentId="other", model="x/y", thinking="low",
        runTimeoutSeconds=5, cleanup="delete",
    )  # fmt: skip
    assert json.loads(said)["status"] == "accepted"
    assert desk.asked == [("spawn", Task("count", "c", "other", "x/y", "low", 5, "delete"))]
    with pytest.raises(ValidationError):
        await use(context(tmp_path, desk), "sessions_spawn", task="count", cleanup="burn")


async def test_looking_after_subagents(tmp_path: Path) -> None:
    desk = FakeDesk([{"id": "i", "state": "running"}])
    ctx = context(tmp_path, desk)
    assert '"state": "running"' in await use(ctx, "subagents")
    desk.reply = ["i"]
    assert await use(ctx, "subagents", action="kill", id="all") == "Ended: i."
    desk.reply = "user: count"
    assert await use(ctx, "subagents", action="log", id="i") == "user: count"
    desk.reply = {"status": "steered"}
    assert "steered" in await use(ctx, "subagents", action="steer", id="i", message="faster")
    assert desk.asked == [("children",), ("kill", "all"), ("log", "i"), ("steer", "i", "faster")]
    for wrong in ({"action": "kill"}, {"action": "steer", "id": "i"}):
        with pytest.raises(ToolError, match="needs a"):
            await use(ctx, "subagents", **wrong)


async def test_other_sessions(tmp_path: Path) -> None:
    desk = FakeDesk([])
    ctx = context(tmp_path, desk)
    assert await use(ctx, "sessions_list", search="x", active_minutes=5) == "No session matches."
    assert await use(ctx, "sessions_search", query="tea") == "Nothing was found."
    desk.reply = "user: hi"
    assert await use(ctx, "sessions_history", sessionKey="k", limit=3, includeTools=True) == "user: hi"
    desk.reply = {"status": "ok", "reply": "yes"}
    assert '"reply": "yes"' in await use(ctx, "sessions_send", sessionKey="k", message="m", timeoutSeconds=7)
    assert desk.asked == [
        ("sessions", "x", 5, 20), ("search", "tea", 10), ("history", "k", 3, True), ("send", "k", "m", 7),
    ]  # fmt: skip
    desk.reply = True
    assert "follows as a message" in await use(ctx, "sessions_yield", timeoutSeconds=9)
    desk.reply = False
    assert "No result came" in await use(ctx, "sessions_yield")
    desk.reply = [{"id": "main"}]
    assert await use(ctx, "agents_list") == '{"id": "main"}'
    desk.reply = {"model": "x/y", "contextPercent": 7}
    assert "model: x/y\ncontextPercent: 7" in await use(ctx, "session_status")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("sessions_spawn", {"task": "t"}),
        ("subagents", {}),
        ("sessions_list", {}),
        ("sessions_history", {"sessionKey": "k"}),
        ("sessions_search", {"query": "tea"}),
        ("sessions_send", {"sessionKey": "k", "message": "m"}),
    ],
)
async def test_a_refusal_is_a_sentence_for_the_model(tmp_path: Path, name: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(ToolError, match="not that one"):
        await use(context(tmp_path, FakeDesk(refusal="not that one")), name, **arguments)
    with pytest.raises(ToolError, match="running gateway"):
        await use(context(tmp_path, None), name, **arguments)


def test_what_they_declare() -> None:
    readers = {"sessions_list", "sessions_history", "sessions_search", "agents_list", "session_status"}
    assert {tool.name for tool in BOX.tools() if tool.read_only} == readers
    assert {tool.effect for tool in BOX.tools()} == {"none"}
    assert {group for tool in BOX.tools() for group in tool.groups} == {"sessions", "agents"}
    assert BOX.get("sessions_spawn").title_for({"task": "count\nall"}) == "Start subagent: count"  # type: ignore[union-attr]
