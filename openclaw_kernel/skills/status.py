"""A skill as `skills.status` and the command line tell of it (protocol section 5.1)."""

from __future__ import annotations

from typing import Any

from openclaw_kernel.skills.shelf import Shelf, Shelved


def status_of(shelf: Shelf, agent_id: str, workspace: str) -> dict[str, Any]:
    """The result of `skills.status`. Blocking."""
    return {
        "workspaceDir": workspace,
        "managedSkillsDir": str(shelf.managed_dir),
        "agentId": agent_id,
        "skills": [status_row(one) for one in shelf.all(agent_id)],
    }


def status_row(one: Shelved) -> dict[str, Any]:
    """One skill; `kind` and `reason` are ours."""
    skill, gate = one.skill, one.gate
    row: dict[str, Any] = {
        "name": skill.name,
        "description": skill.description,
        "source": f"openclaw-{skill.source}",
        "bundled": skill.source == "bundled",
        "filePath": str(skill.path),
        "baseDir": str(skill.folder),
        "skillKey": skill.key,
        "always": gate.always,
        "disabled": gate.disabled,
        "blockedByAllowlist": gate.blocked,
        "blockedByAgentFilter": gate.filtered,
        "eligible": one.usable,
        "platformIncompatible": bool(gate.missing.os),
        "modelVisible": one.listed,
        "userInvocable": skill.for_people,
        "commandVisible": one.callable,
        "requirements": gate.needs.to_wire(),
        "missing": gate.missing.to_wire(),
        "configChecks": [{"path": path, "satisfied": path not in gate.missing.config} for path in gate.needs.config],
        "install": [],
        "kind": skill.kind,
    }
    for name, value in (("emoji", skill.openclaw.get("emoji")), ("homepage", skill.meta.get("homepage"))):
        if isinstance(value, str):
            row[name] = value
    if gate.reason:
        row["reason"] = gate.reason
    return row
