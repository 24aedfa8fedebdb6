"""Which backend runs commands: bubblewrap, then docker, found out once at start (SAF-17)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from openclaw_kernel.config.schema.sandbox import SandboxSettings
from openclaw_kernel.safety.sandbox_api import Probe, SandboxBackend


@dataclass(frozen=True, slots=True)
class Choice:
    """The first backend that works, with what every probe said up to it."""

    backend: SandboxBackend | None = None
    probes: Mapping[str, Probe] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        """Why there is none, in one sentence a backend."""
        return " ".join(f"{name}: {probe.reason}" for name, probe in self.probes.items() if not probe.usable)


def backends(settings: SandboxSettings, env: Mapping[str, str] = os.environ) -> list[SandboxBackend]:
    """What may be tried, in order."""
    from openclaw_kernel.safety.sandbox.bubblewrap import Bubblewrap
    from openclaw_kernel.safety.sandbox.docker import Docker

    both: list[SandboxBackend] = [Bubblewrap(), Docker(settings.docker.image, settings.docker.cpus, env)]
    return both if settings.backend == "auto" else [backend for backend in both if backend.name == settings.backend]


async def choose(candidates: Sequence[SandboxBackend]) -> Choice:
    """Probes in order and stops at the first that works."""
    probes: dict[str, Probe] = {}
    for backend in candidates:
        probes[backend.name] = probe = await backend.probe()
        if probe.usable:
            return Choice(backend, probes)
    return Choice(None, probes)
