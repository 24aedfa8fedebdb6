"""A turn as lines in a terminal, and the question an approval asks."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from openclaw_gateway.cli.show import plain

ANSWERS = {"y": "allow-once", "a": "allow-always", "n": "deny"}
"""Key → decision of `exec.approval.resolve` (protocol section 5)."""

_ARGUMENT_CHARS = 100
"""Width of a tool line's arguments; the approval card, unlike this line, is never shortened."""


@dataclass(slots=True)
class TurnView:
    """Writes what the `chat` and `agent` events of one run show. `ended` is None until the run has."""

    run_id: str
    write: Callable[[str], object]
    ended: str | None = None
    error: str = ""
    _streamed: bool = False
    _mid_line: bool = False

    def see(self, event: str, payload: Mapping[str, Any]) -> None:
        """Take one event; those of other runs are passed over."""
        if payload.get("runId") != self.run_id:
            return
        if event == "chat":
            self._chat(payload)
        elif event == "agent" and payload.get("stream") == "tool":
            self._tool(payload.get("data") or {})

    def line(self, text: str) -> None:
        """`text` on a line of its own."""
        self.break_line()
        self.write(plain(text) + "\n")

    def break_line(self) -> None:
        if self._mid_line:
            self.write("\n")
            self._mid_line = False

    def _chat(self, payload: Mapping[str, Any]) -> None:
        state = payload.get("state")
        if state == "delta":
            if payload.get("replace"):
                self.break_line()
            self._text(str(payload.get("deltaText") or ""))
        elif state == "final":
            if not self._streamed:
                self._text(message_text(payload.get("message")))
            self.break_line()
            self.ended = "final"
        elif state == "aborted":
            self.line("(stopped)")
            self.ended = "aborted"
        elif state == "error":
            self.error = str(payload.get("errorMessage") or "the turn failed")
            self.break_line()
            self.ended = "error"

    def _text(self, text: str) -> None:
        if text:
            self.write(plain(text))
            self._streamed = True
            self._mid_line = not text.endswith("\n")

    def _tool(self, data: Mapping[str, Any]) -> None:
        phase, name = data.get("phase"), data.get("name") or "tool"
        if phase == "start":
            self.line(f"  ⚙ {name} {_arguments(data.get('args'))}".rstrip())
        elif phase == "result":
            self.line(f"  {'✗' if data.get('isError') else '✓'} {name}{_first_line(data.get('result'))}")
            self._streamed = False


def message_text(message: object) -> str:
    """The text parts of a wire message, joined."""
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(str(part.get("text", "")) for part in parts if isinstance(part, dict) and part.get("type") == "text")


def approval_card(payload: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Id and lines of an `exec.approval.requested` event. The command is shown whole, each of its lines."""
    request = payload.get("request") or {}
    facts = [("in", request.get("cwd")), ("because", request.get("reason")), ("risk", request.get("risk"))]
    lines = [str(request.get("title") or "The assistant asks to run a command"), ""]
    lines += [f"    {line}" for line in str(request.get("command") or "").splitlines()]
    lines += ["", *(f"  {name}: {value}" for name, value in facts if value)]
    return str(payload.get("id") or ""), [plain(line) for line in lines]


def ask(lines: list[str], read: Callable[[str], str], write: Callable[[str], object]) -> str:
    """Show a card and read an answer until it is one; a closed or interrupted input denies."""
    write("\n" + "\n".join(lines) + "\n")
    while True:
        try:
            answer = read("  [y] once  [a] always  [n] deny › ").strip().lower()
        except (EOFError, KeyboardInterrupt):
            write("\n")
            return "deny"
        if answer in ANSWERS:
            return ANSWERS[answer]


def _arguments(args: object) -> str:
    if isinstance(args, dict) and len(args) == 1:
        text = str(next(iter(args.values())))
    else:
        text = json.dumps(args, ensure_ascii=False) if args else ""
    text = " ".join(text.split())
    return text if len(text) <= _ARGUMENT_CHARS else text[: _ARGUMENT_CHARS - 1] + "…"


def _first_line(result: object) -> str:
    text = message_text(result).strip()
    if not text:
        return ""
    first, *rest = text.splitlines()
    return f": {first[:_ARGUMENT_CHARS]}" + (f" (+{len(rest)} lines)" if rest else "")
