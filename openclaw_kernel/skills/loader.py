"""Skills: folders with a `SKILL.md`, and notebooks, that say how something is done (SKL-01 to SKL-06).

The header (name, description) is read when a file is found, the body only when a skill is used. The list is made again only
when a folder or file on the way to a skill changed, and a file parsed again only when its size or time of change differs.
"""

from __future__ import annotations

import logging
from pathlib import Path

from openclaw_kernel.skills.find import FOLDER_FILES, SKILL_NOTEBOOK, Roots, Scan, Stamp, bundled_root, scan, skill_roots
from openclaw_kernel.skills.header import parse_header, slug, split_header
from openclaw_kernel.skills.notebook import looks_like_skill, read_header, read_notebook
from openclaw_kernel.skills.skill import MAX_DESCRIPTION, Skill, SkillProblem, Source

__all__ = ["Skill", "SkillProblem", "Skills", "Source", "body_of", "bundled_root", "read_skill", "skill_roots"]

log = logging.getLogger(__name__)

MAX_FILE_BYTES = 256_000


class Skills:
    """The skills of one agent. Earlier roots win when a name repeats (SKL-04). Blocking: call it in a thread."""

    def __init__(self, roots: Roots) -> None:
        self.roots = tuple(roots)
        self._files: dict[Path, tuple[Stamp, Skill | None]] = {}
        self._scan: Scan | None = None
        self._list: tuple[Skill, ...] = ()
        self._hidden: tuple[Skill, ...] = ()

    def list(self) -> list[Skill]:
        """All readable skills by name. A broken file is logged once and left out."""
        if self._scan is None or not self._scan.unchanged():
            found: dict[str, Skill] = {}
            hidden: list[Skill] = []
            fresh = scan(self.roots)
            for source, path in fresh.files:
                skill = self._load(path, source, fresh.stamps[path])
                if skill is not None and found.setdefault(skill.name, skill) is not skill:
                    hidden.append(skill)
            self._list = tuple(found[name] for name in sorted(found))
            self._hidden = tuple(hidden)
            self._scan = fresh
        return [*self._list]

    def get(self, name: str) -> Skill | None:
        return next((skill for skill in self.list() if skill.name == name), None)

    def hidden_by(self, skill: Skill) -> tuple[Skill, ...]:
        """The skills of the same name that it takes the place of, earlier roots first."""
        self.list()
        return tuple(one for one in self._hidden if one.name == skill.name)

    def _load(self, path: Path, source: Source, stamp: Stamp) -> Skill | None:
        cached = self._files.get(path)
        if cached is not None and cached[0] == stamp:
            return cached[1]
        skill: Skill | None = None
        if path.name in FOLDER_FILES or looks_like_skill(path):
            try:
                skill = read_skill(path, source)
            except SkillProblem as problem:
                log.warning("skill left out: %s", problem)
        self._files[path] = (stamp, skill)
        return skill


def read_skill(path: Path, source: Source) -> Skill:
    """Reads one `SKILL.md` or notebook. Lenient: only an unreadable header or a missing description is an error (SKL-02)."""
    notebook = path.suffix == ".ipynb"
    meta = read_header(path) if notebook else parse_header(split_file(path)[0], str(path))
    description = " ".join(str(meta.pop("description", None) or "").split())
    if not description:
        raise SkillProblem(f"{path} has no description; add one to its header")
    fallback = path.stem if notebook and path.name != SKILL_NOTEBOOK else path.parent.name
    name = slug(str(meta.pop("name", None) or fallback)) or slug(fallback) or "skill"
    return Skill(name, description[:MAX_DESCRIPTION], path, source, meta, "notebook" if notebook else "markdown")


def body_of(skill: Skill) -> str:
    """The instructions below the header. Raises `SkillProblem`."""
    return read_notebook(skill.path).body if skill.kind == "notebook" else split_file(skill.path)[1]


def split_file(path: Path) -> tuple[str, str]:
    """Header and body of a `SKILL.md`, unparsed. Raises `SkillProblem`."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise SkillProblem(f"{path} cannot be read: {error.strerror or error}") from error
    if len(data) > MAX_FILE_BYTES:
        raise SkillProblem(f"{path} is larger than {MAX_FILE_BYTES} bytes; move parts to references/")
    found = split_header(data.decode("utf-8", "replace"))
    if found is None:
        raise SkillProblem(f"{path} does not begin with a header between two lines of ---")
    return found
