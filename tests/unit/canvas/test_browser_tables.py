"""The browser half reads one generated table: the same numbers, components and functions as the Python half.

`python -m tests.unit.canvas.test_browser_tables` writes the file again after a change in `limits.py` or `catalog.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from openclaw_kernel.canvas import catalog, limits
from openclaw_kernel.canvas.catalog import Prop

FILE = Path(__file__).parents[3] / "labextension" / "src" / "canvas" / "tables.json"


def told(prop: Prop) -> str:
    """A property in one word: its kind, `!` when it must be there, its choices after a colon."""
    return prop.kind + ("!" if prop.required else "") + (":" + "|".join(prop.choices) if prop.choices else "")


def props(record: Mapping[str, Prop]) -> dict[str, str]:
    return {name: told(prop) for name, prop in record.items()}


def tables() -> str:
    numbers = {name: value for name, value in sorted(vars(limits).items()) if name.isupper() and isinstance(value, int)}
    functions = {
        name: {"returns": function.returns, "args": props(function.args)}
        | ({"oneOf": list(function.one_of)} if function.one_of else {})
        for name, function in catalog.FUNCTIONS.items()
    }
    made = {
        "limits": numbers,
        "unsafeKeys": sorted(limits.UNSAFE_KEYS),
        "versions": list(catalog.VERSIONS),
        "basicCatalog": catalog.BASIC,
        "notebookCatalog": catalog.NOTEBOOK,
        "common": props(catalog.COMMON),
        "basic": {name: props(record) for name, record in catalog.BASIC_COMPONENTS.items()},
        "notebook": {name: props(record) for name, record in catalog.NOTEBOOK_COMPONENTS.items()},
        "functions": functions,
        "icons": sorted(catalog.ICONS),
    }
    return json.dumps(made, indent=2) + "\n"


def test_the_browser_has_the_same_tables() -> None:
    assert FILE.read_text() == tables(), "python -m tests.unit.canvas.test_browser_tables"


if __name__ == "__main__":
    FILE.write_text(tables())
