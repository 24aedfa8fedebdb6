"""The tools every installation has, one list per family."""

from __future__ import annotations

from openclaw_kernel.tools import files
from openclaw_kernel.tools.api import Tool


def builtin_tools() -> list[Tool]:
    """All built-in tools in the order the model sees them."""
    return [*files.TOOLS]
