"""`jupyter openclaw …`: the assistant from a plain terminal.

Importing this package loads nothing but the version, and `--version` is answered before click is
imported, because the command has 150 ms from start to end (the "measures" part of the design).
"""

from __future__ import annotations

import sys

from openclaw_kernel._version import __version__


def main(argv: list[str] | None = None) -> int:
    """Run one command line; returns the exit status (0 done, 1 failed, 2 misused, 130 interrupted)."""
    args = sys.argv[1:] if argv is None else argv
    if args in (["--version"], ["-V"]):
        print(f"jupyter openclaw {__version__}")
        return 0
    from openclaw_gateway.cli.app import run  # click and the rest load only past the fast path

    return run(args)
