"""`questions`: what the assistant waits for a person to answer, in any session."""

from __future__ import annotations

import click

from openclaw_gateway.cli import show
from openclaw_gateway.cli.question import ask_all
from openclaw_gateway.cli.wire import Target, call, target_options
from openclaw_kernel.values.errors import UserError


@click.group("questions")
def command() -> None:
    """See what the assistant asks you, and answer it."""


@command.command("list")
@target_options
def listing(target: Target) -> None:
    """Open questions, the oldest first."""
    rows = call(target, "question.list")["questions"]
    if target.as_json:
        show.print_json(rows)
        return
    cells = [(row["id"], row.get("sessionKey", ""), "; ".join(one["question"] for one in row["questions"])) for row in rows]
    show.print_table(("id", "session", "question"), cells, empty="Nothing is asked.")


@command.command("answer")
@click.argument("question_id", default="")
@click.option("--cancel", is_flag=True, help="Say that there is no answer.")
@target_options
def answer(target: Target, question_id: str, cancel: bool) -> None:
    """Answer one question, the oldest unless told which."""
    rows = call(target, "question.list")["questions"]
    row = next((one for one in rows if question_id in ("", one["id"])), None)
    if row is None:
        raise UserError("Nothing is asked." if not question_id else f"There is no open question {question_id!r}.")
    answers = None if cancel else ask_all(row, input, show.write)
    if answers is None and not cancel:
        raise UserError("The question stays open: the input ended before it was answered.")
    params = {"id": row["id"], **({"cancel": True} if answers is None else {"answers": {"answers": answers}})}
    done = call(target, "question.resolve", params)
    if target.as_json:
        show.print_json(done)
    else:
        print("Told the assistant.")
