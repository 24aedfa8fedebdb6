"""`agent`: one message, one answer."""

from __future__ import annotations

import queue
import sys
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

import click

from openclaw_gateway.cli import show
from openclaw_gateway.cli.chat import answer_approval
from openclaw_gateway.cli.turn import TurnView, approval_card, ask
from openclaw_gateway.cli.wire import Target, Wire, target_options
from openclaw_kernel.values.clock import new_id
from openclaw_kernel.values.errors import UserError

_GRACE_S = 30.0
"""How much longer than the gateway's own time limit to wait for its answer."""

_POLL_S = 0.1
"""How often to look whether the answer came while no event does."""


@click.command("agent")
@click.option("-m", "--message", required=True, help="What to say.")
@click.option("--session-key", default=None, help="Session to say it in; the agent's main one if not given.")
@click.option("--agent", "agent_id", default=None, help="Agent to ask.")
@click.option("--timeout", "timeout_s", type=click.IntRange(1), default=600, show_default=True, help="Seconds for the turn.")
@target_options
def command(target: Target, message: str, session_key: str | None, agent_id: str | None, timeout_s: int) -> int:
    """Send one message and print the answer; starts a gateway if none runs."""
    params: dict[str, Any] = {"message": message, "idempotencyKey": new_id(), "deliver": False, "timeout": timeout_s}
    if agent_id:
        params["agentId"] = agent_id
    if session_key or not agent_id:
        params["sessionKey"] = session_key or "main"
    with Wire(target, start=True) as wire:
        answer = wire.request_two_step("agent", params, timeout_s=timeout_s + _GRACE_S)
        asked = _follow(wire, target, answer, params)
        result = answer.result()
    return _report(target, result, asked)


def _follow(wire: Wire, target: Target, answer: Future[Any], params: dict[str, Any]) -> list[dict[str, Any]]:
    """Show the turn while it runs; returns the approvals it asked for. Ctrl-C aborts the turn and goes on as Ctrl-C."""
    run_id = params["idempotencyKey"]
    live = not target.as_json and sys.stdout.isatty()
    view = TurnView(run_id, show.write if live else lambda _text: None)
    asked: list[dict[str, Any]] = []
    try:
        while not answer.done():
            try:
                event = wire.events.get(timeout=_POLL_S)
            except queue.Empty:
                continue
            if event is None:
                break
            name, payload = event
            if name == "exec.approval.requested" and _of_run(payload, run_id):
                view.break_line()
                asked.append(_approve(wire, payload))
            else:
                view.see(name, payload)
    except KeyboardInterrupt:
        wire.request(
            "chat.abort", {"sessionKey": params.get("sessionKey") or f"agent:{params['agentId']}:main", "runId": run_id}
        )
        raise
    return asked


def _approve(wire: Wire, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Ask on a terminal; elsewhere say what is waited for, so that another client can answer."""
    approval_id, lines = approval_card(payload)
    command_text = str((payload.get("request") or {}).get("command") or "")
    if sys.stdin.isatty() and sys.stderr.isatty():
        decision = ask(lines, _read, sys.stderr.write)
        answer_approval(wire, approval_id, decision)
        return {"id": approval_id, "command": command_text, "decision": decision}
    show.note(f"Waiting for approval {approval_id} of `{show.plain(command_text)}`: answer it in JupyterLab or another client.")
    return {"id": approval_id, "command": command_text}


def _of_run(payload: Mapping[str, Any], run_id: str) -> bool:
    request = payload.get("request") or {}
    return (payload.get("runId") or request.get("runId") or run_id) == run_id


def _report(target: Target, result: dict[str, Any], asked: list[dict[str, Any]]) -> int:
    """Print the second answer; a turn that failed is one sentence and exit 1."""
    if asked:
        result = {**result, "approvals": asked}
    failed = result.get("status") != "ok"
    if target.as_json:
        show.print_json(result)
    elif not sys.stdout.isatty() and not failed:
        for payload in (result.get("result") or {}).get("payloads") or []:
            print(show.plain(str(payload.get("text") or "")))
    if failed:
        raise UserError(
            f"The turn failed: {show.plain(str(result.get('error') or result.get('summary') or 'no reason given'))}"
        )
    return 0


def _read(prompt: str) -> str:
    """As `input`, with the prompt on stderr so that stdout holds only the answer."""
    sys.stderr.write(prompt)
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line
