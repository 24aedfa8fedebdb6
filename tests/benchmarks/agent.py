"""What the assistant itself costs: a turn with tools, a verdict on a command, and the prompt of a furnished workspace."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import mean
from typing import Any

import openclaw_kernel
from openclaw_kernel.agent.workspace import FILES
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.safety.api import ToolFacts
from openclaw_kernel.safety.decide import decide
from openclaw_kernel.safety.effective import exec_policy
from openclaw_kernel.values.messages import ToolCall
from tests.benchmarks.driver import Driver, Spread
from tests.benchmarks.processes import Started, cpu_s, gateway

Numbers = dict[str, float]

SKILLS = 30
FILE_CHARS = 4_000
THREE_CALLS = " ".join(
    f"[[tool {name} {json.dumps(arguments)}]]"
    for name, arguments in (
        ("read", {"path": "notes.txt"}),
        ("edit", {"path": "notes.txt", "old_text": "number", "new_text": "figure"}),
        ("list", {}),
    )
)
COMMANDS = Path(openclaw_kernel.__file__).parents[1] / "tests" / "unit" / "safety" / "shell_corpus.jsonl"
_COMPOSE = re.compile(r"'compose': ([0-9.]+)")


def furnish(workspace: Path) -> None:
    """Eight workspace files of 4,000 characters and 30 skills."""
    for name, head in FILES.items():
        line = f"- What is written in {name} is worth a line of its own.\n"
        workspace.mkdir(parents=True, exist_ok=True)
        (workspace / name).write_text(head + line * ((FILE_CHARS - len(head)) // len(line)))
    for number in range(SKILLS):
        skill = workspace / "skills" / f"skill-{number}" / "SKILL.md"
        skill.parent.mkdir(parents=True)
        skill.write_text(
            f"---\nname: skill-{number}\ndescription: Does the task number {number} of the house well.\n---\nDo it.\n"
        )


def verdicts() -> Numbers:
    """Milliseconds of policy and verdict for each command of the corpus, as a turn asks for them, after one round."""
    config = OpenClawConfig.model_validate({"tools": {"exec": {"security": "allowlist", "ask": "on-miss"}}})
    facts = ToolFacts("exec", "host", False, False)
    commands = [json.loads(line)[2] for line in COMMANDS.read_text().splitlines()]
    times: list[float] = []
    for _ in range(2):
        times.clear()
        for number, command in enumerate(commands):
            start = time.perf_counter()
            state = exec_policy(config, "main").state(("git", "ls", "cat *"), "/tmp", tainted=False, guest=False)
            decide(ToolCall(str(number), "exec", {"command": command}), facts, state)
            times.append((time.perf_counter() - start) * 1e3)
    spread = Spread.of(times)
    return {"verdict_ms": mean(times), "verdict_ms_p95": spread.p95}


def assistant(folder: Path, turns: int, settings: Mapping[str, Any]) -> Numbers:
    """Turns with tools and furnished prompts, each on a gateway of its own with the provider of `settings`."""
    numbers = verdicts()
    with gateway(folder / "tools", settings) as server:
        numbers |= asyncio.run(_tool_turns(server, folder / "tools" / "workspace", turns))
    furnish(folder / "prompt" / "workspace")
    with gateway(folder / "prompt", {**settings, "logging": {"level": "debug"}}) as server:
        numbers |= asyncio.run(_prompts(server, folder / "prompt", turns))
    return numbers


async def _tool_turns(server: Started, workspace: Path, turns: int) -> Numbers:
    """CPU of a turn whose first answer is three tool calls: one reads, one changes a file, one lists."""
    async with Driver(server.url, server.token) as driver:
        await driver.turn("agent:main:bench-tools", "first")
        for warm in (True, False):
            before = cpu_s(server.pid)
            for number in range(turns):
                (workspace / "notes.txt").write_text("a number\n" + "more\n" * 20)
                await driver.turn("agent:main:bench-tools", f"{THREE_CALLS} {warm}.{number}")
                if (workspace / "notes.txt").read_text()[:9] != "a figure\n":
                    raise RuntimeError("the tools of a turn were not run")
    return {"tools_turn_cpu_ms": (cpu_s(server.pid) - before) * 1e3 / turns}


async def _prompts(server: Started, state_dir: Path, turns: int) -> Numbers:
    """The stage `compose` as the gateway times it: skills listed, tools chosen, prompt built. The first one reads all files."""
    async with Driver(server.url, server.token) as driver:
        shown = await driver.request("skills.status", {})
        found = sum(str(skill["name"]).startswith("skill-") for skill in shown["skills"])
        if found != SKILLS:
            raise RuntimeError(f"{found} of {SKILLS} skills are there")
        for number in range(turns):
            await driver.turn("agent:main:bench-prompt", f"turn {number}")
    log = await asyncio.to_thread((state_dir / "logs" / "gateway.jsonl").read_text)
    first, *others = [float(found) for found in _COMPOSE.findall(log)]
    return {"prompt_ms": Spread.of(others).median, "prompt_ms_p95": Spread.of(others).p95, "prompt_cold_ms": first}
