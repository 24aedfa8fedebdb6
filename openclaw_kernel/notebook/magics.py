"""`%claw` and `%%claw` in any Python kernel: `%load_ext openclaw_kernel`."""

from __future__ import annotations

import argparse
import asyncio
import re
import shlex
from typing import Any, NoReturn

from IPython.display import display

from openclaw_kernel.notebook import assistant as assistant_module
from openclaw_kernel.notebook import mounts
from openclaw_kernel.notebook.assistant import Assistant, answer_of
from openclaw_kernel.notebook.firstcell import mind
from openclaw_kernel.notebook.live import current_panel
from openclaw_kernel.notebook.screen import CellScreen
from openclaw_kernel.notebook.session import current_link
from openclaw_kernel.values.errors import OpenClawError, UserError

USAGE = """%claw MESSAGE          ask in one line
%%claw [OPTIONS]       ask with the whole cell
%claw live             show what the assistant does, its questions and its canvases here
%claw sql SELECT …     ask your conversations, calls, usage and notes
%claw status           where the gateway is, which session this notebook has"""

_SQL = re.compile(r"sql\s+((?:select|with|from|describe|show|summarize|values)\b.*)", re.IGNORECASE | re.DOTALL)
"""A question that begins with the word is still a question."""


class BadUse(UserError):
    """The line behind the magic cannot be understood."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadUse(f"%claw: {message}; its options are --session NAME, --model PROVIDER/MODEL and --no-stream.")


def _parser() -> _Parser:
    parser = _Parser(prog="%claw", add_help=False, allow_abbrev=False)
    parser.add_argument("--session", default=None)
    parser.add_argument("--model", default="")
    parser.add_argument("--no-stream", action="store_true")
    return parser


def claw(line: str, cell: str | None = None) -> Any:
    """Ask the assistant.

    %claw MESSAGE · %%claw [--session NAME] [--model PROVIDER/MODEL] [--no-stream] · %claw sql SELECT … · %claw live · status
    """
    try:
        options, message = _read(line, cell)
        assistant = Assistant(options.session)
        if cell is None and message == "live":
            display(assistant.live())
            return None
        if cell is None and message == "status":
            display(_status(assistant), raw=True)
            return None
        if cell is None and (asked := _SQL.fullmatch(message)):
            return assistant.sql(asked[1])
        if not message.strip():
            print(USAGE)
            return None
        if options.no_stream:
            return assistant.ask(message, model=options.model)
        _show(assistant, message, options.model)
        return None
    except (UserError, OpenClawError) as error:
        raise _plain(error) from None


def _read(line: str, cell: str | None) -> tuple[argparse.Namespace, str]:
    """Options first, then the message as it was typed."""
    parser = _parser()
    rest = line.strip()
    taken: list[str] = []
    while rest.startswith("--"):
        word, _, after = rest.partition(" ")
        taken.append(word)
        rest = after.lstrip()
        if word in ("--session", "--model") and rest:
            value = shlex.split(rest, posix=True)[0] if rest[0] in "'\"" else rest.split()[0]
            taken.append(value)
            rest = rest[rest.index(value) + len(value) :].lstrip("'\" ")
    options = parser.parse_args(taken)
    return options, "\n".join(part for part in (rest, cell) if part)


def _show(assistant: Assistant, message: str, model: str) -> None:
    """Draws the turn into this cell. What was said is shown already, so nothing is returned to be shown again."""
    screen = CellScreen()
    turn = assistant.turn(message, model=model)
    shown_before = _surfaces()
    done = False
    try:
        for step in turn.steps(screen.due):
            if step is None:
                if screen.due() == 0:
                    screen.flush()
            else:
                screen.show(step)
        done = True
    finally:
        screen.finish(turn.outcome if done else None)
    for surface_id, messages in _surfaces().items():
        # The blocked main thread could not show it while it came.
        if messages is not shown_before.get(surface_id) and current_panel() is None:
            display(mounts.mount(surface_id, messages))
    answer = answer_of(turn.outcome)
    shell = _shell()
    if shell is not None:
        shell.user_ns["_claw"] = answer


def _surfaces() -> dict[str, Any]:
    """What the assistant has presented in this kernel, by surface id."""
    node = assistant_module.current_node()
    return dict(node.surfaces) if node is not None else {}


def _status(assistant: Assistant) -> dict[str, str]:
    facts = assistant.status()
    rows = "\n".join(f"- {name}: `{facts[name]}`" for name in ("gateway", "version", "session"))
    return {"text/markdown": rows, "text/plain": rows.replace("`", "")}


class ClawError(Exception):
    """One sentence, shown without a traceback of ours."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def _plain(error: Exception) -> ClawError:
    return ClawError(str(error))


def _shell() -> Any:
    from IPython import get_ipython

    return get_ipython()


def load(shell: Any) -> None:
    """Registers the magics; where a loop runs, the kernel becomes a node of the gateway as soon as one is there."""
    register(shell)
    mind(shell, claw)
    link = current_link()
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return
    from openclaw_kernel.notebook.node import start_node

    start_node(link, shell, loop)
    link.start()


def register(shell: Any) -> None:
    shell.register_magic_function(claw, "line_cell", "claw")
    if questions not in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.append(questions)


_QUESTION = re.compile(r"^(\s*)%claw\s+(.*\?)\s*$", re.DOTALL)


def questions(lines: list[str]) -> list[str]:
    """Input lines with `%claw … ?` spelled as a call: IPython takes what ends with a question mark for a look-up of help."""
    return [_QUESTION.sub(_called, line) for line in lines]


def _called(found: re.Match[str]) -> str:
    return f"{found[1]}get_ipython().run_line_magic('claw', {found[2]!r})\n"


def unload(shell: Any) -> None:
    """Takes the magics away; the link stays for whoever else uses it."""
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop("claw", None)
    if questions in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.remove(questions)
