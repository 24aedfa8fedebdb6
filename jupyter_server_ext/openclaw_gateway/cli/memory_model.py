"""`memory model`: the embedding model behind semantic search. Works on the files, and tells a running gateway."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from openclaw_gateway.cli import show
from openclaw_gateway.cli.options import json_option, state_dir_option
from openclaw_kernel.values.errors import OpenClawError, UserError

if TYPE_CHECKING:
    from openclaw_kernel.memory.embedding.shelf import Installed, Shelf

FOLLOWED = 1_000
"""Notes that are waited for: half a minute's reading."""


@click.group("model")
def model() -> None:
    """The embedding model: add, list, use, remove."""


@model.command("add")
@click.argument("name", required=False)
@click.option("--path", type=click.Path(path_type=Path), help="A folder with a model and its tokenizer.")
@click.option("--fp32", "precision", flag_value="fp32", default="fp32", help="minilm: the exact weights, 90 MB (default).")
@click.option("--int8", "precision", flag_value="int8", help="minilm: rounded weights, 23 MB and faster.")
@click.option("--query-prefix", help="With --path: what the model wants before a query.")
@click.option("--passage-prefix", help="With --path: what the model wants before a note.")
@click.option("--use", "at_once", is_flag=True, help="Use it from now on, though another model is in use.")
@state_dir_option
@json_option
def add(
    name: str | None,
    path: Path | None,
    precision: str,
    query_prefix: str | None,
    passage_prefix: str | None,
    at_once: bool,
    state_dir: Path,
    as_json: bool,
) -> None:
    """Install NAME: `minilm` (needs no model hub), or a model that fastembed knows; or a folder with --path."""
    from openclaw_kernel.memory.embedding import install

    if (name is None) == (path is None):
        raise click.UsageError("Give either a name, such as minilm, or --path with a folder.")
    shelf = _shelf(state_dir)
    with _steps() as step:
        if path is not None:
            dress = install.Dress(query_prefix, passage_prefix)
            added = install.add_folder(shelf, path.expanduser(), step, dress)
        elif name == "minilm":
            added = install.add_minilm(shelf, "int8" if precision == "int8" else "fp32", step)
        else:
            added = install.add_builtin(shelf, str(name), step)
    if at_once:
        shelf.use(added)
    row = next(row for row in shelf.installed() if row.name == added)
    use = "It is in use." if row.active else f"Use it with `jupyter openclaw memory model use {added}`."
    show.told(as_json, _facts(row), f"{added} is installed ({row.size / 1e6:.0f} MB). {use}")
    if row.active:
        _tell(state_dir)


@model.command("list")
@state_dir_option
@json_option
def list_models(state_dir: Path, as_json: bool) -> None:
    """The installed models; the one in use is marked."""
    rows = _shelf(state_dir).installed()
    if as_json:
        show.print_json([_facts(row) for row in rows])
        return
    show.print_table(
        ("", "model", "precision", "numbers", "tokens", "MB", "license", "problem"),
        (
            (
                "*" if row.active else "",
                row.name,
                row.manifest.precision if row.manifest else "",
                row.manifest.dim if row.manifest else "",
                row.manifest.window if row.manifest else "",
                f"{row.size / 1e6:.0f}",
                row.manifest.license if row.manifest else "",
                row.problem,
            )
            for row in rows
        ),
        empty="No embedding model is installed; add one with `jupyter openclaw memory model add minilm`.",
    )


@model.command("use")
@click.argument("name")
@state_dir_option
@json_option
def use(name: str, state_dir: Path, as_json: bool) -> None:
    """Use another installed model; notes are embedded anew in the background."""
    manifest = _shelf(state_dir).use(name)
    show.told(as_json, {"name": name, "modelId": manifest.model_id}, f"{name} is in use.")
    _tell(state_dir)


@model.command("remove")
@click.argument("name")
@state_dir_option
@json_option
def remove(name: str, state_dir: Path, as_json: bool) -> None:
    """Delete an installed model."""
    _shelf(state_dir).remove(name)
    show.told(as_json, {"removed": name}, f"{name} is removed.")
    _tell(state_dir)


def _tell(state_dir: Path) -> None:
    """A running gateway looks at its models now, and begins to read what has no vector; a short reading is waited for. None
    running is no failure."""
    from openclaw_gateway.cli.memory_ask import PATIENCE_S, Asker
    from openclaw_gateway.cli.memory_show import watch
    from openclaw_gateway.cli.wire import Target, Wire
    from openclaw_kernel.client.find import find_gateway

    state_dir = state_dir.expanduser()
    if find_gateway(state_dir) is None:
        return
    target = Target(state_dir, None, None, True, PATIENCE_S)
    try:
        with Wire(target) as wire:
            agents = [agent["id"] for agent in wire.request("agents.list")["agents"]]
            waiting = {agent: wire.request("memory.index", {"agentId": agent})["waiting"] for agent in agents}
        for agent in (agent for agent, count in waiting.items() if 0 < count <= FOLLOWED):
            with Asker(target, agent) as ask:
                watch(ask, ask("status"))
    except KeyboardInterrupt:
        show.note("The gateway goes on reading; `jupyter openclaw memory status` says how far it is.")
    except (UserError, OpenClawError) as error:
        show.note(f"The running gateway could not be told ({error}); it looks again by itself when a note changes.")
    else:
        if many := sum(count for count in waiting.values() if count > FOLLOWED):
            show.note(f"The gateway reads {many:,} notes now; follow it with `jupyter openclaw memory status --watch`.")


def _shelf(state_dir: Path) -> Shelf:
    from openclaw_kernel.memory.embedding.shelf import Shelf

    return Shelf(state_dir.expanduser())


def _facts(row: Installed) -> dict[str, object]:
    manifest = row.manifest
    known = {"modelId": manifest.model_id, "precision": manifest.precision, "dim": manifest.dim} if manifest else {}
    return {"name": row.name, "active": row.active, "bytes": row.size, **known, "problem": row.problem}


@contextmanager
def _steps() -> Iterator[Callable[[str], None]]:
    """Says on stderr what is being done: a line a step in a file, one moving line on a terminal."""
    if not sys.stderr.isatty():
        yield lambda text: show.note(f"{text}…")
        return
    from rich.console import Console

    with Console(stderr=True).status("Beginning…") as status:
        yield lambda text: status.update(f"{text}…")
