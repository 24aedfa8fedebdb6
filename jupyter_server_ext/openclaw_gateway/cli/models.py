"""`models`: what can be talked to, what is asked, and with which keys."""

from __future__ import annotations

import click

from openclaw_gateway.cli import show
from openclaw_gateway.cli.model_auth import auth, auth_state
from openclaw_gateway.cli.model_choice import aliases, fallbacks, set_model
from openclaw_gateway.cli.wire import Target, Wire, call, target_options


@click.group("models")
def command() -> None:
    """Show models, choose one, and look after keys."""


command.add_command(auth)
command.add_command(aliases)
command.add_command(fallbacks)
command.add_command(set_model)


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


@command.command("status")
@target_options
def status(target: Target) -> None:
    """The default model, who stands in for it, and whether their keys are good."""
    with Wire(target) as wire:
        listed = wire.request("models.list", {"view": "default", "includeDetails": True})
        found = wire.request("models.authStatus")
        config = wire.request("config.get")["config"]
    default = next((row for row in listed["models"] if "default" in row.get("tags", ())), None)
    choice = config.get("agents", {}).get("defaults", {}).get("model") or {}
    standing_in = choice.get("fallbacks", []) if isinstance(choice, dict) else []
    name = f"{default['provider']}/{default['id']}" if default else "none"
    if target.as_json:
        show.print_json({"default": name, "fallbacks": standing_in, "auth": found["providers"]})
        return
    show.print_facts([("default", name), ("fallbacks", ", ".join(standing_in) or "none")])
    for provider in found["providers"]:
        for one in provider["usage"]:
            if one["source"] != "none":
                print(f"{provider['provider']:<14}  {show.plain(one['profileId'])}  {auth_state(one)}")
        if provider["status"] == "missing":
            print(f"{provider['provider']:<14}  no key")
