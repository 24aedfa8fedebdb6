"""`question.*`: what the assistant asks a person, and how the answer comes back (protocol section 5)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from openclaw_gateway.methods.services import Params, parts
from openclaw_gateway.protocol.broadcast import Broadcaster
from openclaw_gateway.protocol.dispatch import Call, Method
from openclaw_kernel.tools.questions import EXPIRES_AFTER_MS, HEADER_CHARS, MAX_OPTIONS, MAX_QUESTIONS, Asked, Option, Question
from openclaw_kernel.values.errors import invalid

SCOPE = "operator.questions"
MAX_TIMEOUT_MS = 24 * 3600 * 1000
_ID = r"^[a-z][a-z0-9_]*$"


class OptionParams(Params):
    label: str = Field(min_length=1)
    description: str | None = None


class QuestionParams(Params):
    question_id: str = Field(pattern=_ID)
    header: str = Field(max_length=HEADER_CHARS)
    question: str = Field(min_length=1)
    url: str | None = Field(default=None, max_length=2048)
    options: list[OptionParams] = Field(max_length=MAX_OPTIONS)
    multi_select: bool = False
    is_other: bool = False
    is_secret: bool = False
    secret_store: dict[str, Any] | None = None


class RequestParams(Params):
    id: str | None = Field(default=None, min_length=1, max_length=128)
    questions: list[QuestionParams] = Field(min_length=1, max_length=MAX_QUESTIONS)
    agent_id: str | None = None
    session_key: str | None = None
    run_id: str | None = None
    timeout_ms: int | None = Field(default=None, ge=1)


class GetParams(Params):
    id: str = Field(min_length=1)


class WaitParams(GetParams):
    timeout_ms: int | None = Field(default=None, ge=1)
    include_resolution_id: bool = False


class AnswersParams(Params):
    answers: dict[Annotated[str, Field(pattern=_ID)], list[str]]


class ResolveParams(GetParams):
    """Either `answers` or `cancel`."""

    answers: AnswersParams | None = None
    cancel: Literal[True] | None = None
    resolved_by: str | None = None
    resolution_id: str | None = Field(default=None, max_length=128)
    secret_store_allowed_hosts: list[str] | None = None


class ListParams(Params):
    session_key: str | None = None


def question_wire(row: Asked) -> dict[str, Any]:
    """A record as clients see it: `question.list` and the event `question.requested`."""
    wire: dict[str, Any] = {
        "id": row.id,
        "questions": [_one(question) for question in row.questions],
        "createdAtMs": row.created_at,
        "expiresAtMs": row.expires_at,
        "status": row.status,
    }
    named = {"agentId": row.agent_id, "sessionKey": row.session_key, "runId": row.run_id, "resolvedBy": row.resolved_by}
    return wire | {key: value for key, value in named.items() if value} | _answers(row)


def announce(row: Asked, broadcaster: Broadcaster) -> None:
    """Tells connections with the scope `operator.questions` of a new question or its end."""
    if row.status == "pending":
        broadcaster.send("question.requested", question_wire(row), scope=SCOPE)
    else:
        broadcaster.send("question.resolved", {"id": row.id, "status": row.status} | _answers(row), scope=SCOPE)


async def request(params: RequestParams, call: Call) -> dict[str, Any]:
    """Puts a client's question; the answer comes with `question.waitAnswer`."""
    services = parts(call)
    if any(one.is_secret or one.secret_store for one in params.questions):
        raise invalid("questions for secrets are not offered; put the secret into the environment or the configuration")
    agent_id = params.agent_id or services.default_agent
    row = services.questions.ask(
        [
            Question(
                one.question_id,
                one.header,
                one.question,
                tuple(Option(option.label, option.description or "") for option in one.options),
                one.multi_select,
                one.is_other,
            )
            for one in params.questions
        ],
        agent_id=agent_id,
        session_key=services.key(params.session_key, agent_id) if params.session_key else "",
        run_id=params.run_id or "",
        timeout_ms=min(params.timeout_ms or EXPIRES_AFTER_MS, MAX_TIMEOUT_MS),
        question_id=params.id,
    )
    return {"id": row.id, "expiresAtMs": row.expires_at}


async def wait_answer(params: WaitParams, call: Call) -> dict[str, Any]:
    return _state(await parts(call).questions.wait(params.id, params.timeout_ms))


async def resolve(params: ResolveParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    if (params.answers is None) == (params.cancel is None):
        raise invalid("invalid question.resolve params: give either answers or cancel")
    if params.answers is not None:
        row = services.questions.resolve(params.id, params.answers.answers, call.by)
    else:
        row = services.questions.cancel(params.id, call.by)
    await services.questions.flush()
    return _state(row)


async def get(params: GetParams, call: Call) -> dict[str, Any]:
    return {"question": question_wire(parts(call).questions.get(params.id))}


async def listing(params: ListParams, call: Call) -> dict[str, Any]:
    """Open questions, the oldest first."""
    services = parts(call)
    rows = services.questions.pending()
    if params.session_key:
        key = services.key(params.session_key)
        rows = [row for row in rows if row.session_key == key]
    return {"questions": [question_wire(row) for row in rows]}


def _one(question: Question) -> dict[str, Any]:
    wire: dict[str, Any] = {
        "questionId": question.question_id,
        "header": question.header,
        "question": question.question,
        "options": [
            {"label": option.label} | ({"description": option.description} if option.description else {})
            for option in question.options
        ],
    }
    if question.multi_select:
        wire["multiSelect"] = True
    if question.free:
        wire["isOther"] = True
    return wire


def _state(row: Asked) -> dict[str, Any]:
    return {"status": row.status} | _answers(row)


def _answers(row: Asked) -> dict[str, Any]:
    if row.status != "answered":
        return {}
    return {"answers": {"answers": {name: list(texts) for name, texts in row.answers.items()}}}


METHODS = [
    Method("question.request", RequestParams, request, SCOPE),
    Method("question.waitAnswer", WaitParams, wait_answer, SCOPE),
    Method("question.resolve", ResolveParams, resolve, SCOPE),
    Method("question.get", GetParams, get, SCOPE),
    Method("question.list", ListParams, listing, SCOPE),
]
