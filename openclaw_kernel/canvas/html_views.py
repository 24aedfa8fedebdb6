"""Each component of a view as HTML that only shows: no script, no form, nothing loaded, every text escaped (CAN-03).

Styles stand on the elements, because the places that show saved outputs keep those and drop style sheets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from urllib.parse import urlsplit

from openclaw_kernel.canvas import markdown
from openclaw_kernel.canvas.chart import draw_chart
from openclaw_kernel.canvas.icons import ICON_PATHS
from openclaw_kernel.canvas.resolve import ViewNode
from openclaw_kernel.canvas.series import read_series, text_of
from openclaw_kernel.canvas.svg import svg
from openclaw_kernel.canvas.table import read_table
from openclaw_kernel.canvas.text import number_of, progress_of, progress_share, tabs_of

LINE = "1px solid var(--cv-grid)"
_BOX = f"border:{LINE};border-radius:4px;padding:12px"
_FIELD = (
    "border:1px solid var(--cv-edge);border-radius:2px;padding:4px 8px;min-height:20px;"
    "white-space:pre-wrap;overflow-wrap:anywhere"
)
_MUTED = "color:var(--cv-muted);font-size:12px;line-height:16px"
_FLEX: Mapping[str, str] = {
    "start": "flex-start", "center": "center", "end": "flex-end", "stretch": "stretch", "spaceBetween": "space-between",
    "spaceAround": "space-around", "spaceEvenly": "space-evenly",
}  # fmt: skip
_TEXT: Mapping[str, tuple[str, str]] = {
    "h1": ("h1", "font-size:20px;line-height:28px;font-weight:600"),
    "h2": ("h2", "font-size:18px;line-height:24px;font-weight:600"),
    "h3": ("h3", "font-size:16px;line-height:22px;font-weight:600"),
    "h4": ("h4", "font-size:14px;line-height:20px;font-weight:600"),
    "h5": ("h5", "font-size:13px;line-height:20px;font-weight:600"),
    "caption": ("div", _MUTED),
    "body": ("div", ""),
}
_IMAGES: Mapping[str, str] = {
    "icon": "width:24px;height:24px", "avatar": "width:40px;height:40px;border-radius:50%", "smallFeature": "max-width:120px",
    "mediumFeature": "max-width:320px", "largeFeature": "max-width:100%", "header": "width:100%",
}  # fmt: skip
_FIT: Mapping[str, str] = {"scaleDown": "scale-down"}
PAGE_ROWS = 200
"""Rows of a table on a page that cannot turn pages; the rest is counted."""

_SPOKEN_ROWS = 100


def render(view: ViewNode, weighed: bool = False) -> str:
    """One component with all below it. Recursion is as deep as the view, which is bounded."""
    draw = _VIEWS.get(view.kind)
    inner = (draw(view) if draw else "") + _told(view)
    weight = f"flex:{view.weight:g} 1 0;" if weighed and view.weight is not None else ""
    spoken = f' role="group" aria-label="{escape(view.label)}"' if view.label else ""
    if not (weight or spoken or view.failing or view.notice):
        return inner
    return f'<div style="{weight}min-width:0"{spoken}>{inner}</div>'


def _told(view: ViewNode) -> str:
    """Why checks fail and what is left out; a button says the first itself."""
    failing = () if view.kind == "Button" else view.failing
    style = "color:var(--cv-bad);font-size:12px"
    made = "".join(f'<div style="{style}">{_glyph("error")} {escape(why)}</div>' for why in failing)
    if view.notice and view.kind in ("Row", "Column", "List"):
        made += f'<div style="{_MUTED}">{escape(view.notice)}</div>'
    elif view.notice:
        made += f'<div style="{_BOX};display:flex;gap:8px">{_glyph("warning")}<span>{escape(view.notice)}</span></div>'
    return made


def _below(view: ViewNode, weighed: bool = False) -> str:
    return "".join(render(child, weighed) for child in view.children)


def _text(view: ViewNode) -> str:
    tag, style = _TEXT.get(view.text("variant"), _TEXT["body"])
    inner = markdown.html(view.text("text")) if tag == "div" else markdown.inline_html(view.text("text"))
    return f'<{tag} style="margin:0;overflow-wrap:anywhere;{style}">{inner}</{tag}>'


def _stack(view: ViewNode) -> str:
    """Row, Column and List."""
    across = view.kind == "Row" or view.text("direction") == "horizontal"
    weighed = any(child.weight is not None for child in view.children)
    wrap = ";flex-wrap:wrap" if across and not weighed else ""
    justify = _FLEX.get(view.text("justify"), "flex-start")
    align = _FLEX.get(view.text("align"), "stretch")
    style = f"display:flex;flex-direction:{'row' if across else 'column'};gap:{8 if across else 12}px;justify-content:{justify}"
    return f'<div style="{style};align-items:{align};min-width:0{wrap}">{_below(view, weighed)}</div>'


def _card(view: ViewNode) -> str:
    return f'<div style="{_BOX}">{_below(view)}</div>'


def _divider(view: ViewNode) -> str:
    if view.text("axis") == "vertical":
        return f'<div style="align-self:stretch;border-left:{LINE}"></div>'
    return f'<hr style="border:0;border-top:{LINE};margin:0;width:100%">'


def _button(view: ViewNode) -> str:
    looks = {
        "primary": "background:var(--cv-s0);color:var(--cv-on);border:1px solid var(--cv-s0);font-weight:600",
        "borderless": "border:1px solid transparent;color:var(--cv-link)",
    }
    look = looks.get(view.text("variant"), "border:1px solid var(--cv-edge)")
    faded = ";opacity:0.55" if view.disabled else ""
    inner = f'<span style="display:inline-block;border-radius:2px;padding:4px 12px;{look}{faded}">{_below(view)}</span>'
    why = "".join(f'<div style="{_MUTED}">{escape(reason)}</div>' for reason in view.failing)
    return f"<div>{inner}{why}</div>"


def _labelled(view: ViewNode, inner: str) -> str:
    label = f'<div style="margin-bottom:4px">{escape(view.text("label"))}</div>' if view.text("label") else ""
    return f"<div>{label}{inner}</div>"


def _field(view: ViewNode) -> str:
    value = view.text("value")
    shown = "•" * min(len(value), 8) if view.text("variant") == "obscured" else value
    tall = ";min-height:60px" if view.text("variant") == "longText" else ""
    edge = ";border-color:var(--cv-bad)" if view.failing else ""
    return _labelled(view, f'<div style="{_FIELD}{tall}{edge}">{escape(shown)}</div>')


def _tick(ticked: bool, round_: bool = False) -> str:
    fill = "background:var(--cv-s0);border-color:var(--cv-s0);color:var(--cv-on)" if ticked else "border-color:var(--cv-edge)"
    box = "display:inline-block;width:14px;height:14px;line-height:14px;text-align:center;font-size:11px;border:1px solid"
    return f'<span style="{box};border-radius:{"50%" if round_ else "2px"};{fill}">{"✓" if ticked else ""}</span>'


def _check_box(view: ViewNode) -> str:
    tick = _tick(view.props.get("value") is True)
    return f'<div style="display:flex;gap:8px;align-items:center">{tick}<span>{escape(view.text("label"))}</span></div>'


def _picker(view: ViewNode) -> str:
    chosen = set(view.props.get("value", ()))
    one = view.text("variant") == "mutuallyExclusive"
    made = []
    for option in view.props.get("options", ()):
        on, label = option["value"] in chosen, escape(option["label"])
        if view.text("displayStyle") == "chips":
            look = "border:2px solid var(--cv-s0);font-weight:600" if on else "border:1px solid var(--cv-edge);margin:1px"
            made.append(f'<span style="border-radius:12px;padding:1px 10px;{look}">{label}</span>')
        else:
            made.append(f'<span style="display:inline-flex;gap:8px;align-items:center">{_tick(on, one)}{label}</span>')
    flow = "row;flex-wrap:wrap;gap:4px" if view.text("displayStyle") == "chips" else "column;gap:4px"
    return _labelled(view, f'<div style="display:flex;flex-direction:{flow}">{"".join(made)}</div>')


def _bar(share: float, told: str) -> str:
    fill = f'<div style="width:{share * 100:.1f}%;height:6px;background:var(--cv-s0);border-radius:3px"></div>'
    track = f'<div style="flex:1;background:var(--cv-grid);border-radius:3px">{fill}</div>'
    return f'<div style="display:flex;gap:8px;align-items:center">{track}<span>{escape(told)}</span></div>'


def _slider(view: ViewNode) -> str:
    low, high, value = (view.props.get(name) or 0.0 for name in ("min", "max", "value"))
    share = min(1.0, max(0.0, (value - low) / (high - low))) if high > low else 0.0
    return _labelled(view, _bar(share, number_of(view, "value")))


def _progress(view: ViewNode) -> str:
    return _labelled(view, _bar(progress_share(view) or 0.0, progress_of(view)))


def _date(view: ViewNode) -> str:
    return _labelled(view, f'<div style="{_FIELD}">{escape(view.text("value"))}</div>')


def _image(view: ViewNode) -> str:
    url, description = view.text("url"), view.text("description") or view.label
    if not url.lower().startswith("data:image/"):
        return _elsewhere(view, "Picture", "photo") if url else ""
    fit = _FIT.get(view.text("fit"), view.text("fit"))
    style = f"{_IMAGES.get(view.text('variant'), '')};object-fit:{fit}"
    return f'<img src="{escape(url)}" alt="{escape(description)}" style="{style}">'


def _elsewhere(view: ViewNode, word: str, icon: str) -> str:
    """Loading from elsewhere would tell that the page was opened, so there is a link instead."""
    url = view.text("url")
    host = urlsplit(url).hostname if url.lower().startswith("https:") and len(url) < 2_000 and "[" not in url else ""
    told = f"{word} from {host}, not loaded." if host else f"{word}, not loaded."
    description = f"<div>{escape(view.text('description'))}</div>" if view.text("description") else ""
    link = f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">Open {word.lower()}</a>' if host else ""
    box = (
        f"{_BOX};display:flex;gap:8px"
        if view.text("variant") not in ("icon", "avatar")
        else "display:flex;gap:4px;font-size:12px"
    )
    return f'<div style="{box}">{_glyph(icon)}<div>{description}<span style="{_MUTED}">{escape(told)}</span> {link}</div></div>'


def _media(view: ViewNode) -> str:
    return _elsewhere(view, "Video", "play") if view.kind == "Video" else _elsewhere(view, "Audio", "volumeUp")


def _glyph(name: str, size: int = 16, spoken: str = "") -> str:
    pen = 'fill="none" stroke="currentColor" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round"'
    told = f'role="img" aria-label="{escape(spoken)}"' if spoken else 'aria-hidden="true"'
    place = f'viewBox="0 0 16 16" width="{size}" height="{size}" style="flex:none;vertical-align:-3px"'
    return f'<svg {place} {told} {pen}><path d="{ICON_PATHS[name]}"/></svg>'


def _icon(view: ViewNode) -> str:
    name = view.props.get("name")
    if isinstance(name, dict):
        path = f'<path fill="currentColor" d="{escape(str(name.get("svgPath", "")))}"/>'
        return f'<svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" style="flex:none">{path}</svg>'
    if name in ICON_PATHS:
        return _glyph(str(name), 20, view.label or str(name))
    return f'<span style="{_MUTED}">{escape(str(name)[:40])}</span>'


def _tabs(view: ViewNode) -> str:
    """Every tab below the other: a page without script cannot turn to one."""
    head = "border-bottom:2px solid var(--cv-s0);display:inline-block;font-weight:600;padding:2px 0;margin-bottom:8px"
    parts = [
        f'<section><div style="{head}">{escape(title)}</div>{render(child) if child else ""}</section>'
        for title, child in tabs_of(view)
    ]
    return f'<div style="display:flex;flex-direction:column;gap:12px">{"".join(parts)}</div>'


def _modal(view: ViewNode) -> str:
    parts = [render(child) for child in view.children]
    return parts[0] + f'<div style="{_BOX};margin-top:8px">{"".join(parts[1:])}</div>' if parts else ""


def _chart(view: ViewNode) -> str:
    """The drawing, and its numbers as a table for those who cannot see it."""
    rows = []
    for series in read_series(view.props.get("series")):
        for x, y in series.points[:_SPOKEN_ROWS]:
            cells = (series.name, text_of(x), text_of(y))
            rows.append("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
    hidden = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap"
    numbers = f'<table style="{hidden}">{"".join(rows)}</table>'
    return f'<div style="position:relative">{svg(draw_chart(view))}{numbers}</div>'


def _table(view: ViewNode) -> str:
    table = read_table(view, PAGE_ROWS)
    cell = "padding:3px 12px 3px 0;text-align:{};overflow-wrap:anywhere;vertical-align:top"
    sides = ["right" if right else "left" for right in table.right]
    under = "border-bottom:1px solid var(--cv-axis);font-weight:600"
    head = "".join(
        f'<th scope="col" style="{cell.format(side)};{under}">{escape(name)}</th>'
        for name, side in zip(table.heads, sides, strict=True)
    )
    rows = "".join(
        "<tr>"
        + "".join(
            f'<td style="{cell.format(side)};border-bottom:{LINE}">{escape(text)}</td>'
            for text, side in zip(row, sides, strict=True)
        )
        + "</tr>"
        for row in table.rows
    )
    more = f'<div style="{_MUTED}">{len(table.rows)} of {table.total:,} rows</div>' if table.total > len(table.rows) else ""
    style = "border-collapse:collapse;width:100%;font-size:12px;font-variant-numeric:tabular-nums"
    return f'<div><table style="{style}"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{more}</div>'


def _code(view: ViewNode) -> str:
    style = "margin:0;padding:8px;background:var(--cv-tint);font-size:12px;line-height:18px;overflow:auto"
    return f'<pre style="{style}">{escape(view.text("code"))}</pre>'


_VIEWS: Mapping[str, Callable[[ViewNode], str]] = {
    "Text": _text, "Markdown": _text, "Row": _stack, "Column": _stack, "List": _stack, "Card": _card, "Divider": _divider,
    "Button": _button, "TextField": _field, "CheckBox": _check_box, "ChoicePicker": _picker, "Slider": _slider,
    "DateTimeInput": _date, "Image": _image, "Video": _media, "AudioPlayer": _media, "Icon": _icon, "Tabs": _tabs,
    "Modal": _modal, "Chart": _chart, "DataTable": _table, "Code": _code, "Progress": _progress,
}  # fmt: skip
