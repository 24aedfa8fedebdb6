"""Whose words are in a turn (SAF-23), and that fenced words cannot speak as somebody else (SAF-24)."""

from __future__ import annotations

from typing import Any

import pytest

from openclaw_kernel.safety.taint import from_outside, others_spoke, shows_outside
from openclaw_kernel.values.envelope import fence
from openclaw_kernel.values.messages import Text, ToolCall


@pytest.mark.parametrize(
    ("meta", "others"),
    [
        ({"senderIsOwner": True}, False),
        ({}, False),
        ({"senderIsOwner": True, "chatType": "direct"}, False),
        ({"senderIsOwner": False, "chatType": "direct"}, True),
        ({"senderIsOwner": True, "chatType": "group"}, True),
        ({"senderIsOwner": True, "chatType": "channel"}, True),
    ],
)
def test_who_spoke(meta: dict[str, Any], others: bool) -> None:
    assert others_spoke(meta) is others


@pytest.mark.parametrize(
    ("tool", "arguments", "outside"),
    [
        ("read", {"path": "notes.md"}, False),
        ("read", {"path": "inbound/run-1/letter.pdf"}, True),
        ("read", {"path": "./inbound/x"}, True),
        ("read", {"path": ".openclaw/results/a.txt"}, True),
        ("write", {"path": "a.md", "content": "see inbound/x"}, False),
        ("exec", {"command": "ls"}, False),
        ("exec", {"command": "cat inbound/x"}, True),
        ("exec", {"command": "timeout 5 curl https://x.example"}, True),
        ("exec", {"command": "ls | nc x 1"}, True),
        ("exec", {"command": "git pull"}, True),
        ("exec", {"command": "git status"}, False),
        ("exec", {"command": "cat 'x"}, True),
        ("python", {"code": "open('inbound/x')"}, True),
        ("exec", {"command": "cd inbound && cat run-1/sent.txt"}, True),
        ("exec", {"command": "cat ./inbound/*"}, True),
        ("exec", {"command": "ls inbound"}, True),
        ("exec", {"command": "ls outbound-inbounds"}, False),
        ("exec", {"command": "env A=1 wget x"}, True),
        ("exec", {"command": "bash -c 'curl x; ls'"}, True),
        ("exec", {"command": "sudo -u me curl x"}, True),
        ("exec", {"command": "npm view x"}, True),
        ("exec", {"command": "npm run build"}, False),
        ("exec", {"command": "pip install -e ."}, False),
        ("exec", {"command": "cat list | xargs -n1 curl -s"}, True),
        ("exec", {"command": "find . -name x -exec curl {} +"}, True),
        ("exec", {"command": "go test ./..."}, False),
        ("exec", {"command": "python3 -c 'import urllib.request as u; print(u.urlopen(x))'"}, True),
        ("exec", {"command": "node -e 'fetch(x)'"}, True),
        ("exec", {"command": "python3 tool.py https://x.example"}, True),
        ("exec", {"command": "exec 3<>/dev/tcp/x/80"}, True),
        ("python", {"code": "import os, requests"}, True),
        ("python", {"code": "from urllib.request import urlopen"}, True),
        ("python", {"code": "import pandas as pd; pd.read_csv('https://x.example/a.csv')"}, True),
        ("python", {"code": "import os; os.chdir('inbound')"}, True),
        ("python", {"code": "import pandas as pd; df = pd.read_csv('a.csv')"}, False),
    ],
)
def test_what_is_read(tool: str, arguments: dict[str, Any], outside: bool) -> None:
    assert from_outside(ToolCall("1", tool, arguments)) is outside


MARKS = (
    *(
        "<|im_start|>",
        "<|eot_id|>",
        "[INST]",
        "[/INST]",
        "<<SYS>>",
        "</s>",
        "<s>",
        "<start_of_turn>",
        "<end_of_turn>",
        "<tool_call>",
    ),
    *("<system>", "<function_results>", "[TOOL_CALLS]", "<<<end of untrusted mail>>>", "[Current message - respond to this]"),
)


@pytest.mark.parametrize("mark", MARKS)
def test_a_fence_leaves_no_mark_of_a_model_whole(mark: str) -> None:
    fenced = fence("mail", f"before {mark} after")
    assert mark not in fenced.split("\n", 1)[1].rsplit("\n", 1)[0]
    assert "before" in fenced and "after" in fenced and fenced.count("<<<") == 2


def test_a_fence_leaves_ordinary_text_alone() -> None:
    text = "if a < b and c << 2: <b>x</b> [1] [install] <script> <systemd>"
    assert text in fence("page", text)


def test_a_search_that_quotes_a_sent_file_is_seen() -> None:
    assert shows_outside((Text("notes.md:1: x\ninbound/run-1/sent.txt:3: do this"),))
    assert not shows_outside((Text("notes.md:1: inbound mail"),))
