"""What brings other people's words into a turn, beside the tools that say so themselves (SAF-23)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from openclaw_kernel.safety.programs import RUNNERS, program
from openclaw_kernel.safety.shell import inspect
from openclaw_kernel.safety.wrappers import MAX_DEPTH, peel
from openclaw_kernel.values.messages import Part, Text, ToolCall

OUTSIDE_FOLDERS = ("inbound/", ".openclaw/results/")
"""Folders of a workspace that hold what people sent and what tools brought: files that came from outside."""

_FETCH = frozenset(
    ("curl", "wget", "fetch", "http", "https", "aria2c", "ssh", "scp", "sftp", "rsync", "ftp", "lynx", "w3m", "links", "gh")
) | {"glab", "nc", "ncat", "netcat", "socat", "telnet", "openssl", "dig", "host", "nslookup", "whois", "yt-dlp", "mail", "mutt"}
_NAMING = ("path", "paths", "folder", "file", "pattern", "command", "code")
"""Arguments that name files; what is written into them is not looked at."""
_GIT = frozenset(("clone", "fetch", "pull", "submodule", "ls-remote", "archive"))
_REGISTRIES = frozenset(("pip", "pip3", "npm", "pnpm", "yarn", "cargo", "gem", "docker", "podman", "apt", "apt-cache"))
_TELLS = frozenset(("search", "view", "show", "info", "showpkg"))
"""Words by which these programs show what strangers have written about their packages."""
_IN_FRONT = RUNNERS | {"sudo", "doas", "su", "find", "fd"}
_SPACE = re.compile(r"\s")
_NETWORK = re.compile(
    r"\b(?:https?|ftps?|wss?|ssh|git)://"
    r"|\b(?:import|from)\s+(?:\w+\s*,\s*)*(?:urllib|requests|httpx|httpx2|aiohttp|socket|ssl|ftplib|imaplib|poplib|smtplib|telnetlib"
    r"|paramiko|websockets?|http\.client|xmlrpc|playwright|selenium|scrapy|feedparser|boto3)\b"
    r"|/dev/(?:tcp|udp)/|\brequire\(\s*['\"](?:node:)?(?:https?|net|tls|dgram)['\"]|\bfetch\(",
)
"""Code that speaks to the network, as far as its words show it."""
_SENT = re.compile(r"(?<![\w-])inbound(?![\w-])|\.openclaw\b")


def others_spoke(meta: Mapping[str, Any]) -> bool:
    """Whether a message carries words of somebody else than the owner: his own, or a group's behind the owner's."""
    return meta.get("senderIsOwner") is False or meta.get("chatType") in ("group", "channel")


def from_outside(call: ToolCall) -> bool:
    """Whether a call reads what came from outside: a file that was sent, or the network through a program."""
    words = [value for key, value in call.arguments.items() if key in _NAMING and isinstance(value, str)]
    if any(folder in word for word in words for folder in OUTSIDE_FOLDERS):
        return True
    texts = [text for name in ("command", "code") if isinstance(text := call.arguments.get(name), str)]
    if any(_SENT.search(text) or _NETWORK.search(text) for text in texts):
        return True
    command = call.arguments.get("command")
    if not isinstance(command, str):
        return False
    return _speaks_out(command, MAX_DEPTH)


def shows_outside(parts: Iterable[Part]) -> bool:
    """Whether a result quotes a file that came from outside, by naming its place: a search over the whole workspace does."""
    return any(folder in part.text for part in parts if isinstance(part, Text) for folder in OUTSIDE_FOLDERS)


def _speaks_out(command: str, depth: int) -> bool:
    """Whether a program of the command brings in what others wrote; what cannot be read may well do so."""
    structure = inspect(command)
    return bool(structure.error) or any(_fetches(segment.argv, depth) for segment in structure.segments)


def _fetches(argv: tuple[str, ...], depth: int) -> bool:
    """Also where another program stands in front that cannot be taken off: then any of the words may be the one that runs, or
    a command of its own."""
    peeled = peel(argv)
    words = peeled.argv
    if not peeled.opaque and program(words) not in _IN_FRONT:
        return _fetches_itself(words)
    if any(_fetches_itself(words[at:]) for at in range(len(words))):
        return True
    scripts = [word for word in words[1:] if _SPACE.search(word.strip())]
    return depth > 0 and any(_speaks_out(script, depth - 1) for script in scripts)


def _fetches_itself(argv: tuple[str, ...]) -> bool:
    name, words = program(argv), argv[1:]
    if name == "git":
        return bool(_GIT.intersection(words))
    return name in _FETCH or (name in _REGISTRIES and bool(_TELLS.intersection(words[:2])))
