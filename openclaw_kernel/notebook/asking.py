"""Asking the person at the notebook: by buttons where the front end has widgets, else on stdin.

An `Ask` gets the approval as the wire has it and returns a decision. It is cancelled when the question was answered elsewhere.
"""

from __future__ import annotations

import asyncio
import importlib.util
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, Protocol

from IPython.display import display

from openclaw_kernel.notebook import cards
from openclaw_kernel.notebook.screen import settled_bundle

Ask = Callable[[Mapping[str, Any]], Awaitable[str]]

STDIN_POLL_S = 0.03
LABELS = {"allow-once": "Allow once", "allow-always": "Allow always", "deny": "Deny"}
_KEYS = {"allow-once": ("y", "yes, once"), "allow-always": ("a", "always"), "deny": ("n", "no")}


class Stdin(Protocol):
    """The stdin channel of a kernel, without a thread: one blocked in `input()` would outlive an interrupt and swallow the next
    reply."""

    def send(self, prompt: str) -> None:
        """Shows the prompt; a reply to a question nobody waits for any more is dropped."""

    def receive(self) -> str | None:
        """What was typed, if there is a reply."""


def offered(request: Mapping[str, Any]) -> list[str]:
    """The decisions this question takes; deny is always last."""
    allowed = [str(name) for name in request.get("allowedDecisions") or ("allow-once", "deny")]
    return sorted((name for name in allowed if name in LABELS), key=list(LABELS).index)


@cache
def has_widgets() -> bool:
    """Whether ipywidgets is installed; looked up without importing it."""
    return importlib.util.find_spec("ipywidgets") is not None


async def deny(_request: Mapping[str, Any]) -> str:
    """Nobody can be asked: closed by default."""
    return "deny"


def prompt_of(request: Mapping[str, Any]) -> str:
    choices = "  ".join(f"[{_KEYS[name][0]}] {_KEYS[name][1]}" for name in offered(request))
    return f"{cards.question_text(request)}\n\n{choices}: "


def decision_of(reply: str, request: Mapping[str, Any]) -> str:
    """What was typed, as a decision; everything that is not clearly a yes is a no."""
    letter = reply.strip().lower()[:1]
    return next((name for name in offered(request) if _KEYS[name][0] == letter), "deny")


def on_stdin(stdin: Stdin) -> Ask:
    """Asks on the stdin channel and waits by looking."""

    async def ask(request: Mapping[str, Any]) -> str:
        stdin.send(prompt_of(request))
        while True:
            reply = stdin.receive()
            if reply is not None:
                return decision_of(reply, request)
            await asyncio.sleep(STDIN_POLL_S)

    return ask


async def by_buttons(request: Mapping[str, Any]) -> str:
    """Shows a card with buttons in the cell and waits for a click, which may come from another thread."""
    loop = asyncio.get_running_loop()
    clicked: asyncio.Future[str] = loop.create_future()

    def settle(decision: str) -> None:
        if not clicked.done():
            clicked.set_result(decision)

    def decide(decision: str) -> None:
        loop.call_soon_threadsafe(settle, decision)

    with button_card(request, decide) as box:
        spot = display(box, display_id=True)
        decision: str | None = None
        try:
            decision = await clicked
            return decision
        finally:
            spot.update(settled_bundle(request, decision), raw=True)


@contextmanager
def button_card(request: Mapping[str, Any], decide: Callable[[str], None]) -> Iterator[Any]:
    """A widget with the question and a button for each decision; the first click counts. Closed with the block."""
    box = make_card(request, decide)
    try:
        yield box
    finally:
        for widget in (*box.children[-1].children, *box.children, box):
            widget.close()


def make_card(request: Mapping[str, Any], decide: Callable[[str], None]) -> Any:
    import ipywidgets

    once = threading.Lock()

    def click(decision: str) -> Callable[[Any], None]:
        def clicked(_button: Any) -> None:
            if once.acquire(blocking=False):
                for button in buttons:
                    button.disabled = True
                decide(decision)

        return clicked

    buttons = []
    for position, name in enumerate(offered(request)):
        style = "primary" if position == 0 and name != "deny" else ""
        button = ipywidgets.Button(description=LABELS[name], button_style=style, layout=ipywidgets.Layout(width="auto"))
        button.on_click(click(name))
        buttons.append(button)
    card = ipywidgets.HTML(cards.framed(cards.question_html(request)))
    box = ipywidgets.VBox([card, ipywidgets.HBox(buttons)], layout=ipywidgets.Layout(max_width="860px"))
    box.add_class("oc-askbox")
    return box
