"""Commands that plugins bring. Looked for only when a name is none of the product's own."""

from __future__ import annotations

import importlib
import os

import click

from openclaw_gateway.plugins.loader import Plugins
from openclaw_kernel.config.loader import load_config
from openclaw_kernel.store.paths import config_path, state_dir
from openclaw_kernel.values.errors import UserError


def find(name: str) -> click.Command | None:
    """The command of that name of a plugin that may run; `None` when there is none. Loads the plugins."""
    try:
        settings = load_config(config_path(os.environ), os.environ).config
    except UserError:
        return None  # the command then is unknown; `config` says what is wrong with the file
    if not settings.plugins.allow:
        return None
    plugins = Plugins(settings.plugins, state_dir(os.environ))
    plugins.load()
    for plugin in plugins.active():
        if (where := plugin.offers.cli.get(name)) is not None:
            return _command(plugin.id, where)
    return None


def _command(plugin_id: str, where: str) -> click.Command:
    module, _, attribute = where.partition(":")
    try:
        command = getattr(importlib.import_module(module), attribute)
    except Exception as error:
        raise UserError(f"The command of plugin {plugin_id} cannot be loaded: {type(error).__name__}: {error}.") from error
    if not isinstance(command, click.Command):
        raise UserError(f"The command of plugin {plugin_id} cannot be loaded: {where} is no click command.")
    return command
