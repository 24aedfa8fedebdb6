"""The methods of the pretended Bot API. Each takes the world, the arguments and the files of a call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.fakes.telegram_rules import (
    CAPTION_LIMIT,
    UPLOAD_LIMIT,
    UPLOAD_LIMITS,
    Refused,
    bad,
    checked_markup,
    checked_text,
    nested,
    number,
)
from tests.fakes.telegram_world import BOT_ID, World

Files = Mapping[str, tuple[str, bytes]]
Method = Callable[[World, Mapping[str, Any], Files], Any]

UPDATE_METHODS = frozenset(("setWebhook", "deleteWebhook"))
DOWNLOAD_LIMIT = 20_000_000


def get_me(world: World, _: Mapping[str, Any], __: Files) -> Any:
    return world.bot | {"can_join_groups": True, "can_read_all_group_messages": False, "supports_inline_queries": False}


def send_message(world: World, arguments: Mapping[str, Any], _: Files) -> Any:
    chat = _place(world, arguments)
    text, entities = checked_text(arguments)
    content: dict[str, Any] = {"text": text, "entities": entities}
    return world.sent(chat, content | _extras(world, chat, arguments), arguments)


def send_file(kind: str) -> Method:
    def send(world: World, arguments: Mapping[str, Any], files: Files) -> Any:
        chat = _place(world, arguments)
        name, data = _file(world, arguments, files, kind)
        if not data:
            raise bad("file must be non-empty")
        if len(data) > UPLOAD_LIMITS.get(kind, UPLOAD_LIMIT):
            raise Refused(413, "Request Entity Too Large")
        caption, entities = checked_text(arguments, "caption", CAPTION_LIMIT)
        content = world.upload(kind, data, name)
        content |= {"caption": caption, "caption_entities": entities} if caption else {}
        return world.sent(chat, content | _extras(world, chat, arguments), arguments)

    return send


def edit_text(world: World, arguments: Mapping[str, Any], _: Files) -> Any:
    message = _own_message(world, arguments)
    if "text" not in message:
        raise bad("there is no text in the message to edit")
    text, entities = checked_text(arguments)
    return _edit(message, {"text": text, "entities": entities}, arguments)


def edit_caption(world: World, arguments: Mapping[str, Any], _: Files) -> Any:
    caption, entities = checked_text(arguments, "caption", CAPTION_LIMIT)
    return _edit(_own_message(world, arguments), {"caption": caption, "caption_entities": entities}, arguments)


def chat_action(world: World, arguments: Mapping[str, Any], _: Files) -> Any:
    _place(world, arguments, general=True)
    if arguments.get("action") not in ("typing", "upload_photo", "upload_document", "record_voice"):
        raise bad("wrong parameter action in request")
    return True


def answer_callback(world: World, arguments: Mapping[str, Any], _: Files) -> Any:
    if not str(arguments.get("callback_query_id", "")).isdigit():
        raise bad("query is too old and response timeout expired or query ID is invalid")
    if len(arguments.get("text") or "") > 200:
        raise bad("MESSAGE_TOO_LONG")
    return True


def get_file(world: World, arguments: Mapping[str, Any], _: Files) -> Any:
    file_id = str(arguments.get("file_id", ""))
    if file_id not in world.files:
        raise bad("invalid file_id")
    path, data = world.files[file_id]
    if len(data) > DOWNLOAD_LIMIT:
        raise bad("file is too big")
    return {"file_id": file_id, "file_unique_id": f"u-{file_id}", "file_size": len(data), "file_path": path}


def set_commands(_: World, arguments: Mapping[str, Any], __: Files) -> Any:
    commands = nested(arguments, "commands") or []
    for row in commands:
        name, text = row.get("command", ""), row.get("description", "")
        if not (1 <= len(name) <= 32 and all(char in "abcdefghijklmnopqrstuvwxyz0123456789_" for char in name)):
            raise bad("BOT_COMMAND_INVALID")
        if not 1 <= len(text) <= 256:
            raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
    if len(commands) > 100:
        raise bad("BOT_COMMANDS_TOO_MUCH")
    return True


def set_reaction(world: World, arguments: Mapping[str, Any], _: Files) -> Any:
    _message(world, arguments)["reactions"] = nested(arguments, "reaction") or []
    return True


def delete_message(world: World, arguments: Mapping[str, Any], _: Files) -> Any:
    message = _message(world, arguments)
    del world.messages[message["chat"]["id"], message["message_id"]]
    return True


def pin(world: World, arguments: Mapping[str, Any], _: Files) -> Any:
    _message(world, arguments)
    return True


def send_poll(world: World, arguments: Mapping[str, Any], _: Files) -> Any:
    chat = _place(world, arguments)
    question, options = str(arguments.get("question", "")), nested(arguments, "options") or []
    if not 1 <= len(question) <= 300:
        raise bad("poll question must be non-empty and at most 300 characters long")
    if not 2 <= len(options) <= 12:
        raise bad("poll must have at least 2 options")
    texts = [row["text"] if isinstance(row, dict) else row for row in options]
    rows = [{"persistent_id": str(number), "text": text, "voter_count": 0} for number, text in enumerate(texts)]
    poll = {
        "id": "1", "question": question, "options": rows, "total_voter_count": 0, "is_closed": False, "is_anonymous": True,
        "type": "regular", "allows_multiple_answers": False, "allows_revoting": False, "members_only": False,
    }  # fmt: skip
    return world.sent(chat, {"poll": poll}, arguments)


METHODS: Mapping[str, Method] = {
    "getMe": get_me,
    "sendMessage": send_message,
    **{f"send{kind.capitalize()}": send_file(kind) for kind in ("photo", "document", "audio", "voice", "video", "sticker")},
    "editMessageText": edit_text,
    "editMessageCaption": edit_caption,
    "sendChatAction": chat_action,
    "answerCallbackQuery": answer_callback,
    "sendPoll": send_poll,
    "getFile": get_file,
    "setMyCommands": set_commands,
    "setMessageReaction": set_reaction,
    "deleteMessage": delete_message,
    "pinChatMessage": pin,
    "unpinChatMessage": pin,
}


def _place(world: World, arguments: Mapping[str, Any], *, general: bool = False) -> dict[str, Any]:
    """The chat a call speaks of; the bot may not be blocked there, and a topic must be one."""
    chat = world.chat_of(arguments.get("chat_id", ""))
    if chat["id"] in world.blocked:
        raise Refused(403, "Forbidden: bot was blocked by the user")
    topic = arguments.get("message_thread_id")
    if topic and (not chat.get("is_forum") or (int(topic) == 1 and not general)):
        raise bad("message thread not found")
    return chat


def _extras(world: World, chat: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if (markup := checked_markup(arguments)) is not None:
        found["reply_markup"] = markup
    reply = nested(arguments, "reply_parameters")
    if reply:
        answered = world.messages.get((chat["id"], int(reply["message_id"])))
        if answered is None and not reply.get("allow_sending_without_reply"):
            raise bad("message to be replied not found")
        if answered is not None:
            found["reply_to_message"] = {key: value for key, value in answered.items() if key != "reply_to_message"}
    return found


def _message(world: World, arguments: Mapping[str, Any]) -> dict[str, Any]:
    chat = world.chat_of(arguments.get("chat_id", ""))
    message = world.messages.get((chat["id"], number(arguments, "message_id")))
    if message is None:
        raise bad("message to edit not found")
    return message


def _own_message(world: World, arguments: Mapping[str, Any]) -> dict[str, Any]:
    message = _message(world, arguments)
    if message["from"]["id"] != BOT_ID:
        raise bad("message can't be edited")
    return message


def _edit(message: dict[str, Any], content: Mapping[str, Any], arguments: Mapping[str, Any]) -> Any:
    markup = checked_markup(arguments)
    new = {**content, **({"reply_markup": markup} if markup else {})}
    old = {key: message[key] for key in (*content, "reply_markup") if key in message}
    if new == old:
        raise bad("message is not modified: specified new message content and reply markup are exactly the same")
    message.pop("reply_markup", None)
    message.update(new)
    return message


def _file(world: World, arguments: Mapping[str, Any], files: Files, kind: str) -> tuple[str, bytes]:
    """An uploaded part, a part named by `attach://`, or a file Telegram has already."""
    if kind in files:
        return files[kind]
    value = str(arguments.get(kind, ""))
    if value.startswith("attach://") and value[9:] in files:
        return files[value[9:]]
    if value in world.files:
        return world.files[value]
    raise bad(f"there is no {kind} in the request" if not value else "wrong remote file identifier specified")
