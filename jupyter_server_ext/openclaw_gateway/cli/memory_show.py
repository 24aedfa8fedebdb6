"""How memory commands show what they found: a status with its bar, hits, the log, what an import did."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from openclaw_gateway.cli import show
from openclaw_gateway.cli.memory_ask import Asker

BAR = 24
EVERY_S = 0.5
WORDS = {"new": "new file", "added": "notes added", "same": "nothing new", "left": "left out"}


def status(found: Mapping[str, Any]) -> None:
    rows: list[tuple[str, object]] = [
        ("agent", found["agentId"]),
        ("workspace", found["workspace"]),
        ("files", f"{found['files']:,}"),
        ("chunks", f"{found['chunks']:,}"),
        ("sources", ", ".join(found["sources"])),
        ("back end", found["backend"]),
    ]
    if found["model"]:
        rows.append(("model", found["model"]))
    if found["semantic"]:
        rows.append(("vectors", f"{found['embedded']:,}"))
    if found["waiting"]:
        rows.append(("reading", bar(*counts(found))))
    rows.append(("search", found["sentence"]))
    rows += [("problem", text) for text in found["problems"]]
    show.print_facts(rows)


def counts(found: Mapping[str, Any]) -> tuple[int, int]:
    """Chunks that have their vector, and all."""
    return max(0, found["chunks"] - found["waiting"]), found["chunks"]


def bar(done: int, total: int) -> str:
    filled = BAR * done // total if total else BAR
    return f"{'█' * filled}{'░' * (BAR - filled)} {done:,} of {total:,} notes"


def watch(ask: Asker, found: dict[str, Any]) -> dict[str, Any]:
    """Follows the reading of notes until each has its vector, or the model fails; the last status. Ctrl-C leaves, and a gateway
    goes on."""
    if not sys.stderr.isatty():
        shown = -1
        while found["waiting"] and found["semantic"]:
            tenth = 10 * counts(found)[0] // max(1, found["chunks"])
            if tenth != shown:
                show.note("Reading {:,} of {:,} notes…".format(*counts(found)))
            shown = tenth
            ask.pause(EVERY_S)
            found = ask("status")
        return found
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("Reading notes"), BarColumn(), TextColumn("{task.completed:,.0f} of {task.total:,.0f}"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("notes", total=found["chunks"] or 1)
        while found["waiting"] and found["semantic"]:
            done, total = counts(found)
            progress.update(task, completed=done, total=total or 1)
            ask.pause(EVERY_S)
            found = ask("status")
    return found


def hits(found: Mapping[str, Any]) -> None:
    """Citation and words of each; whose they are when they are not the owner's."""
    if not found["results"]:
        print("No note matches.")
    for row in found["results"]:
        whose = {"untrusted": "  [other people's words]", "agent": "  [the assistant's]"}.get(row["provenance"], "")
        print(show.plain(f"{row['citation']}  ({row['score']:.2f}){whose}"))
        for line in str(row["snippet"]).strip().splitlines():
            print(show.plain(f"    {line}"))
    if not found["semantic"]:
        show.note(str(found["sentence"]))


def log(entries: Sequence[Mapping[str, Any]]) -> None:
    rows = [
        (
            row["id"][:8],
            show.when(row["at"]),
            row.get("provenance") or row["kind"],
            "taken back" if row["state"] == "undone" else "not finished" if row["state"] == "pending" else "",
            f"{row['path']}: {row['text'] or '(changed or gone since)'}",
        )
        for row in entries
    ]
    show.print_table(("id", "when", "who", "", "what"), rows, empty="The assistant has written no note yet.")


def brought(found: Mapping[str, Any]) -> None:
    """What an import did, or would do, with each file."""
    rows = [(row["path"], WORDS[row["action"]], row["notes"] or "", row["reason"]) for row in found["files"]]
    show.print_table(("file", "", "notes", "why"), rows, empty=f"There is no note in {found['source']}.")
    notes = sum(row["notes"] for row in found["files"])
    if found["dryRun"]:
        print(f"{notes:,} notes would come in; nothing was written.")
    elif found["id"]:
        print(f"{notes:,} notes came in. `jupyter openclaw memory undo {found['id'][:8]}` takes all of it back.")
    else:
        print("Everything is here already; nothing was written.")


def forgotten(gone: Mapping[str, Any]) -> str:
    """What `memory forget` says: counts, then what a person should know."""
    lines = [f"Forgotten: {gone['notes']} notes, {gone['chunks']} chunks, {gone['vectors']} vectors."]
    if gone["files"]:
        lines[0] += f" Rewritten: {', '.join(gone['files'])}."
    if gone["sessions"]:
        counts = f"{gone['transcripts']} transcripts, {gone['made']} files, {gone['rows']} rows"
        lines.append(f"Conversations gone: {', '.join(gone['sessions'])} ({counts}).")
    return "\n".join([*lines, *gone["sentences"]])
