"""`config`: the file the user owns, read, changed and checked. A running gateway notices a change by itself."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from openclaw_gateway.cli import show
from openclaw_gateway.cli.options import json_option, state_dir_option
from openclaw_kernel.config.edit import remove, set_value
from openclaw_kernel.config.json5 import loads
from openclaw_kernel.config.loader import ConfigError, LoadedConfig, load_config, read_config
from openclaw_kernel.config.redact import redact
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.store.atomic import write_atomic
from openclaw_kernel.values.errors import UserError

Key = str | int


@click.group("config")
def command() -> None:
    """Read and change openclaw.json."""


@command.command("path")
@json_option
@state_dir_option
def show_path(state_dir: Path, as_json: bool) -> None:
    """Print where the file is."""
    path = config_file(state_dir)
    if as_json:
        show.print_json({"path": str(path), "exists": path.exists()})
    else:
        print(path)


@command.command("get")
@click.argument("key", default="")
@json_option
@state_dir_option
def get(state_dir: Path, as_json: bool, key: str) -> None:
    """Print a value, secrets hidden; of a key that is not in the file, its default."""
    loaded = _load(state_dir)
    written, found = _look_up(redact(loaded.parsed), split_key(key))
    if not found:
        defaults = redact(loaded.config.model_dump(by_alias=True, mode="json"))
        written, found = _look_up(defaults, split_key(key))
    if not found:
        raise UserError(f"{loaded.path} has no key {key!r} and there is no default for it.")
    if isinstance(written, str) and not as_json:
        print(show.plain(written))
    else:
        show.print_json(written)


@command.command("set")
@click.argument("key")
@click.argument("value")
@json_option
@state_dir_option
def set_key(state_dir: Path, as_json: bool, key: str, value: str) -> None:
    """Write one value, comments kept. VALUE is JSON5; what cannot be read so is taken as text."""
    change_file(state_dir, as_json, key, lambda raw: set_value(raw, split_key(key), _value(value)), "Set")


@command.command("unset")
@click.argument("key")
@json_option
@state_dir_option
def unset_key(state_dir: Path, as_json: bool, key: str) -> None:
    """Take one key out of the file, so that its default holds again."""
    loaded = _load(state_dir)
    path = split_key(key)
    if not _look_up(loaded.parsed, path)[1]:
        raise UserError(f"{loaded.path} has no key {key!r}.")
    change_file(state_dir, as_json, key, lambda raw: remove(raw, path), "Unset")


@command.command("validate")
@json_option
@state_dir_option
def validate(state_dir: Path, as_json: bool) -> None:
    """Check the file; every problem is listed and the exit status is 1."""
    loaded = _load(state_dir)
    if as_json:
        show.print_json({"path": str(loaded.path), "exists": loaded.exists, "valid": True, "warnings": loaded.warnings})
        return
    for warning in loaded.warnings:
        show.note(warning)
    print(f"{loaded.path} is valid." if loaded.exists else f"{loaded.path} does not exist; the defaults hold.")


@command.command("schema")
@json_option
def schema(as_json: bool) -> None:
    """Print the JSON Schema of the file."""
    show.print_json(OpenClawConfig.model_json_schema(by_alias=True))


def config_file(state_dir: Path) -> Path:
    """`OPENCLAW_CONFIG_PATH`, else `openclaw.json` in the state directory the command was given."""
    named = os.environ.get("OPENCLAW_CONFIG_PATH", "").strip()
    return Path(named).expanduser() if named else state_dir.expanduser() / "openclaw.json"


def split_key(key: str) -> list[Key]:
    """`agents.list[0].model` or `agents.list.0.model` as a path."""
    parts = [part for part in key.replace("[", ".").replace("]", "").split(".") if part]
    return [int(part) if part.isdigit() else part for part in parts]


def _load(state_dir: Path) -> LoadedConfig:
    return load_config(config_file(state_dir), os.environ)


def _look_up(value: Any, path: list[Key]) -> tuple[Any, bool]:
    for part in path:
        if isinstance(value, dict) and str(part) in value:
            value = value[str(part)]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return None, False
    return value, True


def _value(text: str) -> Any:
    try:
        return loads(text)
    except ValueError:
        return text


def change_file(state_dir: Path, as_json: bool, key: str, edit: Callable[[str], str], done: str) -> None:
    """Edit the text, check the whole result as if it were the file, and only then replace it."""
    path = config_file(state_dir)
    raw = path.read_text(encoding="utf-8") if path.exists() else "{}\n"
    changed = edit(raw)
    try:
        read_config(path, changed, os.environ)
    except ConfigError as error:
        raise UserError(f"{path} was left as it is: {error}") from error
    write_atomic(path, changed)
    if as_json:
        show.print_json({"path": str(path), "key": key, "changed": changed != raw})
    else:
        print(f"{done} {key} in {path}.")
