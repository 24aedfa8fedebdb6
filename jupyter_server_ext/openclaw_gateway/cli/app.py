"""The command tree, loaded one command at a time, and the one place where a failure becomes a sentence."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

import click

from openclaw_kernel._version import __version__
from openclaw_kernel.values.errors import OpenClawError, UserError

PROGRAM = "jupyter openclaw"

COMMANDS = {
    "serve": "Run the gateway in the foreground.",
    "chat": "Talk with the assistant in this terminal.",
    "dashboard": "Print a link to the chat page, or open it.",
    "agent": "Send one message and print the answer.",
    "health": "Ask the gateway whether it is well.",
    "status": "Show the gateway, its agents and its sessions.",
    "sessions": "List, show, reset or delete sessions.",
    "config": "Read and change openclaw.json.",
    "plugins": "List plugins, let them in, or switch them off.",
    "cron": "Plan, list, run or remove scheduled jobs.",
    "models": "Show models, choose one, and look after keys.",
    "usage": "Tokens and money spent, and what the budgets leave.",
    "skills": "List, make, check and run skills.",
    "sql": "Ask your conversations, calls, usage and notes with SQL.",
    "memory": "Look after the memory and its embedding model.",
    "channels": "List channels, show their state, look after dead letters.",
    "pairing": "Let people in who wrote on a channel.",
    "devices": "List browsers and phones, let them in, or take that back.",
    "approvals": "See what waits for your yes, and answer it.",
    "questions": "See what the assistant asks you, and answer it.",
    "mcp": "List, add, test and remove MCP servers.",
    "sandbox": "Show where commands run and why, and empty private folders.",
    "nodes": "List, approve and call devices, kernels and windows.",
    "logs": "Print the gateway's log.",
    "a2ui": "Check files of A2UI messages.",
}
"""Name → one line for `--help`. Each lives in the module of the same name as `command`."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, and whose help imports none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return importlib.import_module("openclaw_gateway.cli.extra").find(cmd_name)  # type: ignore[no-any-return]
        module = importlib.import_module(f"openclaw_gateway.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", message=f"{PROGRAM} %(version)s")
def cli() -> None:
    """A personal assistant that lives in Jupyter.

    The gateway keeps the assistant's state; every other command is a client of a running one.
    """


def run(args: Sequence[str]) -> int:
    """Run a command line and turn every failure into one sentence on stderr and an exit status."""
    try:
        result = cli.main(args=list(args), prog_name=PROGRAM, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as help_instead:
        help_instead.show()
        return help_instead.exit_code
    except click.ClickException as error:
        return _fail(error.format_message(), error.exit_code)
    except (UserError, OpenClawError) as error:
        return _fail(str(error))
    except (KeyboardInterrupt, click.Abort):
        return _fail("Interrupted.", 130)
    except BrokenPipeError:
        # The reader of a pipe has left; point stdout at nothing so that the interpreter's own flush stays silent.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get("OPENCLAW_DEBUG"):
            raise
        return _fail(f"{_describe(error)} Set OPENCLAW_DEBUG=1 to see where it happened.")
    return result if isinstance(result, int) else 0


def _describe(error: Exception) -> str:
    """An unforeseen failure in one line; its class is named because its text may be empty."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}." if text else f"{type(error).__name__}."


def _fail(sentence: str, status: int = 1) -> int:
    print(f"{PROGRAM}: {sentence}", file=sys.stderr)
    return status
