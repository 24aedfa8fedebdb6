"""One run of a notebook skill: its parameters written in, its kernel, its result, and the executed notebook kept (SKL-09).

The notebook with this run's parameters is on disk before its first cell runs, and again, with outputs, when it ends.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openclaw_kernel.safety.environment import child_env
from openclaw_kernel.skills.execute import INJECTED_TAG, Ending, Limits, Progress, Status, execute
from openclaw_kernel.skills.notebook import NotebookSource, read_notebook, source_of
from openclaw_kernel.skills.parameters import assignments, checked
from openclaw_kernel.skills.result import Result, result_of
from openclaw_kernel.skills.skill import Skill, SkillProblem
from openclaw_kernel.store.atomic import write_atomic
from openclaw_kernel.store.paths import ensure_private_dir
from openclaw_kernel.values.clock import Clock, NewId, new_id, system_clock
from openclaw_kernel.values.stream import AbortSignal

KEPT_RUNS = 200
"""Executed notebooks that are kept; the oldest go first."""
MAX_SHOWN = 60_000
"""Characters of code that a person can be asked to judge at once."""
FOLDER_VARIABLE = "SKILL_DIR"
"""Tells the notebook where its own folder is; its working directory is the workspace."""


@dataclass(frozen=True, slots=True)
class SkillRun:
    """What came of it. `sentence` says what went wrong; `media` are `{path, mediaType, name}`, `surfaces` lists of messages."""

    name: str
    status: Status
    sentence: str
    text: str
    media: tuple[dict[str, str], ...]
    surfaces: tuple[list[Any], ...]
    notebook: Path
    parameters: Mapping[str, Any]
    duration_ms: int

    @property
    def ok(self) -> bool:
        return self.status == "ok"


def quiet(text: str, fraction: float | None) -> None:
    """Progress for nobody."""


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs notebook skills and keeps what they did in `folder`. `env` is scrubbed before a kernel sees it."""

    folder: Path
    limits: Limits = field(default_factory=Limits)
    clock: Clock = system_clock
    new_id: NewId = new_id

    async def run(
        self,
        skill: Skill,
        values: Mapping[str, Any],
        *,
        cwd: Path,
        env: Mapping[str, str],
        more_env: Mapping[str, str] | None = None,
        progress: Progress = quiet,
        signal: AbortSignal | None = None,
        agreed: str = "",
    ) -> SkillRun:
        """Raises `SkillProblem` when it cannot begin: no notebook, parameters that do not fit, other code than was agreed to. A
        failure inside is data.

        `more_env` are variables the person granted this skill; they are not scrubbed. `agreed` is the `code_of` the run that
        somebody has said yes to.
        """
        started = time.monotonic()
        source, parameters = await asyncio.to_thread(_planned, skill, values)
        if agreed and _code(skill, source, parameters) != agreed:
            raise SkillProblem(f"{skill.path} is not what was approved any more; look at it and ask again.")
        notebook = await asyncio.to_thread(_prepared, source, parameters)
        path = self.folder / f"{_day(self.clock())}-{skill.name}-{self.new_id()[:8]}.ipynb"
        await asyncio.to_thread(_keep, path, notebook)
        at = source.parameters_at
        ending = await execute(
            notebook,
            cwd=cwd,
            env={**child_env(env), FOLDER_VARIABLE: str(skill.folder), **(more_env or {})},
            limits=self.limits,
            progress=progress,
            signal=signal or AbortSignal(),
            number=lambda index: index + 1 if at is None or not parameters or index <= at else index,
        )
        result = result_of(notebook) if ending.status == "ok" else Result("")
        media = await asyncio.to_thread(self._finish, path, notebook, ending, result)
        duration = round((time.monotonic() - started) * 1000)
        return SkillRun(
            skill.name, ending.status, ending.sentence, result.text, media, result.surfaces, path, parameters, duration
        )

    def _finish(self, path: Path, notebook: Any, ending: Ending, result: Result) -> tuple[dict[str, str], ...]:
        """The executed notebook and its pictures, and the oldest runs removed."""
        notebook.metadata["openclaw"] = {"status": ending.status, "sentence": ending.sentence, "cell": ending.cell}
        _keep(path, notebook)
        media = []
        for index, picture in enumerate(result.pictures, 1):
            file = path.with_name(f"{path.stem}-{index}.{picture.ending}")
            write_atomic(file, picture.data)
            media.append({"path": str(file), "mediaType": picture.media_type, "name": file.name})
        for old in sorted(self.folder.glob("*.ipynb"), key=_changed)[:-KEPT_RUNS]:
            for file in [old, *self.folder.glob(f"{old.stem}-[0-9]*.*")]:
                file.unlink(missing_ok=True)
        return tuple(media)


def code_of(skill: Skill, values: Mapping[str, Any]) -> str:
    """What a run with these values would execute: the file, then the code of every cell. Blocking; raises `SkillProblem`, also
    for code that is too long to be judged."""
    source, parameters = _planned(skill, values)
    code = _code(skill, source, parameters)
    if len(code) > MAX_SHOWN:
        raise SkillProblem(f"{skill.path} has more than {MAX_SHOWN} characters of code; move parts into files beside it.")
    return code


def _planned(skill: Skill, values: Mapping[str, Any]) -> tuple[NotebookSource, dict[str, Any]]:
    if skill.kind != "notebook":
        raise SkillProblem(f"{skill.name} is no notebook and cannot be run; read it with the tool skill and follow it.")
    source = read_notebook(skill.path)
    try:
        return source, checked(source.parameters, values)
    except SkillProblem as problem:
        raise SkillProblem(f"{skill.name}: {problem}") from problem


def _code(skill: Skill, source: NotebookSource, parameters: Mapping[str, Any]) -> str:
    path = "".join(char if char.isprintable() else "?" for char in str(skill.path))
    parts = [f"# {path}"]
    for index, cell in enumerate(source.document["cells"]):
        if cell["cell_type"] == "code":
            parts.append(f"# --- cell {index + 1}\n{source_of(cell).strip()}")
        if index == source.parameters_at and parameters:
            parts.append(assignments(parameters))
    return "\n\n".join(parts)


def _prepared(source: NotebookSource, parameters: Mapping[str, Any]) -> Any:
    """A fresh copy without outputs, with the cell that sets this run's values behind the parameters cell."""
    import nbformat
    import orjson

    notebook: Any = nbformat.from_dict(orjson.loads(orjson.dumps(source.document)))
    for index, cell in enumerate(notebook.cells):
        cell.setdefault("metadata", nbformat.from_dict({}))
        if isinstance(cell.get("source"), list):
            cell.source = "".join(cell.source)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        cell.setdefault("id", f"cell-{index}")
    if parameters and source.parameters_at is not None:
        cell = nbformat.v4.new_code_cell(assignments(parameters), metadata={"tags": [INJECTED_TAG]})
        notebook.cells.insert(source.parameters_at + 1, cell)
    notebook.nbformat_minor = max(5, int(notebook.get("nbformat_minor", 5)))
    notebook.setdefault("metadata", nbformat.from_dict({}))
    return notebook


def _keep(path: Path, notebook: Any) -> None:
    import nbformat

    ensure_private_dir(path.parent)
    write_atomic(path, nbformat.writes(notebook))


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _day(now: int) -> str:
    return time.strftime("%Y%m%d", time.localtime(now / 1000))
