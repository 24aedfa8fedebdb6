"""Showing: A2UI surfaces are checked, kept, drawn and answered here, as a widget, as plain HTML and as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openclaw_kernel.canvas.actions import Action
    from openclaw_kernel.canvas.build import Field
    from openclaw_kernel.canvas.widget import Canvas

__all__ = ["Action", "Canvas", "Field"]

_HOMES = {"Action": "actions", "Canvas": "widget", "Field": "build"}


def __getattr__(name: str) -> Any:
    """The names notebooks use, imported when they are: the widget brings anywidget with it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
