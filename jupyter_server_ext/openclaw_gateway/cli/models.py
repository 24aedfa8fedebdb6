"""`models`: what can be talked to."""

from __future__ import annotations

import click

from openclaw_gateway.cli import show
from openclaw_gateway.cli.wire import Target, call, target_options


@click.group("models")
def command() -> None:
    """Show the models the gateway knows."""


@command.command("list")
@target_options
def list_models(target: Target) -> None:
    """Every configured model and whether it can be used now."""
    listed = call(target, "models.list", {"view": "default", "includeDetails": True})
    if target.as_json:
        show.print_json(listed)
        return
    show.print_table(
        ("model", "name", "context", "input", "reasoning", "available"),
        (
            (
                f"{model.get('provider')}/{model.get('id')}",
                model.get("name") or "",
                model.get("contextWindow") or "",
                ", ".join(model.get("input") or []),
                "yes" if model.get("reasoning") else "",
                "no" if model.get("available") is False else "yes",
            )
            for model in listed.get("models") or []
        ),
        empty="No models are configured.",
    )
