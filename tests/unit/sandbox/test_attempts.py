"""Every attempt of `attempts.py`, for real in bubblewrap and in a Docker engine: none may succeed (SAF-20).

Each has a control: the same program on this machine itself, where it does succeed. So what is held was tried for real.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from openclaw_kernel.safety.sandbox import folders, limits, seccomp
from openclaw_kernel.safety.sandbox.bubblewrap import Bubblewrap
from openclaw_kernel.safety.sandbox_api import Command, Profile, SandboxBackend
from openclaw_kernel.tools.api import ToolContext, ToolError
from openclaw_kernel.tools.files import TOOLS
from openclaw_kernel.values.stream import AbortSignal
from tests.needs import need
from tests.unit.sandbox.attempts import ATTEMPTS, UNKNOWN_TO_SOME_KERNELS
from tests.unit.sandbox.conftest import SECRET, Room

pytestmark = pytest.mark.timeout(180)
PROBE = Path(__file__).parent / "probe"
SHARED_KEY = 0x0C1A77
MB = 1 << 20
ORDINARY = 1000
Said = dict[str, tuple[str, str]]


@dataclass
class Stage:
    """A host with something to find everywhere: files, sockets, a process, shared memory."""

    folder: Path
    victim: subprocess.Popen[bytes]
    kept: Path
    heard: list[socket.socket]

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"

    def run(self, argv: tuple[str, ...], env: dict[str, str], hand_in: tuple[int, ...] = ()) -> Said:
        done = subprocess.run(argv, env=env, cwd=self.workspace, capture_output=True, text=True, timeout=150, pass_fds=hand_in)
        assert "DONE" in done.stdout, done.stdout[-2000:] + done.stderr[-2000:]
        assert SECRET not in done.stderr
        rows = (line.split("\t") for line in done.stdout.splitlines() if line.count("\t") == 2)
        return {name: (verdict, detail) for name, verdict, detail in rows}

    def untouched(self) -> bool:
        """Nothing was written, nobody was connected to, and the process lives."""
        return self.kept.read_text() == "kept" and self.victim.poll() is None and not any(map(_visited, self.heard))


def _visited(server: socket.socket) -> bool:
    server.setblocking(False)
    try:
        server.accept()[0].close()
    except BlockingIOError:
        return False
    return True


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with ExitStack() as stack:
        yield _stage(tmp_path, stack)


def _stage(folder: Path, stack: ExitStack) -> Stage:
    workspace, state = folder / "workspace", folder / "state"
    secrets = [state / "token", folder / "home" / ".ssh" / "key", folder / "other" / "notes.md", state / "kept"]
    for path in (*secrets, workspace / "scratch" / "-"):
        path.parent.mkdir(parents=True, exist_ok=True)
    for path in secrets[:3]:
        path.write_text(SECRET)
    secrets[3].write_text("kept")
    (workspace / "link").symlink_to(secrets[0])
    (workspace / "write-link").symlink_to(secrets[3])
    shutil.copytree(PROBE, workspace / "probe", ignore=shutil.ignore_patterns("__pycache__"))
    heard = [_listener(stack, f"{folder}/{name}.sock") for name in ("engine", "agent", "display")]
    abstract = f"openclaw-probe-{os.getpid()}"
    heard.append(_listener(stack, "\0" + abstract))
    heard.append(stack.enter_context(socket.create_server(("0.0.0.0", 0))))
    memory = Path(f"/dev/shm/openclaw-probe-{os.getpid()}")
    memory.write_text(SECRET)
    stack.callback(memory.unlink)
    libc = ctypes.CDLL(None)
    segment = libc.shmget(SHARED_KEY, 4096, 0o1600)
    stack.callback(libc.shmctl, segment, 0, None)
    mark = f"6543{os.getpid()}"
    victim = subprocess.Popen(["sleep", mark])
    stack.callback(victim.wait)
    stack.callback(victim.kill)
    here = seccomp.machine()
    assert here is not None
    facts = {name: str(path) for name, path in zip(("secret", "key", "other", "written"), secrets, strict=True)}
    facts |= {name: f"{workspace}/{name}" for name in ("link", "write-link", "scratch")}
    facts |= {"agent": f"{folder}/agent.sock", "display": f"{folder}/display.sock", "posix_memory": str(memory)}
    facts |= {"abstract": abstract, "address": "127.0.0.2", "mark": mark, "variable": "OPENCLAW_GATEWAY_TOKEN"}
    more = {"calls": dict(seccomp.numbers(here)), "engines": [f"{folder}/engine.sock"], "shared_memory": SHARED_KEY}
    more |= {"port": heard[-1].getsockname()[1], "victim": victim.pid}
    (workspace / "facts.json").write_text(json.dumps(facts | more))
    return Stage(folder, victim, secrets[3], heard)


def _listener(stack: ExitStack, address: str) -> socket.socket:
    server = stack.enter_context(socket.socket(socket.AF_UNIX))
    server.bind(address)
    server.listen()
    return server


@pytest.fixture(scope="session")
def said_of() -> dict[str, tuple[Said, bool]]:
    """What each run said, and whether it left the host alone. One run has all attempts, each in a process of its own."""
    return {}


@pytest.fixture
async def inside(
    backend: SandboxBackend, stage: Stage, said_of: dict[str, tuple[Said, bool]], monkeypatch: pytest.MonkeyPatch
) -> tuple[Said, bool]:
    if backend.name not in said_of:
        monkeypatch.setenv("OPENCLAW_GATEWAY_TOKEN", SECRET)
        bounds = Profile(
            stage.workspace, memory_bytes=128 * MB, processes=64, tmp_bytes=16 * MB, file_bytes=32 * MB, cpu_seconds=120
        )
        wrapped = await backend.wrap(Command(backend.shell("exec python3 probe facts.json")), bounds)
        try:
            said = stage.run(wrapped.argv, {**wrapped.env})
        finally:
            await backend.end(wrapped)
        said_of[backend.name] = said, stage.untouched()
    return said_of[backend.name]


@pytest.fixture
def outside(stage: Stage, said_of: dict[str, tuple[Said, bool]]) -> Said:
    """The same on this machine itself, with one more open file and in mounts and a network of its own where it needs them."""
    need("root", os.getuid() == 0, "a control does what only root may do")
    if "host" not in said_of:
        env = {**os.environ, "OPENCLAW_GATEWAY_TOKEN": SECRET, "OPENCLAW_PROBE_CONTROL": "1"}
        argv = (sys.executable, str(stage.workspace / "probe"), str(stage.workspace / "facts.json"))
        said_of["host"] = stage.run(argv, env, (stage.heard[0].fileno(),)), stage.untouched()
    return said_of["host"][0]


@pytest.mark.parametrize("name", ATTEMPTS)
def test_is_held(name: str, inside: tuple[Said, bool]) -> None:
    said, _ = inside
    verdict, detail = said[name]
    how, success = ATTEMPTS[name]
    assert verdict == "HELD", f"{how}: {success} ({detail})"


def test_the_host_is_left_alone_and_nothing_was_forgotten(inside: tuple[Said, bool]) -> None:
    said, untouched = inside
    assert untouched and set(said) - {"DONE"} == set(ATTEMPTS) and len(ATTEMPTS) >= 40
    assert SECRET[:8] not in json.dumps(said)


@pytest.mark.parametrize("name", ATTEMPTS)
def test_the_same_succeeds_outside(name: str, outside: Said) -> None:
    verdict, detail = outside[name]
    if verdict == "HELD" and name in UNKNOWN_TO_SOME_KERNELS:
        pytest.skip(f"kernel: this one itself refuses {name} to root ({detail})")
    assert verdict == "ESCAPED", detail


def test_the_control_leaves_traces(outside: Said, said_of: dict[str, tuple[Said, bool]]) -> None:
    assert said_of["host"][1] is False


async def test_all_are_held_where_the_gateway_is_an_ordinary_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without root there are no control groups: resource limits have to hold what they held."""
    need("root", os.getuid() == 0, "only root can become somebody else for a test")
    need("setpriv", shutil.which("setpriv"), "it comes with util-linux")
    need("python3", shutil.which("python3", path="/usr/bin"), "the sandbox of another user sees only the system's Python")
    backend = Bubblewrap()
    probe = await backend.probe()
    need("bubblewrap", probe.usable, probe.reason)
    monkeypatch.setattr(limits, "make_group", lambda _profile: limits.Group())
    monkeypatch.setattr(folders, "interpreter_folders", lambda: ())
    with TemporaryDirectory(prefix="openclaw-user-") as name, ExitStack() as stack:
        stage = _stage(Path(name), stack)
        here = seccomp.machine()
        assert here is not None
        program = stage.folder / "filter"
        program.write_bytes(seccomp.program(here))
        monkeypatch.setattr(backend._filter, "path", str(program))
        for path in (stage.folder, *stage.folder.rglob("*")):
            os.lchown(path, ORDINARY, ORDINARY)
        monkeypatch.setattr(os, "getuid", lambda: ORDINARY)
        bounds = Profile(stage.workspace, memory_bytes=256 * MB, processes=64, tmp_bytes=16 * MB, file_bytes=32 * MB)
        wrapped = await backend.wrap(Command(backend.shell("exec python3 probe facts.json")), bounds)
        become = ("setpriv", "--reuid", str(ORDINARY), "--regid", str(ORDINARY), "--clear-groups")
        said = await asyncio.to_thread(stage.run, (*become, *wrapped.argv), {**wrapped.env})
        assert set(said) - {"DONE"} == set(ATTEMPTS) and stage.untouched()
        assert {name: detail for name, (verdict, detail) in said.items() if verdict == "ESCAPED"} == {}


async def test_the_hosts_own_tools_do_not_follow_a_link_made_inside(room: Room) -> None:
    """A link from inside leads nowhere inside; outside, the path guard holds what the file tools are asked to open."""
    room.workspace.joinpath("real.txt").write_text("words")
    await room.run(f"ln -s {room.secret} out; ln -s real.txt in; ln -s {room.state} folder")
    tools = {tool.name: tool for tool in TOOLS}
    ctx = ToolContext("r", "agent:main:main", "main", room.workspace, AbortSignal(), lambda *_: None, {})

    async def use(name: str, **arguments: str) -> str:
        return str(await tools[name].run(tools[name].parameters.model_validate(arguments), ctx))

    assert "words" in await use("read", path="in")
    for path in ("out", "folder/gateway-token"):
        with pytest.raises(ToolError):
            await use("read", path=path)
        with pytest.raises(ToolError):
            await use("write", path=path, content="changed")
    assert room.secret.read_text() == SECRET


async def test_a_setuid_file_cannot_be_left_for_the_host(room: Room) -> None:
    await room.run("echo x > tool; chmod 755 tool; chmod 4755 tool")
    assert room.workspace.joinpath("tool").stat().st_mode & 0o7777 == 0o755


async def test_a_foreign_architecture_ends_the_process(tmp_path: Path) -> None:
    """The numbers of the filter are those of one architecture; the other one of the same processor is not let through."""
    here = seccomp.machine()
    need("x86_64", here is not None and here.name == "x86_64", "only this processor has a second set of calls")
    backend = Bubblewrap()
    probe = await backend.probe()
    need("bubblewrap", probe.usable, probe.reason)
    code = (
        "import ctypes, mmap\n"
        "room = mmap.mmap(-1, 4096, prot=7)\n"
        "room.write(bytes.fromhex('b814000000cd80c3'))\n"
        "print(ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(room)))(), 'PASSED')"
    )
    (tmp_path / "code.py").write_text(code)
    wrapped = await backend.wrap(Command(backend.shell("python3 code.py; echo code $?")), Profile(tmp_path))
    said = await asyncio.to_thread(_said, wrapped.argv, {**wrapped.env}, tmp_path)
    await backend.end(wrapped)
    assert "PASSED" not in said and "code 159" in said
    assert "PASSED" in await asyncio.to_thread(_said, (sys.executable, "code.py"), dict(os.environ), tmp_path)


def _said(argv: tuple[str, ...], env: dict[str, str], cwd: Path) -> str:
    return subprocess.run(argv, env=env, cwd=cwd, capture_output=True, text=True, timeout=30).stdout


def test_numbers_are_those_of_the_system(tmp_path: Path) -> None:
    header = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
    need("headers", header.exists(), f"{header} is not installed")
    found = dict(line.split()[1:3] for line in header.read_text().splitlines() if line.startswith("#define __NR_"))
    for name, number in seccomp.numbers(seccomp._MACHINES["x86_64"]).items():
        if f"__NR_{name}" in found:
            assert found[f"__NR_{name}"] == str(number), name
    assert all(len(seccomp.program(one)) % 8 == 0 for one in seccomp._MACHINES.values())
