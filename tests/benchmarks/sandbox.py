"""What a sandbox costs: the time and CPU of a command that does nothing, from being wrapped to the last trace of it."""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from openclaw_kernel.safety.sandbox.bubblewrap import Bubblewrap
from openclaw_kernel.safety.sandbox_api import Command, Profile

ROUNDS = 40


def bubblewrap_start(folder: Path, _plan: object) -> dict[str, float]:
    """`true` in bubblewrap with everything a command gets. Nothing is measured, and said so, where bubblewrap does not work."""
    backend = Bubblewrap()
    probe = asyncio.run(backend.probe())
    if not probe.usable:
        print(f"  no sandbox is measured: {probe.reason}", file=sys.stderr)
        return {}
    workspace = folder / "sandboxed"
    workspace.mkdir()
    return asyncio.run(_measure(backend, Profile(workspace)))


async def _measure(backend: Bubblewrap, profile: Profile) -> dict[str, float]:
    walls, cpus = [], []
    for _ in range(ROUNDS + 3):
        before, start = _cpu_s(), time.perf_counter()
        wrapped = await backend.wrap(Command(backend.shell("true")), profile)
        _run(wrapped.argv, wrapped.env, wrapped.cwd)
        await backend.end(wrapped)
        walls.append(time.perf_counter() - start)
        cpus.append(_cpu_s() - before)
    return {"sandbox_start_ms": median(walls[3:]) * 1e3, "sandbox_start_cpu_ms": median(cpus[3:]) * 1e3}


def _run(argv: tuple[str, ...], env: Mapping[str, str], cwd: Path) -> None:
    subprocess.run(argv, env=dict(env), cwd=cwd, check=True, stdin=subprocess.DEVNULL)


def _cpu_s() -> float:
    """Ours and that of our children that have ended."""
    used = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)
