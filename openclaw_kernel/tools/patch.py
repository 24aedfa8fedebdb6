"""The format of `apply_patch`: several files in one text, without line numbers (TOL-05).

*** Begin Patch
*** Add File: new.py
+print("new")
*** Update File: old.py
*** Move to: moved.py
@@ def near_here():
 a line that stays
-a line that goes
+a line that comes
*** Delete File: gone.py
*** End Patch
"""

from __future__ import annotations

from dataclasses import dataclass, field

from openclaw_kernel.tools.api import ToolError


@dataclass(slots=True)
class Hunk:
    """Lines that are looked for, and what takes their place. `near` is a line before it; `at_end` only the file's end fits."""

    near: str = ""
    old: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    at_end: bool = False


@dataclass(slots=True)
class Add:
    path: str
    lines: list[str]


@dataclass(slots=True)
class Delete:
    path: str


@dataclass(slots=True)
class Update:
    path: str
    move_to: str = ""
    hunks: list[Hunk] = field(default_factory=list)


Step = Add | Delete | Update


def parse(text: str) -> list[Step]:
    """The steps of a patch. Raises `ToolError` that names the line which is wrong."""
    lines = text.strip().splitlines()
    if len(lines) < 2 or lines[0].strip() != "*** Begin Patch" or lines[-1].strip() != "*** End Patch":
        raise ToolError("A patch begins with the line '*** Begin Patch' and ends with '*** End Patch'.")
    steps: list[Step] = []
    for number, line in enumerate(lines[1:-1], 2):
        _take(steps, line, number)
    if not steps:
        raise ToolError("The patch changes no file.")
    for step in steps:
        if isinstance(step, Update) and not step.move_to and not any(hunk.old or hunk.new for hunk in step.hunks):
            raise ToolError(f"The patch says nothing of what to change in {step.path}.")
    return steps


def _take(steps: list[Step], line: str, number: int) -> None:
    """One line: a step that begins, or a part of the one that is open."""
    for mark, make in (("*** Add File: ", _add), ("*** Delete File: ", Delete), ("*** Update File: ", Update)):
        if line.startswith(mark):
            steps.append(make(line[len(mark) :].strip()))
            return
    match steps[-1] if steps else None:
        case Add(lines=lines) if line.startswith("+"):
            lines.append(line[1:])
        case Update() as update:
            _take_update(update, line, number)
        case None | Delete() if not line.strip():
            return
        case _:
            raise ToolError(f"Line {number} of the patch is out of place: {line[:120]!r}.")


def _add(path: str) -> Add:
    return Add(path, [])


def _take_update(update: Update, line: str, number: int) -> None:
    if line.startswith("*** Move to: ") and not update.hunks:
        update.move_to = line[len("*** Move to: ") :].strip()
    elif line.startswith("@@"):
        update.hunks.append(Hunk(near=line[2:].strip()))
    elif line.rstrip() == "*** End of File" and update.hunks:
        update.hunks[-1].at_end = True
    elif line[:1] in ("+", "-", " ", ""):
        if not update.hunks:
            update.hunks.append(Hunk())
        hunk = update.hunks[-1]
        if line[:1] != "+":
            hunk.old.append(line[1:])
        if line[:1] != "-":
            hunk.new.append(line[1:])
    else:
        raise ToolError(f"Line {number} of the patch begins with none of '+', '-', ' ' and '@@': {line[:120]!r}.")


def updated(content: str, update: Update) -> str:
    """The file after its hunks, in the order of the file. Raises `ToolError` for a hunk whose lines are not there."""
    windows = "\r\n" in content and content.count("\n") == content.count("\r\n")
    text = content.replace("\r\n", "\n") if windows else content
    lines = text.split("\n")
    ends = bool(lines) and lines[-1] == ""
    if ends:
        lines.pop()
    result: list[str] = []
    position = 0
    for hunk in update.hunks:
        start = _place(lines, hunk, position, update.path)
        result += lines[position:start]
        result += hunk.new
        position = start + len(hunk.old)
    result += lines[position:]
    after = "\n".join(result) + ("\n" if result and (ends or not text) else "")
    return after.replace("\n", "\r\n") if windows else after


def _place(lines: list[str], hunk: Hunk, position: int, path: str) -> int:
    """Where the old lines are, at or after `position`: word for word, else but for spaces at their ends, else at both ends."""
    if hunk.near:
        near = _find(lines, [hunk.near], position, False)
        if near is None:
            raise ToolError(f"{path} has no line {hunk.near!r} after line {position}; read the file and copy it exactly.")
        position = near if hunk.old and hunk.old[0].strip() == hunk.near else near + 1
    if not hunk.old:
        return len(lines) if hunk.at_end or not hunk.near else position
    start = _find(lines, hunk.old, position, hunk.at_end)
    if start is None:
        shown = "\n".join(hunk.old[:6])
        raise ToolError(
            f"{path} does not hold these lines after line {position}; read the file and copy them exactly:\n{shown}"
        )
    return start


def _find(lines: list[str], wanted: list[str], position: int, at_end: bool) -> int | None:
    for same in (str, str.rstrip, str.strip):
        goal = [same(line) for line in wanted]
        last = len(lines) - len(goal)
        for start in range(max(position, last) if at_end else position, last + 1):
            if [same(line) for line in lines[start : start + len(goal)]] == goal:
                return start
    return None
