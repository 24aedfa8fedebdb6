"""The page at `/status`: says that the gateway is live and where to go."""

from __future__ import annotations

from html import escape

from tornado.web import RequestHandler

from openclaw_gateway.http.headers import GatewayHandler

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>OpenClaw gateway</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }}
body {{ max-width: 36rem; margin: 15vh auto; padding: 0 1.5rem; }}
code {{ padding: .1em .35em; border-radius: .3em; background: color-mix(in srgb, currentColor 10%, transparent); }}
</style></head><body>
<h1>OpenClaw gateway</h1>
<p>Live, version {version}.</p>
<p>Open the sidebar in JupyterLab, or type <code>jupyter openclaw chat</code> in a terminal.</p>
</body></html>
"""


POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


def send_page(handler: RequestHandler, version: str) -> None:
    """No secret and no state on it: anybody who reaches the port may see it."""
    handler.set_header("Content-Type", "text/html; charset=utf-8")
    handler.set_header("Content-Security-Policy", POLICY)
    handler.finish(_PAGE.format(version=escape(version)))


class StatusPage(GatewayHandler):
    """`/status`."""

    def get(self) -> None:
        send_page(self, self.services.version)
