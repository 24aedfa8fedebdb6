"""The tool `canvas`: what it makes passes the guard, and so must what it is given (CAN-01, CAN-02)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.canvas.catalog import BASIC
from openclaw_kernel.canvas.guard import check_messages
from openclaw_kernel.tools.api import ToolContext, ToolError, ToolResult
from openclaw_kernel.tools.canvas import TOOLS
from openclaw_kernel.values.messages import Text
from openclaw_kernel.values.stream import AbortSignal

TOOL = TOOLS[0]
CREATED: dict[str, Any] = {"version": "v0.9", "createSurface": {"surfaceId": "s", "catalogId": BASIC}}


async def run(tmp_path: Path, **arguments: Any) -> ToolResult:
    context = ToolContext("r", "agent:main:main", "main", tmp_path, AbortSignal(), lambda text, fraction: None, {})
    return await TOOL.run(TOOL.parameters.model_validate(arguments), context)


def shows(*components: dict[str, Any]) -> list[dict[str, Any]]:
    return [CREATED, {"version": "v0.9", "updateComponents": {"surfaceId": "s", "components": list(components)}}]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"kind": "form", "fields": [{"name": "when", "label": "When", "type": "date"}]}, "a form with 1 fields"),
        ({"kind": "table", "columns": ["a", "b"], "rows": [[1, None], ["<b>", True]]}, "a table with 2 rows and 2 columns"),
        ({"kind": "chart", "chart": "bar", "series": [{"name": "n", "points": [["x", 1], [2, 3]]}]}, "1 series and 2 points"),
    ],
)
async def test_what_is_made_passes_the_guard_under_an_id_of_its_own(
    tmp_path: Path, arguments: dict[str, Any], told: str
) -> None:
    first, second = [await run(tmp_path, title="T", **arguments) for _ in range(2)]
    surface = first.details["surface"]
    assert check_messages(surface["messages"]) == []
    assert (
        surface["messages"][0]["createSurface"]["surfaceId"] == surface["surfaceId"] != second.details["surface"]["surfaceId"]
    )
    assert isinstance(first.content[0], Text) and told in first.content[0].text and "“T”" in first.content[0].text


async def test_given_messages_are_shown_as_they_are(tmp_path: Path) -> None:
    messages = shows({"id": "root", "component": "Text", "text": "hi"})
    surface = (await run(tmp_path, kind="surface", title="T", messages=messages)).details["surface"]
    assert (surface["surfaceId"], surface["messages"]) == ("s", messages)


@pytest.mark.parametrize(
    ("messages", "sentence"),
    [
        (shows({"id": "root", "component": "Image", "url": "javascript:alert(1)"}), "cannot be shown"),
        (shows({"id": "root", "component": "Column", "children": ["root"]}), "cannot be shown"),
        ([CREATED, {**CREATED, "createSurface": {**CREATED["createSurface"], "surfaceId": "t"}}], "exactly one surface"),
        ([{"version": "v0.9", "deleteSurface": {"surfaceId": "s"}}], "exactly one surface"),
    ],
)
async def test_messages_that_may_not_be_shown_are_refused(tmp_path: Path, messages: list[Any], sentence: str) -> None:
    with pytest.raises(ToolError, match=sentence):
        await run(tmp_path, kind="surface", messages=messages)
