"""A question of the assistant in the terminal: asked line by line, answered by number or in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from openclaw_gateway.cli import show
from openclaw_gateway.cli.wire import Wire
from openclaw_kernel.values.errors import OpenClawError

Read = Callable[[str], str]
Write = Callable[[str], object]


def answer_question(wire: Wire, record: Mapping[str, Any], read: Read = input, write: Write = show.write) -> None:
    """Asks the person and sends what was said; somebody else may have been quicker, which is only worth a line."""
    answers = ask_all(record, read, write)
    params = {"id": record.get("id"), **({"cancel": True} if answers is None else {"answers": {"answers": answers}})}
    try:
        wire.request("question.resolve", params)
    except OpenClawError as error:
        show.note(str(error))


def ask_all(record: Mapping[str, Any], read: Read, write: Write) -> dict[str, list[str]] | None:
    """The answers to every question of a record; `None` when the person closed or interrupted the input."""
    found: dict[str, list[str]] = {}
    for question in record.get("questions") or ():
        write("\n" + "\n".join(_card(question)) + "\n")
        while not (said := found.get(str(question["questionId"]))):
            try:
                text = read(f"  {_hint(question)} › ")
            except (EOFError, KeyboardInterrupt):
                write("\n")
                return None
            said = _understood(question, text)
            if said:
                found[str(question["questionId"])] = said
    return found


def _card(question: Mapping[str, Any]) -> list[str]:
    lines = [f"? {question.get('question', '')}"]
    for number, option in enumerate(question.get("options") or (), 1):
        meaning = f"  ({option['description']})" if option.get("description") else ""
        lines.append(f"    {number}  {option.get('label', '')}{meaning}")
    return [show.plain(line) for line in lines]


def _hint(question: Mapping[str, Any]) -> str:
    if not question.get("options"):
        return "your answer"
    several = "numbers with commas" if question.get("multiSelect") else "a number"
    return f"{several} or your own words" if question.get("isOther") else several


def _understood(question: Mapping[str, Any], text: str) -> list[str]:
    """The labels a person means by numbers, or the words themselves; empty when it is no answer."""
    labels = [str(option.get("label", "")) for option in question.get("options") or ()]
    words = [word.strip() for word in text.split(",")] if question.get("multiSelect") else [text.strip()]
    if labels and all(word.isdigit() and 1 <= int(word) <= len(labels) for word in words):
        return [labels[int(word) - 1] for word in words]
    if labels and all(word in labels for word in words):
        return words
    free = question.get("isOther") or not labels
    return [text.strip()] if free and text.strip() else []
