"""`models auth`: keys and tokens of the providers, kept by the gateway. None is ever printed."""

from __future__ import annotations

import sys

import click

from openclaw_gateway.cli import show
from openclaw_gateway.cli.wire import Target, call, target_options
from openclaw_kernel.values.errors import UserError


@click.group("auth")
def auth() -> None:
    """List, add, order or remove keys and tokens."""


@auth.command("list")
@target_options
def list_auth(target: Target) -> None:
    """Every credential, in the order they are tried, and how it is doing."""
    found = call(target, "models.authStatus")
    if target.as_json:
        show.print_json(found)
        return
    rows = []
    for provider in found["providers"]:
        rows += [
            (provider["provider"], one["profileId"], one["type"], one["source"], auth_state(one)) for one in provider["usage"]
        ] or [(provider["provider"], "–", "–", "–", "missing")]
    show.print_table(("provider", "name", "kind", "kept in", "state"), rows, empty="There are no credentials.")


@auth.command("add")
@click.argument("provider")
@click.option("--name", default=None, help="What to call it, for example anthropic:work.")
@click.option("--kind", type=click.Choice(["api_key", "token", "oauth"]), default="api_key", show_default=True)
@click.option("--refresh-token", is_flag=True, help="Ask for a refresh token too, on the second line of stdin.")
@click.option("--token-url", default="", help="Where the token is renewed.")
@click.option("--client-id", default="", help="Client id for renewing.")
@click.option("--expires-in", type=click.IntRange(min=1), default=None, help="Seconds until the token is void.")
@target_options
def add_auth(
    target: Target,
    provider: str,
    name: str | None,
    kind: str,
    refresh_token: bool,
    token_url: str,
    client_id: str,
    expires_in: int | None,
) -> None:
    """Keep a key or token of PROVIDER. It is read from the terminal without echo, or from stdin."""
    import time

    params: dict[str, object] = {"provider": provider, "apiKey": _secret(f"Key for {provider}"), "kind": kind}
    if name:
        params["profileId"] = name
    if refresh_token:
        params["refreshToken"] = _secret("Refresh token")
    if token_url:
        params["tokenUrl"] = token_url
    if client_id:
        params["clientId"] = client_id
    if expires_in is not None:
        params["expiresAt"] = round((time.time() + expires_in) * 1000)
    kept = call(target, "models.authSetApiKey", params)
    if target.as_json:
        show.print_json(kept)
    else:
        print(f"Kept {kept['profileId']}.")


@auth.command("order")
@click.argument("provider")
@click.argument("names", nargs=-1)
@click.option("--clear", is_flag=True, help="Back to the one used longest ago.")
@target_options
def order_auth(target: Target, provider: str, names: tuple[str, ...], clear: bool) -> None:
    """Show the order of PROVIDER's credentials, or set it to NAMES."""
    if names or clear:
        found = call(target, "models.authOrderSet", {"provider": provider, "order": [] if clear else list(names)})
    else:
        rows = call(target, "models.authStatus")["providers"]
        row = next((row for row in rows if row["provider"] == provider), None)
        if row is None:
            raise UserError(f"{provider} has no credentials.")
        found = {"provider": provider, "order": row["order"]}
    if target.as_json:
        show.print_json(found)
    else:
        print("\n".join(map(show.plain, found["order"])) or "Used longest ago first.")


@auth.command("remove")
@click.argument("provider")
@click.argument("names", nargs=-1)
@target_options
def remove_auth(target: Target, provider: str, names: tuple[str, ...]) -> None:
    """Forget kept credentials of PROVIDER: NAMES, or all."""
    params: dict[str, object] = {"provider": provider} | ({"profileIds": list(names)} if names else {})
    gone = call(target, "models.authLogout", params)
    if target.as_json:
        show.print_json(gone)
        return
    print(f"Removed {', '.join(gone['removedProfiles'])}." if gone["removedProfiles"] else "Nothing was kept by that name.")


def auth_state(row: dict[str, object]) -> str:
    """One word or two on how a credential is doing."""
    if row.get("disabledUntil"):
        return f"off until {show.when(row['disabledUntil'])} ({row.get('reason', '')})"
    if row.get("cooldownUntil"):
        return f"left alone until {show.when(row['cooldownUntil'])} ({row.get('reason', '')})"
    if row["status"] in ("expiring", "expired"):
        return f"{row['status']} {show.when(row.get('expiresAt'))}; renew it with jupyter openclaw models auth add"
    return str(row["status"])


def _secret(label: str) -> str:
    """Typed without echo, or a line of stdin. Never an argument: those are seen by every process."""
    text = click.prompt(label, hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
    if not str(text).strip():
        raise UserError(f"{label}: nothing was given.")
    return str(text).strip()
