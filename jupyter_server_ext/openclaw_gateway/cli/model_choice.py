"""`models set`, `models aliases`, `models fallbacks`: which model is asked, written into openclaw.json, comments kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from openclaw_gateway.cli import show
from openclaw_gateway.cli.config import change_file, config_file
from openclaw_gateway.cli.options import json_option, state_dir_option
from openclaw_kernel.config.edit import remove, set_value
from openclaw_kernel.config.loader import LoadedConfig, load_config
from openclaw_kernel.config.secrets import Secrets
from openclaw_kernel.models.service import Models
from openclaw_kernel.values.errors import UserError

MODEL = ["agents", "defaults", "model"]


@click.command("set")
@click.argument("model")
@json_option
@state_dir_option
def set_model(state_dir: Path, as_json: bool, model: str) -> None:
    """Make MODEL (provider/model or an alias) the one that is asked by default."""
    ref = _models(_load(state_dir)).resolve(model).ref
    _write_choice(state_dir, as_json, ref, None)


@click.group("fallbacks", invoke_without_command=True)
@click.pass_context
def fallbacks(context: click.Context) -> None:
    """List, add or remove what is asked when the default model fails."""
    if context.invoked_subcommand is None:
        context.invoke(list_fallbacks)


@fallbacks.command("list")
@json_option
@state_dir_option
def list_fallbacks(state_dir: Path, as_json: bool) -> None:
    """The models that are asked when the default one fails, in order."""
    found = _choice(_load(state_dir))[1]
    if as_json:
        show.print_json({"fallbacks": found})
    else:
        print("\n".join(map(show.plain, found)) or "There are no fallbacks.")


@fallbacks.command("add")
@click.argument("model")
@json_option
@state_dir_option
def add_fallback(state_dir: Path, as_json: bool, model: str) -> None:
    """Ask MODEL after those that are listed."""
    loaded = _load(state_dir)
    ref, (primary, found) = _models(loaded).resolve(model).ref, _choice(loaded)
    if ref in found or ref == primary:
        raise UserError(f"{ref} is asked already.")
    _write_choice(state_dir, as_json, None, [*found, ref])


@fallbacks.command("remove")
@click.argument("model")
@json_option
@state_dir_option
def remove_fallback(state_dir: Path, as_json: bool, model: str) -> None:
    """Take MODEL off the list."""
    loaded = _load(state_dir)
    found, gone = _choice(loaded)[1], {model, _models(loaded).aliases().get(model.lower(), model)}
    left = [ref for ref in found if ref not in gone]
    if len(left) == len(found):
        raise UserError(f"{model} is no fallback; there are {', '.join(found) or 'none'}.")
    _write_choice(state_dir, as_json, None, left)


@fallbacks.command("clear")
@json_option
@state_dir_option
def clear_fallbacks(state_dir: Path, as_json: bool) -> None:
    """Ask nobody when the default model fails."""
    _write_choice(state_dir, as_json, None, [])


@click.group("aliases", invoke_without_command=True)
@click.pass_context
def aliases(context: click.Context) -> None:
    """List, add or remove short names of models."""
    if context.invoked_subcommand is None:
        context.invoke(list_aliases)


@aliases.command("list")
@json_option
@state_dir_option
def list_aliases(state_dir: Path, as_json: bool) -> None:
    """Short names and what they stand for."""
    found = _models(_load(state_dir)).aliases()
    if as_json:
        show.print_json({"aliases": found})
    else:
        show.print_table(("alias", "model"), sorted(found.items()), empty="There are no aliases.")


@aliases.command("add")
@click.argument("alias")
@click.argument("model")
@json_option
@state_dir_option
def add_alias(state_dir: Path, as_json: bool, alias: str, model: str) -> None:
    """Call MODEL by ALIAS."""
    models = _models(_load(state_dir))
    if "/" in alias or not alias.strip() or alias.isdigit():
        raise UserError(f"{alias!r} is no alias: it needs a letter and no slash.")
    ref = models.resolve(model).ref
    known = models.aliases().get(alias.lower())
    if known not in (None, ref):
        raise UserError(f"{alias} is {known} already; remove that alias first.")
    path = ["agents", "defaults", "models", ref, "alias"]
    change_file(state_dir, as_json, ".".join(path), lambda raw: set_value(raw, path, alias), "Set")


@aliases.command("remove")
@click.argument("alias")
@json_option
@state_dir_option
def remove_alias(state_dir: Path, as_json: bool, alias: str) -> None:
    """Forget ALIAS."""
    ref = _models(_load(state_dir)).aliases().get(alias.lower())
    if ref is None:
        raise UserError(f"There is no alias {alias!r}; `jupyter openclaw models aliases` lists them.")
    path = ["agents", "defaults", "models", ref, "alias"]
    change_file(state_dir, as_json, ".".join(path), lambda raw: remove(raw, path), "Unset")


def _load(state_dir: Path) -> LoadedConfig:
    return load_config(config_file(state_dir), os.environ)


def _models(loaded: LoadedConfig) -> Models:
    """The catalogue the config describes; nothing is asked and nothing is written."""
    return Models(loaded.config, Secrets(loaded.config, os.environ), env=os.environ)


def _choice(loaded: LoadedConfig) -> tuple[str | None, list[str]]:
    """The default model and its fallbacks as they are written."""
    model = loaded.config.agents.defaults.model
    return (model, []) if isinstance(model, str) else (model.primary, list(model.fallbacks))


def _write_choice(state_dir: Path, as_json: bool, primary: str | None, found: list[str] | None) -> None:
    """Writes what is given; a bare name in the file becomes an object when it has to hold more."""
    loaded = _load(state_dir)
    before, listed = _choice(loaded)

    def edit(raw: str) -> str:
        if isinstance(loaded.config.agents.defaults.model, str):
            if found is None:
                return set_value(raw, MODEL, primary)
            whole: dict[str, Any] = {"primary": before, "fallbacks": listed}
            raw = set_value(raw, MODEL, whole)
        raw = set_value(raw, [*MODEL, "primary"], primary) if primary is not None else raw
        return set_value(raw, [*MODEL, "fallbacks"], found) if found is not None else raw

    key = "agents.defaults.model" + (".primary" if primary is not None else ".fallbacks")
    change_file(state_dir, as_json, key, edit, "Set")
