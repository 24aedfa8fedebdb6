"""What a page may make of its tab: a page that floods its reader with events is closed (SAF-28)."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from openclaw_kernel.tools.browser.tab import CONSOLE_LINES, FLOOD, Tab


class Page:
    def __init__(self) -> None:
        self.closed = asyncio.Event()

    async def close(self) -> None:
        self.closed.set()


def line(text: str) -> Any:
    return SimpleNamespace(type="log", text=text)


async def test_a_page_that_writes_without_end_is_closed() -> None:
    page = Page()
    tab = Tab("t1", "s", cast(Any, page))
    for number in range(FLOOD - 1):
        tab._console(line(f"{number}"))
    await asyncio.sleep(0)
    assert not page.closed.is_set() and len(tab.console) == CONSOLE_LINES
    for _ in range(3 * FLOOD):
        tab._console(line("more"))
        tab._error("more")
    await asyncio.wait_for(page.closed.wait(), 5)
    assert tab.console[-1] == f"log: {FLOOD - 2}"


async def test_a_page_that_is_looked_at_may_go_on_writing() -> None:
    page = Page()
    tab = Tab("t1", "s", cast(Any, page))
    for _ in range(5):
        for _ in range(FLOOD - 1):
            tab._console(line("x"))
        tab.told()
    await asyncio.sleep(0)
    assert not page.closed.is_set()
