"""`memory`: the notes the assistant keeps, and the model that finds them by meaning."""

from __future__ import annotations

import click

from openclaw_gateway.cli.memory_model import model


@click.group("memory")
def command() -> None:
    """Look after the assistant's memory."""


command.add_command(model)
