"""What the attempts share. It never uses what it reaches for harm: calls get arguments that fail behind the gate."""

import ctypes
import errno
import os

FACTS = {}
CONTROL = bool(os.environ.get("OPENCLAW_PROBE_CONTROL"))
LIBC = ctypes.CDLL(None, use_errno=True)
REFUSED = (errno.EPERM, errno.ENOSYS, errno.EACCES, errno.EAFNOSUPPORT)
ATTEMPTS = {}


def attempt(function):
    ATTEMPTS[function.__name__] = function
    return function


def call(name, *arguments):
    """Result and errno of a system call."""
    ctypes.set_errno(0)
    words = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    return LIBC.syscall(ctypes.c_long(FACTS["calls"][name]), *words), ctypes.get_errno()


def reached(name, *arguments):
    """What a call said, if it got as far as to look at its arguments."""
    result, error = call(name, *arguments)
    if result >= 0 or error not in REFUSED:
        return f"{name} answered {result} {errno.errorcode.get(error, error)}"
    return ""


def private_mounts():
    """A control mounts only where nobody sees it."""
    if CONTROL:
        call("unshare", 0x20000)
        LIBC.mount(b"none", b"/", None, 0x4000 | (1 << 18), None)


def head(path, count=64):
    with open(path, "rb", buffering=0) as file:
        data = file.read(count)
    return repr(data[:12]) if data else ""


def first(function, values):
    for value in values:
        try:
            found = function(value)
        except (OSError, ValueError):
            continue
        if found:
            return f"{value}: {found}"
    return ""


def writable(path):
    """Opens for writing, writes nothing, and removes what it made."""
    there = os.path.lexists(path)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK, 0o600))
    if not there:
        os.unlink(path)
    return "opened for writing"
