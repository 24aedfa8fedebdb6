"""The tools that reach a notebook: where they run, what a person is shown before, what comes back (TOL-06, TOL-07)."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.agent.batch import Ruling
from openclaw_kernel.agent.gate import Gate
from openclaw_kernel.safety.api import PolicyState
from openclaw_kernel.safety.approvals import Approval, Approvals
from openclaw_kernel.tools.api import Tool, ToolContext, ToolError, ToolResult
from openclaw_kernel.tools.builtin import builtin_tools
from openclaw_kernel.tools.node_api import NodePlace
from openclaw_kernel.tools.registry import Toolbox
from openclaw_kernel.values.errors import unavailable
from openclaw_kernel.values.messages import Image, Text, ToolCall
from openclaw_kernel.values.stream import AbortSignal

BOX = Toolbox(builtin_tools())
PLACE = NodePlace("local:lab", "notebook sales.ipynb", "k1")
PNG = base64.b64encode(b"a picture").decode()
SURFACE = [
    {"version": "v0.9", "createSurface": {"surfaceId": "s", "catalogId": "urn:openclaw-jupyter:catalog:notebook:v1"}},
    {
        "version": "v0.9",
        "updateComponents": {"surfaceId": "s", "components": [{"id": "root", "component": "Text", "text": "hello"}]},
    },
]


class Nodes:
    """A node that answers what it was given, and keeps what it was asked."""

    def __init__(self, place: NodePlace | None = PLACE, **answers: Any) -> None:
        self.where = place
        self.answers = answers
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        self.surfaces: list[str] = []
        self.kept: list[bytes] = []

    def place(self, session_key: str, command: str) -> NodePlace | None:
        return self.where

    async def invoke(
        self,
        place: NodePlace,
        command: str,
        params: Mapping[str, Any],
        *,
        timeout_s: float,
        progress: Callable[[str], None] | None = None,
    ) -> Mapping[str, Any]:
        self.asked.append((command, dict(params)))
        answer = self.answers.get(command.replace(".", "_"))
        if answer is None:
            raise unavailable("node not connected")
        return dict(answer)

    def show(self, session_key: str, surface_id: str, title: str, place: NodePlace | None = None) -> None:
        self.surfaces.append(surface_id)

    async def keep_media(self, data: bytes, media_type: str) -> str:
        self.kept.append(data)
        return f"/media/{len(self.kept)}"


def tool(name: str) -> Tool:
    found = BOX.get(name)
    assert found is not None
    return found


async def run(name: str, nodes: Nodes, place: NodePlace | None = PLACE, seen: str = "", **arguments: Any) -> ToolResult:
    signal = AbortSignal()
    ctx = ToolContext("r", "agent:main:main", "main", Path("/tmp"), signal, lambda *_: None, {}, nodes=nodes, node=place)
    ctx = replace(ctx, seen=seen)
    return await tool(name).run(tool(name).parameters.model_validate(arguments), ctx)


def text(result: ToolResult) -> str:
    return "".join(part.text for part in result.content if isinstance(part, Text))


@pytest.fixture
def approvals(tmp_path: Path) -> Iterator[Approvals]:
    approvals = Approvals(tmp_path / "a.jsonl", tmp_path / "b.jsonl")
    yield approvals
    approvals.close()


async def ruled(
    approvals: Approvals, nodes: Nodes, name: str, decision: str = "allow-once", **arguments: Any
) -> tuple[Ruling, Approval | None, Gate]:
    """What the gate says when a person answers `decision`; the question, if there was one."""
    asked: list[Approval] = []

    def answer(approval: Approval) -> None:
        if approval.state == "pending":
            asked.append(approval)
            asyncio.get_running_loop().call_soon(approvals.resolve, approval.id, decision, "me")

    approvals.on_change.append(answer)
    gate = Gate(approvals, lambda: PolicyState(workspace="/w"), "agent:main:main", "main", "r", nodes)
    ruling = await gate.rule(ToolCall("c", name, arguments), tool(name))
    approvals.on_change.remove(answer)
    return ruling, asked[0] if asked else None, gate


async def test_the_card_says_where_python_runs(approvals: Approvals) -> None:
    ruling, asked, gate = await ruled(approvals, Nodes(), "python", code="x + 1")
    assert asked is not None and asked.card.title == "Run Python in notebook sales.ipynb"
    assert asked.card.command == "x + 1" and asked.card.facts["where"] == "notebook sales.ipynb"
    assert ruling.allowed and gate.places["c"].node_id == "local:lab"
    _, asked, gate = await ruled(approvals, Nodes(None), "python", code="x + 1")
    assert asked is not None and asked.card.title == "Run Python on this machine" and gate.places == {}
    _, asked, _ = await ruled(approvals, Nodes(), "exec", command="ls; rm x")
    assert asked is not None and asked.card.title == "Run a command"


async def test_running_a_cell_shows_its_code_and_runs_no_other(approvals: Approvals) -> None:
    nodes = Nodes(notebook_cells={"cells": [{"id": "c7", "source": "drop_tables()"}]}, notebook_run={"status": "ok"})
    ruling, asked, gate = await ruled(approvals, nodes, "notebook", action="run", cell_id="c7")
    assert ruling.allowed and asked is not None
    assert asked.card.command == "drop_tables()" and asked.card.title == "Use notebook in notebook sales.ipynb"
    await run("notebook", nodes, gate.places["c"], gate.seen["c"], action="run", cell_id="c7")
    assert nodes.asked[-1] == ("notebook.run", {"cellId": "c7", "kernelId": "k1", "source": "drop_tables()"})


@pytest.mark.parametrize(
    "answer",
    [None, {"cells": []}, {"cells": [{"source": "x" * 60_000, "sourceTruncated": True}]}],
    ids=["gone", "none", "long"],
)
async def test_a_cell_that_cannot_be_shown_is_not_asked_about(approvals: Approvals, answer: Any) -> None:
    nodes = Nodes(**({"notebook_cells": answer} if answer else {}))
    ruling, asked, _ = await ruled(approvals, nodes, "notebook", action="run", cell_id="c7")
    assert not ruling.allowed and asked is None and "cannot be shown" in ruling.sentence


async def test_reading_asks_nobody_and_inserting_only_after_taint(approvals: Approvals) -> None:
    for arguments in ({"action": "read"}, {"action": "insert", "source": "1"}):
        ruling, asked, _ = await ruled(approvals, Nodes(), "notebook", **arguments)
        assert ruling.allowed and asked is None
    gate = Gate(approvals, lambda: PolicyState(tainted=True, ask="off"), "agent:main:main", "main", "r", Nodes())
    pending = asyncio.ensure_future(gate.rule(ToolCall("c", "notebook", {"action": "insert", "source": "1"}), tool("notebook")))
    done, _ = await asyncio.wait({pending}, timeout=0.05)
    assert not done, "an insert after untrusted content waits for a person"
    pending.cancel()
    ruling, _, _ = await ruled(approvals, Nodes(), "notebook", decision="deny", action="nonsense", cell_id="c")
    assert not ruling.allowed, "an unknown action is judged as the most dangerous one"


async def test_python_brings_text_pictures_and_surfaces() -> None:
    answer = {
        "status": "ok",
        "stdout": "hello\n",
        "result": "42",
        "images": [{"mediaType": "image/png", "base64": PNG}, {"base64": "%%%"}],
        "surfaces": [{"surfaceId": "s", "messages": SURFACE}, {"surfaceId": "evil", "messages": [{"version": "v0.9"}]}],
    }
    nodes = Nodes(python_run=answer)
    result = await run("python", nodes, code="x", timeout_s=3)
    assert text(result) == "hello\n42" and not result.is_error and nodes.asked[0][1] == {"code": "x", "timeoutMs": 3000}
    assert result.details["media"] == [{"path": "/media/1", "mediaType": "image/png", "name": "1.png"}]
    assert nodes.kept == [b"a picture"] and next(part for part in result.content if isinstance(part, Image)).data == PNG
    assert result.details["surface"]["surfaceId"] == "s" and nodes.surfaces == ["s"], "what the guard refuses is left out"


async def test_a_failure_in_the_notebook_and_a_node_that_left() -> None:
    error = {"status": "error", "stdout": "so far", "error": {"ename": "E", "evalue": "v", "traceback": "Traceback: E: v"}}
    result = await run("python", Nodes(python_run=error), code="x")
    assert result.is_error and text(result) == "so far\nTraceback: E: v"
    with pytest.raises(ToolError, match=r"sales\.ipynb: node not connected"):
        await run("python", Nodes(), code="x")


async def test_without_a_node_there_is_one_sentence() -> None:
    for name, arguments in (("variables", {}), ("notebook", {"action": "read"})):
        with pytest.raises(ToolError, match="ask the person to open one"):
            await run(name, Nodes(), None, **arguments)


async def test_a_canvas_is_shown_in_the_notebook_too() -> None:
    nodes = Nodes(canvas_present={"shown": True})
    result = await run("canvas", nodes, kind="surface", messages=SURFACE)
    assert nodes.asked == [("canvas.present", {"surfaceId": "s", "messages": SURFACE})] and nodes.surfaces == ["s"]
    assert "notebook sales.ipynb" in text(result)
    away = await run("canvas", Nodes(), kind="surface", messages=SURFACE)
    assert not away.is_error and "sales" not in text(away), "a notebook that has left is no failure"
    with pytest.raises(ToolError, match="cannot be shown"):
        await run("canvas", nodes, kind="surface", messages=[{"version": "v0.9", "createSurface": {}}])


async def test_variables_and_cells_are_told_in_lines() -> None:
    rows = {"variables": [{"name": "df", "type": "pandas.DataFrame", "summary": "9×2"}], "total": 7, "truncated": True}
    assert text(await run("variables", Nodes(python_variables=rows))).startswith("df: pandas.DataFrame = 9×2\n… 7 in all")
    cells = {"cells": [{"id": "a", "index": 0, "type": "code", "source": "1", "executionCount": 3, "outputs": ["1"]}]}
    assert text(await run("notebook", Nodes(notebook_cells=cells), action="read")) == "## cell 0 · a · code [3]\n1\n→ 1"
    made = await run("notebook", Nodes(notebook_insert={"cellId": "n", "index": 4}), action="insert", source="2", cell_id="a")
    assert text(made) == "Inserted cell n at position 4."
    outputs = {"status": "error", "outputs": [{"text": "boom"}, {"image": {"mediaType": "image/png", "base64": PNG}}]}
    ran = await run("notebook", Nodes(notebook_run=outputs), seen="1", action="run", index=0)
    assert ran.is_error and text(ran) == "boom" and ran.details["media"][0]["path"] == "/media/1"
