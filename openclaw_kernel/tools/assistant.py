"""What the assistant can say of itself and its own plans: skills, status, reminders."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from openclaw_kernel.tools.api import Services, Tool, ToolContext, ToolError, ToolResult, text_result
from openclaw_kernel.tools.exec import first_line
from openclaw_kernel.values.errors import OpenClawError, UserError

Now = Callable[[], datetime]


class NoArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)


class RemindArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    when: str = Field(
        min_length=1, max_length=200, description="When, such as `in 20 minutes`, `at 18:30`, or an ISO 8601 time"
    )
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


def assistant_tools(now: Now = lambda: datetime.now().astimezone()) -> tuple[Tool, ...]:
    """`remind`, `skills_list`, `session_status`; `now` is the exact local time that status tells."""

    async def session_status(args: NoArgs, ctx: ToolContext) -> ToolResult:
        moment = now()
        facts = {
            "time": moment.isoformat(timespec="seconds"),
            "weekday": moment.strftime("%A"),
            "sessionKey": ctx.session_key,
            "agentId": ctx.agent_id,
            "workspace": str(ctx.workspace),
        }
        return text_result("\n".join(f"{name}: {value}" for name, value in facts.items()), **facts)

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
        Tool(
            "session_status",
            "Tell the exact time, and which session, agent and workspace this is.",
            NoArgs,
            session_status,
            read_only=True,
            groups=frozenset({"sessions"}),
            title=lambda arguments: "Session status",
        ),
    )
