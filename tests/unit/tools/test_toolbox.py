"""The registry and the small tools: canvas, reminders, skills, status, notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from openclaw_kernel.config.schema.memory import Memory
from openclaw_kernel.memory.embedding.shelf import Opened
from openclaw_kernel.memory.memories import Memories
from openclaw_kernel.models.offline_phrases import SAMPLES
from openclaw_kernel.tools.agents import agent_tools
from openclaw_kernel.tools.api import ToolContext, ToolError, ToolResult, parameter_schema
from openclaw_kernel.tools.builtin import builtin_tools
from openclaw_kernel.tools.notes import notes_tools
from openclaw_kernel.tools.registry import Toolbox
from openclaw_kernel.values.errors import UserError
from openclaw_kernel.values.messages import Text
from openclaw_kernel.values.stream import AbortSignal

OTHERS = (
    "sessions_list", "sessions_history", "sessions_search", "sessions_send", "sessions_spawn", "subagents", "sessions_yield",
    "agents_list", "session_status",
)  # fmt: skip
NAMES = (
    "read", "write", "edit", "undo", "list", "apply_patch", "glob", "grep", "exec", "process", "python",
    "variables", "notebook", "memory_append", "memory_search", "memory_get", "web_fetch", "web_search", "canvas",
    "remind", "skills_list", *OTHERS
)  # fmt: skip


class House:
    async def list_skills(self, agent_id: str) -> list[Mapping[str, Any]]:
        return [{"name": "tidy", "description": f"for {agent_id}"}]

    async def schedule(self, session_key: str, when: str, text: str) -> str:
        if when == "never":
            raise UserError("`never` is not a time; write `in 5 minutes`.")
        return f"I will remind you {when}: {text}"

    nodes = None
    sessions = None


@pytest.fixture
def ctx(tmp_path: Path) -> ToolContext:
    return ToolContext("r", "agent:main:main", "main", tmp_path, AbortSignal(), lambda text, fraction: None, {}, House())


async def call(box: Toolbox, name: str, ctx: ToolContext, **arguments: Any) -> ToolResult:
    tool = box.get(name)
    assert tool is not None
    return await tool.run(tool.parameters.model_validate(arguments), ctx)


def text(result: ToolResult) -> str:
    return "".join(part.text for part in result.content if isinstance(part, Text))


BOX = Toolbox(builtin_tools())


def test_the_built_in_tools_and_their_effects() -> None:
    assert BOX.names() == NAMES
    effects = {tool.name: tool.effect for tool in BOX.tools()}
    assert [name for name in NAMES if effects[name] == "host"] == ["exec", "process", "python", "notebook"]
    assert [name for name in NAMES if effects[name] == "none"] == ["variables", "canvas", "skills_list", *OTHERS]
    assert BOX.specs() is BOX.specs()
    assert all(spec.parameters["type"] == "object" for spec in BOX.specs())
    assert all(tool.title_for({}) for tool in BOX.tools() if tool.name not in ("exec", "python"))


def test_filters_ignore_case_and_deny_wins() -> None:
    assert BOX.filtered(["group:FS", "MEMORY_*"], ["Write"]).names() == (
        "read",
        "edit",
        "undo",
        "list",
        "apply_patch",
        "glob",
        "grep",
        "memory_append",
        "memory_search",
        "memory_get",
    )
    assert BOX.filtered(None, ["*"]).names() == ()
    assert BOX.filtered().names() == NAMES
    with pytest.raises(ValueError, match="read"):
        Toolbox([*BOX.tools(), BOX.tools()[0]])


@pytest.mark.parametrize("kind", ["form", "table", "chart"])
async def test_canvas_draws_the_samples(ctx: ToolContext, kind: str) -> None:
    surface = (await call(BOX, "canvas", ctx, kind=kind, **SAMPLES[kind])).details["surface"]
    messages = surface["messages"]
    assert all(message["version"] == "v0.9" and len(message) == 2 for message in messages)
    assert [next(key for key in message if key != "version") for message in messages] == [
        "createSurface", "updateDataModel", "updateComponents",
    ]  # fmt: skip
    components = messages[2]["updateComponents"]["components"]
    ids = [component["id"] for component in components]
    assert ids[0] == "root"
    assert len(set(ids)) == len(ids)
    linked = {child for one in components for child in [*one.get("children", []), *([one["child"]] if "child" in one else [])]}
    assert linked == set(ids) - {"root"}
    assert {message[key]["surfaceId"] for message in messages for key in message if key != "version"} == {surface["surfaceId"]}


async def test_a_form_sends_back_every_field(ctx: ToolContext) -> None:
    fields = [
        {"name": "who", "label": "Who"},
        {"name": "size", "label": "Size", "type": "select", "options": ["S", "M"], "value": "M"},
    ]
    surface = (await call(BOX, "canvas", ctx, kind="form", fields=fields)).details["surface"]
    assert surface["messages"][1]["updateDataModel"]["value"] == {"form": {"who": "", "size": ["M"]}}
    button = next(one for one in surface["messages"][2]["updateComponents"]["components"] if one["component"] == "Button")
    assert set(button["action"]["event"]["context"]) == {"who", "size"}


@pytest.mark.parametrize(
    ("arguments", "word"),
    [({"kind": "form"}, "a form needs fields"), ({"kind": "table", "columns": ["a"], "rows": [[1, 2]]}, "1 cells"),
     ({"kind": "form", "fields": [{"name": "a", "label": "A", "type": "select"}]}, "needs options"),
     ({"kind": "form", "fields": [{"name": "__proto__", "label": "A"}]}, "name")],
)  # fmt: skip
async def test_canvas_says_what_is_missing(ctx: ToolContext, arguments: dict[str, Any], word: str) -> None:
    with pytest.raises(ValidationError, match=word):
        await call(BOX, "canvas", ctx, **arguments)


async def test_reminders_and_skills_come_from_the_house(ctx: ToolContext) -> None:
    assert text(await call(BOX, "remind", ctx, when="in 5 minutes", text="tea")) == "I will remind you in 5 minutes: tea"
    with pytest.raises(ToolError, match="not a time"):
        await call(BOX, "remind", ctx, when="never", text="tea")
    assert text(await call(BOX, "skills_list", ctx)) == "- tidy: for main"
    with pytest.raises(ToolError, match="running gateway"):
        await call(BOX, "skills_list", replace(ctx, services=None))


async def test_status_tells_time_and_place(ctx: ToolContext) -> None:
    box = Toolbox(agent_tools(lambda: datetime(2026, 11, 21, 14, 5, tzinfo=UTC)))
    assert (await call(box, "session_status", ctx)).details == {
        "time": "2026-11-21T14:05:00+00:00", "weekday": "Saturday", "sessionKey": "agent:main:main", "agentId": "main",
        "workspace": str(ctx.workspace),
    }  # fmt: skip


async def test_notes_are_written_and_found(ctx: ToolContext, tmp_path: Path) -> None:
    memories = Memories(lambda _: Memory(), lambda _: ctx.workspace, tmp_path / "state", lambda *_: lambda: Opened(None))
    box = Toolbox(notes_tools(memories, lambda: datetime(2026, 11, 21, 14, 5, tzinfo=UTC)))
    await call(box, "memory_append", ctx, text="Ada likes green tea\n# not a heading")
    file = ctx.workspace / "memory/2026-11-21.md"
    assert file.read_text() == "# 2026-11-21\n\n- 14:05 Ada likes green tea # not a heading\n"
    assert "(Source: memory/2026-11-21.md#L3)" in text(await call(box, "memory_search", ctx, query="which tea?"))
    assert text(await call(box, "memory_search", ctx, query="submarine")) == "No note matches."
    with pytest.raises(ToolError, match="empty"):
        await call(box, "memory_append", ctx, text="  ")
    await memories.close()


async def test_notes_do_not_leave_the_workspace(ctx: ToolContext, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "x.md").write_text("- tea secret\n")
    (ctx.workspace / "memory").symlink_to(outside)
    memories = Memories(lambda _: Memory(), lambda _: ctx.workspace, outside / "state", lambda *_: lambda: Opened(None))
    box = Toolbox(notes_tools(memories))
    with pytest.raises(ToolError, match="outside the workspace"):
        await call(box, "memory_append", ctx, text="x")
    assert text(await call(box, "memory_search", ctx, query="tea")) == "No note matches."
    await memories.close()


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    key: str = Field(max_length=200)


class Told(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: str | None = Field(None, max_length=12)
    default: Inner | None = Field(None, description="One")
    rows: list[list[int | float | None]] = Field(default_factory=list, max_length=500)
    mode: Literal["a", "b"] = "b"
    count: int = Field(5, ge=1, le=20)


def test_a_schema_tells_what_a_call_needs_and_no_more() -> None:
    assert parameter_schema(Told) == {
        "type": "object",
        "properties": {
            "title": {"type": "string", "maxLength": 12},
            "default": {
                "type": "object",
                "description": "One",
                "properties": {"key": {"type": "string"}},
                "required": ["key"],
            },
            "rows": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
            "mode": {"type": "string", "enum": ["a", "b"], "default": "b"},
            "count": {"type": "integer", "default": 5, "maximum": 20},
        },
    }
