"""Which commands a node may offer at all, before anybody is asked to approve them (PRO-12, PRO-13).

Three walls, in this order: what the configuration says, what the platform can be trusted with, and what is so private that it
has to be named in `gateway.nodes.allowCommands`. Beyond them a person approves the rest once; see `nodes_pairing.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

OWN_COMMANDS = ("python.*", "canvas.*", "notebook.*")
"""What our own kernels and JupyterLab windows offer; approved silently for those, and for nobody else (NBK-03, NBK-04)."""

EXPLICIT_COMMANDS = ("camera.snap", "camera.clip", "screen.*", "sms.*")
"""PRO-12: never by platform default, only by `gateway.nodes.allowCommands`."""

ADMIN_COMMANDS = frozenset(
    {
        "system.run",
        "system.run.prepare",
        "browser.proxy",
        "fs.listDir",
        "computer.act",
        "python.run",
        "notebook.run",
        "notebook.insert",
    }
)
"""Commands that approving and calling over the wire takes `operator.admin` for: PRO-12 names the first, the others run code
or write where somebody works. The assistant's own tools reach them through the approval of each call instead."""

_EVERYWHERE = ("canvas.*", "device.*", "location.get", "notifications.*", "health.summary")
_PHONE = (
    *_EVERYWHERE,
    "camera.list",
    "contacts.*",
    "calendar.*",
    "reminders.*",
    "photos.latest",
    "motion.*",
    "system.notify",
    "talk.*",
)
_DESKTOP = (
    *_EVERYWHERE,
    "camera.list",
    "system.*",
    "browser.proxy",
    "computer.act",
    "fs.listDir",
    "python.*",
    "notebook.*",
)
_PLATFORMS = {
    "ios": _PHONE,
    "ipados": _PHONE,
    "watchos": _PHONE,
    "android": _PHONE,
    "macos": _DESKTOP,
    "darwin": _DESKTOP,
    "linux": _DESKTOP,
    "windows": _DESKTOP,
    "web": (*_EVERYWHERE, "notebook.*"),
}
MAX_COMMANDS = 200
MAX_COMMAND_LENGTH = 128


@dataclass(frozen=True, slots=True)
class CommandPolicy:
    """`gateway.nodes.allowCommands` and `.denyCommands`: exact names or patterns with `*`."""

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()

    def permits(self, command: str, platform: str) -> bool:
        """Whether a node on `platform` may offer `command`; a ban wins over everything."""
        if _matches(command, self.deny):
            return False
        if _matches(command, self.allow):
            return True
        return not _matches(command, EXPLICIT_COMMANDS) and _matches(command, _commands_of(platform))


def declared(commands: Iterable[str]) -> tuple[str, ...]:
    """The commands a node named, each once, without what is no command name; at most 200."""
    sound = (name for name in commands if 0 < len(name) <= MAX_COMMAND_LENGTH and name.isprintable() and "*" not in name)
    return tuple(dict.fromkeys(sound))[:MAX_COMMANDS]


def is_own(command: str) -> bool:
    """Whether the command is of a family that our own kernels and windows offer."""
    return _matches(command, OWN_COMMANDS)


def needs_admin(commands: Iterable[str]) -> bool:
    return any(command in ADMIN_COMMANDS for command in commands)


def _commands_of(platform: str) -> Sequence[str]:
    """Platforms come with versions (`iOS 19.1`, `linux 6.8`); an unknown one gets what is harmless everywhere."""
    name = platform.strip().lower().partition(" ")[0]
    return _PLATFORMS.get(name, _EVERYWHERE)


def _matches(command: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(command, pattern) for pattern in patterns)
