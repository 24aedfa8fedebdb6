"""Which host folders a sandbox may see. Never the system's own, never a home, never an engine's socket (SAF-20)."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from openclaw_kernel.safety.sandbox_api import Profile, SandboxError

_SYSTEM = (
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/proc",
    "/run",
    "/sbin",
    "/sys",
    "/usr",
    "/var/run",
    "/var/lib/docker",
)
_WHOLE = ("/", "/home", "/root", "/var", "/tmp", "/opt", "/srv", "/mnt", "/media")
KERNEL = (
    *("/proc/kcore", "/proc/kmsg", "/proc/kallsyms", "/proc/keys", "/proc/key-users", "/proc/modules", "/proc/acpi"),
    *("/proc/kpagecgroup", "/proc/kpagecount", "/proc/kpageflags", "/proc/iomem", "/proc/ioports", "/proc/slabinfo"),
    *("/proc/sched_debug", "/proc/timer_list", "/proc/timer_stats", "/proc/latency_stats", "/proc/vmallocinfo"),
    *("/proc/asound", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap"),
)
"""What the kernel tells its owner about the machine. A gateway of root owns these files, capabilities or not; the list has what
container engines hide too."""
_SECRET_FILES = ("gateway-token", "openclaw.json")


def checked(profile: Profile) -> tuple[Path, tuple[Path, ...]]:
    """The real workspace and the real read-only folders. Raises `SandboxError` for one that must not be shown."""
    workspace = _allowed(profile.workspace, "The workspace")
    extra = [_allowed(path, "The read-only folder") for path in profile.read_only if not _below(_real(path), "/usr")]
    return workspace, tuple(dict.fromkeys(extra))


def git_places(workspace: Path) -> tuple[tuple[Path, bool], ...]:
    """What the owner's own git would obey: hooks and settings of a repository in the workspace, each with whether it may be
    written. The repository comes first, for a folder that is bound by itself cannot be moved out of the way."""
    repository = workspace / ".git"
    if repository.is_symlink() or not repository.is_dir():
        return ()
    obeyed = (repository / "hooks", repository / "config")
    return ((repository, True), *((place, False) for place in obeyed if place.exists() and not place.is_symlink()))


def interpreter_folders() -> tuple[Path, ...]:
    """What this Python needs to run in a sandbox: its environment and the installation under it."""
    real = Path(os.path.realpath(sys.executable)).parent.parent
    folders = {Path(sys.prefix), Path(sys.base_prefix), real}
    return tuple(sorted(folder for folder in folders if str(folder) not in ("/", "/usr", "/usr/local")))


def _allowed(path: Path, what: str) -> Path:
    real = _real(path)
    text = str(real)
    if text in _WHOLE or text == os.path.realpath(os.path.expanduser("~")) or any(_below(text, root) for root in _SYSTEM):
        raise SandboxError(
            f"{what} {path} is a system folder or a whole home, which no sandbox is shown; use a folder of its own."
        )
    try:
        status = os.stat(text)
    except OSError as error:
        raise SandboxError(f"{what} {path} cannot be shown to the sandbox: {error.strerror}.") from error
    if not stat.S_ISDIR(status.st_mode):
        raise SandboxError(f"{what} {path} is no folder, so the sandbox is not shown it.")
    if any(os.path.lexists(os.path.join(text, name)) for name in _SECRET_FILES):
        raise SandboxError(f"{what} {path} holds the gateway's own state, which no sandbox is shown; use another folder.")
    return real


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _below(path: str | Path, root: str) -> bool:
    return str(path) == root or str(path).startswith(root + os.sep)
