"""A JupyterLab window as a node: the assistant works in the open notebook through its document (NBK-04, TOL-06)."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from openclaw_kernel.client.blocking import BlockingGateway
from openclaw_kernel.client.connection import ALL_SCOPES
from openclaw_kernel.store.runtime_file import read_runtime
from openclaw_kernel.values.errors import OpenClawError
from tests.e2e.conftest import CHROMIUM, CHROMIUM_FLAGS, PICTURES, Lab

pytestmark = pytest.mark.e2e

WAIT_MS = 60_000
LIMIT_S = 60
CELLS = ".jp-Notebook .jp-Cell"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine and it could not be installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def page(browser: Browser, lab: Lab) -> Iterator[Page]:
    """A window with the notebook `sales.ipynb` in front and its kernel idle."""
    write(lab.notebooks / "sales.ipynb", ["x = 20", "x + 1"])
    write(lab.notebooks / "other.ipynb", ["'other'"])
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{lab.url}/lab/tree/sales.ipynb?token={lab.token}", wait_until="domcontentloaded")
    page.wait_for_selector(CELLS, timeout=WAIT_MS)
    page.wait_for_function("!document.querySelector('#jupyterlab-splash')", timeout=WAIT_MS)
    expect(page.locator(".jp-NotebookPanel-toolbar .jp-Notebook-ExecutionIndicator")).to_have_attribute(
        "data-status", "idle", timeout=WAIT_MS
    )
    yield page


def write(path: Path, sources: list[str]) -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in sources],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    path.write_text(nbformat.writes(notebook))


class Gateway:
    """The gateway inside that Jupyter, from outside."""

    def __init__(self, lab: Lab) -> None:
        info = wait_for(lambda: read_runtime(lab.state))
        self._blocking = BlockingGateway(
            info.url, token=info.token, client_id="gateway-client", mode="backend", scopes=ALL_SCOPES, caps=("tool-events",)
        )

    def __enter__(self) -> Gateway:
        self._blocking.__enter__()
        self.node_id = wait_for(self._window)["nodeId"]
        return self

    def __exit__(self, *error: Any) -> None:
        self._blocking.__exit__(*error)

    def request(self, method: str, params: dict[str, Any]) -> Any:
        return self._blocking.request(method, params)

    def window(self) -> dict[str, Any]:
        return dict(wait_for(self._window))

    def _window(self) -> dict[str, Any] | None:
        rows = self.request("node.list", {})["nodes"]
        return next((row for row in rows if "notebook.run" in row["commands"] and row.get("notebook")), None)

    def invoke(self, command: str, **params: Any) -> dict[str, Any]:
        asked = {"nodeId": self.node_id, "command": command, "params": params, "timeoutMs": LIMIT_S * 1000}
        return dict(self.request("node.invoke", {**asked, "idempotencyKey": str(uuid.uuid4())})["payload"])


@pytest.fixture
def gateway(lab: Lab, page: Page) -> Iterator[Gateway]:
    with Gateway(lab) as gateway:
        yield gateway


def wait_for(found: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        value = found()
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError("it did not come about")


def sources(gateway: Gateway) -> list[str]:
    return [cell["source"] for cell in gateway.invoke("notebook.cells")["cells"]]


def on_disk(lab: Lab) -> list[str]:
    return ["".join(cell["source"]) for cell in json.loads((lab.notebooks / "sales.ipynb").read_text())["cells"]]


def test_the_window_is_a_node_without_anybodys_word(gateway: Gateway) -> None:
    row = gateway.window()
    assert row["notebook"] == "sales.ipynb" and row["local"] is True and row["blockedCommands"] == []
    assert row["commands"] == ["notebook.cells", "notebook.insert", "notebook.run"]


def test_cells_are_read(gateway: Gateway) -> None:
    read = gateway.invoke("notebook.cells")
    assert [cell["source"] for cell in read["cells"]] == ["x = 20", "x + 1"]
    assert [cell["type"] for cell in read["cells"]] == ["code", "code"] and read["total"] == 2
    one = gateway.invoke("notebook.cells", cellId=read["cells"][1]["id"])
    assert one["cells"][0]["index"] == 1 and one["total"] == 1


def test_a_cell_runs_and_shows_its_outputs(gateway: Gateway, page: Page) -> None:
    ids = [cell["id"] for cell in gateway.invoke("notebook.cells")["cells"]]
    assert gateway.invoke("notebook.run", cellId=ids[0])["status"] == "ok"
    ran = gateway.invoke("notebook.run", index=1, source="x + 1")
    assert ran["outputs"] == [{"text": "21"}] and ran["executionCount"] == 2
    expect(page.locator(".jp-OutputArea-output").first).to_contain_text("21")
    with pytest.raises(OpenClawError, match="changed since it was approved"):
        gateway.invoke("notebook.run", index=1, source="x + 2")


def test_an_inserted_cell_can_be_undone_and_the_file_is_left_alone(gateway: Gateway, page: Page, lab: Lab) -> None:
    first = gateway.invoke("notebook.cells")["cells"][0]["id"]
    made = gateway.invoke("notebook.insert", afterCellId=first, cellType="markdown", source="# Sales")
    assert made["index"] == 1 and made["dirty"] is True and sources(gateway) == ["x = 20", "# Sales", "x + 1"]
    assert on_disk(lab) == ["x = 20", "x + 1"], "nothing is written behind the editor's back"
    expect(page.locator(f"{CELLS}.jp-MarkdownCell")).to_have_count(1)
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(PICTURES / "notebook-node.png"))
    page.locator(f"{CELLS} .jp-InputPrompt").first.click()
    page.keyboard.press("Escape")
    page.keyboard.press("z")
    expect(page.locator(f"{CELLS}.jp-MarkdownCell")).to_have_count(0)
    assert sources(gateway) == ["x = 20", "x + 1"]


def test_a_failing_cell_and_a_picture_come_back(gateway: Gateway) -> None:
    bad = gateway.invoke("notebook.insert", source="1 / 0")
    ran = gateway.invoke("notebook.run", cellId=bad["cellId"])
    assert ran["status"] == "error" and "ZeroDivisionError" in ran["outputs"][0]["text"] and "\x1b" not in str(ran)
    png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
    shown = gateway.invoke(
        "notebook.insert", source=f"import base64; from IPython.display import Image; Image(base64.b64decode('{png}'))"
    )
    ran = gateway.invoke("notebook.run", cellId=shown["cellId"])
    assert ran["outputs"] == [{"image": {"mediaType": "image/png", "base64": png}}]


def test_only_an_open_notebook_is_touched(gateway: Gateway, page: Page) -> None:
    for params in ({"path": "other.ipynb"}, {"path": "../secret.ipynb"}, {"kernelId": "nobody"}):
        with pytest.raises(OpenClawError, match="is not open here"):
            gateway.invoke("notebook.cells", **params)
    with pytest.raises(OpenClawError, match="has no cell"):
        gateway.invoke("notebook.run", cellId="nobody")
    page.get_by_text("other.ipynb", exact=True).first.dblclick()
    wait_for(lambda: gateway.window()["notebook"] == "other.ipynb")
    assert sources(gateway) == ["'other'"]
    behind = gateway.invoke("notebook.cells", path="sales.ipynb")
    assert behind["path"] == "sales.ipynb" and behind["cells"][0]["source"] == "x = 20"
