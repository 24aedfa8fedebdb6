"""`memory`: the notes the assistant keeps, and the model that finds them by meaning."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from openclaw_gateway.cli import memory_show as views
from openclaw_gateway.cli import show
from openclaw_gateway.cli.memory_ask import Asker
from openclaw_gateway.cli.memory_dream import dream
from openclaw_gateway.cli.memory_model import model
from openclaw_gateway.cli.wire import Target, target_options


@click.group("memory")
def command() -> None:
    """Look after the assistant's memory. Works with a running gateway and without one."""


command.add_command(model)
command.add_command(dream)


def agent_option(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--agent", "agent_id", help="Whose memory; the default agent's when left out.")(function)


@command.command("status")
@click.option("--watch", is_flag=True, help="Stay until every note has its vector.")
@agent_option
@target_options
def status(target: Target, watch: bool, agent_id: str | None) -> None:
    """Show files, chunks, and whether search by meaning is on."""
    with Asker(target, agent_id) as ask:
        found = ask("status")
        if watch:
            found = views.watch(ask, found)
    if target.as_json:
        show.print_json(found)
    else:
        views.status(found)


@command.command("index")
@click.option("--force", is_flag=True, help="Build the index anew; vectors of unchanged texts are kept.")
@agent_option
@target_options
def index(target: Target, force: bool, agent_id: str | None) -> None:
    """Take up what changed in the notes, and wait until each has its vector."""
    with Asker(target, agent_id) as ask:
        report = ask("index", force=force)
        found = {**report, **views.watch(ask, report)}
    said = (
        f"{found['files']:,} files: {found['chunksAdded']:,} chunks new, {found['chunksRemoved']:,} gone, "
        f"{found['chunks']:,} in all. {found['sentence']}"
    )
    show.told(target.as_json, found, said)


@command.command("search")
@click.argument("query")
@click.option("--limit", type=click.IntRange(1, 50), help="Hits at most.")
@agent_option
@target_options
def search(target: Target, query: str, limit: int | None, agent_id: str | None) -> None:
    """Find notes by words and by meaning."""
    with Asker(target, agent_id) as ask:
        found = ask("search", query=query, **({"limit": limit} if limit else {}))
    if target.as_json:
        show.print_json(found)
    else:
        views.hits(found)


@command.command("promote")
@click.argument("note")
@click.option("--trigger", "triggers", multiple=True, help="Words that recall the note by themselves; may be repeated.")
@agent_option
@target_options
def promote(target: Target, note: str, triggers: tuple[str, ...], agent_id: str | None) -> None:
    """Bring NOTE, as memory/2026-11-20.md#L4 or the id of a write, into MEMORY.md."""
    with Asker(target, agent_id) as ask:
        made = ask("promote", ref=note, triggers=list(triggers))
    show.told(target.as_json, made, f"MEMORY.md has it now: {made['text']}\nTake it back with: memory undo {made['id'][:8]}")


@command.command("forget")
@click.option("--session", "session_key", default="", help="A conversation with all that was written in it.")
@click.option("--path", default="", help="A note file, as a whole.")
@click.option("--text", default="", help="Every note with these words.")
@click.option("--sessions", is_flag=True, help="With --text: the conversations in which it was said go whole.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@agent_option
@target_options
def forget(target: Target, session_key: str, path: str, text: str, sessions: bool, yes: bool, agent_id: str | None) -> None:
    """Take something out of notes, index and side files, a conversation out of everything. It cannot be taken back."""
    given = [word for word in (session_key, path, text) if word]
    if len(given) != 1:
        raise click.UsageError("Say what to forget with one of --session, --path and --text.")
    if not yes:
        click.confirm(f"Forget {given[0]!r} for good?", abort=True, err=True)
    with Asker(target, agent_id) as ask:
        gone = ask("forget", sessionKey=session_key, path=path, text=text, sessions=sessions)
    show.told(target.as_json, gone, views.forgotten(gone))


@command.command("log")
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True)
@agent_option
@target_options
def log(target: Target, limit: int, agent_id: str | None) -> None:
    """List what the assistant wrote and what was imported, newest first."""
    with Asker(target, agent_id) as ask:
        found = ask("log", limit=limit)
    if target.as_json:
        show.print_json(found)
    else:
        views.log(found["entries"])


@command.command("undo")
@click.argument("id")
@agent_option
@target_options
def undo(target: Target, id: str, agent_id: str | None) -> None:
    """Take one entry of the log back: a written line, or a whole import."""
    with Asker(target, agent_id) as ask:
        gone = ask("undo", id=id)
    what = gone.get("text") or f"{gone['notes']} notes"
    show.told(target.as_json, gone, f"Taken back out of {', '.join(gone['files']) or 'nothing'}: {what}")


@command.command("export")
@click.argument("file", type=click.Path(path_type=Path))
@agent_option
@target_options
def export(target: Target, file: Path, agent_id: str | None) -> None:
    """Write the notes to FILE.zip or to a new folder FILE, with provenance.jsonl, which says who wrote what."""
    if target.url is None:
        count = _exported(target.state_dir, file.expanduser(), agent_id)
    else:
        count = _fetched(target, file.expanduser(), agent_id)
    show.told(target.as_json, {"path": str(file), "files": count}, f"{count:,} notes files are in {file}.")


@command.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--all", "everything", is_flag=True, help="SOUL.md, IDENTITY.md, AGENTS.md and so on too, where there is none yet."
)
@click.option("--dry-run", is_flag=True, help="Only show what would happen.")
@agent_option
@target_options
def bring_in(target: Target, path: Path, everything: bool, dry_run: bool, agent_id: str | None) -> None:
    """Add the notes of another workspace, such as ~/.openclaw/workspace or ~/clawd. Nothing of yours is overwritten."""
    source = str(path.expanduser() if target.url else path.expanduser().absolute())
    with Asker(target, agent_id) as ask:
        found = ask("import", path=source, everything=everything, dryRun=dry_run)
    if target.as_json:
        show.print_json(found)
    else:
        views.brought(found)


def _exported(state_dir: Path, file: Path, agent_id: str | None) -> int:
    """Out of the files themselves: they are the truth, whoever owns the index."""
    from openclaw_gateway.parts.memory_alone import note_places
    from openclaw_kernel.memory.export import export_notes

    places, folder = note_places(state_dir, agent_id)
    with show.working("Writing"):
        return export_notes(places, folder, file)


def _fetched(target: Target, file: Path, agent_id: str | None) -> int:
    from openclaw_kernel.memory.export import unpack

    with Asker(target, agent_id) as ask:
        found = ask("export")
    unpack(base64.b64decode(found["data"]), file)
    return int(found["files"])
