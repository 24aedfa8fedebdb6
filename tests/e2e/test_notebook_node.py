"""A JupyterLab window as a node: the assistant works in the open notebook through its document (NBK-04, TOL-06)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from openclaw_kernel.client.blocking import BlockingGateway
from openclaw_kernel.client.connection import ALL_SCOPES
from openclaw_kernel.store.runtime_file import read_runtime
from openclaw_kernel.values.errors import OpenClawError
from tests.e2e.conftest import Lab, picture
from tests.e2e.notebook import CELLS, opened, write
from tests.waiting import LIMIT_S, until

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def page(browser: Browser, lab: Lab) -> Iterator[Page]:
    """A window with the notebook `sales.ipynb` in front and its kernel idle."""
    write(lab.notebooks / "sales.ipynb", "x = 20", "x + 1")
    write(lab.notebooks / "other.ipynb", "'other'")
    page = opened(browser, lab, "sales")
    yield page
    page.close()


class Gateway:
    """The gateway inside that Jupyter, from outside."""

    def __init__(self, lab: Lab) -> None:
        info = until(lambda: read_runtime(lab.state), "the gateway")
        self._blocking = BlockingGateway(
            info.url, token=info.token, client_id="gateway-client", mode="backend", scopes=ALL_SCOPES, caps=("tool-events",)
        )

    def __enter__(self) -> Gateway:
        self._blocking.__enter__()
        self.node_id = until(self._window, "the window")["nodeId"]
        return self

    def __exit__(self, *error: Any) -> None:
        self._blocking.__exit__(*error)

    def request(self, method: str, params: dict[str, Any]) -> Any:
        return self._blocking.request(method, params)

    def window(self) -> dict[str, Any]:
        return dict(until(self._window, "the window"))

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
    picture(page, "notebook-node")
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
    until(lambda: gateway.window()["notebook"] == "other.ipynb", "the other notebook in front")
    assert sources(gateway) == ["'other'"]
    behind = gateway.invoke("notebook.cells", path="sales.ipynb")
    assert behind["path"] == "sales.ipynb" and behind["cells"][0]["source"] == "x = 20"
