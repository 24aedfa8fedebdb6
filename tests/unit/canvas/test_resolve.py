"""The view of a surface: templates, inputs, checks, actions, stand-ins; and that nothing makes it raise."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_kernel.canvas import pointer
from openclaw_kernel.canvas.actions import Action, action_of, read_action
from openclaw_kernel.canvas.catalog import NOTEBOOK
from openclaw_kernel.canvas.problems import CanvasError, Problems
from openclaw_kernel.canvas.resolve import ViewNode, resolve, texts
from openclaw_kernel.canvas.stage import Stage
from openclaw_kernel.canvas.static_html import render_html
from openclaw_kernel.canvas.store import Surface
from openclaw_kernel.canvas.text import render_text

LONG = "y" * 9_000
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def messages(*components: Any, data: Any = None, send: bool = False) -> list[Any]:
    created = {"surfaceId": "s", "catalogId": NOTEBOOK, "sendDataModel": send}
    return [
        {"version": "v0.9", "createSurface": created},
        {"version": "v0.9", "updateDataModel": {"surfaceId": "s", "value": {} if data is None else data}},
        {"version": "v0.9", "updateComponents": {"surfaceId": "s", "components": list(components)}},
    ]


def made(*components: Any, data: Any = None, send: bool = False) -> tuple[Surface, ViewNode]:
    stage = Stage()
    stage.take_all(messages(*components, data=data, send=send))
    (surface,) = stage.surfaces
    view = resolve(surface)
    assert view is not None
    return surface, view


def text(name: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"id": name, "component": "Text", "text": value} | more


def test_nested_templates_nest_scopes() -> None:
    _, view = made(
        {"id": "root", "component": "List", "children": {"path": "/groups", "componentId": "group"}},
        {"id": "group", "component": "Column", "children": {"path": "items", "componentId": "item"}},
        text("item", {"call": "formatString", "args": {"value": "${name} in ${/title}"}}),
        data={
            "title": "T",
            "groups": [{"items": [{"name": "a"}, {"name": "b"}]}, {"items": []}, {"items": [{"name": "c"}]}, {}],
        },
    )
    assert texts(view) == ["a in T", "b in T", "c in T"]
    assert [node.scope for node in view.walk() if node.kind == "Text"][-1] == "/groups/2/items/0"


def test_what_is_not_there_yet_is_skipped() -> None:
    _, view = made({"id": "root", "component": "Column", "children": ["later", "t"]}, text("t", {"path": "/none"}))
    assert [child.component_id for child in view.children] == ["t"]
    assert texts(view) == []


def test_rows_beyond_the_limit_are_counted() -> None:
    _, view = made(
        {"id": "root", "component": "List", "children": {"path": "/rows", "componentId": "t"}}, text("t", "x"),
        data={"rows": [0] * 600},
    )  # fmt: skip
    assert len(view.children) == 500
    assert view.notice == "The first 500 of 600 are shown."


def test_checks_tell_at_inputs_and_disable_buttons() -> None:
    required = [{"condition": {"call": "required", "args": {"value": {"path": "/v"}}}, "message": "Needed"}]
    parts = [
        {"id": "root", "component": "Column", "children": ["f", "b"]},
        {"id": "f", "component": "TextField", "label": "F", "value": {"path": "/v"}, "checks": required},
        {"id": "b", "component": "Button", "child": "t", "action": {"event": {"name": "go"}}, "checks": required},
        text("t", "Go"),
    ]
    surface, view = made(*parts, data={"v": ""})
    field, button = view.children
    assert (field.failing, field.disabled, button.disabled, field.bound) == (("Needed",), False, True, "/v")
    assert action_of(surface, button, NOW) is None
    surface.put("/v", "x")
    again = resolve(surface)
    assert again is not None
    assert not again.children[1].disabled
    assert action_of(surface, again.children[1], NOW) == Action("go", "s", "b", "2026-03-04T05:06:07+00:00")


def test_a_field_has_a_form_of_its_own() -> None:
    field = {"id": "root", "component": "TextField", "label": "F", "value": {"path": "/v"}, "validationRegexp": "^[0-9]+$"}
    assert [made(field, data={"v": value})[1].failing for value in ("12", "", "x")] == [
        (), (), ("This does not have the expected form.",)
    ]  # fmt: skip


def test_an_action_takes_its_context_from_its_row_at_the_click() -> None:
    context = {"name": {"path": "name"}, "all": {"path": "/rows"}, "fixed": 1, "gone": {"path": "/gone"}}
    surface, view = made(
        {"id": "root", "component": "List", "children": {"path": "/rows", "componentId": "b"}},
        {"id": "b", "component": "Button", "child": "t", "action": {"event": {"name": "pick", "context": context}}},
        text("t", {"path": "name"}),
        data={"rows": [{"name": "a"}, {"name": "b"}]},
        send=True,
    )
    surface.put("/rows/1/name", "changed")
    action = action_of(surface, view.children[1], NOW)
    assert action is not None
    assert action.context == {"name": "changed", "all": [{"name": "a"}, {"name": "changed"}], "fixed": 1}
    assert action.data_model == surface.data
    assert action.to_message()["action"].keys() == {"name", "surfaceId", "sourceComponentId", "timestamp", "context"}
    assert "userAction" in action.to_message(old=True)


def test_a_context_has_a_size() -> None:
    surface, view = made(
        {"id": "root", "component": "Button", "child": "t",
         "action": {"event": {"name": "go", "context": {"v": {"path": "/v"}}}}},
        text("t", "x"), data={"v": "x" * 9_000},
    )  # fmt: skip
    with pytest.raises(CanvasError, match="8192 bytes"):
        action_of(surface, view, NOW)


@pytest.mark.parametrize(
    "content",
    [
        None, {}, {"action": {}}, {"action": {"name": 1}},
        {"action": {"name": "a", "surfaceId": "other", "sourceComponentId": "root", "timestamp": "t", "context": {}}},
        {"action": {"name": "a", "surfaceId": "s", "sourceComponentId": "none", "timestamp": "t", "context": {}}},
        {"action": {"name": "a", "surfaceId": "s", "sourceComponentId": "root", "timestamp": "t", "context": []}},
        {"action": {"name": "a", "surfaceId": "s", "sourceComponentId": "root", "timestamp": "t", "context": {"x": LONG}}},
    ],
)  # fmt: skip
def test_actions_that_are_none(content: Any) -> None:
    surface, _ = made(text("root", "x"))
    with pytest.raises(CanvasError):
        read_action(content, {"s": surface})


def test_a_data_model_comes_only_where_it_was_asked_for() -> None:
    body = {"name": "a", "surfaceId": "s", "sourceComponentId": "root", "timestamp": "t", "context": {}}
    for send in (False, True):
        surface, _ = made(text("root", "x"), send=send)
        assert read_action({"action": body, "dataModel": {"a": 1}}, {"s": surface}).data_model == ({"a": 1} if send else None)


def test_unknown_parts_and_refused_addresses_are_named_where_they_stand() -> None:
    found = messages(
        {"id": "root", "component": "Column", "children": ["h", "i", "v", "t"]},
        {"id": "h", "component": "Hologram", "depth": 3, "children": {"odd": 1}},
        {"id": "i", "component": "Image", "url": "javascript:alert(1)"},
        {"id": "v", "component": "Video", "url": "https://example.org/a.mp4"},
        text("t", "still here"),
    )
    page = render_html(found)
    assert "“Hologram” is not a known component." in page
    assert "An address was refused here." in page
    assert "Video from example.org, not loaded." in page
    assert "still here" in page
    assert "javascript" not in page
    assert "“Hologram” is not a known component." in render_text(found)


def test_a_refused_message_is_one_line() -> None:
    found = [*messages(text("root", "fine")), {"version": "v0.9", "updateDataModel": {"surfaceId": "other", "value": 1}}]
    page = render_html(found)
    assert "fine" in page
    assert "A part was refused: There is no surface &#x27;other&#x27;." in page


def test_a_data_image_longer_than_a_text_is_whole() -> None:
    url = "data:image/png;base64," + "A" * 300_000
    assert url in render_html(messages({"id": "root", "component": "Image", "url": url}))


def test_rows_that_look_like_bindings_are_rows() -> None:
    rows = [{"path": "/etc", "size": 1}, {"path": "/var", "size": 2}]
    table = {"id": "root", "component": "DataTable", "columns": [{"key": "path"}, {"key": "size"}], "rows": rows}
    assert render_text(messages(table)).splitlines()[2:] == ["/etc     1", "/var     2"]


def test_a_stage_makes_itself_again() -> None:
    stage = Stage()
    accepted, problems = stage.take_all(messages(text("root", {"path": "/a~0b/x"}), data={"a~b": {"x": 1}, "": 2}, send=True))
    assert (len(accepted), problems) == (3, [])
    second = Stage()
    second.take_all(stage.replay())
    assert list(second.surfaces) == list(stage.surfaces)


_NAMES = ["root", "a", "b", "c", "d"]
_IDS = st.sampled_from(_NAMES)
_PATHS = st.sampled_from(["/", "", "/rows", "x", "/rows/0", "x/y", "/__proto__", "/rows/9999999", "/~2"])
_DYNAMIC = st.one_of(
    st.text(max_size=8), st.builds(lambda p: {"path": p}, _PATHS), st.integers(), st.none(),
    st.lists(st.text(max_size=3), max_size=3),
    st.builds(lambda v: {"call": "formatString", "args": {"value": v}}, st.text("${}ax/()", max_size=12)),
)  # fmt: skip
_CHILDREN = st.lists(_IDS, max_size=4) | st.builds(lambda c, p: {"componentId": c, "path": p}, _IDS, _PATHS)
_COMPONENTS = st.builds(
    lambda name, kind, props: {"id": name, "component": kind} | props,
    _IDS,
    st.sampled_from(["Text", "Column", "Row", "List", "Card", "Tabs", "Modal", "Button", "ChoicePicker", "Slider", "Image",
                     "Icon", "Chart", "DataTable", "Progress", "CheckBox", "Odd", "TextField"]),
    st.fixed_dictionaries({}, optional={
        "text": _DYNAMIC, "children": _CHILDREN, "child": _IDS, "trigger": _IDS, "content": _IDS, "value": _DYNAMIC,
        "label": _DYNAMIC, "url": _DYNAMIC, "name": _DYNAMIC, "series": _DYNAMIC, "rows": _DYNAMIC, "max": _DYNAMIC,
        "columns": st.just([{"key": "x"}, {}, 3]), "tabs": st.just([{"title": "t", "child": "a"}, {"title": 3}]),
        "options": st.just([{"label": {"path": "/"}, "value": "v"}]), "checks": st.just([{"condition": {"path": "/rows"}}, {}]),
        "weight": st.floats() | st.text(), "accessibility": _DYNAMIC | st.just({"label": {"path": "x"}}),
    }),
)  # fmt: skip
_DATA = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["rows", "x", "y", "points", "name"]), inner),
    max_leaves=10,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(_COMPONENTS, max_size=8), _DATA)
def test_nothing_makes_a_view_raise(components: list[Any], data: Any) -> None:
    """Even a surface no guard has seen."""
    surface = Surface("s", NOTEBOOK, components={component["id"]: component for component in components}, data=data)
    view = resolve(surface, Problems())
    assert (view is None) == ("root" not in surface.components)
    if view is not None:
        assert all(isinstance(found, str) for found in texts(view))
        stage = Stage()
        stage.surfaces._live["s"] = surface
        assert isinstance(render_html(stage.replay()), str)


@settings(max_examples=300, deadline=None)
@given(_DATA, st.text("/~01ax_", max_size=12), _DATA)
def test_pointers_raise_nothing_but_refusals(data: Any, path: str, value: Any) -> None:
    try:
        after = pointer.put(data, path, value)
    except CanvasError:
        return
    if pointer.split(path):
        found = pointer.get(after, path)
        assert found is value or found == value or (found != found and value != value)
