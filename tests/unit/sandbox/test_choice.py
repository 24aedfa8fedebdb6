"""Which sandbox is chosen, for whom, and what `status` says about it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.safety.sandbox import folders
from openclaw_kernel.safety.sandbox.bubblewrap import Bubblewrap
from openclaw_kernel.safety.sandbox.choose import backends, choose
from openclaw_kernel.safety.sandbox.docker import Docker
from openclaw_kernel.safety.sandbox.service import Sandboxes
from openclaw_kernel.safety.sandbox_api import Command, Probe, Profile, SandboxError, Wrapped

MAIN, OTHER = "agent:main:main", "agent:main:telegram:group:-5"


class Backend:
    """Works or does not; remembers what was asked."""

    def __init__(self, name: str, reason: str = "") -> None:
        self.name = name
        self.reason = reason
        self.probes = 0

    async def probe(self) -> Probe:
        self.probes += 1
        await asyncio.sleep(0)
        return Probe(not self.reason, "1.0", self.reason)

    def shell(self, command: str) -> tuple[str, ...]:
        return ("sh", "-c", command)

    def python(self, code: str) -> tuple[str, ...]:
        return ("python3", "-c", code)

    async def wrap(self, command: Command, profile: Profile) -> Wrapped:
        return Wrapped(command.argv, command.env, profile.workspace)

    async def end(self, wrapped: Wrapped) -> None: ...


def sandboxes(
    tmp_path: Path, *found: Backend, host: str = "auto", agents: list[Any] | None = None, **settings: Any
) -> Sandboxes:
    config = OpenClawConfig.model_validate(
        {"tools": {"exec": {"host": host}}, "agents": {"defaults": {"sandbox": settings}, "list": agents or []}}
    )
    return Sandboxes(lambda: config, tmp_path, candidates=lambda *_: list(found))


async def test_the_first_that_works_is_taken_and_the_rest_not_asked() -> None:
    broken, good, spare = Backend("a", "no."), Backend("b"), Backend("c")
    choice = await choose([broken, good, spare])
    assert choice.backend is good and spare.probes == 0 and choice.reason == "a: no."
    assert (await choose([broken])).backend is None


def test_auto_tries_bubblewrap_then_docker_and_a_name_only_that() -> None:
    def names(**settings: Any) -> list[str]:
        config = OpenClawConfig.model_validate({"agents": {"defaults": {"sandbox": settings}}})
        return [backend.name for backend in backends(config.agents.defaults.sandbox, {})]

    assert names() == ["bubblewrap", "docker"]
    assert names(backend="docker") == ["docker"]


async def test_a_working_backend_is_used_by_default_and_probed_once(tmp_path: Path) -> None:
    good = Backend("b")
    rooms = sandboxes(tmp_path, good)
    assert rooms.status()["runsIn"] == "pending"
    rooms.start()
    first, second = await asyncio.gather(rooms.place(MAIN, "main", tmp_path), rooms.place(OTHER, "main", tmp_path))
    assert first is not None and second is not None and good.probes == 1
    assert rooms.status() == {
        "backend": "b",
        "runsIn": "sandbox",
        "mode": "all",
        "probes": {"b": {"usable": True, "version": "1.0", "reason": ""}},
    }


@pytest.mark.parametrize(
    ("host", "mode", "main", "other"),
    [
        ("auto", "all", True, True),
        ("auto", "non-main", False, True),
        ("auto", "off", False, False),
        ("sandbox", "off", True, True),
        ("gateway", "all", False, False),
    ],
)
async def test_host_and_mode_say_whose_commands_are_sandboxed(
    tmp_path: Path, host: str, mode: str, main: bool, other: bool
) -> None:
    rooms = sandboxes(tmp_path, Backend("b"), host=host, mode=mode)
    assert (await rooms.place(MAIN, "main", tmp_path) is not None) is main
    assert (await rooms.place(OTHER, "main", tmp_path) is not None) is other


async def test_without_one_commands_run_on_the_host_and_status_says_so(tmp_path: Path) -> None:
    rooms = sandboxes(tmp_path, Backend("a", "It is not installed."))
    assert await rooms.place(MAIN, "main", tmp_path) is None
    status = rooms.status()
    assert status["runsIn"] == "gateway" and "allowlist and ask" in status["reason"] and "not installed" in status["reason"]


async def test_where_a_sandbox_is_demanded_nothing_runs_without_one(tmp_path: Path) -> None:
    rooms = sandboxes(tmp_path, Backend("a", "It is not installed."), host="sandbox")
    with pytest.raises(SandboxError, match=r"tools\.exec\.host is sandbox, but none works .* not installed"):
        await rooms.place(MAIN, "main", tmp_path)
    assert rooms.status()["runsIn"] == "nowhere"


async def test_nothing_is_probed_when_no_sandbox_is_wanted(tmp_path: Path) -> None:
    good = Backend("b")
    for more in ({"host": "gateway"}, {"mode": "off"}):
        rooms = sandboxes(tmp_path, good, **more)
        rooms.start()
        await rooms.stop()
        assert rooms.status()["runsIn"] == "gateway"
    assert good.probes == 0


async def test_an_agents_own_settings_stand_over_the_defaults(tmp_path: Path) -> None:
    agents = [{"id": "guest", "sandbox": {"workspaceAccess": "none", "scope": "session"}}]
    rooms = sandboxes(tmp_path, Backend("b"), agents=agents, network=True)
    guest = await rooms.place("agent:guest:main", "guest", tmp_path)
    other = await rooms.place("agent:guest:telegram:direct:1", "guest", tmp_path)
    main = await rooms.place(MAIN, "main", tmp_path)
    assert guest is not None and other is not None and main is not None
    assert guest.profile.network and guest.profile.workspace.parent == tmp_path / "sandboxes"
    assert guest.profile.workspace != other.profile.workspace and main.profile.workspace == tmp_path


async def test_secrets_of_the_environment_do_not_go_in(tmp_path: Path) -> None:
    place = await sandboxes(tmp_path, Backend("b")).place(MAIN, "main", tmp_path)
    assert place is not None
    async with place.wrapped(("true",), {"LANG": "C", "MY_SECRET": "x", "SSH_AUTH_SOCK": "/s", "LD_PRELOAD": "y"}) as wrapped:
        assert dict(wrapped.env) == {"LANG": "C"}


@pytest.mark.parametrize("path", ["/", "/etc", "/etc/ssl", "/home", "/root", "/proc", "/dev/shm", "/usr/share", "/run", "~"])
def test_system_folders_and_homes_are_never_shown(path: str, tmp_path: Path) -> None:
    place = Path(path).expanduser()
    with pytest.raises(SandboxError, match=r"system folder|cannot be shown"):
        folders.checked(Profile(place))
    if not str(place).startswith("/usr"):
        with pytest.raises(SandboxError):
            folders.checked(Profile(tmp_path, read_only=(place,)))


def test_links_to_them_and_state_directories_are_not_shown_either(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc")
    with pytest.raises(SandboxError, match="system folder"):
        folders.checked(Profile(tmp_path / "link"))
    (tmp_path / "gateway-token").write_text("x")
    with pytest.raises(SandboxError, match="gateway's own state"):
        folders.checked(Profile(tmp_path))
    with pytest.raises(SandboxError, match="no folder"):
        folders.checked(Profile(tmp_path / "gateway-token"))


async def test_a_missing_program_or_engine_is_one_sentence(tmp_path: Path) -> None:
    gone = await Bubblewrap("/nowhere/bwrap").probe()
    assert not gone.usable and gone.reason.startswith("bubblewrap does not work here")
    dead = await Docker(env={"DOCKER_HOST": f"unix://{tmp_path}/none.sock"}).probe()
    assert not dead.usable and "no Docker engine answers" in dead.reason


async def test_a_probe_can_be_cancelled_at_any_moment() -> None:
    """A gateway may be told to stop just after its start."""
    for moment in range(30):
        probe = asyncio.ensure_future(Bubblewrap("/bin/true").probe())
        for _ in range(moment):
            await asyncio.sleep(0)
        probe.cancel()
        done, _ = await asyncio.wait([probe], timeout=10)
        assert done, f"the probe goes on after {moment} steps"
