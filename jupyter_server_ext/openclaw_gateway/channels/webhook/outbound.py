"""Answers of the webhook: to the request that waits, else as a signed POST to `replyUrl`."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from openclaw_gateway.channels.contract import ChannelError, Sent
from openclaw_gateway.channels.webhook.live import WebhookLive
from openclaw_gateway.channels.webhook.signature import sign
from openclaw_kernel.values.clock import Clock, system_clock
from openclaw_kernel.values.envelope import Outbound, Peer, Thread


class WebhookOutbound:
    """Sends to the request that waits, else to `replyUrl`. `id` is the same when a part is sent again."""

    def __init__(self, clock: Clock = system_clock) -> None:
        self._clock = clock

    async def send(self, live: WebhookLive, outbound: Outbound) -> Sent:
        reply = await asyncio.to_thread(_reply, outbound)
        if live.take(outbound, reply):
            return Sent(outbound.delivery_id)
        if not live.settings.reply_url:
            raise ChannelError("nobody waits for this answer any more, and channels.webhook.replyUrl is not set", "refused")
        return await self._post(live, orjson.dumps(reply), outbound.delivery_id)

    async def edit(self, live: WebhookLive, sent: Sent, outbound: Outbound) -> None:
        raise ChannelError("a webhook message cannot be changed", "refused")

    async def typing(self, live: WebhookLive, target: Peer, thread: Thread | None) -> None:
        return None

    async def _post(self, live: WebhookLive, body: bytes, delivery_id: str) -> Sent:
        import httpx

        headers = {"Content-Type": "application/json", **sign(str(live.settings.secret), body, self._clock() // 1000)}
        try:
            async with httpx.AsyncClient(timeout=30.0) as client:
                response = await client.post(str(live.settings.reply_url), content=body, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise ChannelError("replyUrl cannot be reached") from error
        except httpx.HTTPError as error:
            raise ChannelError(f"replyUrl did not answer: {type(error).__name__}", "ambiguous") from error
        status = response.status_code
        if status == 429 or status >= 500:
            raise ChannelError(f"replyUrl answered {status}", "retry", _seconds(response.headers.get("retry-after")))
        if status >= 300:
            raise ChannelError(f"replyUrl answered {status}", "refused")
        return Sent(delivery_id)


def _reply(outbound: Outbound) -> dict[str, Any]:
    media = [
        {
            "name": item.name,
            "mediaType": item.media_type,
            "content": base64.b64encode(Path(item.path).read_bytes()).decode(),
        }
        for item in outbound.media
    ]
    reply: dict[str, Any] = {"id": outbound.delivery_id, "chat": asdict(outbound.target), "text": outbound.text, "media": media}
    payload = outbound.payload or {}
    reply |= {name: payload[name] for name in ("part", "of") if name in payload}
    if outbound.thread is not None:
        reply["thread"] = outbound.thread.id
    if outbound.reply_to is not None:
        reply["replyTo"] = outbound.reply_to
    return reply


def _seconds(text: str | None) -> float | None:
    try:
        return min(max(float(text), 0.0), 3_600.0) if text else None
    except ValueError:
        return None
