"""Where skills are on disk: the roots, strongest first, and the files below them (SKL-04).

Links are never followed: a skill must lie, as a real file, in the root that vouches for it.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from openclaw_kernel.skills.skill import Source

log = logging.getLogger(__name__)

MAX_DEPTH = 6
MAX_FOLDERS = 2_000
SKILL_FILE = "SKILL.md"
SKILL_NOTEBOOK = "skill.ipynb"
FOLDER_FILES = (SKILL_FILE, "skill.md", SKILL_NOTEBOOK)
"""A folder with one of these is a skill; the first that is there counts."""

_SKIPPED = frozenset({"node_modules", "__pycache__", "venv"})

Roots = Sequence[tuple[Source, Path]]
Stamp = tuple[int, int] | None


@dataclass(slots=True)
class Scan:
    """What a walk saw: skill files in order of strength, and the stamp of everything that would change the answer."""

    files: list[tuple[Source, Path]] = field(default_factory=list)
    stamps: dict[Path, Stamp] = field(default_factory=dict)

    def unchanged(self) -> bool:
        return all(stamp_of(path) == stamp for path, stamp in self.stamps.items())


def skill_roots(
    workspace: Path,
    state_dir: Path,
    *,
    project: Path | None = None,
    home: Path | None = None,
    extra: Sequence[Path] = (),
) -> tuple[tuple[Source, Path], ...]:
    """Where skills are looked for, strongest first. `project` is given only when the person trusts that folder."""
    roots: list[tuple[Source, Path]] = [("workspace", workspace / "skills")]
    if project is not None:
        roots.append(("project", project / ".agents" / "skills"))
    if home is not None:
        roots.append(("personal", home / ".agents" / "skills"))
    roots += [("managed", state_dir / "skills"), ("bundled", bundled_root())]
    roots += [("extra", path) for path in extra]
    return tuple(roots)


def bundled_root() -> Path:
    """The source tree's own folder in an editable install, else `share/openclaw/skills` of the installation.

    An installation for one user (`pip install --user`) has its own prefix, three folders above its packages.
    """
    here = Path(__file__).resolve()
    source = here.parents[2]
    if (source / "pyproject.toml").is_file() and (source / "skills").is_dir():
        return source / "skills"
    places = [prefix / "share" / "openclaw" / "skills" for prefix in (Path(sys.prefix), *here.parents[5:6])]
    return next((place for place in places if place.is_dir()), places[0])


def scan(roots: Roots) -> Scan:
    """Walks all roots. Blocking."""
    found = Scan()
    for source, root in roots:
        found.stamps[root] = stamp_of(root)
        for path in _below(root, found):
            found.files.append((source, path))
            found.stamps[path] = stamp_of(path)
    return found


def stamp_of(path: Path) -> Stamp:
    """Size and time of change, `None` when it is not there."""
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_size, status.st_mtime_ns)


def real_file(path: Path, root: Path) -> bool:
    """Whether `path` is a regular file that lies below `root` once every link is followed."""
    return path.is_file() and not path.is_symlink() and path.resolve().is_relative_to(root.resolve())


def _below(root: Path, found: Scan) -> list[Path]:
    """Skill files below `root` by path. A skill's own folders are not searched; a notebook outside one may be a skill."""
    files: list[Path] = []
    for seen, (name, folders, names) in enumerate(os.walk(root), 1):
        if seen > MAX_FOLDERS:
            log.warning("only the first %d folders of %s were searched for skills", MAX_FOLDERS, root)
            break
        folder = Path(name)
        found.stamps[folder] = stamp_of(folder)
        depth = len(folder.relative_to(root).parts)
        folders[:] = sorted(one for one in folders if not one.startswith(".") and one not in _SKIPPED)
        own = next((one for one in FOLDER_FILES if one in names), None)
        if own is not None:
            folders.clear()
            files += [folder / own] if not (folder / own).is_symlink() else []
            continue
        files += [
            folder / one
            for one in sorted(names)
            if one.endswith(".ipynb") and not one.startswith(".") and not (folder / one).is_symlink()
        ]
        if depth >= MAX_DEPTH:
            folders.clear()
    return files
