"""A terminal for a child process, and what a person's keys send to it (TOL-02, TOL-03)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from openclaw_kernel.tools.api import ToolError

TERM = "xterm-256color"
ROWS, COLUMNS = 40, 120

_LISTEN = (
    "import signal\n"
    "for name in 'HUP','INT','QUIT','TSTP','TTIN','TTOU':\n"
    " signal.signal(getattr(signal,'SIG'+name),signal.SIG_DFL)\n"
)
"""Keys end and stop programs by signals. A gateway that was started with `&` or `nohup` ignores some of them, and its children
would too."""

TAKE_TERMINAL = (
    f"import fcntl,os,sys,termios\n{_LISTEN}"
    "try:\n fcntl.ioctl(0,termios.TIOCSCTTY,0)\n"
    "except OSError:\n pass\n"
    "os.execvp(sys.argv[1],sys.argv[1:])"
)
"""A program that makes its standard input the terminal of its session, then becomes the command in its arguments. Without it
a shell could not hand the keyboard to the programs it starts, and Ctrl-C would reach nobody."""

RELAY = (
    f"import fcntl,os,pty,select,struct,sys,termios\n{_LISTEN}"
    "child,master=pty.fork()\n"
    "if not child:\n"
    f" fcntl.ioctl(0,termios.TIOCSWINSZ,struct.pack('HHHH',{ROWS},{COLUMNS},0,0))\n"
    " os.execvp(sys.argv[1],sys.argv[1:])\n"
    "while True:\n"
    " ready=select.select([0,master],[],[])[0]\n"
    " try:\n"
    "  data=os.read(master,65536) if master in ready else b''\n"
    " except OSError:\n"
    "  data=b''\n"
    " if master in ready and not data:\n"
    "  break\n"
    " while data:\n"
    "  data=data[os.write(1,data):]\n"
    " if 0 in ready:\n"
    "  os.write(master,os.read(0,4096))\n"
    "code=os.waitstatus_to_exitcode(os.waitpid(child,0)[1])\n"
    "sys.exit(code if code>=0 else 128-code)"
)
"""A program that runs the command in its arguments at a terminal of its own, and passes on what is typed and shown. For a
sandbox:
what comes from outside is no terminal of the sandbox's sessions, and Ctrl-C typed there would end the sandbox itself."""

_NAMED = {
    "enter": "\r", "return": "\r", "tab": "\t", "escape": "\x1b", "esc": "\x1b", "space": " ", "backspace": "\x7f",
    "bspace": "\x7f", "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D", "home": "\x1b[H", "end": "\x1b[F",
    "pageup": "\x1b[5~", "pagedown": "\x1b[6~", "insert": "\x1b[2~", "delete": "\x1b[3~", "dc": "\x1b[3~", "btab": "\x1b[Z",
    "f1": "\x1bOP", "f2": "\x1bOQ", "f3": "\x1bOR", "f4": "\x1bOS", "f5": "\x1b[15~", "f6": "\x1b[17~", "f7": "\x1b[18~",
    "f8": "\x1b[19~", "f9": "\x1b[20~", "f10": "\x1b[21~", "f11": "\x1b[23~", "f12": "\x1b[24~",
}  # fmt: skip
_CONTROL = re.compile(r"(?:c-|ctrl[-+]|\^)(.)", re.IGNORECASE)
_META = re.compile(r"(?:m-|alt[-+])(.+)", re.IGNORECASE)


def open_terminal(*, raw: bool = False) -> tuple[int, int]:
    """Master and slave of a new terminal of 40 rows and 120 columns; a `raw` one only passes bytes on."""
    import fcntl  # not on every system, and only needed where a terminal is wanted
    import pty
    import struct
    import termios
    import tty

    master, slave = pty.openpty()
    if raw:
        tty.setraw(slave)
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    os.set_inheritable(master, False)
    return master, slave


def keys(names: Iterable[str]) -> bytes:
    """What the terminal gets for `["C-c", "Up", "Enter", "x"]`. Raises `ToolError` for a key that has no name here."""
    return b"".join(_key(name) for name in names)


def _key(name: str) -> bytes:
    if (known := _NAMED.get(name.lower())) is not None:
        return known.encode()
    if len(name) == 1:
        return name.encode()
    if match := _CONTROL.fullmatch(name):
        char = match[1].upper()
        if "@" <= char <= "_":
            return bytes([ord(char) & 0x1F])
        if char == "?":
            return b"\x7f"
    if match := _META.fullmatch(name):
        return b"\x1b" + _key(match[1])
    raise ToolError(f"There is no key {name!r}; use Enter, Tab, Escape, Up, C-c, M-x, F1 or a single character.")


def paste(text: str) -> bytes:
    """Text as a terminal pastes it: a program that knows of pasting runs nothing of it before Enter."""
    return b"\x1b[200~" + text.replace("\x1b", "").encode() + b"\x1b[201~"
