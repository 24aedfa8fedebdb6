"""The system prompt: a stable part that providers can cache, and a short volatile one (AGT-20, AGT-21, AGT-22).

The stable part is built again only when a workspace file changed (path, size, modification time), or the tools or skills
did. The volatile part holds the date and the zone, never the time: the exact time is a tool's answer.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from openclaw_kernel.agent import sections as words
from openclaw_kernel.agent.measure import CHARS_PER_TOKEN
from openclaw_kernel.agent.pins import always_lines
from openclaw_kernel.models.api import Prompt
from openclaw_kernel.skills.listing import prompt_list
from openclaw_kernel.values.clock import Clock

FILE_CHARS = 20_000  # AGT-22
USER_CHARS = 4_000
TOTAL_CHARS = 60_000
CONTEXT_FILES = ("AGENTS.md", "SOUL.md", "TOOLS.md", "IDENTITY.md", "USER.md", "HEARTBEAT.md", "BOOTSTRAP.md", "MEMORY.md")
SUBAGENT_FILES = ("AGENTS.md",)

WANTED_FILES = ("AGENTS.md", "SOUL.md", "TOOLS.md", "IDENTITY.md", "USER.md")
"""Files whose absence is told to the model; the others come and go."""
OWN_FILES = ("USER.md", "MEMORY.md")
"""What is known of the owner: for the owner's ears (MEM-13)."""
LEAN_FILES = {"AGENTS.md": 1_000, "IDENTITY.md": 200, "USER.md": 400, "MEMORY.md": 600}
LEAN_WINDOW = 32_000
"""Models with a smaller context window get the lean prompt, unless the config says otherwise."""

Mode = Literal["full", "minimal", "none"]


@dataclass(frozen=True, slots=True)
class PromptFacts:
    """What the prompt is made from. `skills` are rows of name, description and location, `pinned` the owner's constraints.

    `mode` is `minimal` for subagents and `none` for a bare model; `lean` is the short prompt of small models.
    What is not `private` has other people in it and gets no `MEMORY.md`.
    """

    workspace: Path
    session_key: str
    model_ref: str
    tool_names: tuple[str, ...]
    skills: tuple[tuple[str, str, str], ...] = ()
    pinned: tuple[str, ...] = ()
    extra: str = ""
    mode: Mode = "full"
    lean: bool = False
    file_chars: int = FILE_CHARS
    total_chars: int = TOTAL_CHARS
    zone: str = ""
    private: bool = True


@dataclass(frozen=True, slots=True)
class SectionSize:
    """One line of a context report (AGT-24): characters in the file and in the prompt."""

    name: str
    raw_chars: int
    injected_chars: int

    @property
    def tokens(self) -> int:
        return self.injected_chars // CHARS_PER_TOKEN


@dataclass(frozen=True, slots=True)
class _Stable:
    text: str
    sections: tuple[SectionSize, ...]


_Stamp = tuple[tuple[str, int, int], ...]


class PromptBuilder:
    """Builds prompts for all agents of one process and remembers the stable parts."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._cache: dict[tuple[object, ...], _Stable] = {}
        self.builds = 0

    async def build(self, facts: PromptFacts) -> Prompt:
        """The prompt of one turn. Files are read in a thread, and only when one of them changed."""
        stable = await self._stable(facts)
        return Prompt(stable.text, self._volatile(facts))

    async def report(self, facts: PromptFacts) -> tuple[SectionSize, ...]:
        """The size of every section of the stable part."""
        return (await self._stable(facts)).sections

    def forget(self) -> None:
        """Reads every file again for the next prompt."""
        self._cache.clear()

    async def _stable(self, facts: PromptFacts) -> _Stable:
        names = _names(facts)
        stamp = _stamp(facts.workspace, names)
        # All but what is only in the volatile part.
        key = (facts.workspace, stamp, facts.tool_names, facts.skills, facts.pinned, facts.mode, facts.lean, facts.private,
               facts.file_chars, facts.total_chars)  # fmt: skip
        stable = self._cache.get(key)
        if stable is None:
            stable = await asyncio.to_thread(_build_stable, facts, names)
            self.builds += 1
            if len(self._cache) >= 32:
                self._cache.pop(next(iter(self._cache)))
            self._cache[key] = stable
        return stable

    def _volatile(self, facts: PromptFacts) -> str:
        if facts.mode == "none":
            return facts.extra
        now = datetime.fromtimestamp(self._clock() / 1000, _tz(facts.zone)).astimezone(_tz(facts.zone))
        lines = [
            "## Now",
            f"Date: {now:%A, %Y-%m-%d}. Time zone: {facts.zone or _zone(now)}. For the exact time use a tool.",
            f"Session: {facts.session_key}. Model: {facts.model_ref}.",
        ]
        if facts.extra:
            lines.append(facts.extra)
        return "\n".join(lines)


def is_lean(profile: str, window: int, provider: str) -> bool:
    """Whether a model gets the lean prompt: what the config says, else by its context window."""
    return profile == "lean" or (profile == "auto" and provider != "builtin" and window < LEAN_WINDOW)


def _names(facts: PromptFacts) -> tuple[str, ...]:
    if facts.mode == "none":
        return ()
    if facts.mode == "minimal":
        return SUBAGENT_FILES
    names = tuple(LEAN_FILES) if facts.lean else CONTEXT_FILES
    return names if facts.private else tuple(name for name in names if name not in OWN_FILES)


def _build_stable(facts: PromptFacts, names: Sequence[str]) -> _Stable:
    files = {name: _read(facts.workspace / name) for name in names}
    sections = [Section("identity", words.IDENTITY)]
    sections += _rules(facts)
    if facts.skills and facts.mode != "none":
        sections.append(Section("skills", _skills_text(facts)))
    pinned = (*facts.pinned, *always_lines(files.get("AGENTS.md") or ""))
    if pinned:
        sections.append(Section("pinned", words.PINNED + "\n" + "\n".join(f"- {line}" for line in dict.fromkeys(pinned))))
    if facts.mode != "none":
        place = f"## Workspace\nYour working directory is {facts.workspace}. Its files below were loaded for you."
        sections.append(Section("workspace", place + _missing(facts, files)))
        sections += _file_sections(facts, files)
    return _Stable(
        "\n\n".join(one.text for one in sections),
        tuple(SectionSize(one.name, one.raw or len(one.text), len(one.text)) for one in sections),
    )


@dataclass(frozen=True, slots=True)
class Section:
    """A named piece of the prompt; `raw` is the size of the file it comes from."""

    name: str
    text: str
    raw: int = 0


def _rules(facts: PromptFacts) -> list[Section]:
    if facts.mode == "none":
        return []
    if facts.lean:
        return [Section("rules", words.LEAN)]
    found = []
    if facts.tool_names:
        found.append(Section("tools", words.TOOLS))
    found += [Section("working", words.EXECUTION), Section("promises", words.PROMISES), Section("safety", words.SAFETY)]
    if facts.mode == "full":
        found.append(Section("control", words.CONTROL))
    return [*found, Section("output", words.OUTPUT)]


def _missing(facts: PromptFacts, files: Mapping[str, str | None]) -> str:
    """A line about classic files that are not there, in a workspace that has some."""
    gone = [name for name in WANTED_FILES if name in files and files[name] is None]
    return f" Missing here: {', '.join(gone)}." if gone and any(files.values()) and facts.mode == "full" else ""


def _file_sections(facts: PromptFacts, files: Mapping[str, str | None]) -> list[Section]:
    left = facts.total_chars
    sections = []
    for name, raw in files.items():
        if raw is None or (name == "HEARTBEAT.md" and not _says_something(raw)):
            continue
        own = LEAN_FILES[name] if facts.lean and name in LEAN_FILES else facts.file_chars
        cap = min(own, USER_CHARS if name == "USER.md" else own, left)
        text = _capped(raw.strip(), cap, name)
        left -= min(len(raw), cap)
        sections.append(Section(name, f"### {name}\n{text}", len(raw)))
    return sections


def _says_something(raw: str) -> bool:
    """Whether a file holds more than headings and comments."""
    rest = re.sub(r"<!--.*?-->", "", raw, flags=re.DOTALL)
    return any(line.strip() and not line.startswith("#") for line in rest.splitlines())


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def _capped(text: str, cap: int, name: str) -> str:
    if len(text) <= cap:
        return text
    return f"{text[:cap]}\n[{name} is cut here: {cap} of {len(text)} characters; read the file for the rest]"


def _skills_text(facts: PromptFacts) -> str:
    """With the tool `skill` a name is enough; without it the model reads the file."""
    if "skill" not in facts.tool_names:
        return prompt_list(facts.skills, "## Skills\nBefore a task that one of these covers, read its file and follow it.")
    head = "## Skills\nBefore a task that one of these covers, load it with the tool skill and follow it."
    return prompt_list([(name, description, "") for name, description, _ in facts.skills], head)


def skill_rows(rows: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, str, str], ...]:
    """Skills as the prompt wants them: `(name, description, location)`; not those with a `reason` not to be used."""
    return tuple(
        (_word(row, "name"), _word(row, "description"), _word(row, "location") or _word(row, "path"))
        for row in rows
        if not row.get("reason")
    )


def _word(row: Mapping[str, Any], name: str) -> str:
    return str(row.get(name) or "")


def _stamp(workspace: Path, names: Sequence[str]) -> _Stamp:
    stamps = []
    for name in names:
        try:
            status = os.stat(workspace / name)
        except OSError:
            continue
        stamps.append((name, status.st_size, status.st_mtime_ns))
    return tuple(stamps)


def _tz(zone: str) -> tzinfo | None:
    """The zone the config names; the machine's own when it names none, or one that is not known here."""
    if not zone:
        return None
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return None


def _zone(now: datetime) -> str:
    name = os.environ.get("TZ") or ""
    offset = now.strftime("%z")
    return name or f"{now.tzname()} (UTC{offset[:3]}:{offset[3:]})"
