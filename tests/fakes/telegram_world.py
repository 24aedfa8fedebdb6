"""The chats, people, messages and files of a pretended Telegram, seen by one bot."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.telegram_rules import bad

BOT_ID = 7_000_001
BOT_NAME = "openclaw_test_bot"


@dataclass
class World:
    """Everything people did and the bot said. Dates are seconds."""

    chats: dict[int, dict[str, Any]] = field(default_factory=dict)
    messages: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    updates: list[dict[str, Any]] = field(default_factory=list)
    blocked: set[int] = field(default_factory=set)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    _update_ids: itertools.count[int] = field(default_factory=lambda: itertools.count(500_001))
    _message_ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _file_ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _callback_ids: itertools.count[int] = field(default_factory=lambda: itertools.count(9_000_001))

    @property
    def bot(self) -> dict[str, Any]:
        return {"id": BOT_ID, "is_bot": True, "first_name": "OpenClaw", "username": BOT_NAME}

    # --- what people do ---

    def say(
        self,
        text: str = "",
        *,
        user: int = 1001,
        chat: int | None = None,
        name: str = "Ann",
        username: str = "",
        title: str = "Team",
        topic: int | None = None,
        forum: bool = False,
        reply_to: int | None = None,
        file: Mapping[str, Any] | None = None,
        is_bot: bool = False,
    ) -> dict[str, Any]:
        """A person writes: privately, or in the group `chat` (negative). `file` is what `upload` returned."""
        place = self._chat(user if chat is None else chat, name=name, title=title, forum=forum or topic is not None)
        message: dict[str, Any] = {
            "message_id": next(self._message_ids),
            "date": int(time.time()),
            "chat": place,
            "from": person(user, name, username, is_bot=is_bot),
        }
        if topic is not None:
            message |= {"message_thread_id": topic, "is_topic_message": True}
        if reply_to is not None:
            message["reply_to_message"] = self.messages[place["id"], reply_to]
        if file is not None:
            message |= file
            message |= {"caption": text} if text else {}
        else:
            message |= {"text": text, "entities": _entities(text)}
        return self._arrive(message)

    def upload(self, kind: str, data: bytes, name: str = "file.bin", media_type: str = "", **more: Any) -> dict[str, Any]:
        """A file a person attaches: photo, document, audio, voice, video, sticker."""
        file_id = f"file-{next(self._file_ids)}"
        path = f"{kind}s/{file_id}-{name}"
        self.files[file_id] = (path, data)
        row: dict[str, Any] = {"file_id": file_id, "file_unique_id": f"u-{file_id}", "file_size": len(data), **more}
        if kind == "photo":
            small = {**row, "file_id": f"{file_id}-s", "file_unique_id": f"u-{file_id}-s", "width": 90, "height": 60}
            return {"photo": [small, {**row, "width": 900, "height": 600}]}
        extra = {
            "document": {"file_name": name},
            "audio": {"file_name": name, "duration": 2},
            "voice": {"duration": 2},
            "video": {"file_name": name, "width": 320, "height": 240, "duration": 2},
            "sticker": {
                "type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False, "emoji": "👍",
            },
        }[kind]  # fmt: skip
        return {kind: row | extra | ({"mime_type": media_type} if media_type else {})}

    def press(self, message_id: int, data: str, *, chat: int, user: int = 1001, name: str = "Ann") -> dict[str, Any]:
        """A person presses a button that stands under one of the bot's messages."""
        message = self.messages[chat, message_id]
        rows = (message.get("reply_markup") or {}).get("inline_keyboard", ())
        assert any(button.get("callback_data") == data for row in rows for button in row), f"no button carries {data!r}"
        query = {
            "id": str(next(self._callback_ids)),
            "from": person(user, name),
            "message": message,
            "chat_instance": "1",
            "data": data,
        }
        return self.post({"callback_query": query})

    def _arrive(self, message: dict[str, Any]) -> dict[str, Any]:
        self.messages[message["chat"]["id"], message["message_id"]] = message
        return self.post({"message": message})

    def post(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Any update, exactly as given; returns it with its number."""
        update = {"update_id": next(self._update_ids), **content}
        self.updates.append(update)
        self.changed.set()
        return update

    def repeat(self, update: Mapping[str, Any]) -> dict[str, Any]:
        """The same message once more under a new number, as after a confirmation that got lost."""
        return self.post({key: value for key, value in update.items() if key != "update_id"})

    # --- what the bot does ---

    def chat_of(self, text: Any) -> dict[str, Any]:
        chat = self.chats.get(int(text)) if str(text).lstrip("-").isdigit() else None
        if chat is None:
            raise bad("chat not found")
        return chat

    def sent(self, chat: Mapping[str, Any], content: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
        """A message of the bot."""
        message: dict[str, Any] = {
            "message_id": next(self._message_ids),
            "date": int(time.time()),
            "chat": dict(chat),
            "from": self.bot,
            **content,
        }
        if topic := arguments.get("message_thread_id"):
            message |= {"message_thread_id": int(topic), "is_topic_message": True}
        self.messages[chat["id"], message["message_id"]] = message
        return message

    def texts(self, chat: int) -> list[str]:
        """What the bot has said in a chat, as it stands there now."""
        return [
            message.get("text") or message.get("caption") or ""
            for (place, _), message in sorted(self.messages.items())
            if place == chat and message["from"]["id"] == BOT_ID
        ]

    def _chat(self, number: int, *, name: str, title: str, forum: bool) -> dict[str, Any]:
        if number not in self.chats:
            self.chats[number] = (
                {"id": number, "type": "private", "first_name": name}
                if number > 0
                else {"id": number, "type": "supergroup", "title": title} | ({"is_forum": True} if forum else {})
            )
        return self.chats[number]


def person(number: int, name: str, username: str = "", *, is_bot: bool = False) -> dict[str, Any]:
    row = {"id": number, "is_bot": is_bot, "first_name": name}
    return row | ({"username": username} if username else {})


def _entities(text: str) -> list[dict[str, Any]]:
    """Commands and mentions, which Telegram marks."""
    found, at = [], 0
    for word in text.split(" "):
        if word.startswith("@") or (word.startswith("/") and at == 0):
            kind = "mention" if word.startswith("@") else "bot_command"
            found.append({"type": kind, "offset": at, "length": len(word)})
        at += len(word) + 1
    return found
