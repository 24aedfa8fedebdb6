"""A running bot: login, long poll or webhook, buttons, downloads.

The offset of the long poll is what tells Telegram "received", so it moves past an update only after the house has stored it.
Telegram keeps what was not confirmed, so the offset itself need not survive a restart.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import logging
import os
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from openclaw_gateway.channels.contract import Account, AccountHost, ChannelError, WebhookRequest, WebhookResponse
from openclaw_gateway.channels.telegram.errors import channel_error, hide_tokens
from openclaw_gateway.channels.telegram.inbound import Me, callback_of, inbound_of
from openclaw_gateway.channels.telegram.settings import AccountSettings
from openclaw_kernel.values.envelope import Attachment

if TYPE_CHECKING:
    from telegram import Bot, CallbackQuery, Update
    from telegram.request import HTTPXRequest

POLL_S = 30
"""How long Telegram may hold a poll that has nothing to say."""
STALL_S = 120.0
"""A poll without any answer for so long is dead, whatever the socket says (CHN-16)."""
CALL_S = 20.0
CONNECT_S = 10.0
UPLOAD_S = 300.0
HICCUP_S = 1.0
CONFLICT_S = 30.0
"""So long the other poller is left alone."""
UPDATES = ("message", "channel_post", "callback_query")
SECRET_HEADER = "x-telegram-bot-api-secret-token"
MAX_COMMANDS = 100
CHUNK = 1 << 16

log = logging.getLogger(__name__)


class TelegramGateway:
    """Starts accounts. One process polls a token once; times are parameters for tests."""

    def __init__(self, *, poll_s: int = POLL_S, stall_s: float = STALL_S, hiccup_s: float = HICCUP_S) -> None:
        self._poll_s = poll_s
        self._stall_s = stall_s
        self._hiccup_s = hiccup_s
        self._polled: dict[str, str] = {}
        self.usernames: dict[str, str] = {}

    @asynccontextmanager
    async def start(self, account: Account, host: AccountHost) -> AsyncIterator[TelegramLive]:
        """Logs in and listens. Raises `ChannelError`."""
        settings: AccountSettings = account.settings
        token = str(settings.bot_token)
        with self._only_poller(token, account.id):
            async with _bot(settings, token, self._stall_s) as (bot, polls):
                times = (self._poll_s, self._stall_s, self._hiccup_s)
                live = TelegramLive(bot, polls, account, host, settings, poll=times)
                try:
                    await live.login()
                    self.usernames[account.id] = live.me.username
                    await live.listen()
                    yield live
                finally:
                    await live.close()

    @contextlib.contextmanager
    def _only_poller(self, token: str, account: str) -> Iterator[None]:
        mark = hashlib.sha256(token.encode()).hexdigest()
        if mark in self._polled:
            other = self._polled[mark]
            raise ChannelError(f"The Telegram accounts {other} and {account} have the same bot token; use two bots.", "fatal")
        self._polled[mark] = account
        try:
            yield
        finally:
            del self._polled[mark]


@asynccontextmanager
async def _bot(settings: AccountSettings, token: str, stall_s: float) -> AsyncIterator[tuple[Bot, HTTPXRequest]]:
    """The SDK's client with our addresses and time limits. Polls have a connection of their own."""
    from telegram import Bot
    from telegram.request import HTTPXRequest

    hide_tokens()
    calls = HTTPXRequest(
        connection_pool_size=16,
        read_timeout=CALL_S,
        write_timeout=CALL_S,
        connect_timeout=CONNECT_S,
        pool_timeout=CALL_S,
        media_write_timeout=UPLOAD_S,
    )
    polls = HTTPXRequest(connection_pool_size=1, read_timeout=stall_s, connect_timeout=CONNECT_S)
    try:
        files = f"{settings.files_url}/file/bot"
        yield Bot(token, base_url=f"{settings.api_base_url}/bot", base_file_url=files, request=calls), polls
    finally:
        await calls.shutdown()
        await polls.shutdown()


class TelegramLive:
    """One logged-in bot."""

    def __init__(
        self,
        bot: Bot,
        polls: HTTPXRequest,
        account: Account,
        host: AccountHost,
        settings: AccountSettings,
        *,
        poll: tuple[int, float, float],
    ) -> None:
        self.bot = bot
        self._polls = polls
        self.settings = settings
        self.me = Me(0, "", account.id)
        self._account = account
        self._host = host
        self._poll_s, self._stall_s, self._hiccup_s = poll
        self._task: asyncio.Task[None] | None = None
        self._closed = asyncio.Event()

    # --- coming and going ---

    async def login(self) -> None:
        """Asks Telegram who we are and shows our commands in its menu. Raises `ChannelError`."""
        from telegram.error import TelegramError

        try:
            user = await self.bot.get_me()
        except TelegramError as error:
            raise channel_error(error) from None
        self.me = Me(user.id, user.username or "", self._account.id)
        self._host.alive()
        if self.settings.commands:
            await self._show_commands()

    async def _show_commands(self) -> None:
        """The native menu. A bot without one still works, so a refusal is only noted."""
        from telegram.error import TelegramError

        menu = menu_of(self._host.commands())
        self.me = replace(self.me, commands={shown: name for shown, (name, _) in menu.items()})
        try:
            await self.bot.set_my_commands([(shown, text) for shown, (_, text) in menu.items()])
        except TelegramError as error:
            log.warning("telegram %s: the command menu was not set: %s", self._account.id, channel_error(error))

    async def listen(self) -> None:
        """Webhook where one is configured, else the long poll; Telegram allows one of them. Raises `ChannelError`."""
        from telegram.error import TelegramError

        try:
            if self.settings.webhook is not None:
                await self.bot.set_webhook(
                    self._webhook_url(), secret_token=self._webhook_secret(), allowed_updates=list(UPDATES)
                )
            else:
                await self.bot.delete_webhook()
        except TelegramError as error:
            raise channel_error(error) from None
        self._host.connected(True)
        if self.settings.webhook is None:
            self._task = asyncio.create_task(self._poll(), name=f"telegram {self._account.id}")

    async def close(self) -> None:
        self._closed.set()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._host.connected(False)

    async def ended(self) -> None:
        """Returns when the account was stopped. Raises `ChannelError` when the connection was lost."""
        if self._task is None:
            await self._closed.wait()
            return
        closed = asyncio.create_task(self._closed.wait())
        try:
            await asyncio.wait({closed, self._task}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            closed.cancel()
        if self._task.done() and not self._closed.is_set():
            self._task.result()

    # --- long poll ---

    async def _poll(self) -> None:
        """Polls until stopped. One broken poll is a hiccup; two in a row end the connection, for the manager's ladder.

        After a hiccup Telegram is asked without waiting, so that sending goes on at once and not when somebody writes.
        """
        offset: int | None = None
        failed = False
        while True:
            try:
                updates = await self._updates(offset, 0 if failed else self._poll_s)
            except ChannelError as error:
                self._host.connected(False)
                if failed or error.kind != "retry" or error.retry_after_s is not None:
                    raise
                failed = True
                await asyncio.sleep(self._hiccup_s)
                continue
            if failed:
                failed = False
                self._host.connected(True)
            self._host.alive()
            for row in updates:
                if (update := self._read(row)) is not None:
                    await self.take(update)
                offset = int(row["update_id"]) + 1

    async def _updates(self, offset: int | None, wait_s: int) -> list[dict[str, Any]]:
        """The rows of one poll as they came: read by the SDK all at once, one odd row would hide all others for ever."""
        from telegram.error import Conflict, TelegramError

        asked = {"timeout": wait_s, "allowed_updates": json.dumps(UPDATES), **({"offset": offset} if offset else {})}
        try:
            async with asyncio.timeout(self._stall_s):
                url = f"{self.bot.base_url}/getUpdates?{urlencode(asked)}"
                rows: Any = await self._polls.post(url, read_timeout=self._stall_s)
        except TimeoutError:
            raise ChannelError(f"Telegram has not answered for {self._stall_s:g} seconds.", "retry") from None
        except Conflict as error:
            raise ChannelError(str(channel_error(error)), "retry", CONFLICT_S) from None
        except TelegramError as error:
            raise channel_error(error) from None
        return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []

    def _read(self, row: Mapping[str, Any]) -> Update | None:
        from telegram import Update

        try:
            return Update.de_json(dict(row), self.bot)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            log.warning("telegram %s: update %s is passed over: %s", self._account.id, row["update_id"], type(error).__name__)
            return None

    async def take(self, update: Update) -> None:
        """Stores one update, or answers one press. Returns only when Telegram may forget it."""
        if update.callback_query is not None:
            await self._pressed(update.callback_query)
            return
        inbound = inbound_of(update, self.me)
        if inbound is not None:
            await self._host.intake(inbound)

    async def _pressed(self, query: CallbackQuery) -> None:
        """Telegram shows a clock on the button until it is answered, so it is answered whatever happens."""
        from telegram.error import TelegramError

        shown = ""
        try:
            callback = callback_of(query, self.me)
            shown = await self._host.callback(callback) if callback is not None else "This button is too old."
        finally:
            try:
                await self.bot.answer_callback_query(query.id, text=shown[:200] or None)
            except TelegramError as error:
                log.info("telegram %s: a button was not answered: %s", self._account.id, channel_error(error))

    # --- webhook ---

    def _webhook_url(self) -> str:
        return self.settings.webhook.url if self.settings.webhook is not None else self._host.webhook_url

    def _webhook_secret(self) -> str:
        """The configured secret, or one that follows from the token, so that it survives a restart without being stored."""
        webhook = self.settings.webhook
        if webhook is not None and isinstance(webhook.secret, str):
            return webhook.secret
        return hmac.new(str(self.settings.bot_token).encode(), b"telegram webhook", hashlib.sha256).hexdigest()

    async def webhook(self, request: WebhookRequest) -> WebhookResponse:
        """One update from Telegram. 200 only once it is stored; anything else makes Telegram send it again."""
        from telegram import Update

        if self.settings.webhook is None:
            return WebhookResponse(404, b"This account polls; it has no webhook.")
        if request.method != "POST":
            return WebhookResponse(405, b"POST only.", headers={"Allow": "POST"})
        given = request.headers.get(SECRET_HEADER, "")
        if not hmac.compare_digest(given.encode(), self._webhook_secret().encode()):
            return WebhookResponse(403, b"The secret does not match.")
        try:
            update = Update.de_json(json.loads(request.body), self.bot)
        except (ValueError, TypeError, KeyError, AttributeError):
            return WebhookResponse(400, b"Not an update of the Bot API.")
        self._host.alive()
        await self.take(update)
        return WebhookResponse(200, b"")

    # --- files ---

    async def fetch(self, attachment: Attachment, into: Path, limit: int) -> Attachment:
        """Downloads into the folder `into` (or to that file), at most `limit` bytes. Raises `ChannelError`."""
        from telegram.error import TelegramError

        limit = min(limit, self.settings.media_bytes)
        if attachment.size > limit:
            raise _too_large(attachment, limit)
        try:
            file = await self.bot.get_file(attachment.ref)
        except TelegramError as error:
            raise channel_error(error) from None
        if (file.file_size or 0) > limit or not file.file_path:
            raise _too_large(attachment, limit)
        target = into / _file_name(attachment) if await asyncio.to_thread(into.is_dir) else into
        size, head = await self._download(file.file_path, target, attachment, limit)
        media_type = (attachment.kind == "image" and image_type(head)) or attachment.media_type
        return replace(attachment, path=str(target), size=size, media_type=media_type)

    async def _download(self, url: str, target: Path, attachment: Attachment, limit: int) -> tuple[int, bytes]:
        """Streams to a part file and renames it, so that a broken download leaves nothing that looks whole. Returns the size
        and the first bytes."""
        import httpx

        part = target.with_name(f"{target.name}.part")
        size, head = 0, b""
        try:
            async with httpx.AsyncClient(timeout=CALL_S) as client, client.stream("GET", url) as response:
                if response.status_code != 200:
                    raise ChannelError(f"Telegram did not hand out the file (HTTP {response.status_code}).", "retry")
                with await asyncio.to_thread(_create, part) as sink:
                    async for chunk in response.aiter_bytes(CHUNK):
                        size += len(chunk)
                        head = head or chunk[:16]
                        if size > limit:
                            raise _too_large(attachment, limit)
                        await asyncio.to_thread(sink.write, chunk)
            await asyncio.to_thread(os.replace, part, target)
        except httpx.HTTPError as error:
            raise ChannelError(f"The download from Telegram broke ({type(error).__name__}).", "retry") from None
        finally:
            part.unlink(missing_ok=True)
        return size, head


def image_type(head: bytes) -> str:
    """What a picture really is: Telegram does not say it of photos. Empty when it is none of the four that models read."""
    marks = (b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG", "image/png"), (b"GIF8", "image/gif"), (b"RIFF", "image/webp")
    return next((media_type for mark, media_type in marks if head.startswith(mark)), "")


def menu_of(commands: Sequence[tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """Telegram's spelling → (our name, description). It allows a–z, 0–9, _ and a hundred entries."""
    menu: dict[str, tuple[str, str]] = {}
    for name, description in commands:
        shown = re.sub(r"[^a-z0-9_]", "_", name.lstrip("/").lower())[:32]
        if shown and shown not in menu and len(menu) < MAX_COMMANDS:
            menu[shown] = (name.lstrip("/"), (description.strip() or name)[:256])
    return menu


def _create(path: Path) -> Any:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _file_name(attachment: Attachment) -> str:
    """A name that stays inside its folder and is not another file's."""
    mark = hashlib.sha256(attachment.ref.encode()).hexdigest()[:8]
    plain = re.sub(r"[^\w.-]+", "_", Path(attachment.name or attachment.kind).name).lstrip(".") or "file"
    return f"{mark}-{plain[-80:]}"


def _too_large(attachment: Attachment, limit: int) -> ChannelError:
    name = attachment.name or attachment.kind
    return ChannelError(f"The file {name} is larger than {limit:,} bytes, so it was not downloaded.", "refused")
