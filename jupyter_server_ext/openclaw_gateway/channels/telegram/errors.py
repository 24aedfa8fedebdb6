"""What a failed call to Telegram means for us, and no token in what is said about it."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from openclaw_gateway.channels.contract import ChannelError

if TYPE_CHECKING:
    from telegram.error import TelegramError

_TOKEN = re.compile(r"\d{3,}:[A-Za-z0-9_-]{10,}")
_TALKATIVE = (
    "httpx",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "telegram.Bot",
    "telegram.ext.ExtBot",
    "telegram.request.BaseRequest",
    "telegram.request.HTTPXRequest",
)
"""Loggers that name the address of a request, in which Telegram puts the token."""


def hide_tokens() -> None:
    """Bot tokens disappear from the lines of the HTTP client and the SDK, and with them the SDK's debug lines, which repeat
    what strangers wrote. Calling it again changes nothing."""
    for name in _TALKATIVE:
        logging.getLogger(name).addFilter(_hide)


def _hide(record: logging.LogRecord) -> bool:
    if record.name.startswith("telegram.") and record.levelno < logging.INFO:
        return False
    text = record.getMessage()
    if _TOKEN.search(text):
        record.msg, record.args = without_token(text), ()
    return True


def without_token(text: str) -> str:
    return _TOKEN.sub("<bot token>", text)


def channel_error(error: TelegramError, *, sending: bool = False) -> ChannelError:
    """The same failure in our terms. `sending`: the call would have shown something in the chat, so it must not be repeated
    unless Telegram certainly did not take it."""
    from telegram.error import BadRequest, ChatMigrated, Conflict, Forbidden, InvalidToken, NetworkError, RetryAfter

    said = without_token(str(error)).strip().rstrip(".")
    match error:
        case RetryAfter():
            wait_s = _seconds(error)
            return ChannelError(f"Telegram asks to wait {wait_s:g} seconds.", "retry", wait_s)
        case InvalidToken():
            return ChannelError("Telegram does not accept the bot token; set the one @BotFather shows.", "fatal")
        case Conflict():
            sentence = "Another program polls Telegram with the same bot token; stop it, or use a bot of your own here."
            return ChannelError(sentence, "retry")
        case Forbidden():
            return ChannelError(f"Telegram refused: {said}.", "refused")
        case ChatMigrated():
            sentence = f"The group became a supergroup; its id is {error.new_chat_id} now, use that one."
            return ChannelError(sentence, "refused")
        case BadRequest():
            kind = "markup" if "can't parse entities" in said.lower() else "refused"
            return ChannelError(f"Telegram refused: {said}.", "markup" if kind == "markup" else "refused")
        case NetworkError():
            if sending and not never_sent(error):
                return ChannelError(f"The connection to Telegram broke while sending ({said}).", "ambiguous")
            return ChannelError(f"Telegram cannot be reached ({said}).", "retry")
        case _:
            return ChannelError(f"Telegram failed: {said}.", "ambiguous" if sending else "retry")


def never_sent(error: BaseException) -> bool:
    """Whether the request certainly did not reach Telegram: no connection was had, or it was turned away at the door (503)."""
    import httpx

    return isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout) or (
        getattr(error, "message", "").startswith("Service Unavailable")
    )


def _seconds(error: TelegramError) -> float:
    wait = getattr(error, "_retry_after", None)
    return float(wait.total_seconds()) if wait is not None else 1.0
