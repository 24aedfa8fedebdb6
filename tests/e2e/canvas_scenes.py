"""Surfaces that together show every view, for pictures."""

from __future__ import annotations

from typing import Any

from openclaw_kernel.canvas.catalog import BASIC, ICONS, NOTEBOOK

Message = dict[str, Any]
PIXEL = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPj/HwADBwIAMCbHYQAAAABJRU5ErkJggg=="


def scene(components: list[Message], data: Any = None, catalog: str = NOTEBOOK) -> list[Message]:
    return [
        {"version": "v0.9", "createSurface": {"surfaceId": "scene", "catalogId": catalog}},
        {"version": "v0.9", "updateDataModel": {"surfaceId": "scene", "value": data or {}}},
        {"version": "v0.9", "updateComponents": {"surfaceId": "scene", "components": components}},
    ]


def column(*children: str, name: str = "root", **more: Any) -> Message:
    return {"id": name, "component": "Column", "children": list(children)} | more


def row(name: str, *children: str, **more: Any) -> Message:
    return {"id": name, "component": "Row", "children": list(children)} | more


def text(name: str, value: Any, variant: str = "body") -> Message:
    return {"id": name, "component": "Text", "text": value, "variant": variant}


def button(name: str, label: str, variant: str = "default", **more: Any) -> list[Message]:
    action = {"event": {"name": name, "context": {}}}
    return [
        {"id": name, "component": "Button", "child": f"{name}-label", "variant": variant, "action": action} | more,
        text(f"{name}-label", label),
    ]


CHOICES = [{"label": label, "value": label.lower()} for label in ("Body mass", "Flipper", "Bill")]
MASS = [
    {"name": "Gentoo", "points": [{"x": 2007, "y": 4.92}, {"x": 2008, "y": 5.0}, {"x": 2009, "y": 5.06}]},
    {"name": "Adelie", "points": [{"x": 2007, "y": 3.68}, {"x": 2008, "y": 3.75}, {"x": 2009, "y": 3.71}]},
    {"name": "Chinstrap", "points": [{"x": 2007, "y": 3.8}, {"x": 2008, "y": 3.89}, {"x": 2009, "y": 3.97}]},
]
BIRDS = [
    {"species": species, "sex": sex, "birds": birds, "mass": mass, "flipper": flipper}
    for species, sex, birds, mass, flipper in [
        ("Gentoo", "male", 61, 5485, 221.5), ("Gentoo", "female", 58, 4680, 212.7), ("Adelie", "male", 73, 4043, 192.4),
        ("Chinstrap", "male", 34, 3939, 199.9), ("Chinstrap", "female", 34, 3527, 191.7), ("Adelie", "female", 73, 3369, 187.8),
        ("Unknown", None, 11, 4006, 199.0), ("Escaped", "male", 1, 12000, 240.0), ("Guest", "female", 2, 3100, 180.0),
        ("Juvenile", None, 4, 1900, 150.0), ("Egg", None, 9, 110, None),
    ]
]  # fmt: skip
COLUMNS = [
    {"key": key, "label": label}
    for key, label in [
        ("species", "Species"),
        ("sex", "Sex"),
        ("birds", "Birds"),
        ("mass", "Mass, g"),
        ("flipper", "Flipper, mm"),
    ]
]
MARKDOWN = """## Flippers predict mass

Each extra millimetre goes with about **50 g**, *on average*, see [the data](https://example.org/penguins).

- Adelie: 33 g
- Gentoo: 55 g

1. Weigh
2. Measure

> Within one species the slope falls.

Use `df.corr()`:

```
df[["flipper", "mass"]].corr()
```"""

EXPLORER = [
    column("sample", "measure", "leave", "chart", "actions"),
    {"id": "sample", "component": "TextField", "label": "Smallest sample", "value": {"path": "/sample"}, "variant": "number"},
    {"id": "measure", "component": "ChoicePicker", "label": "Measure", "options": CHOICES, "value": {"path": "/measure"},
     "displayStyle": "chips"},
    {"id": "leave", "component": "CheckBox", "label": "Leave out birds of unknown sex", "value": {"path": "/leave"}},
    {"id": "chart", "component": "Chart", "type": "line", "series": {"path": "/mass"}},
    row("actions", "apply", "write"),
    *button("apply", "Apply", "primary"),
    *button("write", "Write to notebook"),
]  # fmt: skip

DASHBOARD = [
    column("top", "table"),
    row("top", "form", "chart", align="start"),
    column("sample", "measure", "leave", "actions", name="form", weight=1),
    *(part for part in EXPLORER[1:4]),
    {"id": "chart", "component": "Chart", "type": "bar", "series": {"path": "/bars"}, "yLabel": "kg", "weight": 2},
    *EXPLORER[5:],
    {"id": "table", "component": "DataTable", "columns": COLUMNS, "rows": {"path": "/birds"}, "pageSize": 6},
]

TEXTS = [
    column("h1", "h2", "h3", "h4", "body", "caption", "line", "md", "code", "progress"),
    *(text(f"h{level}", f"Heading {level}", f"h{level}") for level in (1, 2, 3, 4)),
    text("body", "Body text that is long enough to need a second line in a narrow sidebar, and not in a wide notebook."),
    text("caption", "A caption, smaller and quieter", "caption"),
    {"id": "line", "component": "Divider"},
    text("md", MARKDOWN),
    {"id": "code", "component": "Code", "code": "fit = stats.linregress(df.flipper, df.mass)\nround(fit.slope, 1)"},
    {"id": "progress", "component": "Progress", "label": "Bootstrapping", "value": 62, "max": 100},
]

INPUTS = [
    column("mail", "note", "when", "species", "many", "slider", "agree", "actions"),
    {
        "id": "mail",
        "component": "TextField",
        "label": "Send to",
        "value": {"path": "/mail"},
        "checks": [
            {"condition": {"call": "email", "args": {"value": {"path": "/mail"}}}, "message": "This is not a complete address."}
        ],
    },
    {"id": "note", "component": "TextField", "label": "Note", "value": {"path": "/note"}, "variant": "longText"},
    {
        "id": "when",
        "component": "DateTimeInput",
        "label": "On",
        "value": {"path": "/when"},
        "enableDate": True,
        "enableTime": True,
    },
    {
        "id": "species",
        "component": "ChoicePicker",
        "label": "Species",
        "value": {"path": "/species"},
        "options": [{"label": f"Species {n}", "value": f"s{n}"} for n in range(12)],
    },
    {
        "id": "many",
        "component": "ChoicePicker",
        "label": "Columns",
        "options": CHOICES,
        "value": {"path": "/many"},
        "variant": "multipleSelection",
        "filterable": True,
    },
    {"id": "slider", "component": "Slider", "label": "Bins", "min": 1, "max": 40, "value": {"path": "/bins"}},
    {"id": "agree", "component": "TextField", "label": "Password", "variant": "obscured", "value": {"path": "/secret"}},
    row("actions", "create", "cancel", "more"),
    *button("create", "Create", "primary", checks=[{"condition": {"path": "/ready"}, "message": "Not yet."}]),
    *button("cancel", "Cancel"),
    *button("more", "More", "borderless"),
]

CHARTS = [
    column("bars", "area", "scatter", "pie", "hist"),
    {"id": "bars", "component": "Chart", "type": "bar", "title": "Grouped bars", "series": {"path": "/mass"}},
    {"id": "area", "component": "Chart", "type": "area", "title": "Area", "series": {"path": "/visits"}, "xLabel": "Day"},
    {"id": "scatter", "component": "Chart", "type": "scatter", "title": "Scatter", "series": {"path": "/cloud"},
     "xLabel": "Flipper, mm", "yLabel": "Mass, g"},
    {"id": "pie", "component": "Chart", "type": "pie", "title": "Share", "series": {"path": "/share"}},
    {"id": "hist", "component": "Chart", "type": "histogram", "title": "Histogram", "series": {"path": "/cloud"}},
]  # fmt: skip
CLOUD = [[170 + (n * 37) % 60, 2700 + ((n * 37) % 60) * 45 + (n * 53) % 400] for n in range(120)]

OTHERS = [
    column("card", "pictures", "icons", "list", "tabs", "video", "hologram"),
    {"id": "card", "component": "Card", "child": "in-card"},
    row("in-card", "avatar", "words", align="center"),
    {"id": "avatar", "component": "Image", "url": PIXEL, "variant": "avatar", "description": "A green dot"},
    column("who", "what", name="words"),
    text("who", "Field team", "h4"), text("what", "Three new messages", "caption"),
    row("pictures", "remote", "refused"),
    {"id": "remote", "component": "Image", "url": "https://example.org/station.png", "description": "The station at noon"},
    {"id": "refused", "component": "Image", "url": "javascript:alert(1)"},
    row("icons", *(f"icon-{name}" for name in sorted(ICONS))),
    *({"id": f"icon-{name}", "component": "Icon", "name": name} for name in sorted(ICONS)),
    {"id": "list", "component": "List", "children": {"path": "/stations", "componentId": "station"}},
    row("station", "sign", "name", "count", justify="spaceBetween"),
    {"id": "sign", "component": "Icon", "name": "locationOn"},
    text("name", {"path": "name"}),
    text("count", {"call": "formatString", "args": {"value": "${formatNumber(value: ${birds})} birds"}}),
    {"id": "tabs", "component": "Tabs", "tabs": [{"title": "First", "child": "one"}, {"title": "Second", "child": "two"}]},
    text("one", "In the first tab"), text("two", "In the second tab"),
    {"id": "video", "component": "Video", "url": "https://example.org/film.mp4"},
    {"id": "hologram", "component": "Hologram"},
]  # fmt: skip

SCENES: dict[str, list[Message]] = {
    "explorer": scene(EXPLORER, {"sample": "15", "measure": ["body mass"], "leave": True, "mass": MASS}),
    "dashboard": scene(
        DASHBOARD,
        {
            "sample": "20",
            "measure": ["body mass"],
            "leave": True,
            "birds": BIRDS,
            "bars": [{"name": "Mass", "points": [["Adelie", 3.7], ["Chinstrap", 3.73], ["Gentoo", 5.08]]}],
        },
    ),
    "texts": scene(TEXTS),
    "inputs": scene(
        INPUTS,
        {"mail": "field-team@", "when": "2026-11-23T09:00", "species": ["s3"], "many": ["flipper"], "bins": 12, "ready": False},
    ),
    "charts": scene(
        CHARTS,
        {
            "mass": MASS,
            "visits": [{"name": "Visits", "points": [[n, 30 + (n * 17) % 23] for n in range(1, 31)]}],
            "cloud": [{"name": "All", "points": CLOUD}],
            "share": [{"name": "Share", "points": [["Adelie", 152], ["Gentoo", 124], ["Chinstrap", 68], ["Other", 9]]}],
        },
    ),
    "others": scene(
        OTHERS,
        {"stations": [{"name": "Torgersen", "birds": 52}, {"name": "Biscoe", "birds": 168}, {"name": "Dream", "birds": 1124}]},
    ),
    "login": scene([column("t"), text("t", "Text only, the plainest surface.")], catalog=BASIC),
}
