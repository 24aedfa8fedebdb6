"""Charts and tables as SVG, PNG and text; surfaces built from plain data."""

from __future__ import annotations

import subprocess
import sys
from collections import namedtuple
from datetime import date
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from openclaw_kernel.canvas import build
from openclaw_kernel.canvas.drawing import fit, text_width
from openclaw_kernel.canvas.guard import check_messages
from openclaw_kernel.canvas.picture import picture_of
from openclaw_kernel.canvas.problems import CanvasError
from openclaw_kernel.canvas.scale import scale
from openclaw_kernel.canvas.series import read_series
from openclaw_kernel.canvas.static_html import render_html
from openclaw_kernel.canvas.text import render_text

BIRDS = [("Adelie", [(2007, 3.68), (2008, 3.75), (2009, 3.7)]), ("Gentoo", [(2007, 4.92), (2008, None), (2009, 5.06)])]
KINDS: tuple[build.ChartType, ...] = ("line", "bar", "area", "scatter", "pie", "histogram")


def picture(messages: list[Any]) -> Image.Image:
    made = picture_of(messages)
    assert made is not None
    return Image.open(BytesIO(made)).convert("RGB")


def colours(image: Image.Image) -> set[tuple[int, ...]]:
    return {tuple(value // 8 for value in colour) for _, colour in image.getcolors(1 << 24) or []}  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", KINDS)
def test_every_chart_is_drawn(kind: build.ChartType) -> None:
    messages = build.chart(kind, BIRDS, title="Mass", x_label="year", y_label="kg")
    assert check_messages(messages) == []
    image = picture(messages)
    assert image.width == 1360
    assert (0x19 // 8, 0x76 // 8, 0xD2 // 8) in colours(image)
    assert image.getpixel((2, 2))[0] > 250  # type: ignore[index]
    page = render_html(messages)
    assert page.count("<svg") == 1
    assert "Mass" in page
    assert ("Adelie" in page) and ("3.68" in page)


def test_a_chart_says_its_numbers() -> None:
    text = render_text(build.chart("bar", [("m", [("a", 1), ("b", 2.5)])], title="T"))
    assert text == "T\nBar chart\nm: a 1, b 2.5"


@pytest.mark.parametrize("series", [[], [("x", [])], [("x", [("a", None)])]])
@pytest.mark.parametrize("kind", KINDS)
def test_a_chart_without_numbers_says_so(kind: build.ChartType, series: Any) -> None:
    messages = build.chart(kind, series)
    assert "No data to draw." in render_html(messages)
    assert picture_of(messages)


@pytest.mark.parametrize(
    "points",
    [
        [[1, 5], [2, 5]], [["a", -3], ["b", -4]], [5], [{"x": "a", "y": 0}], [[1e9, 1e-9], [2e9, 2e-9]], [[0, 1e249]],
        [[None, 1], [True, 2]], [["long name " * 9, 1]] * 30, [["é\n<&\"'", 1]],
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", KINDS)
def test_odd_points(kind: build.ChartType, points: list[Any]) -> None:
    messages = build.chart(kind, [])
    messages[1]["updateDataModel"]["value"] = {"series": [{"name": "n", "points": points}]}
    assert check_messages(messages) == []
    assert picture_of(messages)
    assert "<svg" in render_html(messages)


def test_points_may_be_written_in_several_ways() -> None:
    wanted = (("a", 1.0), ("b", None))
    for points in ([["a", 1], ["b", None]], [{"x": "a", "y": 1}, {"x": "b"}], [{"label": "a", "value": 1}, {"label": "b"}]):
        assert read_series([{"name": "n", "points": points}])[0].points == wanted
    assert read_series([3, 4])[0].points == ((0.0, 3.0), (1.0, 4.0))
    assert read_series("no") == []
    assert len(read_series([{"name": "n", "points": list(range(9_000))}])[0].points) <= 2_000


def test_scales_have_round_numbers() -> None:
    made = scale([3.68, 5.06], 0, 100, wanted=4)
    assert made.labels == ("3.5", "4.0", "4.5", "5.0", "5.5")
    assert scale([-4_000, 100_000], 0, 1, zero=True).labels == ("-25K", "0", "25K", "50K", "75K", "100K")
    assert scale([2007, 2009], 0, 1, wanted=2, plain=True).labels == ("2007", "2008", "2009")
    assert scale([], 0, 1).labels
    assert scale([7, 7], 0, 1).at(7) == pytest.approx(0.5)


def test_text_is_cut_to_its_room() -> None:
    assert fit("short", 100, 12) == "short"
    cut = fit("a much longer text than there is room for", 60, 12)
    assert cut.endswith("…")
    assert text_width(cut, 12) <= 60


def test_a_table_is_drawn_with_numbers_to_the_right() -> None:
    messages = build.table(["Species", "Birds"], [["Adelie", 1520], ["Gentoo", 12.5]], title="Penguins")
    assert check_messages(messages) == []
    assert render_text(messages) == "Penguins\nSpecies  Birds\n───────  ─────\nAdelie    1520\nGentoo    12.5"
    page = render_html(messages)
    assert "text-align:right" in page
    assert picture(messages).width == 1360


def test_long_tables_say_what_is_left_out() -> None:
    messages = build.table(["n"], [[n] for n in range(6_000)])
    assert "The first 5,000 of 6,000 rows." in render_html(messages)
    assert "200 of 5,000 rows" in render_html(messages)
    assert "20 of 5,000 rows" in render_text(messages)
    heavy = build.table(["t"], [["x" * 500]] * 4_000)
    assert check_messages(heavy) == []


def test_without_chart_or_table_there_is_no_picture() -> None:
    assert picture_of(build.form([build.Field("a")])) is None
    assert picture_of([]) is None


def test_forms() -> None:
    fields = [
        build.Field("f" + kind, kind, kind, ["a", "b"], "a" if "select" in kind else None)  # type: ignore[arg-type]
        for kind in ("text", "longtext", "number", "date", "datetime", "time", "checkbox", "select", "multiselect")
    ]
    messages = build.form(fields, title="F", submit="Send")
    assert check_messages(messages) == []
    assert messages[0]["createSurface"]["sendDataModel"] is True
    assert "Send" in render_html(messages)
    for wrong in ([], [build.Field("a"), build.Field("a")]):
        with pytest.raises(CanvasError):
            build.form(wrong)


Row = namedtuple("Row", "a b")


class Frame:
    """As much of a data frame as is asked for."""

    columns = ("a", "b")

    def head(self, count: int) -> Frame:
        return self

    def itertuples(self, index: bool, name: str | None) -> list[Row]:
        assert not index
        return [Row(Scalar(1), date(2026, 1, 2)), Row(float("nan"), None)]


class Scalar:
    """A number of another library."""

    shape = ()

    def __init__(self, value: float) -> None:
        self._value = value

    def item(self) -> float:
        return self._value


@pytest.mark.parametrize(
    ("data", "columns", "rows"),
    [
        ([{"a": 1}, {"b": 2}], ["a", "b"], [[1, None], [None, 2]]),
        ({"a": [1, 2], "b": [3]}, ["a", "b"], [[1, 3], [2, None]]),
        ([[1, 2], (3, 4)], ["1", "2"], [[1, 2], [3, 4]]),
        ([1, 2], ["1"], [[1], [2]]),
        ([], [], []),
    ],
)
def test_columns_and_rows(data: Any, columns: list[str], rows: list[Any]) -> None:
    assert build.columns_and_rows(data) == (columns, rows)


def test_a_frame_is_known_by_what_it_can_do() -> None:
    columns, rows = build.columns_and_rows(Frame())
    messages = build.table(columns, rows)
    assert messages[1]["updateDataModel"]["value"]["rows"] == [{"c0": 1, "c1": "2026-01-02"}, {"c0": None, "c1": None}]
    with pytest.raises(CanvasError, match="not of int"):
        build.columns_and_rows(5)


def test_drawing_text_and_pages_needs_no_pillow_and_no_widgets() -> None:
    code = (
        "import sys; from openclaw_kernel.canvas import build, static_html, text, picture;"
        "static_html.render_html(build.chart('line', [('a', [1, 2])]));"
        "print(sorted({'PIL', 'anywidget', 'ipywidgets', 'mistune'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout == "[]\n"
