"""Skills: folders with a `SKILL.md` that says how something is done (SKL-01 to SKL-06).

The header (name, description) is read when a folder is found, the body only when a skill is used. A file is parsed again only
when its size or time of change differs.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

log = logging.getLogger(__name__)

Source = Literal["workspace", "managed", "bundled"]

MAX_DEPTH = 6
MAX_FOLDERS = 2_000
MAX_FILE_BYTES = 256_000
MAX_PROMPT_CHARS = 18_000
MAX_DESCRIPTION = 1_024
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_HEADER = re.compile(r"\A\ufeff?---[ \t]*\r?\n(?P<yaml>.*?)\r?\n---[ \t]*(?:\r?\n|\Z)(?P<body>.*)\Z", re.DOTALL)
_COLON = re.compile(r"^(?P<key>[A-Za-z][\w-]*): (?P<value>(?![\"'\[{|>]).*:.*)$", re.MULTILINE)


class SkillProblem(Exception):
    """Why a `SKILL.md` cannot be used, in one sentence."""


@dataclass(frozen=True, slots=True)
class Skill:
    """One skill. `path` is its `SKILL.md`; `meta` is the rest of the header, as written."""

    name: str
    description: str
    path: Path
    source: Source
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def for_model(self) -> bool:
        """Whether the model may choose it by itself (`disable-model-invocation`)."""
        return self.meta.get("disable-model-invocation") is not True

    def body(self) -> str:
        """The instructions below the header. Raises `SkillProblem`."""
        return _split(self.path)[1]

    def to_wire(self) -> dict[str, Any]:
        return {"name": self.name, "description": self.description, "path": str(self.path), "source": self.source}


class Skills:
    """The skills of one agent. Earlier roots win when a name repeats (SKL-04). Blocking: call it in a thread."""

    def __init__(self, roots: Sequence[tuple[Source, Path]]) -> None:
        self._roots = tuple(roots)
        self._cache: dict[Path, tuple[tuple[int, int], Skill | None]] = {}

    def list(self) -> list[Skill]:
        """All usable skills by name. A broken file is logged once and left out."""
        found: dict[str, Skill] = {}
        for source, root in self._roots:
            for path in _skill_files(root):
                skill = self._load(path, source)
                if skill is not None:
                    found.setdefault(skill.name, skill)
        return [found[name] for name in sorted(found)]

    def get(self, name: str) -> Skill | None:
        return next((skill for skill in self.list() if skill.name == name), None)

    def _load(self, path: Path, source: Source) -> Skill | None:
        try:
            status = path.stat()
        except OSError:
            return None
        stamp = (status.st_size, status.st_mtime_ns)
        cached = self._cache.get(path)
        if cached is not None and cached[0] == stamp:
            return cached[1]
        try:
            skill: Skill | None = read_skill(path, source)
        except SkillProblem as problem:
            log.warning("skill left out: %s", problem)
            skill = None
        self._cache[path] = (stamp, skill)
        return skill


def skill_roots(workspace: Path, state_dir: Path) -> tuple[tuple[Source, Path], ...]:
    """Where skills are looked for, strongest first: the workspace, the managed folder, the bundled ones."""
    return (("workspace", workspace / "skills"), ("managed", state_dir / "skills"), ("bundled", bundled_root()))


def bundled_root() -> Path:
    """`share/openclaw/skills` of the installation, or the source tree's own folder."""
    installed = Path(sys.prefix) / "share" / "openclaw" / "skills"
    return installed if installed.is_dir() else Path(__file__).resolve().parents[2] / "skills"


def read_skill(path: Path, source: Source) -> Skill:
    """Reads one `SKILL.md`. Lenient: only an unreadable header or a missing description is an error (SKL-02)."""
    header, _ = _split(path)
    meta = _header(header, path)
    description = " ".join(str(meta.pop("description", None) or "").split())
    if not description:
        raise SkillProblem(f"{path} has no description; add one to its header")
    written = str(meta.pop("name", None) or path.parent.name)
    return Skill(_slug(written) or _slug(path.parent.name), description[:MAX_DESCRIPTION], path, source, meta)


def prompt_list(skills: Iterable[Skill], limit: int = MAX_PROMPT_CHARS) -> str:
    """One line a skill for the system prompt, empty when there is none (SKL-06)."""
    lines: list[str] = []
    room = limit
    for skill in skills:
        if not skill.for_model:
            continue
        line = f"- {skill.name}: {skill.description} (file: {skill.path})"
        room -= len(line) + 1
        if room < 0:
            break
        lines.append(line)
    return "\n".join(lines)


def _split(path: Path) -> tuple[str, str]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise SkillProblem(f"{path} cannot be read: {error.strerror or error}") from error
    if len(data) > MAX_FILE_BYTES:
        raise SkillProblem(f"{path} is larger than {MAX_FILE_BYTES} bytes; move parts to references/")
    found = _HEADER.match(data.decode("utf-8", "replace"))
    if found is None:
        raise SkillProblem(f"{path} does not begin with a header between two lines of ---")
    return found["yaml"], found["body"].strip()


def _header(text: str, path: Path) -> dict[str, Any]:
    """The header as a mapping; a colon in an unquoted value is forgiven."""
    quoted = _COLON.sub(lambda found: f"{found['key']}: " + _quote(found["value"]), text)
    for attempt in (text, quoted):
        try:
            meta = yaml.safe_load(attempt)
        except yaml.YAMLError:
            continue
        if isinstance(meta, dict):
            return {str(key): value for key, value in meta.items()}
    raise SkillProblem(f"{path} has a header that is not YAML; check quotes and indentation")


def _quote(value: str) -> str:
    return "'" + value.strip().replace("'", "''") + "'"


def _slug(name: str) -> str:
    return "-".join(_NAME.findall(name.lower()))[:64].strip("-")


def _skill_files(root: Path) -> Iterable[Path]:
    """Every `SKILL.md` below `root`, by path; links to folders are not followed and a skill's own folders not searched."""
    for seen, (folder, names, files) in enumerate(os.walk(root), 1):
        depth = len(Path(folder).relative_to(root).parts)
        names[:] = sorted(name for name in names if not name.startswith(".") and name != "node_modules")
        if "SKILL.md" in files:
            names.clear()
            if not (Path(folder) / "SKILL.md").is_symlink():
                yield Path(folder) / "SKILL.md"
        elif depth >= MAX_DEPTH:
            names.clear()
        if seen >= MAX_FOLDERS:
            log.warning("only the first %d folders of %s were searched for skills", MAX_FOLDERS, root)
            return
