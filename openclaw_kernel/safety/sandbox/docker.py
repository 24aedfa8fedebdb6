"""Docker: one container a command, on an engine that somebody else runs.

The container is made here with everything it must not have switched off, and started by a small program that the host's process
runner runs like any other, so output, time-out and kill are the same as outside. Images are never pulled.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from openclaw_kernel.safety.sandbox import folders, seccomp
from openclaw_kernel.safety.sandbox_api import Command, Probe, Profile, SandboxError, Wrapped

if TYPE_CHECKING:
    from docker import DockerClient

IMAGE = "openclaw-sandbox:1"
DOCKERFILE = Path(__file__).parent / "etc"
INSIDE = "/workspace"
OWNER_LABEL = "ai.openclaw.sandbox.owner"
DEFAULT_SOCKET = "/var/run/docker.sock"
CALL_S = 20
_ENGINE = ("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_CONTEXT")
_SHELL = 'command -v bash >/dev/null 2>&1 && exec bash --noprofile --norc -c "$1"; exec sh -c "$1"'

log = logging.getLogger(__name__)


class Docker:
    """The backend `docker`. `env` names the engine (`DOCKER_HOST`), `image` must be on it."""

    name = "docker"

    def __init__(self, image: str = IMAGE, cpus: float = 2.0, env: Mapping[str, str] = os.environ) -> None:
        self._image = image
        self._cpus = cpus
        self._env = {name: env[name] for name in _ENGINE if env.get(name)}
        self._filters = True

    def shell(self, command: str) -> tuple[str, ...]:
        return ("sh", "-c", _SHELL, "sh", command)

    def python(self, code: str) -> tuple[str, ...]:
        return ("python3", "-I", "-u", "-c", code)

    async def probe(self) -> Probe:
        """Asks the engine for its version and for the image; removes containers of gateways that are gone."""
        if not self._env.get("DOCKER_HOST") and not await asyncio.to_thread(os.path.exists, DEFAULT_SOCKET):
            return Probe(False, reason=f"no Docker engine answers: {DEFAULT_SOCKET} does not exist and DOCKER_HOST is not set.")
        return await asyncio.to_thread(self._probe)

    def _probe(self) -> Probe:
        try:
            from docker.errors import DockerException, ImageNotFound
        except ImportError:
            return Probe(False, reason="the Docker SDK is not installed; install jupyter-openclaw[docker].")
        try:
            with self._client() as client:
                said = client.version()
                version, self._filters = str(said.get("Version", "")), "podman" not in json.dumps(said).lower()
                client.images.get(self._image)
                _sweep(client)
        except ImageNotFound:
            build = f"docker build -t {self._image} {DOCKERFILE}"
            return Probe(False, reason=f"the image {self._image} is not on this engine and is never pulled; build it: {build}")
        except (DockerException, OSError) as error:
            return Probe(False, reason=f"no Docker engine answers ({type(error).__name__}); start it or set DOCKER_HOST.")
        return Probe(True, version, "" if _filter(self._filters) else "The engine's own filter of system calls is used.")

    async def wrap(self, command: Command, profile: Profile) -> Wrapped:
        return await asyncio.to_thread(self._wrap, command, profile)

    def _wrap(self, command: Command, profile: Profile) -> Wrapped:
        from docker.errors import DockerException

        workspace, extra = folders.checked(profile)
        inside = os.path.normpath(os.path.join(INSIDE, command.cwd))
        if inside != INSIDE and not inside.startswith(INSIDE + "/"):
            raise SandboxError(f"The folder {command.cwd} is outside the workspace; name one inside it.")
        name = f"openclaw-sandbox-{uuid4().hex[:16]}"
        try:
            with self._client() as client:
                client.images.get(self._image)
                host = client.api.create_host_config(
                    mounts=_mounts(workspace, extra, profile), **hardening(profile, self._cpus, _filter(self._filters))
                )
                client.api.create_container(
                    self._image,
                    list(command.argv),
                    name=name,
                    environment={**_inside_env(command.env), "HOME": INSIDE},
                    working_dir=inside,
                    user=_owner(workspace),
                    hostname="sandbox",
                    labels={OWNER_LABEL: f"{os.uname().nodename}:{os.getpid()}"},
                    host_config={**host, "MaskedPaths": list(folders.KERNEL)},
                )
        except DockerException as error:
            raise SandboxError(f"The Docker engine could not make a sandbox: {_said(error)}.") from error
        argv = (sys.executable, "-I", "-m", "openclaw_kernel.safety.sandbox.docker_run", name)
        return Wrapped(argv, {**self._env, "PATH": os.defpath}, workspace, name)

    async def end(self, wrapped: Wrapped) -> None:
        await asyncio.to_thread(self._end, wrapped.name)

    def _end(self, name: str) -> None:
        from docker.errors import DockerException, NotFound

        try:
            with self._client() as client:
                client.containers.get(name).remove(force=True, v=True)
        except NotFound:
            return
        except DockerException as error:
            log.warning("the sandbox container %s could not be removed: %s", name, _said(error))

    @contextmanager
    def _client(self) -> Iterator[DockerClient]:
        import docker

        client = docker.from_env(environment=self._env, timeout=CALL_S)
        try:
            yield client
        finally:
            client.close()


def _filter(wanted: bool) -> tuple[str, ...]:
    """Our profile as an option; Podman would take it for the path of a file."""
    machine = seccomp.machine()
    return ("seccomp=" + json.dumps(seccomp.profile(machine)),) if wanted and machine is not None else ()


def hardening(profile: Profile, cpus: float, options: tuple[str, ...] = ()) -> dict[str, Any]:
    """What the engine holds every container to (SAF-20)."""
    from docker.types import Ulimit

    return {
        "network_mode": "bridge" if profile.network else "none",
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true", *options],
        "privileged": False,
        "init": True,
        "pids_limit": profile.processes,
        "mem_limit": profile.memory_bytes,
        "memswap_limit": profile.memory_bytes,
        "nano_cpus": int(min(cpus, os.cpu_count() or 1) * 1e9),
        "shm_size": profile.tmp_bytes,
        "tmpfs": {"/tmp": f"rw,nosuid,nodev,size={profile.tmp_bytes},mode=1777"},
        "ulimits": [
            Ulimit(name="core", soft=0, hard=0),
            Ulimit(name="cpu", soft=profile.cpu_seconds, hard=profile.cpu_seconds),
            Ulimit(name="fsize", soft=profile.file_bytes, hard=profile.file_bytes),
            Ulimit(name="nofile", soft=1024, hard=1024),
        ],
        "log_config": {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "1"}},
    }


def _owner(workspace: Path) -> str:
    """A container runs as the owner of the workspace, so that files stay his."""
    owner = workspace.stat()
    return f"{owner.st_uid}:{owner.st_gid}"


def _mounts(workspace: Path, extra: tuple[Path, ...], profile: Profile) -> list[Any]:
    """Folders at the path they have on the host, and the workspace at `/workspace` too: the model was told its path outside."""
    from docker.types import Mount

    places = [
        (str(path), str(path), path != workspace or profile.access == "ro") for path in dict.fromkeys((*extra, workspace))
    ]
    places.append((INSIDE, str(workspace), profile.access == "ro"))
    for place, written in folders.git_places(workspace):
        for root in (str(workspace), INSIDE):
            target = os.path.join(root, place.relative_to(workspace))
            places.append((target, str(place), not written or profile.access == "ro"))
    return [Mount(target, source, type="bind", read_only=read_only) for target, source, read_only in places]


def _inside_env(env: Mapping[str, str]) -> dict[str, str]:
    """The image knows its own PATH."""
    return {name: value for name, value in env.items() if name not in ("PATH", "HOME")}


def _sweep(client: DockerClient) -> None:
    """Containers whose gateway ended without a word."""
    from docker.errors import DockerException

    here = os.uname().nodename
    for container in client.containers.list(all=True, filters={"label": OWNER_LABEL}):
        host, _, pid = str(container.labels.get(OWNER_LABEL, "")).rpartition(":")
        if host == here and not os.path.exists(f"/proc/{pid}"):
            with contextlib.suppress(DockerException):
                container.remove(force=True, v=True)


def _said(error: Exception) -> str:
    return str(getattr(error, "explanation", "") or error).strip().rstrip(".")
