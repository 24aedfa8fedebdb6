"""The Canvas of a notebook, without a browser: what it sends, what it takes, what it shows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.canvas import Action, Canvas, Field, widget
from openclaw_kernel.canvas.catalog import NOTEBOOK
from openclaw_kernel.canvas.guard import check_messages
from openclaw_kernel.canvas.problems import CanvasError

VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A front end to carry, whether or not it was built here."""
    made = tmp_path / "canvas.js"
    made.write_text("export default { render() {} }")
    monkeypatch.setattr(widget, "MODULE", made)
    yield made


def form() -> Canvas:
    return Canvas.form({"name": "Ada", "age": 36, "paid": True, "plan": ["free", "paid"]}, title="Sign up")


def press(canvas: Canvas, **more: Any) -> None:
    """As the front end tells it."""
    action = {
        "name": "submit",
        "surfaceId": canvas.surface_id,
        "sourceComponentId": "submit",
        "timestamp": "2026-01-01T00:00:00Z",
    }
    canvas._handle_custom_msg({"type": "action", "action": action | {"context": {"name": "Bo"}}} | more, [])


def test_a_canvas_is_shown_live_as_a_page_and_as_text() -> None:
    canvas = form()
    data, _ = canvas._repr_mimebundle_()
    assert data[VIEW]["model_id"] == canvas.model_id
    assert data["text/plain"].splitlines()[:2] == ["Sign up", "Name: Ada"]
    assert "Sign up" in data["text/html"]
    assert "<script" not in data["text/html"]


def test_the_front_end_gets_module_and_messages() -> None:
    canvas = form()
    state = canvas.get_state()
    assert state["_esm"].startswith("export default")
    assert state["_anywidget_id"] == "openclaw_kernel.canvas.widget.Canvas"
    assert check_messages(state["messages"]) == []
    assert state["obscured"] is False


def test_without_the_built_module_one_sentence_says_what_to_do(module: Path) -> None:
    module.unlink()
    with pytest.raises(widget.CanvasModuleMissing, match=r"canvas\.js is not there: run `jlpm install && jlpm build:canvas`"):
        form()


def test_an_action_calls_back_and_brings_what_was_entered() -> None:
    canvas = form()
    found: list[Action] = []
    canvas.on_action(found.append)
    press(canvas, dataModel={"form": {"name": "Bo"}})
    assert [(action.name, action.context) for action in found] == [("submit", {"name": "Bo"})]
    assert canvas.value("/form/name") == "Bo"
    assert canvas.error is None
    assert "Name: Bo" in canvas._repr_mimebundle_()[0]["text/plain"]


def test_a_callback_that_fails_is_shown_until_the_next_one(caplog: pytest.LogCaptureFixture) -> None:
    canvas = form()

    @canvas.on_action
    def explore(action: Action) -> None:
        raise KeyError(action.context["name"])

    press(canvas)
    assert isinstance(canvas.error, KeyError)
    assert "“submit” failed: KeyError: 'Bo'" in canvas._repr_mimebundle_()[0]["text/plain"]
    assert "Traceback" in caplog.text
    assert "deleteSurface" not in json.dumps(canvas.messages)
    canvas._callbacks.clear()
    press(canvas)
    assert canvas.error is None
    assert "failed" not in canvas._repr_mimebundle_()[0]["text/plain"]
    assert check_messages(canvas.messages) == []


async def test_async_callbacks_run_and_their_failures_are_shown() -> None:
    canvas, done = form(), asyncio.Event()

    @canvas.on_action
    async def later(action: Action) -> None:
        await done.wait()
        raise ValueError("too late")

    press(canvas)
    (task,) = canvas._running
    assert canvas.error is None
    done.set()
    await asyncio.wait_for(task, 5)
    assert "too late" in str(canvas.error)


def test_updates_go_on_where_the_messages_ended() -> None:
    canvas = form()
    before = list(canvas.messages)
    canvas.set_value("/form/name", "Cy")
    assert canvas.messages[: len(before)] == before
    assert canvas.data["form"]["name"] == "Cy"
    with pytest.raises(CanvasError, match="Message 1 was refused at /1"):
        canvas.update([{"version": "v0.9", "deleteSurface": {"surfaceId": canvas.surface_id}}, {"version": "v2"}])
    assert canvas.surface_id == ""
    assert "deleteSurface" in canvas.messages[-1]


def test_many_updates_are_folded() -> None:
    canvas = form()
    for count in range(600):
        canvas.set_value("/form/age", count)
    assert len(canvas.messages) < 200
    assert Canvas(canvas.messages).data == canvas.data


@pytest.mark.parametrize(
    "messages",
    [
        ["text"],
        [{"version": "v0.9", "createSurface": {"surfaceId": "s", "catalogId": "urn:other"}}],
        [{"version": "v0.9", "createSurface": {"surfaceId": "canvas-failure", "catalogId": NOTEBOOK}}],
        [{"version": "v0.9", "updateDataModel": {"surfaceId": "s", "path": "/__proto__/x", "value": 1}}],
    ],
)  # fmt: skip
def test_the_guard_stands_before_every_message(messages: list[Any]) -> None:
    with pytest.raises(CanvasError):
        Canvas(messages)
    canvas = form()
    with pytest.raises(CanvasError):
        canvas.update(messages)


@pytest.mark.parametrize(
    "content",
    [
        None, "text", {}, {"type": "action"}, {"type": "action", "action": {"name": "submit", "surfaceId": "other"}},
        {"type": "action", "action": {"name": "x", "surfaceId": "s", "sourceComponentId": "none", "timestamp": "t"}},
        {"type": "error", "error": "text"}, {"type": "error", "error": {"message": 5}},
    ],
)  # fmt: skip
def test_what_a_view_sends_is_not_trusted(content: Any) -> None:
    canvas = form()
    canvas.on_action(lambda action: pytest.fail("nothing was pressed"))
    before = canvas.get_state()
    canvas._handle_custom_msg(content, [])
    assert canvas.get_state() == before
    assert canvas.error is None


def test_a_view_cannot_write_messages_or_code() -> None:
    canvas = form()
    before = canvas.get_state()
    canvas.set_state({"messages": [{"evil": 1}], "_esm": "evil()", "obscured": True})
    assert canvas.get_state() == before


def test_a_data_model_with_refused_keys_or_of_no_one_is_left_out() -> None:
    canvas = form()
    press(canvas, dataModel={"__proto__": {"x": 1}})
    assert canvas.value("/form/name") == "Ada"
    messages = form().messages
    created = messages[0]["createSurface"] | {"sendDataModel": False}
    silent = Canvas([{"version": "v0.9", "createSurface": created}, *messages[1:]])
    press(silent, dataModel={"form": {"name": "Eve"}})
    assert silent.value("/form/name") == "Ada"


def test_two_canvases_do_not_share() -> None:
    first, second = form(), form()
    assert first.surface_id != second.surface_id
    first.set_value("/form/name", "only here")
    assert second.value("/form/name") == "Ada"


def test_the_short_ways() -> None:
    assert Canvas.form(["a", Field("b", "B", "date")]).data == {"form": {"a": "", "b": ""}}
    assert Canvas.table([{"x": 1}, {"x": 2}], title="T", page_size=10).data == {"rows": [{"c0": 1}, {"c0": 2}]}
    chart = Canvas.chart({"a": [1, 2], "b": [(1, 5)]}, kind="bar", y_label="kg")
    assert [series["name"] for series in chart.data["series"]] == ["a", "b"]
    assert Canvas.chart([3, 4]).data["series"][0]["points"] == [{"x": 0, "y": 3}, {"x": 1, "y": 4}]
    empty = Canvas()
    assert (empty.surface_id, empty.surfaces) == ("", [])
    with pytest.raises(CanvasError):
        _ = empty.data


def test_an_old_surface_is_translated_for_the_front_end() -> None:
    text = {"id": "r", "component": {"Text": {"text": {"literalString": "hi"}}}}
    canvas = Canvas([
        {"surfaceUpdate": {"surfaceId": "s", "components": [text]}},
        {"beginRendering": {"surfaceId": "s", "root": "r"}},
    ])  # fmt: skip
    sent = canvas.message(Action("go", "s", "r", "2026-01-01T00:00:00Z"))
    assert sent.keys() == {"userAction"}
    assert [message["version"] for message in canvas.messages] == ["v0.9", "v0.9"]
    assert canvas._repr_mimebundle_()[0]["text/plain"] == "hi"
