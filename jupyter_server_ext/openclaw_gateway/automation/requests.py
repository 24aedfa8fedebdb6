"""Jobs as people and programs write them: the object of `cron.add` and the patch of `cron.update` → a `Job`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from openclaw_gateway.automation.jobs import Delivery, DeliveryMode, Job, Payload, WakeMode
from openclaw_gateway.automation.schedule import At, schedule_from_wire
from openclaw_kernel.values.errors import invalid
from openclaw_kernel.values.session_key import resolve

MAX_TEXT = 100_000
ABSENT = ("command", "script", "on-exit", "stream")
"""Kinds the protocol knows and this scheduler does not run."""


def new_job(wire: Mapping[str, Any], job_id: str, now_ms: int, *, default_agent: str) -> Job:
    """A job from the object of `cron.add`. Raises INVALID_REQUEST with a sentence."""
    name = str(wire.get("name") or "").strip()
    if not name:
        raise invalid("a cron job needs a name")
    schedule = schedule_from_wire(_object(wire, "schedule"), now_ms)
    if isinstance(schedule, At) and schedule.at_ms < now_ms:
        raise invalid("schedule.at is in the past; name a time to come")
    payload = payload_from(_object(wire, "payload"))
    target = _target(wire.get("sessionTarget") or ("main" if payload.kind == "systemEvent" else "isolated"), default_agent)
    session_key = str(wire.get("sessionKey") or "")
    _fits(payload, target, session_key)
    return Job(
        id=job_id,
        name=name,
        schedule=schedule,
        payload=payload,
        created_at=now_ms,
        updated_at=now_ms,
        from_ms=now_ms - 1 if isinstance(schedule, At) else now_ms,
        agent_id=str(wire.get("agentId") or default_agent),
        session_key=resolve(session_key, default_agent=default_agent) if session_key else "",
        target=target,
        wake=_wake(wire.get("wakeMode") or "now"),
        delivery=delivery_from(wire.get("delivery")),
        description=str(wire.get("description") or ""),
        enabled=wire.get("enabled") is not False,
        delete_after_run=bool(wire.get("deleteAfterRun", isinstance(schedule, At))),
    )


def patched(job: Job, patch: Mapping[str, Any], now_ms: int, *, default_agent: str) -> Job:
    """A job with the keys of `patch` replaced. Raises INVALID_REQUEST with a sentence."""
    changes: dict[str, Any] = {}
    for key, value in patch.items():
        match key:
            case "name" | "description":
                changes[key] = str(value or "")
            case "enabled":
                changes["enabled"] = bool(value)
            case "deleteAfterRun":
                changes["delete_after_run"] = bool(value)
            case "agentId":
                changes["agent_id"] = str(value or default_agent)
            case "sessionKey":
                changes["session_key"] = resolve(str(value), default_agent=default_agent) if value else ""
            case "schedule":
                changes["schedule"] = schedule_from_wire(_object(patch, "schedule"), now_ms)
            case "sessionTarget":
                changes["target"] = _target(value, default_agent)
            case "wakeMode":
                changes["wake"] = _wake(value)
            case "payload":
                changes["payload"] = payload_from(_object(patch, "payload"), job.payload)
            case "delivery":
                changes["delivery"] = delivery_from(value, job.delivery)
            case _:
                raise invalid(f"patch.{key} cannot be changed")
    changed = replace(job, **changes)
    if not changed.name.strip():
        raise invalid("a cron job needs a name")
    _fits(changed.payload, changed.target, changed.session_key)
    return changed


def payload_from(wire: Mapping[str, Any], old: Payload | None = None) -> Payload:
    """`{kind: systemEvent, text}` or `{kind: agentTurn, message, …}`; what is left out stays as it was."""
    kind = wire.get("kind") or (old.kind if old else None)
    if kind in ABSENT:
        raise invalid(f"payload.kind {kind!r} is not run by this gateway; use systemEvent or agentTurn")
    if kind not in ("systemEvent", "agentTurn"):
        raise invalid(f"payload.kind {kind!r} is not known; use systemEvent or agentTurn")
    text = wire.get("text" if kind == "systemEvent" else "message") or (old.text if old else "")
    if not isinstance(text, str) or not text.strip() or len(text) > MAX_TEXT:
        raise invalid(f"payload needs a text of 1 to {MAX_TEXT} characters ({'text' if kind == 'systemEvent' else 'message'})")
    tools = wire.get("toolsAllow", list(old.tools) if old and old.tools is not None else None)
    timeout = wire.get("timeoutSeconds", old.timeout_s if old else None)
    return Payload(
        kind=kind,
        text=text,
        model=wire.get("model", old.model if old else None),
        thinking=wire.get("thinking", old.thinking if old else None),
        timeout_s=None if timeout is None else max(0, int(timeout)),
        tools=None if tools is None or "*" in tools else tuple(str(name) for name in tools),
        light_context=bool(wire.get("lightContext", old.light_context if old else False)),
    )


def delivery_from(wire: Any, old: Delivery | None = None) -> Delivery:
    """`{mode: none|announce|webhook, channel?, to?, accountId?, bestEffort?}`; nothing means none."""
    if wire is None:
        return old or Delivery()
    if not isinstance(wire, Mapping) or wire.get("mode") not in ("none", "announce", "webhook"):
        raise invalid("delivery.mode must be none, announce or webhook")
    mode = cast(DeliveryMode, wire["mode"])
    to = str(wire.get("to") or "").strip()
    if mode == "webhook" and not to.startswith(("https://", "http://")):
        raise invalid("delivery.to must be the webhook's address, https://…")
    return Delivery(
        mode=mode,
        channel=str(wire.get("channel") or ""),
        account=str(wire.get("accountId") or ""),
        to=to,
        best_effort=bool(wire.get("bestEffort")),
    )


def _object(wire: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = wire.get(key)
    if not isinstance(value, Mapping):
        raise invalid(f"{key} is missing; it must be an object")
    return value


def _target(value: Any, default_agent: str) -> str:
    if value in ("main", "isolated", "current"):
        return str(value)
    if isinstance(value, str) and value.startswith("session:") and len(value) > len("session:"):
        return "session:" + resolve(value.removeprefix("session:"), default_agent=default_agent)
    raise invalid(f"sessionTarget is {value!r}; use main, isolated, current or session:<key>")


def _wake(value: Any) -> WakeMode:
    if value not in ("now", "next-heartbeat"):
        raise invalid(f"wakeMode is {value!r}; use now or next-heartbeat")
    return cast(WakeMode, value)


def _fits(payload: Payload, target: str, session_key: str) -> None:
    if payload.kind == "systemEvent" and target != "main":
        raise invalid("a systemEvent goes to the main session; set sessionTarget main, or use an agentTurn")
    if payload.kind == "agentTurn" and target == "main":
        raise invalid("the main session takes a systemEvent; for an agentTurn set sessionTarget isolated or session:<key>")
    if target == "current" and not session_key:
        raise invalid("sessionTarget current needs a sessionKey")
