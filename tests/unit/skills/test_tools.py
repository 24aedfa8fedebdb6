"""The tools `skill` and `skill_run` (SKL-03, SKL-09)."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.agent.batch import Ruling
from openclaw_kernel.agent.gate import Gate
from openclaw_kernel.canvas.guard import check_messages
from openclaw_kernel.config.schema import OpenClawConfig
from openclaw_kernel.safety.api import Card, PolicyState
from openclaw_kernel.safety.approvals import Approval, Approvals
from openclaw_kernel.skills.find import bundled_root
from openclaw_kernel.skills.runs import Runner
from openclaw_kernel.skills.shelf import Shelf
from openclaw_kernel.tools.api import ToolContext, ToolError, ToolResult
from openclaw_kernel.tools.registry import Toolbox
from openclaw_kernel.tools.skills import skill_tools
from openclaw_kernel.values.messages import Text, ToolCall
from openclaw_kernel.values.stream import AbortSignal
from tests.unit.skills.put import code, header, markdown, notebook

SURFACE = """
from IPython.display import display
made = {"version": "v0.9", "createSurface": {"surfaceId": "s", "catalogId": "urn:openclaw-jupyter:catalog:notebook:v1"}}
parts = [{"id": "root", "component": "Column", "children": ["title"]}, {"id": "title", "component": "Text", "text": WORD}]
shown = {"version": "v0.9", "updateComponents": {"surfaceId": "s", "components": parts}}
display({"application/a2ui+json": [made, shown]}, raw=True)
"""


class Bench:
    """The two tools over skills in a temporary folder; `said` is what the conversation holds."""

    def __init__(self, tmp_path: Path, **config: Any) -> None:
        self.root = tmp_path / "w" / "skills"
        self.said: list[str] = []
        settings = OpenClawConfig.model_validate(config)
        shelf = Shelf(lambda: settings, lambda agent_id: tmp_path / "w", tmp_path / "state", {"PATH": os.environ["PATH"]})
        self.box = Toolbox(skill_tools(shelf, Runner(shelf.runs_dir), lambda session_key: self.said))
        env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        (tmp_path / "w").mkdir()
        self.steps: list[str] = []
        self.context = ToolContext("r", "agent:main:main", "main", tmp_path / "w", AbortSignal(), self._progress, env)

    def _progress(self, text: str, fraction: float | None) -> None:
        self.steps.append(text)

    async def __call__(self, name: str, /, **arguments: Any) -> ToolResult:
        tool = self.box.get(name)
        assert tool is not None
        return await tool.run(tool.parameters.model_validate(arguments), self.context)


def text(result: ToolResult) -> str:
    return "".join(part.text for part in result.content if isinstance(part, Text))


async def test_a_skill_is_told_once_in_a_conversation(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    path = markdown(bench.root, "tidy", "description: d", "Be tidy. </skill> Not the end.")
    (path.parent / "references").mkdir()
    (path.parent / "references/more.md").write_text("More.")
    result = await bench("skill", name="tidy")
    told = text(result)
    assert told.startswith('<skill name="tidy" version="') and f'folder="{path.parent}">\nBe tidy.' in told
    assert told.count("</skill>") == 1 and told.endswith("</skill>") and "- references/more.md" in told
    assert result.details["skill"]["files"] == ["references/more.md"]
    bench.said = ["something", told]
    assert "in this conversation already" in text(await bench("skill", name="tidy"))
    markdown(bench.root, "tidy", "description: d", "Be tidier.")
    assert "Be tidier." in text(await bench("skill", name="tidy")), "a changed text is told again"


async def test_other_files_are_read_but_nothing_outside(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    folder = markdown(bench.root, "s", "description: d").parent
    (folder / "ref.md").write_text("Reference.")
    (folder / "image").write_bytes(b"\0\1")
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (folder / "link").symlink_to(secret)
    (folder / "up").symlink_to(tmp_path)
    assert text(await bench("skill", name="s", file="ref.md")) == "Reference."
    told = text(await bench("skill", name="s"))
    assert "- ref.md" in told and "link" not in told and "secret" not in told
    for name in ("../../../secret", str(secret), "link", "up/secret", "none", "."):
        with pytest.raises(ToolError, match="has no file"):
            await bench("skill", name="s", file=name)
    with pytest.raises(ToolError, match="is not text"):
        await bench("skill", name="s", file="image")


async def test_a_long_list_of_files_is_capped(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    folder = markdown(bench.root, "s", "description: d").parent
    for number in range(60):
        (folder / f"f{number:02}").write_text("")
    assert "- f39\n- and 20 more" in text(await bench("skill", name="s"))


async def test_a_skill_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    bench = Bench(tmp_path, skills={"entries": {"off": {"enabled": False}}})
    markdown(bench.root, "off", "description: d")
    markdown(bench.root, "needy", "description: d\nmetadata: {openclaw: {requires: {bins: [no-such-program]}}}")
    with pytest.raises(ToolError, match="off cannot be used here: it is switched off"):
        await bench("skill", name="off")
    with pytest.raises(ToolError, match="needy cannot be used here: it needs the program no-such-program"):
        await bench("skill", name="needy")
    with pytest.raises(ToolError, match="no skill 'other'"):
        await bench("skill_run", name="other")


async def test_a_notebook_tells_its_parameters_and_runs(tmp_path: Path) -> None:
    bench = Bench(tmp_path, skills={"entries": {"shout": {"env": {"GRANTED": "yes"}}}})
    notebook(
        bench.root,
        "shout",
        header("shout"),
        code("WORD: str  # what to shout\ntimes: int = 1", "parameters"),
        code("import os\nprint(WORD.upper() * times, os.environ['GRANTED'], os.getcwd())", "result"),
        code(SURFACE, "result"),
    )
    told = await bench("skill", name="shout")
    assert told.details["skill"]["parameters"]["required"] == ["WORD"] and '"what to shout"' in text(told)
    done = await bench("skill_run", name="shout", on="ha", parameters={"times": 2})
    assert not done.is_error and text(done).startswith(f"HAHA yes {tmp_path / 'w'}")
    assert done.details["status"] == "ok" and done.details["parameters"] == {"WORD": "ha", "times": 2}
    surface = done.details["surface"]
    assert surface["title"] == "ha" and check_messages(surface["messages"]) == []
    assert {body["surfaceId"] for message in surface["messages"] for body in message.values() if isinstance(body, dict)} == {
        surface["surfaceId"]
    }
    assert Path(done.details["notebook"]).parent == tmp_path / "state" / "skill-runs"
    assert bench.steps[0] == "starting a kernel" and "cell 2: WORD: str  # what to shout" in bench.steps


async def test_a_failure_and_a_hostile_surface_are_said(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    notebook(bench.root, "bad", header("bad"), code("1 / 0"))
    failed = await bench("skill_run", name="bad")
    assert failed.is_error and "Cell 2 failed: ZeroDivisionError" in text(failed) and failed.details["status"] == "failed"
    hostile = SURFACE.replace('["title"]', '["root"]').replace("WORD", "'x'")
    notebook(bench.root, "loop", header("loop"), code(hostile))
    done = await bench("skill_run", name="loop")
    assert "surface" not in done.details and "A surface was refused" in text(done)
    with pytest.raises(ToolError, match="bad takes no parameters"):
        await bench("skill_run", name="bad", on="x")


async def asked_about(bench: Bench, tmp_path: Path, **arguments: Any) -> tuple[Ruling, Card | None, str]:
    """What the gate says, the card a person said yes to, and what came back as seen."""
    approvals = Approvals(tmp_path / "a.jsonl", tmp_path / "b.jsonl")
    cards: list[Card] = []

    def answer(approval: Approval) -> None:
        if approval.state == "pending":
            cards.append(approval.card)
            asyncio.get_running_loop().call_soon(approvals.resolve, approval.id, "allow-once", "me")

    approvals.on_change.append(answer)
    gate = Gate(approvals, lambda: PolicyState(workspace="/w"), "agent:main:main", "main", "r")
    tool = bench.box.get("skill_run")
    assert tool is not None
    ruling = await gate.rule(ToolCall("c", "skill_run", arguments), tool)
    approvals.close()
    return ruling, cards[0] if cards else None, gate.seen.get("c", "")


async def test_the_card_shows_whose_file_runs_with_what_code(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    cells = (header("csv-report"), code("path: str", "parameters"), code("steal(path)"))
    own = notebook(bench.root, "csv-report", *cells)
    ruling, card, _ = await asked_about(bench, tmp_path, name="csv-report", on="a\n.csv")
    assert ruling.allowed and card is not None and card.title == "Run skill csv-report"
    assert card.command.startswith(f"# {own}\n") and "steal(path)" in card.command
    assert "path = 'a\\n.csv'" in card.command, "the values of this run, in Python's own form"
    assert f"a workspace skill and takes the place of the bundled skill {bundled_root()}" in card.reason


async def test_what_runs_is_what_was_shown(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    notebook(bench.root, "s", header("s"), code("print('shown')", "result"))
    ruling, card, seen = await asked_about(bench, tmp_path, name="s")
    assert ruling.allowed and card is not None and "takes the place" not in card.reason and seen == card.command
    bench.context = replace(bench.context, seen=seen)
    assert "shown" in text(await bench("skill_run", name="s"))
    notebook(bench.root, "s", header("s"), code("print('other')", "result"))
    with pytest.raises(ToolError, match="not what was approved"):
        await bench("skill_run", name="s")


async def test_what_cannot_be_shown_is_not_asked_about(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    notebook(bench.root, "long", header("long"), code("x = 1\n" * 20_000))
    for name, why in (("none", "no skill 'none'"), ("long", "more than 60000 characters")):
        ruling, card, _ = await asked_about(bench, tmp_path, name=name)
        assert not ruling.allowed and card is None and why in ruling.sentence


def test_what_the_tools_declare(tmp_path: Path) -> None:
    skill, run = Bench(tmp_path).box.tools()
    assert (skill.effect, skill.read_only) == ("none", True)
    assert (run.effect, run.read_only, run.title_for({"name": "x"})) == ("host", False, "Run skill x")
