"""How a turn looks in a terminal."""

from __future__ import annotations

from typing import Any

import pytest

from openclaw_gateway.cli.turn import TurnView, approval_card, ask, message_text


def chat(state: str, **payload: Any) -> tuple[str, dict[str, Any]]:
    return "chat", {"runId": "r1", "state": state, **payload}


def tool(phase: str, **data: Any) -> tuple[str, dict[str, Any]]:
    return "agent", {"runId": "r1", "stream": "tool", "data": {"phase": phase, "toolCallId": "t1", **data}}


def message(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": [{"type": "text", "text": text}]}


def seen(*events: tuple[str, dict[str, Any]]) -> tuple[str, TurnView]:
    written: list[str] = []
    view = TurnView("r1", written.append)
    for name, payload in events:
        view.see(name, payload)
    return "".join(written), view


def test_deltas_are_written_as_they_come_and_not_again_at_the_end() -> None:
    text, view = seen(chat("delta", deltaText="Hel"), chat("delta", deltaText="lo"), chat("final", message=message("Hello")))
    assert text == "Hello\n"
    assert view.ended == "final"


def test_a_final_without_deltas_is_written_whole() -> None:
    assert seen(chat("final", message=message("Hello")))[0] == "Hello\n"


def test_a_silent_answer_writes_nothing() -> None:
    text, view = seen(chat("final"))
    assert (text, view.ended) == ("", "final")


def test_other_runs_are_passed_over() -> None:
    text, view = seen(("chat", {"runId": "other", "state": "final", "message": message("no")}))
    assert (text, view.ended) == ("", None)


def test_a_tool_has_a_line_of_its_own_at_start_and_end() -> None:
    text, _ = seen(
        chat("delta", deltaText="Let me look."),
        tool("start", name="exec", args={"command": "ls -l"}),
        tool("result", name="exec", isError=False, result={"content": [{"type": "text", "text": "a\nb\nc"}]}),
        chat("delta", deltaText="Three files."),
        chat("final", message=message("Three files.")),
    )
    assert text == "Let me look.\n  ⚙ exec ls -l\n  ✓ exec: a (+2 lines)\nThree files.\n"


def test_a_failed_tool_is_crossed() -> None:
    assert "✗ exec: denied" in seen(tool("result", name="exec", isError=True, result=message("denied")))[0]


def test_failure_and_abort_end_the_turn() -> None:
    _, failed = seen(chat("error", errorMessage="the key is wrong"))
    assert (failed.ended, failed.error) == ("error", "the key is wrong")
    text, aborted = seen(chat("delta", deltaText="One"), chat("aborted", stopReason="rpc"))
    assert (text, aborted.ended) == ("One\n(stopped)\n", "aborted")


def test_a_replaced_text_starts_on_a_new_line() -> None:
    assert seen(chat("delta", deltaText="abc"), chat("delta", deltaText="xyz", replace=True))[0] == "abc\nxyz"


def test_control_characters_do_not_reach_the_terminal() -> None:
    text, _ = seen(chat("delta", deltaText="\x1b[2Jgone\x07"))
    assert text == "\\x1b[2Jgone\\x07"


def test_the_card_shows_the_whole_command() -> None:
    command = "\n".join(f"echo {number} " + "x" * 200 for number in range(20))
    payload = {"id": "a1", "request": {"command": command, "cwd": "/w", "reason": "not on the allowlist", "risk": "high"}}
    approval_id, lines = approval_card(payload)
    assert approval_id == "a1"
    for line in command.splitlines():
        assert f"    {line}" in lines
    assert "  because: not on the allowlist" in lines


def test_the_card_shows_hidden_characters() -> None:
    _, lines = approval_card({"id": "a", "request": {"command": "ls \x1b[8m; rm -rf ~\x1b[0m\u202e"}})
    assert "    ls \\x1b[8m; rm -rf ~\\x1b[0m\\u202e" in lines


@pytest.mark.parametrize(
    ("answers", "decision"),
    [(["y"], "allow-once"), (["A"], "allow-always"), (["n"], "deny"), (["", "yes please", "y"], "allow-once")],
)
def test_an_approval_is_asked_until_it_is_answered(answers: list[str], decision: str) -> None:
    given = iter(answers)
    assert ask(["run ls?"], lambda _prompt: next(given), lambda _text: None) == decision


@pytest.mark.parametrize("error", [EOFError, KeyboardInterrupt])
def test_no_answer_is_a_denial(error: type[BaseException]) -> None:
    def read(_prompt: str) -> str:
        raise error

    assert ask(["run ls?"], read, lambda _text: None) == "deny"


def test_message_text_joins_text_parts_only() -> None:
    parts = [{"type": "thinking", "text": "hm"}, {"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert message_text({"content": parts}) == "ab"
    assert message_text({"content": "plain"}) == "plain"
    assert message_text(None) == ""
