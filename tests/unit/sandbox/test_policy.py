"""Whose session is sandboxed, what that takes from it, which key decided, and the command line (SAF-18 to SAF-22)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.cli import main
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.safety.sandbox_policy import explained, sandbox_layers
from openclaw_kernel.safety.tool_policy import standings
from tests.unit.sandbox.conftest import Room

MAIN, GUEST = "agent:main:main", "agent:main:telegram:group:-5"
TOOLS = {
    "fs": ("read", "write", "edit", "apply_patch", "undo", "list"),
    "runtime": ("exec", "process"),
    "notebook": ("python",),
    "ui": ("browser", "canvas_show"),
    "nodes": ("nodes",),
    "automation": ("cron",),
    "web": ("web_fetch",),
    "plugins": ("session_status",),
}


def config(tools: dict[str, Any] | None = None, agents: list[Any] | None = None, **sandbox: Any) -> OpenClawConfig:
    return OpenClawConfig.model_validate(
        {"agents": {"defaults": {"sandbox": sandbox}, "list": agents or []}, "tools": tools or {}}
    )


def taken(settings: OpenClawConfig, key: str = GUEST, agent: str = "main") -> dict[str, str]:
    found = standings(
        ((name, frozenset({groups})) for groups, names in TOOLS.items() for name in names), sandbox_layers(settings, agent, key)
    )
    return {row.name: row.layer for row in found.values() if not row.callable}


def test_by_default_only_commands_are_sandboxed_and_all_tools_stay() -> None:
    assert taken(config()) == {} and taken(config(), MAIN) == {}


def test_a_named_mode_means_the_whole_session() -> None:
    gone = taken(config(mode="non-main"))
    assert set(gone) == {"python", "browser", "canvas_show", "nodes", "cron", "web_fetch"}
    assert set(gone.values()) == {"tools.sandbox.tools"}
    assert taken(config(mode="non-main"), MAIN) == {} and taken(config(mode="off")) == {}


def test_the_policy_for_sandboxed_tools_stands_in_for_what_is_built_in() -> None:
    more = config({"sandbox": {"tools": {"alsoAllow": ["canvas*", "web_fetch"]}}})
    assert "web_fetch" not in taken(more) and {"python", "browser", "nodes", "cron"} <= set(taken(more))
    assert set(taken(config({"sandbox": {"tools": {"allow": [], "deny": ["exec"]}}}))) == {"exec"}
    only = config({"sandbox": {"tools": {"allow": ["exec", "cron"]}}})
    assert "exec" not in taken(only) and {"cron", "read"} <= set(taken(only))
    own = config(agents=[{"id": "mail", "tools": {"sandbox": {"tools": {"allow": ["read"], "deny": []}}}}])
    assert "read" not in taken(own, "agent:mail:main", "mail")
    assert set(taken(own, "agent:mail:main", "mail").values()) == {"agents.list[mail].tools.sandbox.tools"}
    assert taken(own) == {}


@pytest.mark.parametrize(
    ("access", "gone"),
    [
        ("rw", set()),
        ("ro", {"write", "edit", "apply_patch", "undo"}),
        ("none", {"read", "write", "edit", "apply_patch", "undo", "list"}),
    ],
)
def test_file_tools_may_no_more_than_a_command(access: str, gone: set[str]) -> None:
    found = taken(config(workspaceAccess=access))
    assert set(found) == gone and set(found.values()) <= {"agents.defaults.sandbox.workspaceAccess"}


def test_on_the_host_nothing_is_taken() -> None:
    settings = config({"exec": {"host": "gateway"}, "sandbox": {"tools": {"deny": ["exec"]}}}, workspaceAccess="none")
    assert taken(settings) == {} and not explained(settings, "main", MAIN)["sandboxed"]


def test_every_part_names_the_key_that_decided() -> None:
    agents = [{"id": "mail", "sandbox": {"scope": "session", "workspaceAccess": "none"}}]
    found = explained(config({"exec": {"host": "sandbox"}}, agents, mode="off", network=True), "mail", "agent:mail:main")
    assert found["sandboxed"] and found["scope"] == "session" and found["network"]
    assert found["decidedBy"] == {
        "host": "tools.exec.host",
        "mode": "agents.defaults.sandbox.mode",
        "backend": "built-in default",
        "scope": "agents.list[mail].sandbox.scope",
        "workspaceAccess": "agents.list[mail].sandbox.workspaceAccess",
        "network": "agents.defaults.sandbox.network",
        "limits": "built-in default",
        "docker": "built-in default",
    }


@pytest.mark.parametrize(
    ("scope", "same_session", "same_agent"), [("session", True, False), ("agent", True, True), ("shared", True, True)]
)
async def test_the_private_folder_follows_the_scope(room: Room, scope: str, same_session: bool, same_agent: bool) -> None:
    """For real: what one command leaves, another of the same scope finds, and nobody else."""
    settings = {"workspaceAccess": "none", "scope": scope}
    await room.run("echo kept > note", **settings)
    for key, agent, seen in (
        (MAIN, "main", same_session),
        (GUEST, "main", same_agent),
        ("agent:b:main", "b", scope == "shared"),
    ):
        said = str((await room.run("cat note", key=key, agent=agent, **settings)).details["output"])
        assert ("kept" in said) is seen, (key, said)
    assert not (room.workspace / "note").exists()


def run(tmp_path: Path, *words: str) -> int:
    return main(["sandbox", *words, "--state-dir", str(tmp_path)])


def test_explain_needs_no_gateway(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = {"mode": "non-main", "workspaceAccess": "none", "backend": "docker"}
    (tmp_path / "openclaw.json").write_text(json.dumps({"agents": {"defaults": {"sandbox": settings}}}))
    assert run(tmp_path, "explain") == 0
    assert "Commands of agent:main:main run on the host, because mode is non-main." in capsys.readouterr().out
    assert run(tmp_path, "explain", "--session", "telegram:group:-5", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["sandboxed"] and found["decidedBy"]["mode"] == "agents.defaults.sandbox.mode" and "docker" in found["probes"]
    assert (
        found["workspace"] == str(tmp_path / "sandboxes" / "agent-main") and found["tools"][0]["key"] == "tools.sandbox.tools"
    )
    assert run(tmp_path, "explain", "--agent", "nobody") == 1
    assert "There is no agent 'nobody'" in capsys.readouterr().err


def test_private_folders_are_listed_and_emptied(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("x")
    for name in ("agent-main", "shared"):
        (tmp_path / "sandboxes" / name).mkdir(parents=True)
        (tmp_path / "sandboxes" / name / "note").write_text("words")
    (tmp_path / "sandboxes" / "agent-main" / "link").symlink_to(outside)
    (tmp_path / "sandboxes" / "link").symlink_to(outside)
    assert run(tmp_path, "list", "--json") == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == ["agent-main", "shared"]
    assert run(tmp_path, "recreate", "--yes") == 1
    assert "Say which" in capsys.readouterr().err
    assert run(tmp_path, "recreate", "--agent", "main", "--yes") == 0
    assert not (tmp_path / "sandboxes" / "agent-main").exists() and (tmp_path / "sandboxes" / "shared" / "note").exists()
    assert run(tmp_path, "recreate", "--all", "--yes") == 0
    assert (outside / "kept").exists() and not (tmp_path / "sandboxes" / "shared").exists()
