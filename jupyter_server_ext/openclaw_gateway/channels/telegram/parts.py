"""The small adapters of Telegram: health, pairing words, warnings, mentions, quoting, targets, actions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from openclaw_gateway.channels.contract import Account, Probe
from openclaw_gateway.channels.telegram.adapter import TelegramGateway
from openclaw_gateway.channels.telegram.errors import channel_error
from openclaw_gateway.channels.telegram.inbound import names_us
from openclaw_kernel.values.envelope import Inbound, Peer, Sender, Thread
from openclaw_kernel.values.errors import invalid

if TYPE_CHECKING:
    from openclaw_gateway.channels.telegram.adapter import TelegramLive

_TARGET = re.compile(
    r"^(?:telegram:|tg:)?(?P<chat>-?\d{1,20}|@[A-Za-z]\w{3,31})(?::topic:(?P<topic>\d{1,12}))?$", re.IGNORECASE
)


class TelegramStatus:
    async def probe(self, live: TelegramLive) -> Probe:
        from telegram.error import TelegramError

        try:
            user = await live.bot.get_me()
        except TelegramError as error:
            return Probe(False, str(channel_error(error)))
        return Probe(True, "logged in", f"@{user.username}")


class TelegramPairing:
    def challenge(self, code: str, sender: Sender) -> str:
        return (
            f"I do not know you yet. Your pairing code: **{code}**\n\nYour Telegram id is `{sender.id}`. "
            f"Ask the owner to approve the code: `jupyter openclaw pairing approve telegram {code}`"
        )

    def approved(self) -> str:
        return "You are approved. Write me anything."


class TelegramSecurity:
    def warnings(self, account: Account) -> Sequence[str]:
        settings = account.settings
        found = []
        everyone = "*" in [str(entry) for entry in settings.allow_from or ()]
        if settings.dm_policy == "open" or everyone:
            found.append(f"Anyone on Telegram may write to the account {account.id}; use dmPolicy pairing.")
        if settings.group_policy == "open":
            found.append(f"Any group may use the account {account.id}; use groupPolicy allowlist.")
        if settings.dangerously_allow_name_matching:
            found.append(f"The account {account.id} trusts user names, which their bearers can change; list ids.")
        if settings.webhook is not None and not settings.webhook.url.startswith("https://"):
            found.append(f"The webhook of the account {account.id} is not https, so its secret travels in clear.")
        return found


class TelegramGroups:
    """Knows what we are called from the login of each account."""

    def __init__(self, gateway: TelegramGateway) -> None:
        self._usernames = gateway.usernames

    def mentions(self, inbound: Inbound, account: Account) -> bool:
        """`@name` or `/command@name`; a reply to us is in `inbound.reply`."""
        return names_us(inbound.text, self._usernames.get(account.id, ""))


class TelegramThreading:
    def reply_mode(self, account: Account, inbound: Inbound) -> Literal["off", "first", "all"]:
        mode: Literal["off", "first", "all"] = account.settings.reply_to_mode
        return mode


class TelegramMessaging:
    def target(self, text: str) -> tuple[Peer, Thread | None]:
        """`123`, `-100123`, `-100123:topic:5`, `@channel`, each also with `telegram:` in front."""
        found = _TARGET.match(text.strip())
        if found is None:
            raise invalid(f"{text!r} is no Telegram chat; write its number, @channelname or -100…:topic:5.")
        chat = found["chat"]
        kind: Literal["direct", "group", "channel"] = "direct"
        if chat.startswith(("-", "@")):
            kind = "group" if chat.startswith("-") else "channel"
        return Peer(kind, chat), Thread(found["topic"], "topic") if found["topic"] else None


class TelegramActions:
    """`react {chatId, messageId, emoji}` (empty takes it back), `delete`, `pin`, `unpin` `{chatId, messageId}`,
    `poll {chatId, question, options, multiple}`."""

    supported = frozenset(("react", "delete", "pin", "unpin", "poll"))

    async def perform(self, live: TelegramLive, action: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        from telegram.error import TelegramError

        chat: dict[str, Any] = {"chat_id": str(params.get("chatId", ""))}
        place: dict[str, Any] = {**chat, "message_id": int(params.get("messageId", 0))}
        try:
            match action:
                case "react":
                    await live.bot.set_message_reaction(**place, reaction=str(params.get("emoji") or "") or None)
                case "delete":
                    await live.bot.delete_message(**place)
                case "pin":
                    await live.bot.pin_chat_message(**place, disable_notification=True)
                case "unpin":
                    await live.bot.unpin_chat_message(**place)
                case "poll":
                    sent = await live.bot.send_poll(
                        **chat,
                        question=str(params.get("question", "")),
                        options=[str(option) for option in params.get("options", ())],
                        allows_multiple_answers=bool(params.get("multiple")),
                    )
                    return {"ok": True, "messageId": str(sent.message_id)}
                case _:
                    raise invalid(f"telegram cannot {action}; it can: {', '.join(sorted(self.supported))}.")
        except TelegramError as error:
            raise channel_error(error, sending=action == "poll") from None
        return {"ok": True}
