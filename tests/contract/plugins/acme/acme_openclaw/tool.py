from __future__ import annotations

from pydantic import BaseModel, Field

from openclaw_kernel.tools.api import Tool, ToolContext, ToolResult, text_result


class Place(BaseModel):
    city: str = Field(min_length=1, description="Where")


async def weather(args: Place, ctx: ToolContext) -> ToolResult:
    return text_result(f"In {args.city} it rains frogs.", city=args.city)


WEATHER = Tool("acme_weather", "Tell the weather.", Place, weather, read_only=True)
