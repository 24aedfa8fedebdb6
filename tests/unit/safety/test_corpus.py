"""Hundreds of commands and what becomes of each, under three modes (SAF-04, SAF-06 to SAF-09).

`shell_corpus.jsonl` has one `[kind, verdicts, command]` a line; the three letters are for allowlist without asking, for asking
(the default), and for asking with `structure: segments`: A allow, Q ask, D deny.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from openclaw_kernel.safety.api import Allow, Ask, Deny, PolicyState, Sandbox, ToolFacts
from openclaw_kernel.safety.decide import decide
from openclaw_kernel.values.messages import ToolCall

ROWS = [json.loads(line) for line in Path(__file__).with_name("shell_corpus.jsonl").read_text().splitlines()]
EXEC = ToolFacts("exec", "host")
LISTED = "ls cat echo grep pwd date find tar sort printf test diff cp mkdir cd umask hash rm python bash sh zsh awk sed xargs"
ASKING = PolicyState(
    allowlist=(
        *LISTED.split(),
        *("timeout", "nice", "nohup", "env", "sudo", "make", "node", "perl", "eval", "source", "git status *", "git log *"),
        *("git diff *", "/usr/bin/stat", "=make test", "=python report.py"),
    ),
    safe_bins=("cut", "uniq", "head", "tail", "tr", "wc"),
    workspace="/srv/work",
)
MODES = (replace(ASKING, ask="off"), ASKING, replace(ASKING, structure="segments"))


def which(name: str) -> str | None:
    """A machine that has every program with an ordinary name, some of them in the workspace."""
    if name.startswith("local"):
        return f"/srv/work/bin/{name}"
    return f"/usr/bin/{name}" if name.isascii() and name.replace("-", "").replace(".", "").isalnum() else None


def judge(command: str, state: PolicyState) -> str:
    verdict = decide(ToolCall("1", "exec", {"command": command}), EXEC, state, which=which, digest=lambda _path: "")
    match verdict:
        case Allow():
            return "A"
        case Ask():
            return "Q"
        case Deny() | Sandbox():
            return "D"


@pytest.mark.parametrize("mode", [0, 1, 2], ids=["allowlist", "ask", "segments"])
def test_every_verdict(mode: int) -> None:
    wrong = {command[:80]: (expect, judge(command, MODES[mode])) for _, expect, command in ROWS}
    wrong = {command: (expect, got) for command, (expect, got) in wrong.items() if expect[mode] != got}
    assert not wrong


def test_nothing_hostile_is_allowed_and_there_is_enough_of_it() -> None:
    kinds = Counter(kind for kind, _, _ in ROWS)
    assert sum(kinds.values()) >= 300 and kinds["hostile"] >= 150, kinds
    allowed = [command for kind, _, command in ROWS for state in MODES if kind == "hostile" and judge(command, state) == "A"]
    assert allowed == []


def test_taint_and_the_closed_mode_allow_nothing_at_all() -> None:
    for state in (replace(ASKING, security="deny"), *(replace(state, tainted=True) for state in MODES)):
        assert "A" not in {judge(command, state) for _, _, command in ROWS}
