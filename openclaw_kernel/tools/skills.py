"""Using a skill: its text when it is needed, and notebook skills run in a kernel of their own (SKL-03, SKL-09)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from openclaw_kernel.skills.activate import Activation, read_file
from openclaw_kernel.skills.notebook import read_notebook
from openclaw_kernel.skills.runs import Runner, SkillRun, code_of
from openclaw_kernel.skills.shelf import Shelf
from openclaw_kernel.skills.skill import Skill, SkillProblem
from openclaw_kernel.tools.api import Asking, Preview, Tool, ToolContext, ToolError, ToolResult, text_result
from openclaw_kernel.values.messages import Text

Said = Callable[[str], Iterable[str]]
"""Session key → the texts a model sees of that conversation now."""


class SkillArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    name: str = Field(min_length=1, max_length=128, description="Name of the skill")
    file: str | None = Field(None, min_length=1, max_length=500, description="One of its other files, instead of its text")


class SkillRunArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    name: str = Field(min_length=1, max_length=128, description="Name of a notebook skill")
    parameters: dict[str, Any] = Field(default_factory=dict, description="Its parameters; the tool skill tells their schema")
    on: str | None = Field(None, max_length=10_000, description="Its first parameter, when that is all there is")


def skill_tools(shelf: Shelf, runner: Runner, said: Said = lambda session_key: ()) -> tuple[Tool, ...]:
    """`skill` and `skill_run`. `said` keeps the same text from being put into a conversation twice."""

    async def skill(args: SkillArgs, ctx: ToolContext) -> ToolResult:
        try:
            if args.file is not None:
                found = await asyncio.to_thread(shelf.find, ctx.agent_id, args.name)
                return text_result(await asyncio.to_thread(read_file, found, args.file), file=args.file)
            activation = await asyncio.to_thread(shelf.activate, ctx.agent_id, args.name)
        except SkillProblem as problem:
            raise ToolError(str(problem)) from problem
        if activation.held_by(said(ctx.session_key)):
            text = f"The text of the skill {activation.skill.name} is in this conversation already, unchanged; follow it."
            return text_result(text, skill=_details(activation))
        return text_result(activation.text, skill=_details(activation))

    async def skill_run(args: SkillRunArgs, ctx: ToolContext) -> ToolResult:
        return await _run(shelf, runner, args, ctx)

    async def preview(arguments: Mapping[str, Any], asking: Asking) -> Preview | None:
        return await _preview(shelf, arguments, asking)

    return (
        Tool(
            "skill",
            "Load the instructions of a skill before doing what it covers.",
            SkillArgs,
            skill,
            read_only=True,
            groups=frozenset({"agents"}),
            title=lambda arguments: f"Skill {arguments.get('name', '')} {arguments.get('file') or ''}".strip(),
        ),
        Tool(
            "skill_run",
            "Run a skill that is a notebook, in a fresh kernel in the workspace. A person may be asked first.",
            SkillRunArgs,
            skill_run,
            effect="host",
            groups=frozenset({"runtime"}),
            title=lambda arguments: f"Run skill {arguments.get('name', '')}".strip(),
            preview=preview,
        ),
    )


async def _run(shelf: Shelf, runner: Runner, args: SkillRunArgs, ctx: ToolContext) -> ToolResult:
    try:
        found = await asyncio.to_thread(shelf.find, ctx.agent_id, args.name)
        run = await runner.run(
            found,
            await asyncio.to_thread(_values, found, args),
            cwd=ctx.workspace,
            env=ctx.env,
            more_env=shelf.env_of(found),
            progress=ctx.progress,
            signal=ctx.signal,
            agreed=ctx.seen,
        )
    except SkillProblem as problem:
        raise ToolError(str(problem)) from problem
    return result_of_run(run)


async def _preview(shelf: Shelf, arguments: Mapping[str, Any], asking: Asking) -> Preview | None:
    """The file that the name stands for and the code in it: a name alone does not say whose skill it is."""
    try:
        args = SkillRunArgs.model_validate(dict(arguments))
    except ValidationError:
        return None  # it will not run, and says why itself
    found = await asyncio.to_thread(shelf.find, asking.agent_id, args.name)
    code = await asyncio.to_thread(lambda: code_of(found, _values(found, args)))
    hidden = await asyncio.to_thread(shelf.book(asking.agent_id).hidden_by, found)
    note = f"the file is a {found.source} skill"
    if hidden:
        note += f" and takes the place of the {hidden[0].source} skill {hidden[0].path}"
    return Preview(code, f"Run skill {found.name}", note)


def result_of_run(run: SkillRun) -> ToolResult:
    """A run as a tool result: details are `{skill, status, parameters, notebook, durationMs}`, `media` for pictures,
    `surface` for the first A2UI surface and `surfaces` when there are several."""
    surfaces, refused = surfaces_of(run)
    details: dict[str, Any] = {
        "skill": run.name,
        "status": run.status,
        "parameters": dict(run.parameters),
        "notebook": str(run.notebook),
        "durationMs": run.duration_ms,
    }
    if run.media:
        details["media"] = [dict(one) for one in run.media]
    if surfaces:
        details["surface"] = surfaces[0]
    if len(surfaces) > 1:
        details["surfaces"] = surfaces
    parts = [f"The skill {run.name} did not finish. {run.sentence}"] if not run.ok else [run.text]
    parts += [f"Picture: {one['path']}" for one in run.media]
    if surfaces:
        parts.append("Shown to the person as a surface: " + ", ".join(f"“{one['title']}”" for one in surfaces))
    parts += [f"A surface was refused: {sentence}" for sentence in refused]
    parts.append(f"The executed notebook is {run.notebook}")
    text = "\n\n".join(part for part in parts if part)
    return ToolResult((Text(text),), details, is_error=not run.ok)


def surfaces_of(run: SkillRun) -> tuple[list[dict[str, Any]], list[str]]:
    """The run's surfaces as `{surfaceId, title, messages}` with ids of their own, and why others were refused."""
    from openclaw_kernel.canvas.guard import check_messages  # with its catalogue 15 ms, and most skills draw nothing

    shown: list[dict[str, Any]] = []
    refused: list[str] = []
    for number, messages in enumerate(run.surfaces, 1):
        problems = check_messages(messages)
        if problems:
            refused.append(f"{problems[0].message} ({problems[0].code})")
            continue
        surface_id = f"{run.notebook.stem[-90:]}-{number}"
        renamed = [_renamed(message, surface_id) for message in messages]
        shown.append({"surfaceId": surface_id, "title": _title(messages) or run.name, "messages": renamed})
    return shown, refused


def _values(skill: Skill, args: SkillRunArgs) -> dict[str, Any]:
    if args.on is None or skill.kind != "notebook":
        return args.parameters
    parameters = read_notebook(skill.path).parameters
    if not parameters:
        raise SkillProblem(f"{skill.name} takes no parameters.")
    return {parameters[0].name: args.on, **args.parameters}


def _details(activation: Activation) -> dict[str, Any]:
    details = activation.skill.to_wire() | {"files": [*activation.files]}
    return details | ({"parameters": activation.schema} if activation.schema is not None else {})


def _renamed(message: Mapping[str, Any], surface_id: str) -> dict[str, Any]:
    return {key: {**body, "surfaceId": surface_id} if isinstance(body, Mapping) else body for key, body in message.items()}


def _title(messages: Iterable[Mapping[str, Any]]) -> str:
    """The text of the component `title`, when it is plain text."""
    for message in messages:
        for component in message.get("updateComponents", {}).get("components", ()):
            if component.get("id") == "title" and isinstance(component.get("text"), str):
                return str(component["text"])[:200]
    return ""
