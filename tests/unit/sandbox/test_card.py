"""The card of a command says in which sandbox it would run, and says nothing where it runs on the machine itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from openclaw_kernel.agent.gate import Gate
from openclaw_kernel.safety.api import PolicyState
from openclaw_kernel.safety.approvals import Approval, Approvals
from openclaw_kernel.tools.exec import exec_tool
from openclaw_kernel.values.messages import ToolCall
from tests.unit.sandbox.test_choice import Backend, sandboxes


@pytest.mark.parametrize(
    ("host", "works", "said"),
    [("sandbox", "", "sandbox (bubblewrap)"), ("gateway", "", None), ("auto", "no.", None), ("sandbox", "no.", None)],
)
async def test_where_a_command_would_run(tmp_path: Path, host: str, works: str, said: str | None) -> None:
    approvals = Approvals(tmp_path / "a.jsonl", tmp_path / "b.jsonl")
    asked: list[Approval] = []

    def answer(approval: Approval) -> None:
        if approval.state == "pending":
            asked.append(approval)
            asyncio.get_running_loop().call_soon(approvals.resolve, approval.id, "deny", "me")

    approvals.on_change.append(answer)
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    gate = Gate(approvals, lambda: PolicyState(workspace=str(workspace)), "agent:main:main", "main", "r")
    tool = exec_tool(sandboxes=sandboxes(tmp_path, Backend("bubblewrap", works), host=host))
    await gate.rule(ToolCall("c", "exec", {"command": "touch a"}), tool)
    approvals.close()
    [approval] = asked
    assert approval.card.facts.get("where") == said
    assert approval.card.command == "touch a" and approval.card.cwd == str(workspace)
