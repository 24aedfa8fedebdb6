"""Why a call failed: one class for failover (MOD-10) and one sentence for people."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

from openclaw_kernel.models.api import Model
from openclaw_kernel.values.messages import ErrorKind, ModelFailure

BODY_LIMIT = 2_000  # characters of a provider's answer that are kept for diagnosis
MAX_RETRY_AFTER_MS = 60_000  # MOD-11: a wait the provider asks for is capped at 60 s

_CONTEXT = re.compile(
    r"context.{0,12}(length|window|size)|prompt is too long|too many (input )?tokens|maximum context|"
    r"input (is )?too long|exceeds? the (model'?s )?(maximum|limit).{0,20}tokens|request_too_large",
    re.IGNORECASE,
)
_BILLING = re.compile(r"insufficient_quota|credit balance|billing|payment required|exceeded your current quota", re.IGNORECASE)
_LASTING = re.compile(r"deactivated|revoked|disabled|suspended|expired|invalid_grant|no longer (active|valid)", re.IGNORECASE)
_NO_MODEL = re.compile(
    r"model_not_found|model.{0,60}(does not exist|not found|not exist|not supported|decommissioned)|"
    r"not_found_error.{0,20}model|unknown model|no such model",
    re.IGNORECASE,
)
_BY_TYPE: Final[Mapping[str, ErrorKind]] = {
    "authentication_error": "auth",
    "permission_error": "auth",
    "invalid_api_key": "auth",
    "insufficient_quota": "billing",
    "billing_error": "billing",
    "rate_limit_error": "rate_limit",
    "rate_limit_exceeded": "rate_limit",
    "overloaded_error": "overloaded",
    "server_error": "overloaded",
    "api_error": "overloaded",
    "timeout_error": "timeout",
    "context_length_exceeded": "context_length",
    "model_not_found": "model_not_found",
    "content_filter": "refusal",
    "content_policy_violation": "refusal",
}
_SENTENCES: Final[Mapping[ErrorKind, str]] = {
    "auth": "{provider} refused the API key; check models.providers.{provider}.apiKey in openclaw.json or the key's variable",
    "billing": "{provider} wants its bill paid first; top up the account or use another key",
    "budget": "a budget is used up",
    "rate_limit": "{provider} says there were too many requests; wait a moment or choose another model",
    "overloaded": "{provider} is overloaded or broken at the moment; try again shortly",
    "timeout": "{provider} took too long",
    "context_length": "the conversation is too long for {model}",
    "model_not_found": "{provider} does not serve the model {model}",
    "network": "the connection to {provider} failed",
    "refusal": "{model} declined to answer",
    "unknown": "{provider} refused the request",
}


class ProviderError(Exception):
    """A failure the provider reported inside a stream."""

    def __init__(self, failure: ModelFailure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def from_status(model: Model, status: int, body: str, headers: Mapping[str, str]) -> ModelFailure:
    """Classify an HTTP error answer."""
    said, types = _said(body)
    kind = classify(status, said or body, types)
    return _failure(model, kind, said, status, body, retry_after_ms(headers))


def from_event(model: Model, error: Any) -> ModelFailure:
    """Classify an error object that came inside a stream, in any vendor's shape."""
    error = error if isinstance(error, Mapping) else {"message": str(error)}
    said = str(error.get("message") or "")
    types = tuple(str(error[name]) for name in ("type", "code") if error.get(name))
    code = error.get("code")
    status = int(code) if isinstance(code, int) or (isinstance(code, str) and code.isdigit()) else None
    return _failure(model, classify(status, said, types), said, status, said, None)


def network(model: Model, said: str) -> ModelFailure:
    return _failure(model, "network", said, None, "", None)


def timeout(model: Model, seconds: float) -> ModelFailure:
    return _failure(model, "timeout", f"nothing arrived for {seconds:g} s", None, "", None)


def refusal(model: Model, said: str = "") -> ModelFailure:
    return _failure(model, "refusal", said, None, "", None)


def classify(status: int | None, text: str, types: tuple[str, ...] = ()) -> ErrorKind:
    """The class of a failure. What the text says goes before the status: vendors reuse 400 and 429 for many things."""
    if _CONTEXT.search(text):
        return "context_length"
    if status == 402 or _BILLING.search(text):
        return "billing"
    if _NO_MODEL.search(text):
        return "model_not_found"
    for name in types:
        if (kind := _BY_TYPE.get(name)) is not None:
            return kind
    return _by_status(status)


def _by_status(status: int | None) -> ErrorKind:
    match status:
        case 401 | 403:
            return "auth"
        case 404:
            return "model_not_found"
        case 408 | 504:
            return "timeout"
        case 413:
            return "context_length"
        case 429:
            return "rate_limit"
        case int() if status >= 500:
            return "overloaded"
        case _:
            return "unknown"


def is_lasting(failure: ModelFailure) -> bool:
    """Whether the credential is no good until somebody does something: an unpaid bill, a key that was taken back (MOD-10)."""
    if failure.kind == "billing":
        return True
    return failure.kind == "auth" and (failure.status == 403 or bool(_LASTING.search(f"{failure.message} {failure.body}")))


def retry_after_ms(headers: Mapping[str, str]) -> int | None:
    """How long the provider asks to wait; seconds or milliseconds headers, capped at 60 s."""
    for name, factor in (("retry-after-ms", 1.0), ("retry-after", 1_000.0)):
        try:
            return min(MAX_RETRY_AFTER_MS, max(0, round(float(headers[name]) * factor)))
        except (KeyError, ValueError):
            continue
    return None


def _said(body: str) -> tuple[str, tuple[str, ...]]:
    """The provider's own words and its type names, from a JSON error body of any vendor."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return "", ()
    if isinstance(value, list) and value:  # Google's OpenAI-compatible endpoint wraps the object in a list
        value = value[0]
    error = value.get("error", value) if isinstance(value, dict) else value
    if isinstance(error, str):
        return error, ()
    if not isinstance(error, dict):
        return "", ()
    types = tuple(str(error[name]) for name in ("type", "code") if error.get(name))
    return str(error.get("message") or ""), types


def _failure(model: Model, kind: ErrorKind, said: str, status: int | None, body: str, retry_after: int | None) -> ModelFailure:
    sentence = _SENTENCES[kind].format(provider=model.provider, model=model.id)
    sentence = sentence if sentence.startswith(model.provider) else sentence[0].upper() + sentence[1:]
    detail = f" (HTTP {status}: {said})" if status and said else f" (HTTP {status})" if status else f" ({said})" if said else ""
    return ModelFailure(f"{sentence}{detail[:500]}.", kind, status, body[:BODY_LIMIT], retry_after)
