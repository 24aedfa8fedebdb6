"""Steps of a turn from events of the wire, and what they look like."""

from __future__ import annotations

import asyncio
import concurrent.futures
from typing import Any

import pytest

from openclaw_kernel.client.connection import GatewayEvent
from openclaw_kernel.notebook import cards
from openclaw_kernel.notebook.asking import decision_of, offered, prompt_of
from openclaw_kernel.notebook.assistant import Answer, Turn
from openclaw_kernel.notebook.interrupt import python_runs, python_section
from openclaw_kernel.notebook.prose import prose, words
from openclaw_kernel.notebook.screen import TerminalScreen
from openclaw_kernel.notebook.session import session_key_for, title_of
from openclaw_kernel.notebook.turn import Asked, Outcome, Settled, Step, ToolCard, Trace, Used, Wrote

REQUEST: dict[str, Any] = {
    "command": "git push <origin>",
    "cwd": "/home/ada",
    "reason": "git is not on the allowlist",
    "risk": "medium",
    "runId": "r",
    "toolCallId": "t1",
    "allowedDecisions": ["allow-once", "deny"],
}


def agent(stream: str, data: dict[str, Any], ts: int = 0, run: str = "r") -> GatewayEvent:
    return GatewayEvent("agent", {"runId": run, "sessionKey": "s", "stream": stream, "data": data, "ts": ts})


def test_a_run_becomes_steps_in_order() -> None:
    steps: list[Step] = []
    trace = Trace(steps.append, "r")
    tool = {"name": "exec", "toolCallId": "t1"}
    events = [
        agent("lifecycle", {"phase": "model", "provider": "p", "model": "m"}, 1_000),
        agent("assistant", {"itemId": "a", "text": "I will"}),
        agent("assistant", {"itemId": "a", "text": "I will push."}),
        agent("assistant", {"itemId": "x", "text": "of another run"}, run="other"),
        agent("item", {**tool, "phase": "start", "title": "git push", "startedAt": 2_000}),
        agent("tool", {**tool, "phase": "start", "args": {"command": "git push"}}),
        GatewayEvent("exec.approval.requested", {"id": "q", "request": REQUEST}),
        GatewayEvent("exec.approval.requested", {"id": "q2", "request": REQUEST | {"runId": "other"}}),
        GatewayEvent("exec.approval.resolved", {"id": "q", "decision": "allow-once", "request": REQUEST}),
        agent(
            "tool", {**tool, "phase": "result", "result": {"content": [{"type": "text", "text": "done"}, {"type": "image"}]}}
        ),
        agent("item", {**tool, "phase": "end", "status": "completed", "endedAt": 3_500}),
        agent("assistant", {"itemId": "b", "text": "Pushed."}),
        agent("usage", {"usage": {"totalTokens": 40, "cost": {"total": 0.01}}}),
        agent("lifecycle", {"phase": "end"}, 5_000),
    ]
    assert [trace.hear(event) for event in events] == [None] * len(events)
    final = {"role": "assistant", "content": [{"type": "text", "text": "Pushed."}]}
    outcome = trace.hear(GatewayEvent("chat", {"runId": "r", "sessionKey": "s", "state": "final", "message": final}))

    assert [step.delta for step in steps if isinstance(step, Wrote)] == ["I will", " push.", "Pushed."]
    assert [step.card.state for step in steps if isinstance(step, Used)] == [
        "running", "running", "waiting", "running", "running", "done",
    ]  # fmt: skip
    assert [step.approval_id for step in steps if isinstance(step, Asked | Settled)] == ["q", "q"]
    assert outcome is not None and (outcome.status, outcome.text, outcome.model) == ("ok", "Pushed.", "m")
    assert (outcome.tokens, outcome.cost, outcome.seconds) == (40, 0.01, 4.0)
    assert outcome.cards[0].output == "done[image]" and outcome.cards[0].seconds == 1.5


@pytest.mark.parametrize(("state", "status"), [("aborted", "aborted"), ("error", "error")])
def test_a_run_that_fails_is_an_outcome(state: str, status: str) -> None:
    trace = Trace(lambda _step: None, "r")
    outcome = trace.hear(GatewayEvent("chat", {"runId": "r", "state": state, "errorMessage": "No key."}))
    assert outcome is not None and outcome.status == status and outcome.sentence


def test_cards_escape_what_is_not_ours_and_keep_the_command_whole() -> None:
    evil = "<script>alert(1)</script>"
    card = ToolCard("t", evil, evil, "failed", {"command": evil}, evil * 400, 1, 2)
    html = cards.framed(cards.tools_html([card]) + cards.question_html({"command": evil * 100, "title": evil, "cwd": evil}))
    assert "<script" not in html and html.count("&lt;script&gt;") > 100
    assert "more characters" in html
    assert cards.question_html(REQUEST).count("git push &lt;origin&gt;") == 1
    assert cards.tool_line(card).startswith("✗ ") and cards.tool_line(card).endswith("failed")
    assert "outline" not in cards.style() and "\n" not in cards.style()


def test_only_a_clear_yes_is_a_yes() -> None:
    assert offered(REQUEST) == ["allow-once", "deny"]
    assert "git push <origin>" in prompt_of(REQUEST) and "[a]" not in prompt_of(REQUEST)
    said = {text: decision_of(text, REQUEST) for text in ("y", "Yes", " y ", "a", "", "n", "ok", "sure")}
    assert [text for text, decision in said.items() if decision != "deny"] == ["y", "Yes", " y "]
    assert decision_of("a", REQUEST | {"allowedDecisions": ["deny", "allow-always", "allow-once"]}) == "allow-always"


def test_a_terminal_gets_whole_lines() -> None:
    said: list[str] = []
    screen = TerminalScreen(said.append)
    done = ToolCard("t", "exec", "ls", "done", started_at=1, ended_at=1_201)
    for step in (
        Wrote("a", "I lo", "I lo"),
        Wrote("a", "I look", "ok"),
        Used(ToolCard("t", "exec", "ls")),
        Used(done),
        Used(done),
    ):
        screen.show(step)
    screen.show(Wrote("b", "Two files.", "Two files."))
    screen.finish(Outcome("ok", model="m", tokens=1_234, seconds=2.0))
    assert "".join(said) == "I look\n✓ exec  ls  1.2 s\nTwo files.\n(m · 1.2k tokens · 2.0 s)\n"


def test_sigint_raises_inside_python_only() -> None:
    assert not python_runs()
    with python_section():
        assert python_runs()
        with python_section():
            assert python_runs()
    assert not python_runs()
    with pytest.raises(KeyboardInterrupt), python_section():
        raise KeyboardInterrupt
    assert not python_runs()


class Late(concurrent.futures.Future[Outcome]):
    """A run that ends in the very moment after it was asked whether it has."""

    def done(self) -> bool:
        was = super().done()
        if not was:
            self.set_result(Outcome("ok", "hello"))
        return was


class LateLink:
    def submit(self, work: Any) -> Late:
        work.close()
        return Late()


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_a_run_that_ends_behind_the_look_wakes_who_waits(asynchronous: bool) -> None:
    link: Any = LateLink()
    turn = Turn(link, "main", "hello", lambda _request: "deny", "")
    turn._wake()
    if asynchronous:
        async with asyncio.timeout(10):
            assert [step async for step in turn.asteps()] == []
    else:
        assert await asyncio.wait_for(asyncio.to_thread(lambda: [step for step in turn.steps() if step]), 10) == []
    assert turn.outcome.text == "hello"


def test_words_of_the_assistant_are_rendered_and_nothing_of_them_runs() -> None:
    assert prose("**bold** `x<y`") == "<p><strong>bold</strong> <code>x&lt;y</code></p>\n"
    assert "<table>" in prose("| a | b |\n|---|---|\n| 1 | 2 |") and "<h2>" in prose("## Head") and "<li>" in prose("- one")
    assert prose("<script>x</script> [a](b)") == "<p>&lt;script&gt;x&lt;/script&gt; [a](b)</p>\n"
    hostile = "so <b>x</b> <img src=x onerror=y> [a](javascript:x) ![t](http://evil.test/p.png) [b](data:text/html,x)"
    shown = prose(hostile)
    assert not any(part in shown for part in ("<b>", "<img", "javascript:", "data:"))
    assert '<a href="http://evil.test/p.png" target="_blank" rel="noopener noreferrer">t</a>' in shown
    assert 'href="https://a.test/?x=1&amp;y=2"' in prose("[ok](https://a.test/?x=1&y=2)")
    assert prose('[q](https://a.test/"onmouseover="x)').count('"') % 2 == 0 and 'onmouseover="x' not in prose(
        '[q](https://a.test/"onmouseover="x)'
    )


@pytest.mark.parametrize(
    "hostile",
    ["see ![](https://evil.test/?key=1)", "<img src=https://evil.test/?key=1>", "![a][b]\n\n[b]: https://evil.test/?key=1"],
)
def test_a_cell_fetches_no_picture_the_assistant_names(hostile: str) -> None:
    for bundle in (words(hostile), Answer(hostile)._repr_mimebundle_()):
        assert "text/markdown" not in bundle and "<img" not in bundle["text/html"] and bundle["text/plain"] == hostile
    assert words("**plain** words") == {"text/markdown": "**plain** words", "text/plain": "**plain** words"}


def test_a_session_s_name_for_people() -> None:
    assert title_of(session_key_for("work/Sales 2026.ipynb", "1")) == "notebook sales-2026"
    assert (
        title_of(session_key_for("数.ipynb", "1")) == "this notebook" and title_of(session_key_for(None, "1")) == "this kernel"
    )
    assert title_of("agent:main:main") == "main" and title_of("global") == "global"


def test_a_place_that_is_no_folder_is_not_called_one() -> None:
    assert "Where: notebook a.ipynb" in cards.question_text(REQUEST | {"cwd": "notebook a.ipynb"})
    assert "Folder: /home/ada" in cards.question_text(REQUEST)
