"""`chat`: a conversation in the terminal."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import click

from openclaw_gateway.cli import show
from openclaw_gateway.cli.question import answer_question
from openclaw_gateway.cli.turn import TurnView, approval_card, ask
from openclaw_gateway.cli.wire import Target, Wire, target_options
from openclaw_kernel.values.clock import new_id
from openclaw_kernel.values.errors import OpenClawError, UserError

_LEAVE = {"/quit", "/exit"}


@click.command("chat")
@click.option("--session-key", default="main", show_default=True, help="Session to talk in.")
@target_options
def command(target: Target, session_key: str) -> None:
    """Talk with the assistant. Ctrl-C stops an answer, Ctrl-D or /quit leaves."""
    if target.as_json:
        raise UserError("`chat` is for people; use `jupyter openclaw agent --message … --json` in a program.")
    with contextlib.suppress(ImportError):  # line editing and history where the platform has them
        import readline  # noqa: F401
    with Wire(target, start=True) as wire:
        show.note(f"Session {session_key} at {wire.url}. Ctrl-C stops an answer, Ctrl-D leaves.")
        while (text := _read()) is not None:
            if text:
                take_turn(wire, session_key, text)


def _read() -> str | None:
    """One line, empty after Ctrl-C, None when the person leaves."""
    try:
        text = input("› ").strip()
    except EOFError:
        print()
        return None
    except KeyboardInterrupt:
        print()
        return ""
    return None if text in _LEAVE else text


def take_turn(wire: Wire, session_key: str, text: str) -> None:
    """Send `text` and show the answer until it ends; a failed turn is reported and the conversation goes on."""
    run_id = new_id()
    view = TurnView(run_id, show.write)
    try:
        wire.request("chat.send", {"sessionKey": session_key, "message": text, "idempotencyKey": run_id})
    except OpenClawError as error:
        show.note(str(error))
        return
    while view.ended is None:
        try:
            event = wire.events.get()
        except KeyboardInterrupt:
            stop(wire, session_key, run_id)
            continue
        if event is None:
            raise UserError("The gateway closed the connection; what it had accepted is kept in the session.")
        _take_event(wire, view, session_key, *event)
    if view.error:
        show.note(view.error)


def stop(wire: Wire, session_key: str, run_id: str) -> None:
    """Abort the turn; that it may have ended a moment ago is no failure."""
    try:
        wire.request("chat.abort", {"sessionKey": session_key, "runId": run_id})
    except OpenClawError as error:
        show.note(str(error))


def answer_approval(wire: Wire, approval_id: str, decision: str) -> None:
    """Send a decision; someone else may have been quicker, which is only worth a line."""
    try:
        wire.request("exec.approval.resolve", {"id": approval_id, "decision": decision})
    except OpenClawError as error:
        show.note(str(error))


def _take_event(wire: Wire, view: TurnView, session_key: str, name: str, payload: Mapping[str, Any]) -> None:
    if name == "exec.approval.requested" and _is_ours(payload, session_key):
        view.break_line()
        approval_id, lines = approval_card(payload)
        answer_approval(wire, approval_id, ask(lines, input, show.write))
    elif name == "question.requested" and _is_ours({"request": payload}, session_key):
        view.break_line()
        answer_question(wire, payload)
    else:
        view.see(name, payload)


def _is_ours(payload: Mapping[str, Any], session_key: str) -> bool:
    """Whether an approval belongs to this conversation; short keys are the end of the full one (protocol section 7)."""
    asked = str((payload.get("request") or {}).get("sessionKey") or session_key)
    return asked == session_key or asked.endswith(f":{session_key}")
