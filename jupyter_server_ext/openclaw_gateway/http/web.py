"""The chat as a page at `/` (LAB-03): one document, one script, one style sheet, and a policy that allows nothing else.

The page holds no secret and no state; who opens it still has to prove himself on the WebSocket.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tornado.web import RequestHandler, StaticFileHandler

from openclaw_gateway.http.headers import add_security_headers
from openclaw_gateway.http.page import send_page

FOLDER = Path(__file__).parent / "webapp"
"""Made by `jlpm build:web`; a checkout without it shows the status page instead."""

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>OpenClaw</title>
<meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content">
<meta name="theme-color" media="(prefers-color-scheme: light)" content="#ffffff">
<meta name="theme-color" media="(prefers-color-scheme: dark)" content="#212121">
<link rel="icon" href="assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="assets/main.css">
<script type="module" src="assets/main.js"></script>
</head>
<body>
<div id="root"></div>
<noscript>The chat needs JavaScript; in a terminal, type: jupyter openclaw chat</noscript>
</body>
</html>
"""


def send_app(handler: RequestHandler, version: str) -> None:
    """The chat, or the status page where the bundle was not built."""
    if not (FOLDER / "main.js").is_file():
        send_page(handler, version)
        return
    handler.set_header("Content-Type", "text/html; charset=utf-8")
    handler.set_header("Content-Security-Policy", POLICY)
    handler.set_header("Cross-Origin-Opener-Policy", "same-origin")
    handler.set_header("Cache-Control", "no-cache")
    handler.finish(_PAGE)


class Asset(StaticFileHandler):
    """`/assets/…`: public, and only the names that the route lists."""

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        add_security_headers(self)

    def set_extra_headers(self, path: str) -> None:
        self.set_header("Cache-Control", "no-cache")

    def write_error(self, status_code: int, **_kwargs: Any) -> None:
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{status_code} {self._reason}\n")


ROUTES: list[tuple[Any, ...]] = [(r"/assets/(main\.js|main\.css|icon\.svg)", Asset, {"path": str(FOLDER)})]
