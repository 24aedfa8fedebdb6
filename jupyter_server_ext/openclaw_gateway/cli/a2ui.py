"""`a2ui`: files of A2UI messages, checked as the canvas would check them. Needs no gateway."""

from __future__ import annotations

from pathlib import Path

import click

from openclaw_gateway.cli import show
from openclaw_gateway.cli.wire import json_option
from openclaw_kernel.canvas.read import check_file


@click.group("a2ui")
def command() -> None:
    """Check files of A2UI messages."""


@command.command("check")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
def check(files: tuple[Path, ...], as_json: bool) -> int:
    """Check each FILE (v0.9, v0.9.1) against the catalogue and the limits; the exit status is 1 if any is invalid."""
    found = [(file, check_file(file)) for file in files]
    if as_json:
        show.print_json(
            [
                {"file": str(file), "valid": not problems, "problems": [problem.to_dict() for problem in problems]}
                for file, problems in found
            ]
        )
    else:
        for file, problems in found:
            print(show.plain(f"{file}: valid" if not problems else f"{file}: {len(problems)} problems"))
            for problem in problems:
                print(show.plain(f"  {problem.code} {problem.path or '/'} {problem.message}"))
    return int(any(problems for _, problems in found))
