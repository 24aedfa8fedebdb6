"""What the assistant can say of its own skills and plans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from openclaw_kernel.tools.api import Services, Tool, ToolContext, ToolError, ToolResult, text_result
from openclaw_kernel.tools.exec import first_line
from openclaw_kernel.values.errors import OpenClawError, UserError


class NoArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)


class RemindArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    when: str = Field(min_length=1, max_length=200, description="`in 20 minutes`, `at 18:30`, or ISO 8601")
    text: str = Field(min_length=1, max_length=2_000, description="What to remind of")


async def remind(args: RemindArgs, ctx: ToolContext) -> ToolResult:
    """Hands the reminder to the gateway's scheduler, which words what it planned."""
    try:
        planned = await _services(ctx, "Reminders").schedule(ctx.session_key, args.when, args.text)
    except (UserError, OpenClawError) as error:
        raise ToolError(str(error)) from error
    return text_result(planned, when=args.when, reminder=args.text)


async def skills_list(args: NoArgs, ctx: ToolContext) -> ToolResult:
    skills = [dict(skill) for skill in await _services(ctx, "Skills").list_skills(ctx.agent_id)]
    text = "\n".join(_skill_line(skill) for skill in skills)
    return text_result(text or "No skills are installed.", skills=skills)


def _skill_line(skill: Mapping[str, Any]) -> str:
    reason = f" (not usable here: {skill['reason']})" if skill.get("reason") else ""
    return f"- {skill.get('name', '?')}: {skill.get('description', '')}{reason}"


def _services(ctx: ToolContext, what: str) -> Services:
    if ctx.services is None:
        raise ToolError(f"{what} need a running gateway, and this session has none.")
    return ctx.services


def assistant_tools() -> tuple[Tool, ...]:
    """`remind` and `skills_list`."""
    return (
        Tool(
            "remind",
            "Remind the person of something later, in this conversation.",
            RemindArgs,
            remind,
            effect="workspace",
            groups=frozenset({"automation"}),
            title=lambda arguments: f"Remind {arguments.get('when', '')}: {first_line(arguments, 'text')}",
        ),
        Tool(
            "skills_list",
            "List the skills that are installed, with what each is for.",
            NoArgs,
            skills_list,
            read_only=True,
            groups=frozenset({"agents"}),
            title=lambda arguments: "List skills",
        ),
    )
