"""The live panel: what the assistant does, shown in a cell while it happens (NBK-05).

`%claw live` or `Assistant().live()` puts it into a cell's output: a trace of tools and text with tokens and cost, questions
with buttons, and the canvases the assistant shows in this kernel. While a cell of the OpenClaw kernel is a turn, canvases
appear in that cell instead, and stay connected afterwards.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import Any, Protocol

from openclaw_kernel.notebook import cards, mounts
from openclaw_kernel.notebook.asking import make_card
from openclaw_kernel.notebook.prose import prose
from openclaw_kernel.notebook.session import KernelLink, current_link, title_of
from openclaw_kernel.notebook.turn import Asked, Outcome, Settled, Step, ToolCard, Trace, Used, Wrote
from openclaw_kernel.values.errors import OpenClawError

log = logging.getLogger(__name__)

KEPT_ROWS = 40
KEPT_TEXT = 4_000
UPDATE_INTERVAL_S = 1 / 15
REPLAYED = 20  # stored messages shown when a panel opens

Message = Mapping[str, Any]


class Panel(Protocol):
    """Where canvases and questions of this process appear. Called on the main thread."""

    def present(self, surface_id: str, messages: Sequence[Message]) -> None: ...

    def update(self, surface_id: str, messages: Sequence[Message]) -> None: ...

    def hide(self, surface_id: str) -> None: ...

    def ask(self, approval: Mapping[str, Any]) -> None: ...

    def settle(self, approval_id: str, decision: str | None) -> None: ...


_panels: list[Panel] = []


def current_panel() -> Panel | None:
    """The panel a cell shows now: of a running turn if there is one, else the newest live panel."""
    return _panels[-1] if _panels else None


def push_panel(panel: Panel) -> Callable[[], None]:
    """Makes `panel` the current one until the returned function is called."""
    _panels.append(panel)

    def pop() -> None:
        if panel in _panels:
            _panels.remove(panel)

    return pop


class LivePanel:
    """One per cell that shows it; `close` ends it. Steps come from the link's thread, everything else from the main thread."""

    def __init__(self, link: KernelLink | None = None, session_key: str = "") -> None:
        import ipywidgets

        self._link = link or current_link()
        self.session_key = session_key or self._link.session_key()
        self.steps: list[Step] = []
        self._rows: dict[str, ToolCard | str] = {}
        self._tokens, self._cost, self._model = 0, 0.0, ""
        self._drawn_at = 0.0
        self._questions: dict[str, Any] = {}
        self._mounted: dict[str, Any] = {}
        self._callbacks: list[Callable[[Any], object]] = []
        self._trace = Trace(self._hear_step, session_key=self.session_key)
        self._head = ipywidgets.HTML()
        self._log = ipywidgets.HTML()
        self._asks = ipywidgets.VBox()
        self._canvases = ipywidgets.VBox()
        self.widget = ipywidgets.VBox(
            [self._head, self._log, self._asks, self._canvases], layout=ipywidgets.Layout(max_width="860px")
        )
        self._draw()
        self._stop_hearing = self._link.on_event(self._hear)
        self._leave = push_panel(self)

    def start(self) -> None:
        """Shows what is already there: the end of the session, open questions, canvases."""
        self._link.submit(self._catch_up())
        mounts.show_stored(self)

    def close(self) -> None:
        self._leave()
        self._stop_hearing()
        self.widget.close()

    def on_action(self, callback: Callable[[Any], object]) -> Callable[[Any], object]:
        """Calls `callback(action)` for every press on a canvas in this panel; a decorator too."""
        self._callbacks.append(callback)
        return callback

    def _repr_mimebundle_(self, **options: Any) -> Any:
        bundle = self.widget._repr_mimebundle_(**options)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        return {**data, "text/plain": f"Live panel of {title_of(self.session_key)}"}, metadata

    # --- canvases -----------------------------------------------------------------------------------------------------

    def present(self, surface_id: str, messages: Sequence[Message]) -> None:
        self._mounted[surface_id] = mounts.mount(surface_id, messages, self._acted)
        self._canvases.children = tuple(self._mounted.values())

    def update(self, surface_id: str, messages: Sequence[Message]) -> None:
        mounts.update(surface_id, messages)

    def hide(self, surface_id: str) -> None:
        if self._mounted.pop(surface_id, None) is not None:
            self._canvases.children = tuple(self._mounted.values())
        mounts.forget(surface_id)

    def _acted(self, action: Any) -> None:
        for callback in tuple(self._callbacks):
            callback(action)

    # --- questions ----------------------------------------------------------------------------------------------------

    def ask(self, approval: Mapping[str, Any]) -> None:
        """Shows a question with its buttons; `approval` as `exec.approval.requested` has it."""
        approval_id, request = str(approval.get("id", "")), approval.get("request") or {}
        if approval_id in self._questions:
            return

        def decide(decision: str) -> None:
            self._link.submit(self._resolve(approval_id, decision))

        self._questions[approval_id] = make_card(request, decide)
        self._asks.children = tuple(self._questions.values())

    def settle(self, approval_id: str, decision: str | None) -> None:
        card = self._questions.pop(approval_id, None)
        if card is not None:
            self._asks.children = tuple(self._questions.values())
            card.close()

    async def _resolve(self, approval_id: str, decision: str) -> None:
        try:
            await self._link.request("exec.approval.resolve", {"id": approval_id, "decision": decision})
        except OpenClawError as error:
            log.info("the question %s was settled elsewhere: %s", approval_id, error)
            self.settle(approval_id, None)

    # --- the trace ----------------------------------------------------------------------------------------------------

    def _hear(self, event: Any) -> None:
        outcome = self._trace.hear(event)
        if outcome is not None:
            self._ended(outcome)

    def _ended(self, outcome: Outcome) -> None:
        self._tokens += outcome.tokens
        self._cost += outcome.cost
        self._model = outcome.model or self._model
        if outcome.status != "ok":
            self._rows[f"end-{len(self._rows)}-{time.time_ns()}"] = outcome.sentence
        self._trace = Trace(self._hear_step, session_key=self.session_key)
        self._draw()

    def _hear_step(self, step: Step) -> None:
        self.steps.append(step)
        match step:
            case Wrote(item, text):
                self._rows[f"text-{item}"] = text
            case Used(card):
                self._rows[f"tool-{card.id}"] = card
            case Asked(approval_id, request):
                self.ask({"id": approval_id, "request": request})
            case Settled(approval_id, decision):
                self.settle(approval_id, decision)
        while len(self._rows) > KEPT_ROWS:
            del self._rows[next(iter(self._rows))]
        if not isinstance(step, Wrote) or time.monotonic() - self._drawn_at >= UPDATE_INTERVAL_S:
            self._draw()

    def _draw(self) -> None:
        self._drawn_at = time.monotonic()
        facts = Outcome("ok", model=self._model or "OpenClaw", tokens=self._tokens, cost=self._cost)
        model, tokens, _ = cards.footer_parts(facts)
        head = f"<span>{escape(model)}</span><span>{escape(tokens)}</span><span class='oc-spacer'></span>"
        self._head.value = cards.framed(f"<div class='oc-now'>{head}{self._title_html()}</div>")
        self._log.value = cards.framed("".join(self._parts()), styled=False)

    def _title_html(self) -> str:
        return f'<span title="{escape(self.session_key)}">{escape(title_of(self.session_key))}</span>'

    def _parts(self) -> list[str]:
        parts: list[str] = []
        group: list[ToolCard] = []
        for row in self._rows.values():
            if isinstance(row, ToolCard):
                group.append(row)
                continue
            if group:
                parts.append(cards.tools_html(group))
                group = []
            parts.append(f'<div class="oc-say">{prose(cards.clip(row, KEPT_TEXT))}</div>')
        return [*parts, cards.tools_html(group)] if group else parts

    async def _catch_up(self) -> None:
        """On the link's loop."""
        try:
            history = await self._link.request("chat.history", {"sessionKey": self.session_key, "limit": REPLAYED})
            self._name(str(history.get("sessionKey") or self.session_key))
            for message in history["messages"]:
                self._replay(message)
            for approval in await self._link.request("exec.approval.list", {}):
                if (approval.get("request") or {}).get("sessionKey") == self.session_key:
                    self.ask(approval)
        except OpenClawError as error:
            log.info("the panel starts empty: %s", error)
        self._draw()

    def _name(self, session_key: str) -> None:
        """The session as the gateway spells it; its events carry no other name."""
        if session_key != self.session_key:
            self.session_key = session_key
            self._trace = Trace(self._hear_step, session_key=session_key)

    def _replay(self, message: Message) -> None:
        content = message.get("content")
        parts: Sequence[Mapping[str, Any]] = content if isinstance(content, list) else ()
        if message.get("role") == "assistant":
            for part in parts:
                if part.get("type") == "text" and part.get("text"):
                    self._rows[f"text-{len(self._rows)}"] = str(part["text"])
                elif part.get("type") in ("toolCall", "tool_use"):
                    arguments = part.get("arguments") or part.get("input") or {}
                    card = ToolCard(str(part.get("id")), str(part.get("name")), arguments=arguments, state="done")
                    self._rows[f"tool-{card.id}"] = card
        elif (card_id := str(message.get("toolCallId", ""))) and isinstance(row := self._rows.get(f"tool-{card_id}"), ToolCard):
            text = "".join(str(part.get("text", "")) for part in parts)
            self._rows[f"tool-{card_id}"] = replace(row, output=text, state="failed" if message.get("isError") else "done")


class CellPanel:
    """The output of a running turn: canvases are displayed in it one below the other."""

    def __init__(self, display: Callable[[Any], object], below: Callable[[], None]) -> None:
        self._display = display
        self._below = below

    def present(self, surface_id: str, messages: Sequence[Message]) -> None:
        self._below()
        self._display(mounts.mount(surface_id, messages))

    def update(self, surface_id: str, messages: Sequence[Message]) -> None:
        mounts.update(surface_id, messages)

    def hide(self, surface_id: str) -> None:
        mounts.forget(surface_id)

    def ask(self, approval: Mapping[str, Any]) -> None:
        """The turn asks by itself."""

    def settle(self, approval_id: str, decision: str | None) -> None:
        """The turn settles by itself."""
