"""A real Docker engine in a network of its own, with an image of busybox and this Python. Root only; nothing is pulled."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

IMAGE = "localhost/openclaw-busybox:1"
START_S = 60
BUSYBOX = "/bin/busybox"
PATH = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
"""The engine's programs are those of an administrator."""


def missing() -> str:
    """Why no engine can be started here; empty when one can."""
    if os.name != "posix" or os.getuid() != 0:
        return "a Docker engine of our own needs root"
    wanted = {"dockerd": "docker.io", "unshare": "util-linux"}
    absent = [package for program, package in wanted.items() if shutil.which(program, path=PATH) is None]
    if not Path(BUSYBOX).exists():
        absent.append("busybox-static")
    return f"not installed: {', '.join(absent)} (sh tests/install-system.sh)" if absent else ""


@contextlib.contextmanager
def engine() -> Iterator[str]:
    """Yields DOCKER_HOST of a running engine that has `IMAGE`."""
    place = Path(tempfile.mkdtemp(prefix="oc-dockerd-"))
    try:
        yield from _engine(place)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _engine(place: Path) -> Iterator[str]:
    """`vfs` works where overlay file systems do not."""
    last = ""
    for driver in ("overlay2", "vfs"):
        process = _start(place, driver)
        try:
            if _ready(place, process):
                _import_image(place)
                yield f"unix://{place}/docker.sock"
                return
            last = (place / "log").read_text(errors="replace")[-1500:]
        finally:
            _stop(place, process)
    raise RuntimeError(f"dockerd did not start within {START_S} seconds:\n{last}")


def _start(place: Path, driver: str) -> subprocess.Popen[bytes]:
    command = (
        f"ip link set lo up 2>/dev/null; exec dockerd --data-root {place}/data --exec-root {place}/exec "
        f"-H unix://{place}/docker.sock --pidfile {place}/pid --storage-driver {driver} "
        "--iptables=false --ip6tables=false --ip-masq=false"
    )
    argv, env = ["unshare", "-n", "sh", "-c", command], {**os.environ, "PATH": PATH}
    with (place / "log").open("wb") as log:
        return subprocess.Popen(argv, stdout=log, stderr=log, env=env, start_new_session=True)


def _ready(place: Path, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(f"{place}/docker.sock")
            client.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            if b"200 OK" in client.recv(1024):
                return True
        process.poll()
        _pause()
    return False


def _pause() -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(["tail", "-f", "/dev/null"], timeout=0.1)


def _import_image(place: Path) -> None:
    import docker

    root = place / "root"
    for name in ("bin", "etc", "tmp", "workspace", "proc", "sys", "dev"):
        (root / name).mkdir(parents=True)
    (root / "tmp").chmod(0o1777)
    shutil.copy(BUSYBOX, root / "bin" / "busybox")
    listed = subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True).stdout.split()
    for name in listed:
        if name != "busybox":
            (root / "bin" / name).symlink_to("busybox")
    (root / "etc" / "passwd").write_text("agent:x:1000:1000::/workspace:/bin/sh\n")
    (root / "bin" / "python3").symlink_to(os.path.realpath(sys.executable))
    archive = place / "image.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(root, ".")
        _add_python(tar)
    client = docker.DockerClient(base_url=f"unix://{place}/docker.sock")
    repository, _, tag = IMAGE.rpartition(":")
    answer = client.api.import_image_from_file(str(archive), repository=repository, tag=tag)
    assert "error" not in json.dumps(answer), answer
    client.close()


_LEFT_OUT = {"test", "tests", "site-packages", "dist-packages", "__pycache__", "idlelib", "ensurepip", "lib2to3", "tkinter"}


def _add_python(tar: tarfile.TarFile) -> None:
    """This Python with its standard library and what both are linked with, each at the path it has here."""

    def wanted(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
        name = os.path.basename(entry.name)
        return None if name in _LEFT_OUT or name.startswith("config-") or name.endswith(".a") else entry

    program, library = os.path.realpath(sys.executable), os.path.realpath(os.path.dirname(os.__file__))
    for path in (program, library):
        tar.add(path, path, filter=wanted)
    linked = {program, *(str(path) for path in Path(library, "lib-dynload").glob("*.so"))}
    listed = subprocess.run(["ldd", *sorted(linked)], capture_output=True, text=True, check=False).stdout
    for path in sorted(set(re.findall(r"(/\S+\.so\S*) \(0x", listed))):
        tar.add(os.path.realpath(path), path)


def _stop(place: Path, process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
    for mount in sorted(_mounts(place), reverse=True):
        subprocess.run(["umount", "-l", mount], check=False, capture_output=True)
    for name in ("data", "exec", "pid", "docker.sock"):
        path = place / name
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def _mounts(place: Path) -> list[str]:
    return [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines() if line.split()[1].startswith(str(place))]
