"""bubblewrap: namespaces without an engine, about 10 ms a command.

The command sees `/usr` read-only, its workspace at `/workspace` and at the path it has outside, an empty `/tmp`, and nothing
else of the host: no network, no capabilities, no further user namespaces, its own process numbers, and a filter on system
calls. When its first process ends, the kernel ends all others.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from openclaw_kernel.safety.sandbox import folders, limits
from openclaw_kernel.safety.sandbox.seccomp import Filter
from openclaw_kernel.safety.sandbox_api import Command, Probe, Profile, SandboxError, Wrapped

PROBE_S = 10.0
INSIDE = "/workspace"
_ETC = ("alternatives", "ld.so.cache", "localtime", "ssl/certs", "mime.types", "protocols", "services")
"""What programs look up and nobody keeps secret."""
_OURS = Path(__file__).parent / "etc"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Bubblewrap:
    """The backend `bubblewrap`. `program` is the path of bwrap, for tests."""

    name = "bubblewrap"

    def __init__(self, program: str | None = None) -> None:
        self._program = program or shutil.which("bwrap") or ""
        self._bash = shutil.which("bash", path="/bin:/usr/bin:/usr/local/bin") or ""
        self._groups: dict[str, limits.Group] = {}
        self._filter = Filter()

    def shell(self, command: str) -> tuple[str, ...]:
        return (self._bash, "--noprofile", "--norc", "-c", command)

    def python(self, code: str) -> tuple[str, ...]:
        return (sys.executable, "-I", "-u", "-c", code)

    async def probe(self) -> Probe:
        """Runs a command with the very options that commands will get."""
        if not self._program:
            return Probe(False, reason="bubblewrap is not installed; install the package bubblewrap.")
        if not self._bash:
            return Probe(False, reason="bash is not installed, which starts the sandbox; install the package bash.")
        await asyncio.to_thread(limits.sweep)
        inside = (self._program, *_isolation(), *self._filtered(), *_system(), "--remount-ro", "/", "--", "/bin/true")
        code, said = await _run((*self._launch(limits.Group(), "true"), *inside))
        if code != 0:
            line = (said.strip().splitlines() or ["no reason given"])[-1]
            return Probe(False, reason=f"bubblewrap does not work here ({line}); user namespaces may be switched off.")
        _, version = await _run((self._program, "--version"))
        bounded = await asyncio.to_thread(limits.bounds_processes)
        note = "" if bounded else "The number of processes is not bounded: root may make no control group here."
        return Probe(True, version.strip().rpartition(" ")[2], " ".join(filter(None, (note, self._filter.reason))))

    async def wrap(self, command: Command, profile: Profile) -> Wrapped:
        return await asyncio.to_thread(self._wrap, command, profile)

    def _wrap(self, command: Command, profile: Profile) -> Wrapped:
        profile = replace(profile, read_only=(*profile.read_only, *folders.interpreter_folders()))
        workspace, extra = folders.checked(profile)
        group = limits.make_group(profile)
        name = str(group.folders[0].name) if group.folders else ""
        if name:
            self._groups[name] = group
        inside = os.path.normpath(os.path.join(INSIDE, command.cwd))
        if inside != INSIDE and not inside.startswith(INSIDE + "/"):
            raise SandboxError(f"The folder {command.cwd} is outside the workspace; name one inside it.")
        bind = "--ro-bind" if profile.access == "ro" else "--bind"
        argv = [
            self._program,
            *_isolation(),
            *self._filtered(),
            *(() if not profile.network else ("--share-net",)),
            *_environment(command.env, extra),
            *_system(profile.network),
            *("--size", str(profile.tmp_bytes), "--perms", "1777", "--tmpfs", "/tmp"),
            *("--size", str(profile.tmp_bytes), "--perms", "1777", "--tmpfs", "/dev/shm", "--remount-ro", "/dev"),
            *_at_their_place(workspace, bind, extra),
            *(bind, str(workspace), INSIDE),
            *_repository(workspace, bind),
            *("--chdir", inside, "--remount-ro", "/", "--", *command.argv),
        ]
        launch = self._launch(group, limits.limits_line(profile, group))
        return Wrapped((*launch, *argv), {"PATH": _PATH}, workspace, name)

    def _launch(self, group: limits.Group, bounds: str) -> tuple[str, ...]:
        """The shell that enters the groups and opens the filter, in front of bubblewrap."""
        groups = map(str, group.folders)
        return (self._bash, "--noprofile", "--norc", "-c", limits.LAUNCH, "sandbox", *groups, "--", bounds, self._filter.path)

    def _filtered(self) -> tuple[str, ...]:
        return ("--seccomp", str(limits.FILTER_FD)) if self._filter.path else ()

    async def end(self, wrapped: Wrapped) -> None:
        """The process namespace is gone with its first process; what remains is the control group."""
        group = self._groups.pop(wrapped.name, None)
        if group is not None:
            await asyncio.to_thread(limits.end_group, group.folders)


def _isolation() -> tuple[str, ...]:
    return (
        "--unshare-all",
        "--unshare-user",
        "--disable-userns",
        "--die-with-parent",
        "--new-session",
        *("--cap-drop", "ALL", "--uid", "1000", "--gid", "1000", "--hostname", "sandbox"),
    )


def _system(network: bool = False) -> Iterator[str]:
    """Read-only system folders as the host lays them out, and the few files of `/etc` that programs look up.

    `/proc` is read-only as a whole: a gateway of root owns the kernel's settings in it, capabilities or not.
    """
    yield from ("--ro-bind", "/usr", "/usr")
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        path = f"/{name}"
        if os.path.islink(path):
            yield from ("--symlink", os.readlink(path), path)
        elif os.path.isdir(path):
            yield from ("--ro-bind", path, path)
    for name in (*_ETC, *(("resolv.conf", "hosts", "nsswitch.conf") if network else ())):
        yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")
    for name in ("passwd", "group"):
        yield from ("--ro-bind", str(_OURS / name), f"/etc/{name}")
    yield from ("--proc", "/proc")
    for path in folders.KERNEL:
        if path.startswith("/proc/") and os.path.exists(path):
            yield from ("--tmpfs", path) if os.path.isdir(path) else ("--ro-bind", os.devnull, path)
    yield from ("--remount-ro", "/proc", "--dev", "/dev")


def _at_their_place(workspace: Path, bind: str, extra: tuple[Path, ...]) -> Iterator[str]:
    """Folders at the path they have on the host, outer ones first. The workspace is among them, because that is the path which
    the model was told."""
    for path in sorted({*extra, workspace}, key=lambda path: len(path.parts)):
        yield from (bind if path == workspace else "--ro-bind", str(path), str(path))


def _repository(workspace: Path, bind: str) -> Iterator[str]:
    """Hooks and settings of the workspace's repository, read-only at both places the workspace has."""
    for place, written in folders.git_places(workspace):
        for root in (str(workspace), INSIDE):
            yield from (bind if written else "--ro-bind", str(place), os.path.join(root, place.relative_to(workspace)))


def _environment(env: Mapping[str, str], extra: tuple[Path, ...]) -> Iterator[str]:
    """The command's own variables; `PATH` keeps what can be seen inside, `HOME` is the workspace."""
    seen = tuple(str(path) for path in extra)
    given = [entry for entry in env.get("PATH", "").split(":") if entry.startswith(seen)] if seen else []
    yield "--clearenv"
    for name, value in {**env, "PATH": ":".join([*given, _PATH]), "HOME": INSIDE, "USER": "agent"}.items():
        yield from ("--setenv", name, value)


async def _run(argv: tuple[str, ...]) -> tuple[int, str]:
    """In a thread: a subprocess of asyncio may wait for ever when cancelled while it starts, as when a gateway stops early."""
    return await asyncio.to_thread(_run_waiting, argv)


def _run_waiting(argv: tuple[str, ...]) -> tuple[int, str]:
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={"PATH": _PATH},
            timeout=PROBE_S,
        )
    except OSError as error:
        return 127, error.strerror or str(error)
    except subprocess.TimeoutExpired:
        return 124, f"no answer within {PROBE_S:g} seconds"
    return done.returncode, done.stdout.decode(errors="replace")
