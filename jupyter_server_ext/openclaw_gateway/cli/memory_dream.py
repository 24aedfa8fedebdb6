"""`memory dream`: what of the daily notes the assistant would keep, and your answer; with a running gateway and without."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

import click

from openclaw_gateway.cli import show
from openclaw_gateway.cli.wire import Target, Wire, target_options

PATIENCE_S = 120.0


def agent_option(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--agent", "agent_id", help="Whose notes; the default agent's when left out.")(function)


@click.group("dream", invoke_without_command=True)
@click.option("--dry-run", is_flag=True, help="Only show what would be proposed; nothing is written.")
@click.option("--apply", "at_once", is_flag=True, help="Put everything that is proposed into MEMORY.md.")
@agent_option
@target_options
def dream(target: Target, dry_run: bool, at_once: bool, agent_id: str | None) -> None:
    """Go through the daily notes now and propose what to keep in MEMORY.md. Alone it proposes; nothing is kept unasked."""
    if click.get_current_context().invoked_subcommand is not None:
        return
    if dry_run and at_once:
        raise click.UsageError("Give either --dry-run or --apply.")
    found = _ask(target, "run", agent_id, dryRun=dry_run, apply=at_once)
    if target.as_json:
        show.print_json(found)
        return
    print(
        f"{found['notes']:,} notes of the last days, {found['groups']:,} different ones, recalled {found['recalls']:,} times."
    )
    if found["themes"]:
        print(f"Themes: {', '.join(map(show.plain, found['themes']))}.")
    _proposals(found["proposals"])
    if "applied" in found:
        _applied(found)
    elif found["proposals"] and not dry_run:
        print("`memory dream apply` puts them into MEMORY.md, with ids only those; `memory dream reject ID` turns one down.")
    if not found["enabled"]:
        show.note("Dreaming is off, so searches are not counted; set memory.dreaming.enabled to true in openclaw.json.")


@dream.command("list")
@agent_option
@target_options
def list_proposals(target: Target, agent_id: str | None) -> None:
    """Show the proposals that wait for an answer."""
    found = _ask(target, "list", agent_id)
    if target.as_json:
        show.print_json(found)
    else:
        _proposals(found["proposals"])


@dream.command("apply")
@click.argument("ids", nargs=-1)
@agent_option
@target_options
def apply(target: Target, ids: tuple[str, ...], agent_id: str | None) -> None:
    """Put proposals into MEMORY.md: those named, or all that wait."""
    found = _ask(target, "apply", agent_id, **({"ids": list(ids)} if ids else {}))
    if target.as_json:
        show.print_json(found)
    else:
        _applied(found)


@dream.command("reject")
@click.argument("ids", nargs=-1, required=True)
@agent_option
@target_options
def reject(target: Target, ids: tuple[str, ...], agent_id: str | None) -> None:
    """Turn proposals down; they are not made again."""
    found = _ask(target, "reject", agent_id, ids=list(ids))
    show.told(target.as_json, found, f"Turned down: {found['rejected']}.")


@dream.command("revert")
@agent_option
@target_options
def revert(target: Target, agent_id: str | None) -> None:
    """Put MEMORY.md back to before the proposals that were applied last."""
    found = _ask(target, "revert", agent_id)
    show.told(target.as_json, found, f"MEMORY.md is as it was before {', '.join(found['reverted'])}.")


def _proposals(rows: list[dict[str, Any]]) -> None:
    show.print_table(
        ("id", "what", "mark", "note", "from"),
        (
            (
                row["id"],
                "keep" if row["kind"] == "add" else "drop",
                f"{row['score']:.2f}",
                show.plain(row["text"]),
                row["source"],
            )
            for row in rows
        ),
        empty="No proposal waits for an answer.",
    )


def _applied(found: dict[str, Any]) -> None:
    count = len(found["applied"])
    what = "Nothing was changed" if not count else f"MEMORY.md is changed in {count} place{'s' if count > 1 else ''}"
    print(f"{what}." if not count else f"{what}; `memory dream revert` takes it back, `memory undo` a single line.")
    if found["stale"]:
        show.note(f"Not applied, because the note has changed since: {', '.join(found['stale'])}.")


def _ask(target: Target, name: str, agent_id: str | None, **params: Any) -> dict[str, Any]:
    from openclaw_kernel.client.find import find_gateway

    if target.url is None and find_gateway(target.state_dir) is None:
        with show.working("Reading the notes"):
            return asyncio.run(_alone(target, name, agent_id, params))
    patient = Target(target.state_dir, target.url, target.token, target.as_json, PATIENCE_S)
    with Wire(patient) as wire:
        wanted = {**({"agentId": agent_id} if agent_id else {}), **params}
        found: dict[str, Any] = wire.request(f"memory.dream.{name}", wanted)
        return found


async def _alone(target: Target, name: str, agent_id: str | None, params: dict[str, Any]) -> dict[str, Any]:
    from openclaw_gateway.methods.dreaming import answer
    from openclaw_gateway.parts.dreaming import dreams_alone

    async with dreams_alone(target.state_dir, os.environ, agent_id) as (dreams, agent):
        return await answer(f"memory.dream.{name}", params, dreams, agent)
