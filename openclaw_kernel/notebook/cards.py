"""How a turn looks in a cell's output: HTML after the product's design (light and dark by JupyterLab's variables), and the same
as plain text for front ends without HTML.

Every fragment is self-contained: it carries the few rules it needs, because a saved notebook is also read where our style sheet
is not loaded. Everything that is not ours is escaped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import PurePath
from typing import Any

from openclaw_kernel.notebook.turn import Outcome, ToolCard

OUTPUT_LIMIT = 4_000
"""Characters of a tool's input or output kept in the notebook; the transcript has all of it."""
WHAT_LIMIT = 300

_BLANKS = re.compile(r"\s*\n\s*|/\*.*?\*/")

_ICONS = {
    "done": '<circle cx="8" cy="8" r="6"/><path d="M5.3 8.2l1.9 1.9 3.5-3.9"/>',
    "failed": '<circle cx="8" cy="8" r="6"/><path d="M5.8 5.8l4.4 4.4M10.2 5.8l-4.4 4.4"/>',
    "skipped": '<circle cx="8" cy="8" r="6"/><path d="M5.2 8h5.6"/>',
    "running": '<circle cx="8" cy="8" r="5.7" opacity=".25"/><path d="M8 2.3A5.7 5.7 0 0 1 13.7 8"/>',
    "ask": '<path d="M8 1.8l5.2 2v4c0 3.1-2.2 5.2-5.2 6.4-3-1.2-5.2-3.3-5.2-6.4v-4z"/><path d="M8 5v3.2M8 10.5h.01"/>',
    "fold": '<path d="M6.5 4.5 10 8l-3.5 3.5"/>',
    "canvas": '<path d="M2.3 2.3h11.4v11.4H2.3zM2.3 6h11.4M6.3 6v7.7"/>',
}
_STATES = {
    "running": ("running", "Running", "…"),
    "waiting": ("ask", "Waiting for your answer", "?"),
    "done": ("done", "Done", "✓"),
    "failed": ("failed", "Failed", "✗"),
    "denied": ("failed", "Denied", "✗"),
    "skipped": ("skipped", "Skipped", "–"),
    "stopped": ("skipped", "Stopped", "–"),
}
DECISIONS = {"allow-once": "Allowed once", "allow-always": "Allowed always", "deny": "Denied", None: "Not answered"}


@cache
def style() -> str:
    """The rules of `cell.css` as one element."""
    css = files("openclaw_kernel.notebook").joinpath("cell.css").read_text(encoding="utf-8")
    return f"<style>{_BLANKS.sub('', css)}</style>"


def framed(inner: str, *, styled: bool = True) -> str:
    """A fragment for one cell output. Rules hold for the whole page, so one fragment a turn has to be `styled`."""
    return f'{style() if styled else ""}<div class="oc oc-output oc-cell">{inner}</div>'


def icon(name: str, more: str = "") -> str:
    return f'<svg class="oc-icon{more}" viewBox="0 0 16 16" aria-hidden="true">{_ICONS[name]}</svg>'


def _state(shape: str, word: str) -> str:
    return f'<span class="oc-state" data-state="{shape}" role="img" aria-label="{escape(word)}">{icon(shape)}</span>'


def tools_html(cards: Iterable[ToolCard], now_ms: int | None = None) -> str:
    """One box with a row for each call; a row unfolds to what went in and what came out."""
    return f'<div class="oc-tools">{"".join(_tool_html(card, now_ms) for card in cards)}</div>'


def _tool_html(card: ToolCard, now_ms: int | None) -> str:
    shape, word, _ = _STATES[card.state]
    summary = what(card)
    outcome = time_of(card, now_ms) if card.state in ("running", "done") else word.lower()
    head = (
        f'{_state(shape, word)}<span class="oc-tool-name">{escape(card.name)}</span>'
        f'<span class="oc-tool-what" title="{escape(summary)}">{escape(summary)}</span>'
        f'<span class="oc-tool-time">{escape(outcome)}</span>{icon("fold", " oc-fold")}'
    )
    return f'<details class="oc-tool"><summary>{head}</summary>{_tool_body(card)}</details>'


def _tool_body(card: ToolCard) -> str:
    parts = []
    if card.arguments:
        parts.append(f'<span class="oc-label">Input</span><pre class="oc-out" tabindex="0">{escape(_input(card))}</pre>')
    if card.output:
        parts.append(f'<span class="oc-label">Output</span><pre class="oc-out" tabindex="0">{escape(clip(card.output))}</pre>')
    return f'<div class="oc-tool-body">{"".join(parts)}</div>' if parts else ""


def what(card: ToolCard) -> str:
    """The one line that tells a call from another: its title, else its first text argument."""
    text = card.title if card.title and card.title != card.name else ""
    if not text:
        text = next((value for value in card.arguments.values() if isinstance(value, str)), "")
    return " ".join(text.split())[:WHAT_LIMIT]


def _input(card: ToolCard) -> str:
    values = [value for value in card.arguments.values() if isinstance(value, str)]
    if len(card.arguments) == 1 and values:
        return clip(values[0])
    return clip(json.dumps(dict(card.arguments), indent=2, ensure_ascii=False, default=str))


def clip(text: str, limit: int = OUTPUT_LIMIT) -> str:
    text = text.rstrip()
    return text if len(text) <= limit else f"{text[:limit]}\n… {len(text) - limit:,} more characters"


def time_of(card: ToolCard, now_ms: int | None = None) -> str:
    seconds = card.seconds
    if seconds is None and now_ms is not None and card.started_at:
        seconds = max(0, now_ms - card.started_at) // 1000
        return f"{seconds:.0f} s" if seconds else ""
    return "" if seconds is None else duration(seconds)


def duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def tools_text(cards: Iterable[ToolCard]) -> str:
    """The rows as plain lines."""
    return "\n".join(tool_line(card) for card in cards)


def tool_line(card: ToolCard) -> str:
    _, word, mark = _STATES[card.state]
    tail = time_of(card) if card.state == "done" else "" if card.state == "running" else word.lower()
    return "  ".join(part for part in (f"{mark} {card.name}", what(card), tail) if part)


# --- approvals --------------------------------------------------------------------------------------------------------


def _facts(request: Mapping[str, Any]) -> list[tuple[str, str]]:
    where = str(request.get("cwd") or "")
    rows = [("Folder" if PurePath(where).is_absolute() else "Where", where), ("Asks because", request.get("reason"))]
    return [(name, str(value)) for name, value in rows if value]


def question_html(request: Mapping[str, Any]) -> str:
    """The card without its buttons. The command is never shortened."""
    rows = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in _facts(request))
    risk = str(request.get("risk") or "")
    tag = f'<span class="oc-tag">{escape(risk.capitalize())} risk</span>' if risk else ""
    return (
        f'<section class="oc-ask" role="group" aria-label="Approval needed">'
        f'<div class="oc-ask-head">{_state("ask", "Approval needed")}'
        f'<span class="oc-grow">{escape(question(request))}</span>{tag}</div>'
        f'<pre class="oc-ask-cmd" tabindex="0" aria-label="Exact command">{escape(str(request.get("command") or ""))}</pre>'
        f'<dl class="oc-facts">{rows}</dl></section>'
    )


def question(request: Mapping[str, Any]) -> str:
    title = str(request.get("title") or "")
    command = str(request.get("command") or "")
    return title if title and title not in command else "Run this command?"


def question_text(request: Mapping[str, Any]) -> str:
    facts = "\n".join(f"  {name}: {value}" for name, value in _facts(request))
    return f"Approval needed: {question(request)}\n\n  {request.get('command') or ''}\n\n{facts}"


def settled_html(request: Mapping[str, Any], decision: str | None) -> str:
    shape = "done" if decision and decision.startswith("allow") else "failed" if decision == "deny" else "skipped"
    word = DECISIONS.get(decision, str(decision))
    command = " ".join(str(request.get("command") or "").split())
    row = f'<span class="oc-grow"><b>{escape(word)}</b> <span class="oc-tool-what">{escape(command)}</span></span>'
    return f'<div class="oc-settled">{_state(shape, word)}{row}</div>'


def settled_text(request: Mapping[str, Any], decision: str | None) -> str:
    return f"{DECISIONS.get(decision, str(decision))}: {' '.join(str(request.get('command') or '').split())}"


# --- the end ----------------------------------------------------------------------------------------------------------


def footer_parts(outcome: Outcome) -> list[str]:
    """Model, tokens with cost, time; empty for an answer no model gave."""
    if not outcome.model:
        return []
    tokens = f"{outcome.tokens / 1000:.1f}k tokens" if outcome.tokens >= 1000 else f"{outcome.tokens} tokens"
    cost = f", ${outcome.cost:.2f}" if outcome.cost >= 0.005 else ""
    return [outcome.model, f"{tokens}{cost}" if outcome.tokens else "", duration(outcome.seconds)]


def footer_html(outcome: Outcome) -> str:
    model, tokens, seconds = footer_parts(outcome)
    return (
        f'<div class="oc-now"><span>{escape(model)}</span><span>{escape(tokens)}</span>'
        f'<span class="oc-spacer"></span><span class="oc-num">{seconds}</span></div>'
    )


def footer_text(outcome: Outcome) -> str:
    return " · ".join(part for part in footer_parts(outcome) if part)
