"""`/plugins/<id>/<path>`: the routes that plugins offer, behind the gateway's own secret unless a route says otherwise."""

from __future__ import annotations

import asyncio
import logging

from openclaw_gateway.http.headers import GatewayHandler
from openclaw_gateway.plugins.api import RouteOffer, RouteRequest

log = logging.getLogger(__name__)

ROUTE = r"/plugins/([a-z0-9][a-z0-9._-]{0,63})/(.+)"
TIME_S = 30.0
MAX_BODY = 1_000_000


class PluginRoute(GatewayHandler):
    """One request to a plugin. What it raises is a 500 without a word of it."""

    async def get(self, plugin_id: str, path: str) -> None:
        await self._serve(plugin_id, path)

    async def post(self, plugin_id: str, path: str) -> None:
        await self._serve(plugin_id, path)

    async def _serve(self, plugin_id: str, path: str) -> None:
        route = self._route(plugin_id, path)
        if route is None:
            self.send_error(404)
        elif not route.public and (self.foreign_page() or not self.authorized()):
            self.send_error(401)
        elif len(self.request.body) > MAX_BODY:
            self.send_error(413)
        else:
            await self._answer(plugin_id, route)

    def _route(self, plugin_id: str, path: str) -> RouteOffer | None:
        plugin = self.services.plugins.get(plugin_id)
        if plugin is None or plugin.state != "active":
            return None
        return next((route for route in plugin.offers.routes if route.path == path), None)

    async def _answer(self, plugin_id: str, route: RouteOffer) -> None:
        this = self.request
        secret = {"authorization", "cookie"} if not route.public else set()
        request = RouteRequest(
            this.method or "",
            route.path,
            {name.lower(): value for name, value in this.headers.get_all() if name.lower() not in secret},
            {name: values[-1].decode("utf-8", "replace") for name, values in this.query_arguments.items()},
            this.body,
            self.peer,
        )
        try:
            async with asyncio.timeout(TIME_S):
                answer = await route.handle(request)
        except Exception:
            log.exception("route %s of plugin %s failed", route.path, plugin_id)
            self.send_error(500)
            return
        self.set_status(answer.status)
        self.set_header("Content-Type", answer.content_type)
        self.finish(answer.body)
