"""What a gateway of defaults really sends before anybody has said a word, measured where it arrives."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from openclaw_kernel.agent.sections import LEAN_TOOLS
from tests.fakes.model_server import FakeModelServer
from tests.flow.processes import provider
from tests.flow.wire import client, served, text_of

CHARS_PER_TOKEN = 4
ALWAYS = {"read", "exec", "python", "notebook", "canvas", "cron", "process", "sessions_spawn", "skill", "pdf", "ask_user"}


async def sent(tmp_path: Path, **defaults: Any) -> tuple[set[str], int]:
    """The names of the tools, and the tokens of all but the person's one word."""
    async with FakeModelServer() as model:
        config = provider(model.openai_url)
        config.setdefault("agents", {}).setdefault("defaults", {}).update(defaults)
        async with served(tmp_path / "s", config) as live, client(live.ws, live.token) as peer:
            text_of(await peer.final(await peer.say("hello")))
        body = model.requests[-1].body
    system = "".join(str(one["content"]) for one in body["messages"] if one["role"] in ("system", "developer"))
    assert len(system) > 1_000
    names = {one["function"]["name"] for one in body["tools"]}
    tools = json.dumps(body["tools"], ensure_ascii=False, separators=(",", ":"))
    return names, (len(system) + len(tools)) // CHARS_PER_TOKEN


async def test_the_prompt_with_all_default_tools_stays_under_6000_tokens(tmp_path: Path) -> None:
    names, tokens = await sent(tmp_path)
    assert names >= ALWAYS and ("browser" in names or not shutil.which("chromium"))
    assert tokens <= 6_000


async def test_the_lean_prompt_stays_under_2000_tokens(tmp_path: Path) -> None:
    names, tokens = await sent(tmp_path, promptProfile="lean")
    assert names == set(LEAN_TOOLS)
    assert tokens <= 2_000
