"""Notebooks in JupyterLab, as a person writes, opens and runs them."""

from __future__ import annotations

from pathlib import Path

import nbformat
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.conftest import UP_MS, Lab, settled

CELLS = ".jp-Notebook .jp-Cell"
CODE_CELLS = ".jp-Notebook .jp-CodeCell"
STATUS = "#jp-main-statusbar"


def write(path: Path, *cells: str, kernel: str = "python3") -> None:
    """A notebook of code cells on `python3` or `openclaw`."""
    spec = {"name": kernel, "display_name": kernel, "language": "markdown" if kernel == "openclaw" else "python"}
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells], metadata={"kernelspec": spec}
    )
    nbformat.write(notebook, path)


def opened(browser: Browser, lab: Lab, name: str, *, width: int = 1280, height: int = 900) -> Page:
    """A window of its own with one notebook in front, drawn, its kernel idle."""
    page = browser.new_page(viewport={"width": width, "height": height})
    page.goto(f"{lab.url}/lab/workspaces/auto-{name}/tree/{name}.ipynb?token={lab.token}", wait_until="domcontentloaded")
    drawn(page)
    # The toolbar's circle says idle before there is a kernel; a cell that is run then asks for one instead.
    expect(page.locator(STATUS)).to_contain_text("| Idle", timeout=UP_MS)
    return page


def drawn(page: Page) -> None:
    """Waits for the notebook's cells, after an opening or a reload."""
    page.wait_for_selector(CELLS, timeout=UP_MS)
    settled(page)


def run(page: Page, number: int) -> Locator:
    """Runs a cell by hand and gives its output."""
    cell = page.locator(CODE_CELLS).nth(number)
    cell.locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    return cell.locator(".jp-Cell-outputArea")
