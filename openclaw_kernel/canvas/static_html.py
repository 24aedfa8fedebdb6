"""Surfaces as still HTML: beside a live canvas in a saved notebook, and as a page of its own (a2ui reference, section 10)."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from openclaw_kernel.canvas.drawing import DARK
from openclaw_kernel.canvas.html_views import LINE, render
from openclaw_kernel.canvas.limits import HTML_LENGTH
from openclaw_kernel.canvas.problems import Problem
from openclaw_kernel.canvas.resolve import resolve
from openclaw_kernel.canvas.stage import Stage, refusing
from openclaw_kernel.canvas.store import Surface

_COLOURS = {
    "ground": "var(--jp-layout-color1,var(--vscode-editor-background,#fff))",
    "ink": "var(--jp-ui-font-color1,var(--vscode-editor-foreground,#212121))",
    "muted": "var(--jp-ui-font-color2,var(--vscode-descriptionForeground,#616161))",
    "grid": "var(--jp-border-color2,#e0e0e0)",
    "axis": "var(--jp-border-color1,#bdbdbd)",
    "edge": "var(--jp-border-color1,#9e9e9e)",
    "tint": "var(--jp-layout-color2,#f5f5f5)",
    "link": "var(--jp-content-link-color,#0d47a1)",
    "bad": "var(--jp-error-color1,#c62828)",
    "on": "var(--jp-ui-inverse-font-color0,#fff)",
    "s0": "var(--jp-brand-color1,#1976d2)",
    "s1": "var(--jp-warn-color0,#e65100)",
    "s2": "var(--jp-success-color1,#388e3c)",
}
_DARK: dict[str, str] = {
    **{str(role): colour for role, colour in DARK.items()},
    "edge": "#757575",
    "tint": "#2c2c2c",
    "link": "#90caf9",
    "bad": "#ef9a9a",
    "on": "#000",
}
_RULES = (
    ".cv-static p,.cv-static ul,.cv-static ol,.cv-static pre,.cv-static blockquote{margin:0 0 8px}"
    ".cv-static ul,.cv-static ol{padding-left:20px}.cv-static a{color:var(--cv-link)}"
    ".cv-static code,.cv-static pre{font-family:var(--jp-code-font-family,monospace);font-size:12px}"
    ".cv-static table{background:none;border:0}.cv-static .cv-chart{display:block;width:100%;height:auto}"
)
_ROOT = (
    "color:var(--cv-ink);background:var(--cv-ground);font-family:var(--jp-ui-font-family,system-ui,sans-serif);"
    f"font-size:13px;line-height:20px;max-width:860px;border:{LINE};border-radius:4px;overflow:hidden;text-align:left"
)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def render_html(messages: Sequence[Any], title: str | None = None) -> str:
    """What these messages show as HTML that loads nothing and runs nothing.

    Without `title` an element to put into a page, with it a page of its own. Refused messages become one line each.
    """
    stage = Stage()
    _, problems = stage.take_all(messages)
    body = fragment(list(stage.surfaces), problems)
    return body if title is None else _page(body, title)


def fragment(surfaces: Sequence[Surface], problems: Sequence[Problem] = ()) -> str:
    """Surfaces as one element."""
    parts = []
    for surface in surfaces:
        view = resolve(surface)
        if view is not None:
            made = render(view)
            accent = surface.theme.get("primaryColor")
            style = f";--cv-s0:{escape(accent)}" if isinstance(accent, str) else ""
            parts.append(f'<div style="padding:12px;display:flow-root{style}">{made}</div>')
    refused = [f"A part was refused: {problem.message}" for problem in refusing(problems)[:5]]
    parts += [f'<div style="padding:8px 12px;color:var(--cv-muted)">{escape(sentence)}</div>' for sentence in refused]
    if sum(map(len, parts)) > HTML_LENGTH:
        parts = ['<div style="padding:12px">This surface is too large to be kept as a page.</div>']
    colours = "".join(f"--cv-{name}:{colour};" for name, colour in _COLOURS.items())
    return f'<div class="cv-static" style="{colours}{_ROOT}"><style>{_RULES}</style>{"".join(parts)}</div>'


def _page(body: str, title: str) -> str:
    dark = "".join(f"--cv-{name}:{colour}!important;" for name, colour in _DARK.items())
    rules = (
        "html{color-scheme:light dark}body{margin:24px;background:#eee;display:flex;justify-content:center}"
        ".cv-static{flex:1;min-width:0}"
        f"@media(prefers-color-scheme:dark){{body{{background:#111}}.cv-static{{{dark}}}}}"
    )
    head = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="referrer" content="no-referrer">'
        f"<title>{escape(title)}</title><style>{rules}</style>"
    )
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>{body}</body></html>\n'
