"""A turn on the screen: in a cell's output, or as lines in a terminal.

Both take the steps of `turn` as they come. A cell gets one display for each run of text and one for each group of tool calls,
in the order they happened; a display changes in place. Redrawing is held to 15 times a second; the last state is always drawn.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from IPython.display import display

from openclaw_kernel.notebook import cards
from openclaw_kernel.notebook.prose import words
from openclaw_kernel.notebook.turn import Outcome, Step, ToolCard, Used, Wrote
from openclaw_kernel.values.clock import system_clock

UPDATE_INTERVAL_S = 1 / 15  # reference: ui rules, answer
TICK_S = 1.0  # a running tool's time (reference: ui rules, tool row)

Bundle = dict[str, Any]


class Screen(Protocol):
    """Where the steps of one turn are shown. Questions are not its business; see `asking`."""

    def show(self, step: Step) -> None: ...

    def due(self) -> float | None:
        """Seconds until `flush` wants to be called, `None` when nothing waits to be drawn."""

    def flush(self) -> None: ...

    def finish(self, outcome: Outcome | None) -> None:
        """The last state; `None` when the turn was interrupted."""

    def new_group(self) -> None:
        """Something else was put into the output: what comes next goes below it."""


class Spot:
    """One display of a cell, changed in place."""

    def __init__(self) -> None:
        self._handle: Any = None

    def put(self, bundle: Bundle) -> None:
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)


class _TextBlock:
    def __init__(self, item: str) -> None:
        self.item = item
        self.text = ""
        self.live = False
        self.spot = Spot()

    def bundle(self) -> Bundle:
        return words(self.text)


class _ToolsBlock:
    def __init__(self, *, styled: bool) -> None:
        self.cards: dict[str, ToolCard] = {}
        self.spot = Spot()
        self._styled = styled

    @property
    def live(self) -> bool:
        """Whether a time is ticking."""
        return any(card.state == "running" for card in self.cards.values())

    def bundle(self) -> Bundle:
        rows = tuple(self.cards.values())
        html = cards.framed(cards.tools_html(rows, system_clock()), styled=self._styled)
        return {"text/html": html, "text/plain": cards.tools_text(rows)}


_Block = _TextBlock | _ToolsBlock


class CellScreen:
    """The output of one cell. Its methods are called on the thread that runs the cell."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._blocks: list[_Block] = []
        self._stale: list[_Block] = []
        self._drawn_at = -TICK_S

    def show(self, step: Step) -> None:
        match step:
            case Wrote(item, text):
                block = self._text_block(item)
                block.text = text
                self._mark(block)
            case Used(card):
                tools = self._tools_block(card)
                tools.cards[card.id] = card
                self._mark(tools)
            case _:
                return
        if self._clock() - self._drawn_at >= UPDATE_INTERVAL_S:
            self.flush()

    def due(self) -> float | None:
        if self._stale:
            return max(0.0, self._drawn_at + UPDATE_INTERVAL_S - self._clock())
        if any(block.live for block in self._blocks):
            return max(0.0, self._drawn_at + TICK_S - self._clock())
        return None

    def flush(self) -> None:
        self._drawn_at = self._clock()
        blocks = self._stale or [block for block in self._blocks if block.live]
        self._stale = []
        for block in blocks:
            block.spot.put(block.bundle())

    def finish(self, outcome: Outcome | None) -> None:
        if outcome is None or outcome.status != "ok":
            for tools in [block for block in self._blocks if isinstance(block, _ToolsBlock)]:
                if _stop_running(tools.cards):
                    self._mark(tools)
        if self._stale:
            self.flush()
        if outcome is not None and cards.footer_parts(outcome):
            html = cards.framed(cards.footer_html(outcome), styled=not self._has_tools)
            display({"text/html": html, "text/plain": cards.footer_text(outcome)}, raw=True)

    def new_group(self) -> None:
        self._blocks.append(_TextBlock("\0"))

    @property
    def _has_tools(self) -> bool:
        return any(isinstance(block, _ToolsBlock) for block in self._blocks)

    def _mark(self, block: _Block) -> None:
        if block not in self._stale:
            self._stale.append(block)

    def _text_block(self, item: str) -> _TextBlock:
        for block in self._blocks:
            if isinstance(block, _TextBlock) and block.item == item:
                return block
        self._blocks.append(block := _TextBlock(item))
        return block

    def _tools_block(self, card: ToolCard) -> _ToolsBlock:
        for block in self._blocks:
            if isinstance(block, _ToolsBlock) and card.id in block.cards:
                return block
        last = self._blocks[-1] if self._blocks else None
        if not isinstance(last, _ToolsBlock):
            self._blocks.append(last := _ToolsBlock(styled=not self._has_tools))
        return last


class TerminalScreen:
    """Lines for a front end whose displays cannot change, such as `jupyter console`: text as it comes, a tool when it ends."""

    def __init__(self, write: Callable[[str], object] = lambda text: sys.stdout.write(text)) -> None:
        self._write = write
        self._item = ""
        self._in_line = False
        self._told: set[str] = set()

    def show(self, step: Step) -> None:
        match step:
            case Wrote(item, _, delta):
                if item != self._item:
                    self._end_line()
                self._item = item
                self._say(delta)
            case Used(card) if card.ended_at is not None and card.id not in self._told:
                self._told.add(card.id)
                self._line(cards.tool_line(card))
            case _:
                return
        sys.stdout.flush()

    def due(self) -> float | None:
        return None

    def flush(self) -> None:
        sys.stdout.flush()

    def finish(self, outcome: Outcome | None) -> None:
        self._end_line()
        if outcome is not None and (line := cards.footer_text(outcome)):
            self._say(f"({line})\n")

    def new_group(self) -> None:
        self._end_line()

    def _line(self, text: str) -> None:
        self._end_line()
        self._say(f"{text}\n")

    def _end_line(self) -> None:
        if self._in_line:
            self._say("\n")

    def _say(self, text: str) -> None:
        self._write(text)
        self._in_line = not text.endswith("\n")


def _stop_running(rows: dict[str, ToolCard]) -> bool:
    """Marks calls that have no end yet as stopped; true when there were some."""
    open_rows = {key: card for key, card in rows.items() if card.state in ("running", "waiting")}
    rows.update({key: replace(card, state="stopped") for key, card in open_rows.items()})
    return bool(open_rows)


def settled_bundle(request: Mapping[str, Any], decision: str | None) -> Bundle:
    """What is left of a question in the output: its outcome, no dead buttons."""
    return {
        "text/html": cards.framed(cards.settled_html(request, decision)),
        "text/plain": cards.settled_text(request, decision),
    }
