"""Starting kernels, ours and a plain one by turns, up to their first answer."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager

from tests.benchmarks.processes import cpu_s

READY_WITHIN_S = 60
OURS = [sys.executable, "-m", "openclaw_kernel"]
PLAIN = [sys.executable, "-m", "ipykernel_launcher"]
_LOAD_EXT = """
import time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
start = time.process_time()
shell.run_line_magic("load_ext", "openclaw_kernel")
print(time.process_time() - start)
"""


def kernel_start(folder: Path, rounds: int) -> dict[str, float]:
    """Medians of `rounds` starts each, to `kernel_info_reply`; one more round before warms the page cache."""
    folder.mkdir(parents=True, exist_ok=True)
    ours: list[tuple[float, float]] = []
    plain: list[tuple[float, float]] = []
    for round_number in range(rounds + 1):
        for command, times in ((PLAIN, plain), (OURS, ours)):
            started = _start(command, folder)
            if round_number:
                times.append(started)
    wall, cpu = (median(column) for column in zip(*ours, strict=True))
    plain_wall, plain_cpu = (median(column) for column in zip(*plain, strict=True))
    return {
        "kernel_start_wall_s": wall,
        "kernel_start_cpu_s": cpu,
        "plain_kernel_start_wall_s": plain_wall,
        "plain_kernel_start_cpu_s": plain_cpu,
        "kernel_start_ratio": cpu / plain_cpu,
    }


def _start(command: list[str], folder: Path) -> tuple[float, float]:
    """Wall and CPU seconds of one start."""
    manager = KernelManager()
    manager._kernel_spec = KernelSpec(argv=[*command, "-f", "{connection_file}"], display_name="bench", language="python")
    home = {"IPYTHONDIR": str(folder / "ipython"), "OPENCLAW_STATE_DIR": str(folder / "state")}
    begin = time.perf_counter()
    manager.start_kernel(env={**os.environ, **home})
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(READY_WITHIN_S)
        wall = time.perf_counter() - begin
        pid = manager.provisioner.pid if manager.provisioner is not None else None
        if pid is None:
            raise RuntimeError("a kernel without a process cannot be measured")
        return wall, cpu_s(pid)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def load_ext_cpu_s() -> float:
    """CPU seconds of `%load_ext openclaw_kernel` in a fresh shell."""
    done = subprocess.run(
        [sys.executable, "-c", _LOAD_EXT], check=True, capture_output=True, text=True, cwd=os.path.expanduser("~")
    )
    return float(done.stdout)
