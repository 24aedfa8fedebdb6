"""Where a command may run that must not touch the host: a backend, chosen by a probe at start (SAF-17)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from openclaw_kernel.values.errors import UserError

Access = Literal["none", "ro", "rw"]


class SandboxError(UserError):
    """A command cannot be run in a sandbox: the backend stopped working, or a folder must not be shown to it."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Whether a backend works here. `reason` says in one sentence why not."""

    usable: bool
    version: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """What the sandbox allows (SAF-19, SAF-20). Bytes, seconds and counts; the workspace is bound at `/workspace`."""

    workspace: Path
    access: Access = "rw"
    network: bool = False
    memory_bytes: int = 1 << 30
    cpu_seconds: int = 600
    processes: int = 256
    tmp_bytes: int = 64 << 20
    file_bytes: int = 256 << 20
    read_only: tuple[Path, ...] = ()
    """Further host folders that may be read, a Python environment for example; bound at the same path."""


@dataclass(frozen=True, slots=True)
class Command:
    """What to run. `env` is the whole environment; `cwd` is below the workspace and empty for the workspace itself."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str = ""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A host command that runs the sandboxed one, and how to end what a kill of its process group does not reach."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    name: str = ""


class SandboxBackend(Protocol):
    """`wrap` turns a command into one that the host's own process runner starts, so that output, time-out and kill are the
    same in a sandbox and outside."""

    name: str

    async def probe(self) -> Probe: ...

    def shell(self, command: str) -> tuple[str, ...]:
        """The argv that runs a line of bash inside."""

    def python(self, code: str) -> tuple[str, ...]:
        """The argv that runs a Python program inside, isolated from the workspace and the environment."""

    async def wrap(self, command: Command, profile: Profile) -> Wrapped:
        """Raises `SandboxError` when the backend stopped working."""

    async def end(self, wrapped: Wrapped) -> None:
        """Called once the host command is over, however it ended; leaves nothing running."""
