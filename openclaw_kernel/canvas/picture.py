"""Charts and tables as PNG, for places that show pictures only. Pillow is imported on use."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from io import BytesIO
from itertools import pairwise
from typing import TYPE_CHECKING, Any, assert_never

from openclaw_kernel.canvas.chart import draw_chart
from openclaw_kernel.canvas.drawing import LIGHT, Drawing, Label, Line, Mark, Point, Polygon, Rect, fit, text_width
from openclaw_kernel.canvas.resolve import ViewNode, resolve
from openclaw_kernel.canvas.stage import Stage
from openclaw_kernel.canvas.table import Table, read_table

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

SCALE = 2
"""Pixels of the picture for each unit of the drawing: sharp on screens of today."""

_SMOOTH = 2
"""Drawn this much larger and shrunk, so that slanted edges are smooth."""

MARGIN = 20
WIDTH = 640.0
TABLE_ROWS = 30
TABLE_COLUMNS = 12
DRAWINGS = 3
_JOINED = 300
"""Points of a line up to which its corners are rounded; with more nobody sees them."""

_FONTS = {False: ("DejaVuSans.ttf", "LiberationSans-Regular.ttf", "NotoSans-Regular.ttf", "Arial.ttf", "Helvetica.ttc"),
          True: ("DejaVuSans-Bold.ttf", "LiberationSans-Bold.ttf", "NotoSans-Bold.ttf", "Arialbd.ttf")}  # fmt: skip


def picture_of(messages: Sequence[Any]) -> bytes | None:
    """The charts and tables of these messages as one PNG, one below the other. None when they have none."""
    stage = Stage()
    stage.take_all(messages)
    drawings: list[Drawing] = []
    for surface in stage.surfaces:
        view = resolve(surface)
        drawings += drawings_of(view) if view else []
    return png(drawings[:DRAWINGS]) if drawings else None


def drawings_of(view: ViewNode) -> list[Drawing]:
    """A drawing for each Chart and DataTable; a heading right above one becomes its title."""
    found: list[Drawing] = []
    heading = ""
    for node in view.walk():
        if node.kind == "Text":
            heading = node.text("text") if node.text("variant") in ("h1", "h2", "h3", "h4", "h5") else ""
        elif node.kind in ("Chart", "DataTable"):
            drawn = draw_chart(node, WIDTH) if node.kind == "Chart" else draw_table(node)
            found.append(_headed(heading, drawn) if not node.text("title") else drawn)
            heading = ""
        if len(found) == DRAWINGS:
            break
    return found


def draw_table(view: ViewNode) -> Drawing:
    """The first rows of a DataTable, its columns as wide as their cells and cut to fit."""
    whole = read_table(view, TABLE_ROWS)
    rows = tuple(row[:TABLE_COLUMNS] for row in whole.rows)
    table = Table(whole.heads[:TABLE_COLUMNS], rows, whole.right[:TABLE_COLUMNS], whole.total)
    size, line, gap = 12.0, 26.0, 24.0
    widths = [
        min(220.0, max([text_width(head, size + 0.8), *(text_width(row[index], size) for row in table.rows)]) + 2)
        for index, head in enumerate(table.heads)
    ]
    spare = WIDTH - sum(widths) - gap * (len(widths) - 1)
    if spare < 0:
        shrink = (WIDTH - gap * (len(widths) - 1)) / max(1.0, sum(widths))
        widths = [max(24.0, width * shrink) for width in widths]
    gap += max(0.0, spare) / max(1, len(widths) - 1) if len(widths) > 1 else 0
    marks: list[Mark] = []
    for number, cells in enumerate([table.heads, *table.rows]):
        x, y = 0.0, number * line
        for cell, width, right in zip(cells, widths, table.right, strict=True):
            text = fit(cell, width, size)
            at = x + width if right else x
            marks.append(Label(at, y + 17, text, size, anchor="end" if right else "start", bold=number == 0))
            x += width + gap
        marks.append(Line(((0, y + line), (WIDTH, y + line)), "axis" if number == 0 else "grid"))
    height = (len(table.rows) + 1) * line
    cut = [f"{len(rows)} of {table.total:,} rows"] if table.total > len(rows) else []
    cut += [f"{TABLE_COLUMNS} of {len(whole.heads)} columns"] if len(whole.heads) > TABLE_COLUMNS else []
    if cut:
        marks.append(Label(0, height + 18, ", ".join(cut), 11, "muted"))
        height += 24
    return Drawing(WIDTH, height + 2, tuple(marks), view.label or "table")


def png(drawings: Sequence[Drawing]) -> bytes:
    """Drawings below each other on a light ground."""
    from PIL import Image, ImageDraw

    height = sum(drawing.height for drawing in drawings) + MARGIN * (len(drawings) + 1)
    width = max(drawing.width for drawing in drawings) + 2 * MARGIN
    large = SCALE * _SMOOTH
    image = Image.new("RGB", (round(width * large), round(height * large)), LIGHT["ground"])
    pen = ImageDraw.Draw(image, "RGBA")
    top = float(MARGIN)
    for drawing in drawings:
        for mark in drawing.marks:
            _draw(pen, mark, MARGIN, top, large)
        top += drawing.height + MARGIN
    out = BytesIO()
    image.reduce(_SMOOTH).quantize(128, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(out, "PNG")
    return out.getvalue()


def _headed(heading: str, drawing: Drawing) -> Drawing:
    if not heading:
        return drawing
    moved = tuple(_moved(mark, 34) for mark in drawing.marks)
    title = Label(0, 16, fit(heading, drawing.width, 15), 15, bold=True)
    return Drawing(drawing.width, drawing.height + 34, (title, *moved), heading)


def _moved(mark: Mark, down: float) -> Mark:
    match mark:
        case Line():
            return Line(tuple((x, y + down) for x, y in mark.points), mark.colour, mark.width, mark.dash)
        case Polygon():
            return Polygon(tuple((x, y + down) for x, y in mark.points), mark.fill, mark.opacity, mark.edge)
        case Rect():
            return Rect(mark.x, mark.y + down, mark.width, mark.height, mark.fill)
        case Label():
            return Label(mark.x, mark.y + down, mark.text, mark.size, mark.colour, mark.anchor, mark.bold)
        case _:
            assert_never(mark)


def _draw(pen: ImageDraw, mark: Mark, left: float, top: float, scale: float) -> None:
    def place(points: Sequence[Point]) -> list[Point]:
        return [((x + left) * scale, (y + top) * scale) for x, y in points]

    match mark:
        case Line():
            for piece in _dashed(mark.points, mark.dash) if mark.dash else [mark.points]:
                joint = "curve" if len(piece) <= _JOINED else None
                pen.line(place(piece), fill=LIGHT[mark.colour], width=round(mark.width * scale), joint=joint)
        case Rect():
            corners = place([(mark.x, mark.y), (mark.x + max(0, mark.width), mark.y + mark.height)])
            pen.rectangle(corners, fill=LIGHT[mark.fill])
        case Polygon():
            fill = LIGHT[mark.fill] + f"{round(mark.opacity * 255):02x}"
            if len(mark.points) > 2:
                edge = {"outline": LIGHT[mark.edge], "width": round(1.5 * scale)} if mark.edge else {}
                pen.polygon(place(mark.points), fill=fill, **edge)  # type: ignore[arg-type]
        case Label():
            anchor = {"start": "ls", "middle": "ms", "end": "rs"}[mark.anchor]
            font = _font(round(mark.size * scale), mark.bold)
            text = mark.text.replace("\n", " ")
            pen.text(place([(mark.x, mark.y)])[0], text, fill=LIGHT[mark.colour], font=font, anchor=anchor)
        case _:
            assert_never(mark)


def _dashed(points: Sequence[Point], dash: Sequence[float]) -> list[tuple[Point, Point]]:
    """A line cut into the strokes of its dashes, which go on around corners."""
    pattern = [*dash, *dash] if len(dash) % 2 else list(dash)
    strokes: list[tuple[Point, Point]] = []
    index, left = 0, pattern[0]
    for (x0, y0), (x1, y1) in pairwise(points):
        length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
        done = 0.0
        while done < length:
            step = min(left, length - done)
            if index % 2 == 0:
                a, b = done / length, (done + step) / length
                strokes.append(((x0 + (x1 - x0) * a, y0 + (y1 - y0) * a), (x0 + (x1 - x0) * b, y0 + (y1 - y0) * b)))
            done += step
            left -= step
            if left <= 1e-9:
                index = (index + 1) % len(pattern)
                left = pattern[index]
    return strokes


@lru_cache(maxsize=32)
def _font(size: int, bold: bool) -> FreeTypeFont | ImageFont:
    """A plain font of this machine, else the one Pillow brings."""
    from PIL import ImageFont as fonts

    for name in _FONTS[bold]:
        try:
            return fonts.truetype(name, size)
        except OSError:
            continue
    return fonts.load_default(size)
