"""What `approvals explain` says, what scripts are bound to, and what an agent's own policy may do (SAF-05, SAF-11, SAF-22)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.cli import main
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.safety.allowed import read_allowed
from openclaw_kernel.safety.api import Allow, Ask, PolicyState, ToolFacts, Verdict
from openclaw_kernel.safety.approvals import Approvals
from openclaw_kernel.safety.decide import decide
from openclaw_kernel.safety.effective import exec_policy
from openclaw_kernel.safety.scripts import digest, scripts_in
from openclaw_kernel.safety.wrappers import peel
from openclaw_kernel.values.messages import ToolCall


def judge(command: str, allowlist: tuple[str, ...], workspace: Path) -> Verdict:
    state = PolicyState(allowlist=allowlist, workspace=str(workspace))
    return decide(ToolCall("1", "exec", {"command": command}), ToolFacts("exec", "host"), state)


@pytest.mark.parametrize(
    "command", ["bash run.sh", "./run.sh -v", "timeout 5 bash run.sh", "bash -c './run.sh'", "sh ./run.sh a"]
)
def test_an_answer_holds_for_the_script_that_was_there(command: str, tmp_path: Path) -> None:
    script = tmp_path / "run.sh"
    script.write_text("#!/bin/sh\necho one\n")
    script.chmod(0o755)
    first = judge(command, (), tmp_path)
    assert isinstance(first, Ask)
    assert first.card.scopes == ("allow-once", "allow-always", "deny")
    assert first.card.facts["script"] == str(script) and first.card.facts["sha256"] == digest(str(script))
    entry = str(first.card.facts["pattern"])
    assert isinstance(judge(command, (entry,), tmp_path), Allow)
    assert isinstance(judge(f"{command} more", (entry,), tmp_path), Ask), "other words are another command"
    script.write_text("#!/bin/sh\necho two\n")
    changed = judge(command, (entry,), tmp_path)
    assert isinstance(changed, Ask) and changed.rule == "script-changed"
    assert "has changed since it was allowed" in changed.card.reason
    script.unlink()
    assert isinstance(judge(command, (entry,), tmp_path), Ask)


@pytest.mark.parametrize(
    "command",
    ["bash -x run.sh", "bash", "bash missing.sh", "python -m run", "make run.sh", "source run.sh", "bash pipe", "bash ."],
)
def test_nothing_durable_where_no_single_file_is_named(command: str, tmp_path: Path) -> None:
    (tmp_path / "run.sh").write_text("echo\n")
    os.mkfifo(tmp_path / "pipe")
    verdict = judge(command, (), tmp_path)
    assert isinstance(verdict, Ask) and verdict.card.scopes == ("allow-once", "deny")


def test_words_cannot_pass_for_a_pinned_entry(tmp_path: Path) -> None:
    (tmp_path / "run.sh").write_text("echo\n")
    pin = "#sha256=" + digest(str(tmp_path / "run.sh"))
    assert isinstance(judge("bash run.sh", (f"=bash run.sh '{pin}'",), tmp_path), Ask)
    assert isinstance(judge(f"bash run.sh '{pin}'", (f"=bash run.sh {pin}",), tmp_path), Ask)
    assert isinstance(judge("bash run.sh", (f"bash run.sh {pin}",), tmp_path), Ask)


def test_scripts_are_found_through_wrappers(tmp_path: Path) -> None:
    (tmp_path / "run.sh").write_text("echo\n")
    path = str(tmp_path / "run.sh")
    assert scripts_in("nice bash run.sh | ./run.sh", str(tmp_path)) == (path,)
    assert scripts_in("ls -la", str(tmp_path)) == () and scripts_in(None, str(tmp_path)) == ()


def test_wrappers_come_off_or_say_why_not() -> None:
    assert peel(("timeout", "5", "nice", "ls", "-l")).argv == ("ls", "-l")
    assert peel(("bash", "-c", "git log")).through == ("bash",)
    assert "changes the environment" in peel(("env", "A=1", "ls")).opaque
    assert "not one plain command" in peel(("bash", "-c", "ls; id")).opaque
    assert peel(("ls",)) == peel(("ls",)) and peel(()).argv == ()


def _config(**own: Any) -> OpenClawConfig:
    agent = {"id": "main", "tools": {"exec": own}}
    return OpenClawConfig.model_validate({"agents": {"list": [agent]}})


def test_an_agent_may_be_stricter_but_never_looser() -> None:
    strict = exec_policy(_config(security="deny", ask="always", structure="whole"), "main")
    assert (strict.security, strict.ask, strict.mode) == ("deny", "always", "deny")
    assert strict.layers["security"] == "agents.list[main].tools.exec" and strict.layers["structure"] == "tools.exec"
    loose = exec_policy(_config(security="full", structure="segments", safeBins=["wc", "sed"], nonsense=1), "main")
    assert (loose.security, loose.structure, loose.safe_bins, loose.mode) == ("allowlist", "whole", ("wc",), "ask")
    assert exec_policy(_config(ask="off"), "main").mode == "allowlist"
    assert exec_policy(_config(ask="off"), "other").mode == "ask"


def test_explain_needs_no_gateway_and_runs_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "openclaw.json").write_text('{tools: {exec: {structure: "segments"}}}')
    approvals = Approvals(tmp_path / "approvals.jsonl", tmp_path / "exec-approvals.jsonl")
    for pattern in ("ls", "gone"):
        approvals.allow("main", pattern)
    approvals.disallow("main", "gone")
    approvals.close()
    assert [row.pattern for row in read_allowed(tmp_path / "exec-approvals.jsonl")] == ["ls"]

    def explained(command: str, *more: str) -> dict[str, Any]:
        arguments = ["approvals", "explain", command, "--json", "--state-dir", str(tmp_path), *more]
        assert main(arguments) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    both = explained("timeout 5 ls -la | wc -l")
    assert (both["verdict"], both["rule"]) == ("allow", "allowlist:ls + safe-bin:wc")
    assert both["segments"][0] == {
        "argv": ["timeout", "5", "ls", "-la"],
        "literal": True,
        "through": ["timeout"],
        "runs": ["ls", "-la"],
        "coveredBy": "allowlist:ls",
        "reason": "on the allowlist",
    }
    assert explained("ls; touch pwned")["verdict"] == "ask"
    assert explained("ls 'x")["verdict"] == "deny" and explained("ls 'x")["unreadable"]
    assert explained("ls", "--tainted")["rule"] == "taint"
    assert explained("ls", "--cwd", "/")["cwd"] == "/"
    assert not (tmp_path / "workspace").exists() and not list(tmp_path.rglob("pwned"))
    assert main(["approvals", "explain", "git push --force", "--state-dir", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "ask, by rule high-risk" in out and "segment 1: git push --force" in out and "mode ask" in out
    assert main(["approvals", "explain", "ls", "--agent", "nobody", "--state-dir", str(tmp_path)]) == 1
    assert "There is no agent 'nobody'" in capsys.readouterr().err
