"""Asking the person something and waiting for the answer (TOL-14)."""

from __future__ import annotations

import asyncio

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from openclaw_kernel.tools.api import Tool, ToolContext, ToolError, ToolResult, error_result, text_result
from openclaw_kernel.tools.questions import HEADER_CHARS, MAX_OPTIONS, MAX_QUESTIONS, Asked, Option, Question, Questions
from openclaw_kernel.values.errors import OpenClawError

LABEL_CHARS, MEANING_CHARS = 80, 300


class _Args(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True, alias_generator=to_camel, populate_by_name=True)


class Ask(_Args):
    header: str = Field(max_length=HEADER_CHARS)
    question: str = Field(max_length=1_000)
    options: list[str] = Field(
        default_factory=list,
        max_length=MAX_OPTIONS,
        description="`label` or `label | what it means`",
    )
    multi_select: bool = False


class AskArgs(_Args):
    questions: list[Ask] = Field(min_length=1, max_length=MAX_QUESTIONS)


def ask_user_tool(questions: Questions) -> Tool:
    """`ask_user`, whose questions live in `questions`. It waits for the answer, the end of the time or the end of the run."""

    async def run(args: AskArgs, ctx: ToolContext) -> ToolResult:
        asked = _put(questions, args, ctx)
        ctx.progress(_shown(asked), None)
        answer = asyncio.ensure_future(questions.wait(asked.id))
        stop = asyncio.ensure_future(ctx.signal.wait())
        try:
            await asyncio.wait({answer, stop}, return_when=asyncio.FIRST_COMPLETED)
            return _result(answer.result() if answer.done() else questions.get(asked.id))
        finally:
            answer.cancel()
            stop.cancel()
            questions.drop(asked.id)

    return Tool(
        "ask_user",
        "Ask the person and wait for the answer. Only when you cannot go on without it.",
        AskArgs,
        run,
        groups=frozenset({"agents"}),
        exclusive=True,
        title=lambda arguments: "Ask: " + _first(arguments.get("questions")),
    )


def _put(questions: Questions, args: AskArgs, ctx: ToolContext) -> Asked:
    rows = []
    for number, one in enumerate(args.questions, 1):
        options = tuple(_option(text) for text in one.options)
        labels = [option.label for option in options]
        if len(labels) == 1 or len(set(labels)) != len(labels) or not all(labels):
            raise ToolError(f"Question {number} needs two or more different options, or none for free words.")
        rows.append(Question(f"q{number}", one.header, one.question, options, one.multi_select, is_other=True))
    try:
        return questions.ask(rows, agent_id=ctx.agent_id, session_key=ctx.session_key, run_id=ctx.run_id)
    except OpenClawError as error:
        raise ToolError(str(error)) from error


def _option(text: str) -> Option:
    label, _, meaning = text.partition("|")
    return Option(label.strip()[:LABEL_CHARS], meaning.strip()[:MEANING_CHARS])


def _shown(row: Asked) -> str:
    """For faces that have no card: what is asked, and where it can be answered from anywhere."""
    lines = [f"{one.question}  {' / '.join(option.label for option in one.options)}".rstrip() for one in row.questions]
    return "\n".join((*lines, "Answer in the chat or with `jupyter openclaw questions answer`."))


def _result(row: Asked) -> ToolResult:
    details = {
        "questionId": row.id,
        "status": row.status,
        "answers": {name: list(texts) for name, texts in row.answers.items()},
    }
    if row.status != "answered":
        words = {"expired": "Nobody answered in time.", "cancelled": "The person does not want to answer."}
        return error_result(words.get(row.status, "The question was withdrawn."), **details)
    lines = [f"{one.header}: {'; '.join(row.answers[one.question_id])}" for one in row.questions]
    return text_result("The person answered.\n" + "\n".join(lines), **details)


def _first(rows: object) -> str:
    first = rows[0] if isinstance(rows, list) and rows else {}
    return str(first.get("question", ""))[:120] if isinstance(first, dict) else ""
