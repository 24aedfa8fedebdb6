"""Attachments, the log file, slash commands, the catalogue."""

from __future__ import annotations

import base64
import json
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from openclaw_gateway.methods.attachments import MAX_IMAGE_BYTES, Attachment, parts_of
from openclaw_gateway.methods.catalogue import FAMILIES, all_methods
from openclaw_gateway.methods.commands import command_of, find_command
from openclaw_gateway.methods.log_file import LogFile
from openclaw_gateway.methods.logs import tail
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.values.errors import OpenClawError
from openclaw_kernel.values.messages import Image, Text

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 10


def attached(data: bytes, mime: str = "image/png", head: str = "") -> Attachment:
    return Attachment(mime_type=mime, file_name="a", content=head + base64.b64encode(data).decode())


def test_images_and_text_become_parts() -> None:
    parts = parts_of("look", [attached(PNG), attached(b"one,two", "text/csv")])
    assert parts == (Text("look"), Image(base64.b64encode(PNG).decode(), "image/png"), Text("[a]\none,two"))
    inline = Attachment(content="data:image/png;base64," + base64.b64encode(PNG).decode())
    assert isinstance(parts_of("", [inline])[0], Image)


@pytest.mark.parametrize(
    ("attachment", "code"),
    [
        (attached(b"\x89PNG\r\n\x1a\n" + b"x" * MAX_IMAGE_BYTES), "ATTACHMENT_TOO_LARGE"),
        (attached(b"GIF89a", "image/png"), "ATTACHMENT_INVALID"),
        (attached(b"MZ", "application/x-msdownload"), "ATTACHMENT_TYPE"),
        (Attachment(mime_type="image/png", content="!!!"), "ATTACHMENT_INVALID"),
        (Attachment(mime_type="image/png"), "ATTACHMENT_EMPTY"),
    ],
)
def test_what_is_refused(attachment: Attachment, code: str) -> None:
    with pytest.raises(OpenClawError) as refused:
        parts_of("look", [attachment])
    assert refused.value.details["code"] == code


def test_log_lines_are_redacted_json_and_rotate(tmp_path: Path) -> None:
    handler = LogFile(tmp_path / "logs" / "g.jsonl", lambda text: text.replace("hunter2", "***"), max_bytes=300)
    for number in range(6):
        handler.emit(logging.LogRecord("openclaw_gateway.x", logging.INFO, "", 0, "%d hunter2", (number,), None))
    handler.close()
    lines = handler.path.read_text().splitlines()
    assert json.loads(lines[-1])["message"] == "5 ***" and json.loads(lines[-1])["subsystem"] == "gateway.x"
    assert handler.path.with_name("g.jsonl.1").exists()


def test_tail_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "g.jsonl"
    assert tail(path, None, 10, 1000)["lines"] == []
    path.write_text("one\ntwo\nthr")
    first = tail(path, None, 10, 1000)
    assert first["lines"] == ["one", "two"] and first["cursor"] == 8
    path.write_text("one\ntwo\nthree\n")
    assert tail(path, first["cursor"], 10, 1000)["lines"] == ["three"]
    assert tail(path, None, 1, 1000) | {"lines": ["three"], "truncated": True} == tail(path, None, 1, 1000)
    assert tail(path, None, 10, 7)["lines"] == ["three"]
    path.write_text("new\n")
    rotated = tail(path, 14, 10, 1000)
    assert rotated["reset"] is True and rotated["lines"] == ["new"]


def test_only_known_commands_are_commands() -> None:
    found = find_command("/model  provider/x ")
    assert found is not None and found[0].name == "model" and found[1] == "provider/x"
    assert find_command("/etc/hosts is a file") is None and find_command("hello /new") is None


def test_the_smallest_set_of_methods_is_there() -> None:
    """The 34 of protocol section 5.1 but `connect` (the hub's) and `cron.add` (not built yet)."""
    smallest = [
        "health",
        "status",
        "system-presence",
        "sessions.subscribe",
        "sessions.messages.subscribe",
        "sessions.list",
        "sessions.describe",
        "chat.send",
        "chat.abort",
        "chat.history",
        "chat.startup",
        "chat.metadata",
        "agent",
        "agent.identity.get",
        "agents.list",
        "models.list",
        "commands.list",
        "config.get",
        "channels.status",
        "cron.list",
        "cron.status",
        "skills.status",
        "node.list",
        "node.pair.list",
        "device.pair.list",
        "exec.approval.list",
        "exec.approvals.get",
        "plugin.approval.list",
        "question.list",
        "taskSuggestions.list",
        "logs.tail",
        "wake",
    ]
    names = {method.name for method in all_methods()}
    assert set(smallest) <= names


def test_the_catalogue_names_what_its_families_have() -> None:
    for family in FAMILIES:
        assert list(family.names) == [method.name for method in family.load()], family.name


def test_the_owner_may_call_a_new_session_what_he_likes() -> None:
    session = OpenClawConfig.model_validate({"session": {"resetTriggers": ["Fresh start", "/clear", "/reset"]}})
    services: Any = SimpleNamespace(settings=session, plugin_commands={})

    def name(text: str) -> str | None:
        found = command_of(services, text)
        return found[0].name if found else None

    assert [name(text) for text in ("fresh START", " /clear ", "/reset soft", "/new")] == ["new", "new", "reset", "new"]
    assert name("fresh start, everybody") is None and name("") is None and name("/clears") is None
