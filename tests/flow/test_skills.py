"""Skills in a running gateway: told of, called by name, run from chat with no key, stopped (SKL-03, SKL-08, SKL-09)."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.canvas.guard import check_messages
from tests.fakes.model_server import FakeModelServer
from tests.flow.processes import provider
from tests.flow.wire import Client, Served, client, served, text_of
from tests.unit.skills.put import code, header, markdown, notebook

MAIN = "agent:main:main"


def at_work(state_dir: Path) -> Path:
    """The workspace's skills; the gateway makes its own files beside them."""
    return state_dir / "workspace" / "skills"


def tool_events(peer: Client, run_id: str) -> list[dict[str, Any]]:
    rows = [frame["payload"] for frame in peer.events if frame["event"] == "agent" and frame["payload"]["runId"] == run_id]
    return [row["data"] for row in rows if row.get("stream") == "tool"]


async def approve(peer: Client, decision: str = "allow-once") -> dict[str, Any]:
    asked = await peer.event("exec.approval.requested")
    await peer.call("exec.approval.resolve", {"id": asked["id"], "decision": decision})
    return asked


def told_to_model(state_dir: Path) -> list[dict[str, Any]]:
    lines = [line for path in (state_dir / "agents").glob("*/sessions/*.jsonl") for line in path.read_text().splitlines()]
    return [row for row in map(json.loads, lines) if row.get("type") in ("message", "custom_message")]


async def test_status_tells_what_is_missing(gateway: Served, peer: Client) -> None:
    markdown(
        at_work(gateway.state_dir), "needy", "description: d\nmetadata: {openclaw: {requires: {bins: [no-such]}, emoji: X}}"
    )
    status = await peer.call("skills.status", {"agentId": "main"})
    assert status["workspaceDir"] == str(gateway.state_dir / "workspace") and status["agentId"] == "main"
    rows = {row["name"]: row for row in status["skills"]}
    assert {"csv-report", "git-summary", "system-report"} <= set(rows)
    assert rows["needy"]["missing"]["bins"] == ["no-such"] and rows["needy"]["emoji"] == "X"
    assert (rows["needy"]["eligible"], rows["needy"]["modelVisible"], rows["needy"]["commandVisible"]) == (False, False, False)
    assert rows["csv-report"]["eligible"] and rows["csv-report"]["source"] == "openclaw-bundled"


async def test_a_skill_of_cells_runs_from_chat_without_a_key(gateway: Served, peer: Client) -> None:
    """The README's way: a CSV file in the workspace, one sentence, one approval, a table and a chart."""
    (gateway.state_dir / "workspace" / "data.csv").write_text("city,visits\nRome,3\nOslo,5\n")
    run_id = await peer.say("run the skill csv-report on data.csv")
    asked = await approve(peer)
    assert "csv-report" in json.dumps(asked) and "data.csv" in json.dumps(asked)
    final = await peer.final(run_id)
    assert final["state"] == "final" and "**data.csv**: 2 rows, 2 columns" in text_of(final)
    events = tool_events(peer, run_id)
    assert any("cell 4" in json.dumps(event) for event in events), "progress is told cell by cell"
    history = await peer.call("chat.history", {"sessionKey": MAIN})
    [result] = [message for message in history["messages"] if message["role"] == "toolResult"]
    details = result["details"]
    assert details["status"] == "ok" and check_messages(details["surface"]["messages"]) == []
    kept = Path(details["notebook"])
    assert kept.parent == gateway.state_dir / "skill-runs" and kept.name.split("-", 1)[1].startswith("csv-report-")
    assert json.loads(await asyncio.to_thread(kept.read_text))["metadata"]["openclaw"]["status"] == "ok"


async def test_a_denied_run_starts_nothing(gateway: Served, peer: Client) -> None:
    run_id = await peer.say("run the skill system-report")
    await approve(peer, "deny")
    assert "does not allow" in text_of(await peer.final(run_id))
    assert not (gateway.state_dir / "skill-runs").exists()


async def test_a_stop_ends_the_kernel(gateway: Served, peer: Client) -> None:
    pipe = gateway.state_dir / "pipe"
    os.mkfifo(pipe)
    source = f"import os, time\nopen({str(pipe)!r}, 'w').write(str(os.getpid()))\ntime.sleep(300)"
    notebook(at_work(gateway.state_dir), "slow", header("slow"), code(source))
    run_id = await peer.say("run skill slow")
    await approve(peer)
    pid = int(await asyncio.wait_for(asyncio.to_thread(pipe.read_text), 30))
    await peer.call("chat.abort", {"sessionKey": MAIN})
    assert (await peer.final(run_id))["state"] == "aborted"
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_slash_names_are_listed_and_lead_to_the_skill(gateway: Served, peer: Client) -> None:
    markdown(at_work(gateway.state_dir), "status", "description: named like a command")
    markdown(at_work(gateway.state_dir), "quiet", "description: d\nuser-invocable: false")
    rows = {row["name"]: row for row in (await peer.call("commands.list", {}))["commands"]}
    assert rows["csv_report"]["source"] == "skill" and rows["csv_report"]["textAliases"] == ["/csv_report"]
    assert rows["status"]["source"] == "native" and rows["status_2"]["source"] == "skill" and "quiet" not in rows
    listed = text_of(await peer.final(await peer.say("/skill")))
    assert "`/csv_report`" in listed and "`/quiet`" not in listed
    unknown = text_of(await peer.final(await peer.say("/skill nothing")))
    assert "There is no skill 'nothing'; usable here: csv-report" in unknown


async def test_a_skill_called_by_name_is_told_once(gateway: Served, peer: Client) -> None:
    markdown(at_work(gateway.state_dir), "tidy-up", "description: d", "First sweep, then mop.")
    for words in ("/tidy_up the kitchen", "/skill tidy-up the hall", "/tidy-up the bath"):
        await peer.final(await peer.say(words))
    rows = told_to_model(gateway.state_dir)
    given = [row for row in rows if row["type"] == "custom_message"]
    assert len(given) == 1 and "First sweep, then mop." in json.dumps(given) and given[0]["details"] == {"skill": "tidy-up"}
    assert rows[0] is given[0] and "the kitchen" in json.dumps(rows[1])
    history = await peer.call("chat.history", {"sessionKey": MAIN})
    assert "First sweep" not in json.dumps([message for message in history["messages"] if message["role"] == "user"])
    await peer.final(await peer.say("/new"))
    await peer.final(await peer.say("/tidy-up again"))
    assert sum(row["type"] == "custom_message" for row in told_to_model(gateway.state_dir)) == 2


async def test_a_notebook_called_by_name_runs_on_the_words_behind_it(gateway: Served, peer: Client) -> None:
    notebook(at_work(gateway.state_dir), "echo", header("echo"), code("word: str", "parameters"), code("print(word * 2)"))
    run_id = await peer.say("/echo abc")
    await approve(peer)
    assert text_of(await peer.final(run_id)).startswith("abcabc")


async def test_an_agent_is_kept_to_its_own_skills(tmp_path: Path) -> None:
    async with (
        served(tmp_path / "state", {"agents": {"defaults": {"skills": ["git-summary"]}}}) as gateway,
        client(gateway.ws, gateway.token) as peer,
    ):
        shown = text_of(await peer.final(await peer.say("list skills")))
        assert "- git-summary: Summarise" in shown and "csv-report: Report" in shown
        assert "(not usable here: it is not in the skills of this agent)" in shown
        said = text_of(await peer.final(await peer.say("load the skill csv-report")))
        assert "cannot be used here: it is not in the skills of this agent" in said


async def test_a_real_model_gets_the_list_and_the_text(tmp_path: Path) -> None:
    async with (
        FakeModelServer() as model,
        served(tmp_path / "state", provider(model.openai_url)) as gateway,
        client(gateway.ws, gateway.token) as peer,
    ):
        markdown(at_work(gateway.state_dir), "tidy-up", "description: Tidies a room.", "First sweep, then mop.")
        markdown(at_work(gateway.state_dir), "needy", "description: d\nmetadata: {openclaw: {requires: {bins: [no-such]}}}")
        await peer.final(await peer.say("/tidy-up the kitchen"))
        sent = model.requests[-1].body
        system = json.dumps([message for message in sent["messages"] if message["role"] in ("system", "developer")])
        assert "- tidy-up: Tidies a room." in system and "needy" not in system and "load it with the tool skill" in system
        users = json.dumps([message for message in sent["messages"] if message["role"] == "user"])
        assert users.index("First sweep, then mop.") < users.index("/tidy-up the kitchen")
        assert {"skill", "skill_run"} <= {tool["function"]["name"] for tool in sent["tools"]}
