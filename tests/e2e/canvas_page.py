"""A bare page that holds Canvas widgets as anywidget would, in JupyterLab's own colours."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, Route

ROOT = Path(__file__).parents[2]
ESM = ROOT / "openclaw_kernel" / "canvas" / "static" / "canvas.js"
THEMES = Path(sys.prefix) / "share" / "jupyter" / "lab" / "themes" / "@jupyterlab"
ORIGIN = "http://canvas.test"

HTML = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Canvas</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/theme.css">
<style>
  body { margin: 0; background: var(--jp-layout-color0); }
  #out { padding: 12px; }
  #out > * + * { margin-top: 12px; }
</style></head>
<body data-jp-theme-light="LIGHT"><div id="out"></div>
<script type="module">
  // What anywidget hands to a widget; events and traits only.
  window.models = [];
  window.model = messages => {
    const handlers = new Map();
    const state = { messages };
    const made = {
      sent: [],
      get: name => state[name],
      on: (event, run) => handlers.set(event, [...(handlers.get(event) ?? []), run]),
      off: (event, run) => handlers.set(event, (handlers.get(event) ?? []).filter(each => each !== run)),
      send: content => made.sent.push(JSON.parse(JSON.stringify(content))),
      fire: (event, ...args) => (handlers.get(event) ?? []).forEach(run => run(...args)),
      set: (name, value) => { state[name] = value; made.fire(`change:${name}`); }
    };
    window.models.push(made);
    return made;
  };
  // A fresh module for every model, as anywidget does it.
  window.open_ = async (messages, views = 1) => {
    const source = await (await fetch('/canvas.js')).text();
    const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
    const widget = await (await import(url)).default();
    const model = window.model(messages);
    await widget.initialize?.({ model });
    for (let count = 0; count < views; count++) {
      const el = document.getElementById('out').appendChild(document.createElement('div'));
      await widget.render({ model, el });
    }
    return window.models.length - 1;
  };
  window.ready = true;
</script></body></html>"""


class CanvasPage:
    """One page; `problems` collects what its console and its scripts complain about, `asked` what it wanted from elsewhere."""

    def __init__(self, page: Page, dark: bool = False) -> None:
        self.page = page
        self.problems: list[str] = []
        self.asked: list[str] = []
        self._dark = dark
        self._performance: CDPSession | None = None
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda message: self.problems.append(message.text) if message.type in ("error", "warning") else None)
        page.route("**/*", self._answer)
        page.goto(f"{ORIGIN}/")
        page.wait_for_function("window.ready")

    def open(self, messages: list[Any], views: int = 1) -> int:
        """Shows a canvas; returns the number of its model."""
        number: int = self.page.evaluate("([messages, views]) => window.open_(messages, views)", [messages, views])
        return number

    def send(self, model: int, messages: list[Any]) -> None:
        """New messages from the kernel, as a custom message."""
        call = "([at, messages]) => window.models[at].fire('msg:custom', {type: 'messages', messages})"
        self.page.evaluate(call, [model, messages])
        self.settle()

    def sent(self, model: int = 0) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.page.evaluate("at => window.models[at].sent", model)
        return found

    def settle(self) -> None:
        self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)))")

    def busy(self) -> float:
        """Seconds the page's main thread has worked: its own time, whatever else the machine does."""
        if self._performance is None:
            self._performance = self.page.context.new_cdp_session(self.page)
            self._performance.send("Performance.enable", {"timeDomain": "threadTicks"})
        metrics = self._performance.send("Performance.getMetrics")["metrics"]
        return next(float(each["value"]) for each in metrics if each["name"] == "TaskDuration")

    def clear(self) -> None:
        self.page.evaluate("() => { document.getElementById('out').replaceChildren(); window.models = []; }")

    def text(self) -> str:
        return self.page.locator("#out").inner_text()

    def _answer(self, route: Route) -> None:
        url = route.request.url
        path = url.removeprefix(ORIGIN)
        theme = "dark" if self._dark else "light"
        if path == "/":
            body = HTML.replace("LIGHT", json.dumps(not self._dark))
            route.fulfill(body=body, content_type="text/html")
        elif path == "/canvas.js":
            route.fulfill(path=str(ESM), content_type="text/javascript")
        elif path == "/theme.css":
            route.fulfill(path=str(THEMES / f"theme-{theme}-extension" / "index.css"), content_type="text/css")
        else:
            self.asked.append(url)
            route.abort()


def new_context(browser: Browser, width: int = 900) -> BrowserContext:
    """A window whose dates and numbers do not depend on the machine."""
    return browser.new_context(
        viewport={"width": width, "height": 900}, locale="en-US", timezone_id="UTC", reduced_motion="reduce"
    )
