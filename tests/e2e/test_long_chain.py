"""The long chain, as one recorded story with pictures.

A stranger on Telegram, let in from the sidebar, asks for a chart of `df`; the assistant draws it in the notebook that is open,
after one yes given there; it appears live in the cell and as a picture on Telegram; a button on it calls back into Python and
into the assistant; all of it is in the transcript.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import PICTURES, Lab, picture, running_lab
from tests.e2e.notebook import opened, run, write
from tests.flow.processes import messages, provider
from tests.processes import program
from tests.waiting import until

pytestmark = pytest.mark.e2e

WAIT_MS = 30_000
ROBIN = 5550112

DATA = 'df = {"month": ["Jan", "Feb", "Mar"], "sales": [120, 180, 150]}\npressed = []'
DRAW = """
from openclaw_kernel.canvas import Canvas
points = [{"x": month, "y": sold} for month, sold in zip(df["month"], df["sales"])]
chart = Canvas([
    {"version": "v0.9", "createSurface": {"surfaceId": "sales", "catalogId": "urn:openclaw-jupyter:catalog:notebook:v1"}},
    {"version": "v0.9", "updateDataModel":
        {"surfaceId": "sales", "path": "/", "value": {"series": [{"name": "Sales", "points": points}]}}},
    {"version": "v0.9", "updateComponents": {"surfaceId": "sales", "components": [
        {"id": "root", "component": "Column", "children": ["title", "chart", "more"]},
        {"id": "title", "component": "Text", "text": "Sales by month", "variant": "h3"},
        {"id": "chart", "component": "Chart", "type": "bar", "series": {"path": "/series"}},
        {"id": "more", "component": "Button", "child": "label", "variant": "primary",
         "action": {"event": {"name": "explain", "context": {"best": "Feb"}}}},
        {"id": "label", "component": "Text", "text": "Explain the best month"}]}},
], on_action=lambda action: pressed.append((action.name, action.context["best"])))
chart
"""
ASK = f"A chart of df, please. [[tool python {json.dumps({'code': DRAW})}]] [[echo Here is the chart: February was best.]]"


class Phone:
    """Robin's Telegram."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token

    def say(self, text: str) -> None:
        self._post("control/say", {"text": text, "user": ROBIN, "name": "Robin"})

    def heard(self) -> list[dict[str, Any]]:
        rows = self._post("control/state", {})["messages"]
        return [row for row in rows if row["chat"]["id"] == ROBIN and row["from"].get("is_bot")]

    def text(self) -> str:
        return "\n".join(str(row.get("text") or row.get("caption") or "") for row in self.heard())

    def picture(self) -> bytes:
        photo = next(row["photo"][-1] for row in self.heard() if "photo" in row)
        path = self._post(f"bot{self.token}/getFile", {"file_id": photo["file_id"]})["result"]["file_path"]
        with urllib.request.urlopen(f"{self.url}/file/bot{self.token}/{path}", timeout=10) as answer:
            return bytes(answer.read())

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/{path}", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


@pytest.fixture(scope="module")
def phone() -> Iterator[Phone]:
    with program("tests.fakes.telegram_server") as ready:
        yield Phone(ready["url"], ready["token"])


@pytest.fixture(scope="module")
def lab(phone: Phone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    channel = {"enabled": True, "botToken": phone.token, "apiBaseUrl": phone.url, "filesBaseUrl": phone.url}
    with program("tests.fakes.model_server") as model:
        config = provider(
            f"http://127.0.0.1:{model['listening']}/v1",
            channels={"telegram": channel},
            messages={"inbound": {"debounceMs": 0}},
        )
        with running_lab(tmp_path_factory.mktemp("chain"), config) as lab:
            yield lab


@pytest.fixture
def page(browser: Browser, lab: Lab) -> Iterator[Page]:
    write(lab.notebooks / "sales.ipynb", "%load_ext openclaw_kernel\n%claw --session main live", DATA, "print(pressed)")
    page = opened(browser, lab, "sales", width=1500, height=1100)
    expect(page.locator(".oc-chat .oc-input")).to_be_editable(timeout=WAIT_MS)  # the panel opens by itself the first time
    yield page
    page.close()


@pytest.mark.timeout(240)
def test_the_long_chain(page: Page, lab: Lab, phone: Phone) -> None:
    panel = run(page, 0)
    expect(panel.locator(".oc-now").first).to_be_visible(timeout=WAIT_MS)
    run(page, 1)

    # A stranger gets a code, and nothing of his words goes anywhere.
    phone.say("hello, who are you? secret-words")
    until(lambda: "pairing code" in phone.text(), "the pairing code")
    card = page.locator(".oc-chat [data-request]")
    expect(card).to_contain_text(str(ROBIN), timeout=WAIT_MS)
    expect(card).to_contain_text("Robin wants to write")
    code = card.locator(".oc-pair-code").inner_text().replace(" ", "")
    assert code in phone.text().replace(" ", "")
    picture(page, "chain-1-pairing")
    card.get_by_role("button", name="Approve").click()
    expect(page.locator(".oc-note")).to_contain_text("Robin was let in", timeout=WAIT_MS)

    # The owner's yes is given once, in the notebook.
    phone.say(ASK)
    allow = panel.get_by_role("button", name="Allow once")
    expect(allow).to_be_visible(timeout=WAIT_MS)
    picture(page, "chain-2-question")
    allow.click()

    # Live in the cell, and as a picture on the phone.
    chart = panel.get_by_role("button", name="Explain the best month")
    expect(chart).to_be_visible(timeout=WAIT_MS)
    expect(panel.get_by_role("heading", name="Sales by month")).to_be_visible()
    until(lambda: any("photo" in row for row in phone.heard()), "the picture on Telegram")
    assert "February was best" in phone.text()
    PICTURES.mkdir(parents=True, exist_ok=True)
    (PICTURES / "chain-telegram.png").write_bytes(phone.picture())
    picture(page, "chain-3-chart")

    # A press calls back into Python and into the assistant.
    before = len(messages(lab.state))
    chart.click()
    until(
        lambda: any("[Canvas action] explain" in str(row["content"]) for row in messages(lab.state)),
        "the action in the transcript",
    )
    until(
        lambda: messages(lab.state)[-1]["role"] == "assistant" and len(messages(lab.state)) > before + 1,
        "an answer to the press",
    )
    expect(run(page, 2)).to_contain_text("[('explain', 'Feb')]", timeout=WAIT_MS)
    picture(page, "chain-4-pressed")
    check_transcript(lab.state)


def check_transcript(state: Path) -> None:
    rows = messages(state)
    roles = [row["role"] for row in rows]
    assert roles[:4] == ["user", "assistant", "toolResult", "assistant"], roles
    asked, called, result, answered = rows[:4]
    assert "A chart of df" in str(asked["content"]) and asked["__openclaw"]["channel"] == "telegram"
    assert any(part.get("name") == "python" for part in called["content"])
    assert result["details"]["surface"]["surfaceId"] == "sales" and "sales.ipynb" in result["details"]["where"]
    assert "February was best" in str(answered["content"])
    assert "secret-words" not in "".join(path.read_text(errors="replace") for path in state.rglob("*.jsonl"))
    approvals = [json.loads(line) for line in (state / "approvals.jsonl").read_text().splitlines()]
    assert approvals[-1]["decision"] == "allow-once"
