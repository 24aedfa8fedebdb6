"""What brings other people's words into a turn, beside the tools that say so themselves (SAF-23)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from openclaw_kernel.safety.programs import program
from openclaw_kernel.safety.shell import inspect
from openclaw_kernel.safety.wrappers import peel
from openclaw_kernel.values.messages import Part, Text, ToolCall

OUTSIDE_FOLDERS = ("inbound/", ".openclaw/results/")
"""Folders of a workspace that hold what people sent and what tools brought: files that came from outside."""

_FETCH = frozenset(
    ("curl", "wget", "fetch", "http", "https", "aria2c", "ssh", "scp", "sftp", "rsync", "ftp", "lynx", "w3m", "links", "gh")
) | {"glab", "nc", "ncat", "netcat", "socat", "telnet", "openssl", "dig", "host", "nslookup", "whois", "yt-dlp", "mail", "mutt"}
_NAMING = ("path", "paths", "folder", "file", "pattern", "command", "code")
"""Arguments that name files; what is written into them is not looked at."""
_GIT = frozenset(("clone", "fetch", "pull", "submodule", "ls-remote", "archive"))


def others_spoke(meta: Mapping[str, Any]) -> bool:
    """Whether a message carries words of somebody else than the owner: his own, or a group's behind the owner's."""
    return meta.get("senderIsOwner") is False or meta.get("chatType") in ("group", "channel")


def from_outside(call: ToolCall) -> bool:
    """Whether a call reads what came from outside: a file that was sent, or the network through a program."""
    words = [value for key, value in call.arguments.items() if key in _NAMING and isinstance(value, str)]
    if any(folder in word for word in words for folder in OUTSIDE_FOLDERS):
        return True
    command = call.arguments.get("command")
    if not isinstance(command, str):
        return False
    structure = inspect(command)
    return any(_fetches(peel(segment.argv).argv) for segment in structure.segments) or bool(structure.error)


def shows_outside(parts: Iterable[Part]) -> bool:
    """Whether a result quotes a file that came from outside, by naming its place: a search over the whole workspace does."""
    return any(folder in part.text for part in parts if isinstance(part, Text) for folder in OUTSIDE_FOLDERS)


def _fetches(argv: tuple[str, ...]) -> bool:
    name = program(argv)
    return name in _FETCH or (name == "git" and bool(_GIT.intersection(argv[1:])))
