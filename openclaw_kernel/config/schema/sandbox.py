"""`agents.defaults.sandbox` and `agents.list[].sandbox`: where commands run (SAF-17 to SAF-21)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from openclaw_kernel.config.schema.base import Positive, Section

Fraction = Annotated[float, Field(gt=0, le=256)]


class DockerSandbox(Section):
    """The engine is the one of DOCKER_HOST or the default socket. `image` must be on it already: nothing is ever pulled."""

    image: str = "openclaw-sandbox:1"
    cpus: Fraction = 2.0


class SandboxLimits(Section):
    """What one command may use; megabytes, seconds, counts (SAF-20)."""

    memory_mb: Positive = 1_024
    cpu_seconds: Positive = 600
    processes: Positive = 256
    tmp_mb: Positive = 64
    file_mb: Positive = 256


class SandboxSettings(Section):
    """`mode` says whose commands go to the sandbox: nobody's, those of all sessions but the main one, or everybody's.

    `scope` says who shares the private folder that stands in for the workspace when `workspace_access` is none.
    """

    mode: Literal["off", "non-main", "all"] = "all"
    backend: Literal["auto", "bubblewrap", "docker"] = "auto"
    scope: Literal["agent", "session", "shared"] = "agent"
    workspace_access: Literal["none", "ro", "rw"] = "rw"
    network: bool = False
    limits: SandboxLimits = Field(default_factory=SandboxLimits)
    docker: DockerSandbox = Field(default_factory=DockerSandbox)
