"""`/v1/models` and `/v1/chat/completions`: every OpenAI client can talk to an agent (protocol section 6)."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from pydantic import ValidationError
from tornado.iostream import StreamClosedError

from openclaw_gateway.http.headers import GatewayHandler
from openclaw_gateway.http.openai_format import (
    ChatCompletionRequest,
    Prompted,
    chunk,
    completion,
    finish_reason,
    prompted,
    usage_body,
)
from openclaw_gateway.methods.chat import user_message
from openclaw_gateway.protocol.problems import describe
from openclaw_kernel.agent.api import Outcome, RunRequest
from openclaw_kernel.values.errors import OpenClawError, UserError
from openclaw_kernel.values.events import MessageDelta, RunEnded, RunEvent

MAX_BODY = 20_000_000
_STATUS = {"INVALID_REQUEST": 400, "FORBIDDEN": 403, "UNAVAILABLE": 503, "AGENT_TIMEOUT": 504}


class OpenAiHandler(GatewayHandler):
    """Bearer authentication and OpenAI's error shape."""

    def prepare(self) -> None:
        if self.request.method not in self.SUPPORTED_METHODS or not self._has(self.request.method or ""):
            self.send_error(405)
        elif not self.settings["openclaw_chat_completions"]():
            self.send_error(404)
        elif self.foreign_page():
            self.refuse(403, "A page of another origin may not use this gateway.", "origin_not_allowed")
        elif not self.authorized():
            self.refuse(401, "Unauthorized", "unauthorized")
        elif len(self.request.body) > (most := self.services.settings.gateway.http.endpoints.chat_completions.max_body_bytes):
            self.refuse(413, f"The body is larger than {most} bytes.")

    def _has(self, method: str) -> bool:
        return method.lower() in type(self).__dict__

    def refuse(self, status: int, message: str, kind: str = "invalid_request_error") -> None:
        self.set_status(status)
        self.finish({"error": {"message": message, "type": kind}})

    def agent_of(self, model: str) -> str:
        """`openclaw`, `openclaw/default`, `openclaw/<agent>`, `openclaw:<agent>`; a header wins. Raises `UserError`."""
        named = self.request.headers.get("x-openclaw-agent-id") or ""
        if not named and model not in ("openclaw", "openclaw/default"):
            head, slash, tail = model.replace(":", "/", 1).partition("/")
            if head in ("openclaw", "agent") and slash:
                named = tail
            else:
                raise UserError(f"The model {model!r} does not exist; use openclaw or openclaw/<agentId>.")
        agent_id = named or self.services.default_agent
        if agent_id not in self.services.agent_ids():
            raise UserError(f"The agent {agent_id!r} does not exist; list them with GET /v1/models.")
        return agent_id


class ModelList(OpenAiHandler):
    def get(self) -> None:
        self.finish({"object": "list", "data": [model_body(name, self.services.started_at) for name in self._names()]})

    def _names(self) -> list[str]:
        return ["openclaw", "openclaw/default", *(f"openclaw/{agent_id}" for agent_id in self.services.agent_ids())]


class OneModel(OpenAiHandler):
    def get(self, name: str) -> None:
        try:
            self.agent_of(name)
        except UserError as error:
            self.refuse(404, str(error))
        else:
            self.finish(model_body(name, self.services.started_at))


def model_body(name: str, created_ms: int) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": created_ms // 1000, "owned_by": "openclaw"}


class ChatCompletions(OpenAiHandler):
    async def post(self) -> None:
        services = self.services
        if not services.accepting:
            self.refuse(503, "The gateway is shutting down.", "api_error")
            return
        try:
            body = ChatCompletionRequest.model_validate_json(self.request.body)
            agent_id = self.agent_of(body.model)
            request = self._request(body, agent_id, prompted(body.messages))
        except ValidationError as error:
            self.refuse(400, describe(error))
            return
        except (OpenClawError, UserError) as error:
            self.refuse(400, str(error))
            return
        try:
            if body.stream:
                await self._stream(body, request)
            else:
                await self._whole(body, request)
        except OpenClawError as error:
            self._failed(_STATUS.get(error.code, 500), error.message)
        except StreamClosedError:
            services.runtime.abort(request.session_key, request.run_id, "disconnected")

    def _failed(self, status: int, message: str) -> None:
        kind = "invalid_request_error" if status < 500 else "api_error"
        if self._headers_written:
            self._event({"error": {"message": message, "type": kind}})
            self.finish()
        else:
            self.refuse(status, message, kind)

    def _request(self, body: ChatCompletionRequest, agent_id: str, turn: Prompted) -> RunRequest:
        services, headers = self.services, self.request.headers
        run_id = f"chatcmpl_{services.new_id()}"
        given = headers.get("x-openclaw-session-key")
        suffix = f"openai-user:{body.user}" if body.user else f"openai:{services.new_id()}"
        key = services.key(given or f"agent:{agent_id}:{suffix}", agent_id)
        model = headers.get("x-openclaw-model")
        if model:
            services.models.resolve(model, agent_id)
        return RunRequest(
            run_id=run_id,
            session_key=key,
            message=user_message(services, run_id, turn.content),
            model=model,
            extra_system_prompt=turn.system,
            client_id="http",
        )

    async def _whole(self, body: ChatCompletionRequest, request: RunRequest) -> None:
        self._waiting = request
        await self.services.runtime.submit(request)
        outcome = await self.services.runtime.wait(request.run_id)
        if outcome is None or outcome.status != "ok":
            self._failed(*_failure(outcome))
            return
        self.finish(completion(request.run_id, outcome.started_at // 1000, body.model, outcome))

    async def _stream(self, body: ChatCompletionRequest, request: RunRequest) -> None:
        pieces: asyncio.Queue[str | None] = asyncio.Queue()

        def take(event: RunEvent) -> None:
            if isinstance(event.event, MessageDelta) and event.event.kind == "text":
                pieces.put_nowait(event.event.delta)
            elif isinstance(event.event, RunEnded):
                pieces.put_nowait(None)

        self._waiting = request
        created = self.services.clock() // 1000
        stop = self.services.projection.listen(request.run_id, take)
        try:
            await self.services.runtime.submit(request)
            self.set_header("Content-Type", "text/event-stream; charset=utf-8")
            self.set_header("Cache-Control", "no-cache")
            self._event(chunk(request.run_id, created, body.model, {"role": "assistant", "content": ""}))
            await self.flush()
            while (text := await _gather(pieces)) is not None:
                self._event(chunk(request.run_id, created, body.model, {"content": text}))
                await self.flush()
        finally:
            stop()
        outcome = await self.services.runtime.wait(request.run_id)
        await self._close_stream(body, request, created, outcome)

    async def _close_stream(
        self, body: ChatCompletionRequest, request: RunRequest, created: int, outcome: Outcome | None
    ) -> None:
        if outcome is None or outcome.status != "ok":
            self._failed(*_failure(outcome))
            return
        self._event(chunk(request.run_id, created, body.model, {}, finish_reason(outcome)))
        if body.stream_options is not None and body.stream_options.include_usage:
            usage = chunk(request.run_id, created, body.model, {}) | {"choices": [], "usage": usage_body(outcome.usage)}
            self._event(usage)
        self.write("data: [DONE]\n\n")
        await self.finish()

    def _event(self, body: dict[str, Any]) -> None:
        self.write(b"data: " + orjson.dumps(body) + b"\n\n")

    _waiting: RunRequest | None = None

    def on_connection_close(self) -> None:
        """The caller hung up: nobody will read the answer."""
        if self._waiting is not None:
            self.services.runtime.abort(self._waiting.session_key, self._waiting.run_id, "disconnected")


async def _gather(pieces: asyncio.Queue[str | None]) -> str | None:
    """What has been said since the last look, as one piece; `None` at the end."""
    text = await pieces.get()
    if text is None:
        return None
    while not pieces.empty():
        more = pieces.get_nowait()
        if more is None:
            pieces.put_nowait(None)
            break
        text += more
    return text


def _failure(outcome: Outcome | None) -> tuple[int, str]:
    if outcome is None or outcome.status == "timeout":
        return 504, "The agent took too long."
    if outcome.status == "aborted":
        return 499, "The run was aborted."
    message = outcome.error.message if outcome.error is not None else "The agent failed."
    kind = outcome.error.kind if outcome.error is not None else "unknown"
    return {"rate_limit": 429, "auth": 502, "context_length": 400}.get(kind, 502), message
