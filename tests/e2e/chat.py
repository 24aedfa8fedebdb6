"""Writing in the chat, in the sidebar as in the web page."""

from __future__ import annotations

from playwright.sync_api import Page, expect

INPUT = ".oc-chat .oc-input"
SEND = ".oc-chat .oc-send"
WAIT_MS = 20_000


def say(page: Page, text: str) -> None:
    """Types a message and sends it with Enter, once the page is connected: before that a message stays where it is."""
    page.locator(INPUT).fill(text)
    expect(page.locator(SEND)).to_be_enabled(timeout=WAIT_MS)
    page.locator(INPUT).press("Enter")  # JupyterLab may have taken the focus while it came up
