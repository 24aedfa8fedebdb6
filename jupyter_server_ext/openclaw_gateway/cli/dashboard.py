"""`dashboard`: the chat in a browser."""

from __future__ import annotations

import webbrowser

import click

from openclaw_gateway.cli import show
from openclaw_gateway.cli.wire import Target, find, target_options
from openclaw_gateway.serve import chat_link


@click.command("dashboard")
@click.option("--open/--no-open", "launch", default=False, help="Open the page in the default browser too.")
@target_options
def command(target: Target, launch: bool) -> int:
    """Print a link to the chat page that lets this browser in.

    The token stands behind the # of the link: browsers do not send that part to anybody, and the page takes it off the
    address at once.
    """
    url, token = find(target, start=True)
    link = chat_link(url, token or "")
    if target.as_json:
        show.print_json({"url": link})
    else:
        print(link)
    if launch:
        webbrowser.open(link)
    return 0
