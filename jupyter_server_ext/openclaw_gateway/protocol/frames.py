"""Frames: bytes to values and back. One JSON object a text frame (protocol section 1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from openclaw_kernel.values.errors import OpenClawError, invalid

INVALID_ID = "invalid"  # the id of a response to a frame that has none (protocol section 2)

_KEYS = frozenset({"type", "id", "method", "params", "traceparent", "expectedProfileId"})
_TRACEPARENT_MAX = 128


class NotJson(ValueError):
    """The frame is not JSON text."""


@dataclass(frozen=True, slots=True)
class Request:
    """A decoded request frame. `params` is `{}` when absent."""

    id: str
    method: str
    params: Mapping[str, Any] = field(default_factory=dict)


def decode_request(data: str | bytes) -> Request:
    """Reads a request frame.

    Raises `NotJson`, or `OpenClawError` (INVALID_REQUEST) "invalid request frame: …" with the original's texts.
    """
    try:
        frame = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise NotJson(str(error)) from error
    problems = _problems(frame)
    if problems:
        raise invalid("invalid request frame: " + "; ".join(problems))
    return Request(frame["id"], frame["method"], frame.get("params") or {})


def _problems(frame: object) -> list[str]:
    """In the order the original's validator reports them: missing, unexpected, wrong."""
    if not isinstance(frame, dict):
        return ["at root: must be object"]
    found = [f"must have required property '{key}'" for key in ("type", "id", "method") if key not in frame]
    found += [f"at root: unexpected property '{key}'" for key in frame if key not in _KEYS]
    if frame.get("type", "req") != "req":
        found.append("at /type: must be equal to constant")
    for key in ("id", "method"):
        found += _text_problems(key, frame.get(key, "-"))
    params = frame.get("params")
    if params is not None and not isinstance(params, dict):
        found.append("at /params: must be object")
    trace = frame.get("traceparent", "")
    if not isinstance(trace, str):
        found.append("at /traceparent: must be string")
    elif len(trace) > _TRACEPARENT_MAX:
        found.append(f"at /traceparent: must NOT have more than {_TRACEPARENT_MAX} characters")
    return found


def _text_problems(key: str, value: object) -> list[str]:
    if not isinstance(value, str):
        return [f"at /{key}: must be string"]
    return [] if value else [f"at /{key}: must NOT have fewer than 1 characters"]


def encode_response(request_id: str, payload: Mapping[str, Any]) -> str:
    """A successful response."""
    return orjson.dumps({"type": "res", "id": request_id, "ok": True, "payload": payload}).decode()


def encode_error(request_id: str, error: OpenClawError) -> str:
    """A failed response."""
    return orjson.dumps({"type": "res", "id": request_id, "ok": False, "error": error.to_wire()}).decode()


class EncodedEvent:
    """An event serialised once for all its receivers; only `seq` differs between connections."""

    __slots__ = ("_head", "size")

    def __init__(self, event: str, payload: Mapping[str, Any], state_version: Mapping[str, int] | None = None) -> None:
        frame: dict[str, Any] = {"type": "event", "event": event, "payload": payload}
        if state_version is not None:
            frame["stateVersion"] = state_version
        self._head = orjson.dumps(frame)[:-1].decode()
        self.size = len(self._head)

    def with_seq(self, seq: int | None) -> str:
        """The frame's text; `None` leaves `seq` out, as in `connect.challenge`."""
        return self._head + "}" if seq is None else f'{self._head},"seq":{seq}}}'
