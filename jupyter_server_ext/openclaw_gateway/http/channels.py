"""`/channels/{channel}/{account}/webhook`: where platforms knock. The account's own signature check is the lock."""

from __future__ import annotations

import logging

from openclaw_gateway.http.headers import GatewayHandler
from openclaw_kernel.values.errors import OpenClawError, UserError

MAX_BODY = 16_000_000
ROUTE = r"/channels/([A-Za-z0-9_-]{1,64})/([^/]{1,200})/webhook"

log = logging.getLogger(__name__)


class ChannelWebhook(GatewayHandler):
    """Passes the raw request on. What cannot be stored now is answered 503, so that the platform sends it again."""

    async def _pass(self, channel: str, account: str) -> None:
        request = self.request
        if len(request.body) > MAX_BODY:
            self.send_error(413)
            return
        from openclaw_gateway.channels.contract import WebhookRequest

        received = WebhookRequest(
            method=request.method or "",
            headers={name.lower(): value for name, value in request.headers.get_all()},
            query={name: values[-1].decode("utf-8", "replace") for name, values in request.query_arguments.items()},
            body=request.body,
            remote_ip=self.peer,
        )
        try:
            response = await self.services.channels.webhook(channel.lower(), account, received)
        except (OpenClawError, UserError, OSError) as error:
            log.warning("a request for %s could not be taken: %s", channel, error)
            self.set_header("Retry-After", "5")
            self.send_error(503)
            return
        if response is None:
            self.send_error(404)
            return
        self.set_status(response.status)
        self.set_header("Content-Type", response.content_type)
        for name, value in response.headers.items():
            self.set_header(name, value)
        self.finish(response.body)

    async def get(self, channel: str, account: str) -> None:
        await self._pass(channel, account)

    async def post(self, channel: str, account: str) -> None:
        await self._pass(channel, account)
