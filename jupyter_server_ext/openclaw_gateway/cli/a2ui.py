"""`a2ui`: files of A2UI messages, checked as the canvas would check them and drawn as it would draw them. Needs no gateway."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from openclaw_gateway.cli import show
from openclaw_gateway.cli.options import json_option
from openclaw_kernel.canvas.problems import CanvasError
from openclaw_kernel.canvas.read import check_file, read_file, read_messages
from openclaw_kernel.values.errors import UserError


@click.group("a2ui")
def command() -> None:
    """Check and draw files of A2UI messages."""


@command.command("check")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
def check(files: tuple[Path, ...], as_json: bool) -> int:
    """Check each FILE (v0.9, v0.9.1, v0.8) against the catalogue and the limits; the exit status is 1 if any is invalid."""
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


@command.command("render")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, allow_dash=True), default=Path("-"), help="Where the page goes."
)
@click.option("--title", help="Title of the page; the name of the file by default.")
@click.option("--text", is_flag=True, help="Write plain text, not a page.")
def render(file: Path, output: Path, title: str | None, text: bool) -> int:
    """Draw FILE as a page that loads nothing and runs nothing; `-` is standard input or output.

    The exit status is 1 if a message was refused; the page says so where it would stand.
    """
    from openclaw_kernel.canvas.stage import Stage, refusing
    from openclaw_kernel.canvas.static_html import render_html
    from openclaw_kernel.canvas.text import render_text

    stdin = file == Path("-")
    try:
        messages, _ = read_messages(sys.stdin.read()) if stdin else read_file(file)
    except CanvasError as error:
        raise UserError(f"{'Standard input' if stdin else file}: {error}") from error
    made = (
        show.plain(render_text(messages)) + "\n" if text else render_html(messages, title or ("Canvas" if stdin else file.stem))
    )
    if output == Path("-"):
        sys.stdout.write(made)
    else:
        try:
            output.write_text(made, encoding="utf-8")
        except OSError as error:
            raise UserError(f"{output} cannot be written: {error.strerror or error}.") from error
    refused = refusing(Stage().take_all(messages)[1])
    for problem in refused:
        show.note(show.plain(f"{problem.code} {problem.path or '/'} {problem.message}"))
    return int(bool(refused))
