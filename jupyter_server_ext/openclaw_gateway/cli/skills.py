"""`skills`: what the assistant knows how to do, on this machine's own files. Needs no gateway."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from openclaw_gateway.cli import show
from openclaw_gateway.cli.options import json_option, state_dir_option
from openclaw_kernel.config.loader import load_config
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.skills.activate import activate
from openclaw_kernel.skills.check import check_paths
from openclaw_kernel.skills.loader import read_skill
from openclaw_kernel.skills.runs import Runner
from openclaw_kernel.skills.shelf import Shelf
from openclaw_kernel.skills.skill import Skill
from openclaw_kernel.skills.status import status_of, status_row
from openclaw_kernel.skills.template import new_skill
from openclaw_kernel.store.paths import config_path
from openclaw_kernel.values.errors import UserError


@dataclass(frozen=True, slots=True)
class Place:
    """The skills of one agent, as its config on disk has them."""

    shelf: Shelf
    agent_id: str
    workspace: Path


@click.group("skills")
def command() -> None:
    """List, make, check and run skills."""


@command.command("list")
@click.option("--agent", help="Whose skills; the default agent's without it.")
@state_dir_option
@json_option
def list_skills(state_dir: Path, agent: str | None, as_json: bool) -> None:
    """Every skill, and what keeps it from being used."""
    place = _place(state_dir, agent)
    found = status_of(place.shelf, place.agent_id, str(place.workspace))
    if as_json:
        show.print_json(found)
        return
    show.print_table(
        ("skill", "kind", "from", "usable", "what it is for"),
        (
            (row["name"], row["kind"], row["source"].removeprefix("openclaw-"), _usable(row), row["description"])
            for row in found["skills"]
        ),
        empty="No skills are installed.",
    )


@command.command("info")
@click.argument("name")
@click.option("--agent", help="Whose skills; the default agent's without it.")
@state_dir_option
@json_option
def info(name: str, state_dir: Path, agent: str | None, as_json: bool) -> None:
    """What NAME needs, its parameters, and its text."""
    place = _place(state_dir, agent)
    one = next((one for one in place.shelf.all(place.agent_id) if one.skill.name == name), None)
    if one is None:
        raise UserError(f"There is no skill {name!r}; `skills list` names them all.")
    active = activate(one.skill)
    if as_json:
        show.print_json(
            status_row(one)
            | {"parameters": active.schema, "files": list(active.files), "text": active.text, **_meta(one.skill)}
        )
        return
    facts = [("name", name), ("kind", one.skill.kind), ("from", one.skill.source), ("file", one.skill.path)]
    show.print_facts([*facts, ("usable", _usable(status_row(one))), ("for", one.skill.description)])
    print(show.plain(f"\n{active.text}"))


@command.command("new")
@click.argument("name")
@click.option("--notebook", is_flag=True, help="A notebook with parameters, instead of a SKILL.md.")
@click.option(
    "--in", "parent", type=click.Path(path_type=Path), help="Folder it is made in; the workspace's skills without it."
)
@state_dir_option
@json_option
def new(name: str, notebook: bool, parent: Path | None, state_dir: Path, as_json: bool) -> None:
    """Make a skill NAME to be filled in."""
    path = new_skill(parent or _place(state_dir, None).workspace / "skills", name, notebook=notebook)
    if as_json:
        show.print_json({"path": str(path)})
    else:
        print(path)


@command.command("run")
@click.argument("name")
@click.option("-p", "--parameter", "parameters", multiple=True, metavar="KEY=VALUE", help="One parameter; may be repeated.")
@click.option("--cwd", type=click.Path(path_type=Path, file_okay=False), default=Path, help="Where it runs; here without it.")
@state_dir_option
@json_option
def run(name: str, parameters: tuple[str, ...], cwd: Path, state_dir: Path, as_json: bool) -> int:
    """Run the notebook skill NAME, or the one in a file or folder, in a fresh kernel."""
    from openclaw_kernel.tools.skills import surfaces_of

    place = _place(state_dir, None)
    skill = _named(place, name)
    values = dict(_pair(text) for text in parameters)
    work = Runner(place.shelf.runs_dir).run(
        skill,
        values,
        cwd=cwd.absolute(),
        env=os.environ,
        more_env=place.shelf.env_of(skill),
        progress=lambda text, fraction: show.note(show.plain(text)),
    )
    done = asyncio.run(work)
    surfaces, refused = surfaces_of(done)
    if as_json:
        show.print_json(
            {
                "name": done.name,
                "status": done.status,
                "error": done.sentence or None,
                "text": done.text,
                "media": list(done.media),
                "surfaces": surfaces,
                "refused": refused,
                "notebook": str(done.notebook),
                "parameters": dict(done.parameters),
                "durationMs": done.duration_ms,
            }
        )
        return int(not done.ok)
    if not done.ok:
        raise UserError(f"{done.name}: {done.sentence} The executed notebook is {done.notebook}")
    print(show.plain(done.text))
    for media in done.media:
        show.note(f"Picture: {media['path']}")
    for surface in surfaces:
        show.note(f"Surface: {surface['title']} (drawn in the chat and in notebooks)")
    show.note(f"Executed notebook: {done.notebook}")
    return 0


@command.command("check")
@click.argument("paths", nargs=-1, required=True, metavar="DIR...", type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="Hold it against the Agent Skills specification.")
@json_option
def check(paths: tuple[Path, ...], strict: bool, as_json: bool) -> int:
    """Check each DIR, a skill or a folder of skills; the exit status is 1 if any is invalid."""
    found = check_paths(list(paths), strict)
    if as_json:
        show.print_json([one.to_dict() for one in found])
    else:
        for one in found:
            print(show.plain(f"{one.path}: {'valid' if one.valid else 'not valid'}"))
            for problem in one.problems:
                print(show.plain(f"  {problem}"))
    return int(any(not one.valid for one in found))


def _place(state_dir: Path, agent: str | None) -> Place:
    from openclaw_kernel.agent.settings import workspace_of

    state_dir = state_dir.expanduser().absolute()
    env = {**os.environ, "OPENCLAW_STATE_DIR": str(state_dir)}
    config = load_config(config_path(env), env).config
    agent_id = agent or _default_agent(config)
    shelf = Shelf(lambda: config, lambda agent_id: workspace_of(config, state_dir, agent_id), state_dir, env)
    return Place(shelf, agent_id, workspace_of(config, state_dir, agent_id))


def _default_agent(config: OpenClawConfig) -> str:
    agents = config.agents.list
    return next((agent.id for agent in agents if agent.default), agents[0].id if agents else "main")


def _named(place: Place, name: str) -> Skill:
    path = Path(name)
    if path.is_dir() and (path / "skill.ipynb").is_file():
        path = path / "skill.ipynb"
    if path.suffix == ".ipynb" and path.is_file():
        return read_skill(path.absolute(), "extra")
    return place.shelf.find(place.agent_id, name)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UserError(f"{text!r} is no parameter; write KEY=VALUE.")
    return name.strip(), value


def _usable(row: Mapping[str, Any]) -> str:
    return f"no: {row['reason']}" if row.get("reason") else "yes"


def _meta(skill: Skill) -> dict[str, Any]:
    return {name: skill.meta[name] for name in ("license", "compatibility", "allowed-tools") if name in skill.meta}
