"""The `image` tool: a picture for the model to look at, or what a model that sees says of it (TOL-19, TOL-21)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from openclaw_kernel.tools import media
from openclaw_kernel.tools.api import Tool, ToolContext, ToolResult, text_result
from openclaw_kernel.tools.web import Web
from openclaw_kernel.values.envelope import fence
from openclaw_kernel.values.messages import Image, Text

MAX_PX = 1_200
"""Of the longer side, in the context (TOL-21)."""
DEFAULT_PROMPT = "Describe this picture, with all text that is in it."


class Eyes(Protocol):
    """Who looks at a picture."""

    def sees(self, session_key: str, agent_id: str) -> bool:
        """Whether the session's own model takes pictures."""

    async def describe(self, picture: Image, prompt: str, ctx: ToolContext) -> str:
        """What the configured image model says. Raises `ToolError` when there is none, or it fails."""


class ImageArgs(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)
    path: str = Field(min_length=1, max_length=4_000, description="File of the workspace, or a URL")
    prompt: str = Field("", max_length=4_000, description="What to look for")


def image_tool(web: Web, eyes: Eyes, max_px: Callable[[], int] = lambda: MAX_PX) -> Tool:
    """`max_px` is `agents.defaults.imageMaxDimensionPx`."""

    async def run(args: ImageArgs, ctx: ToolContext) -> ToolResult:
        name = quote(args.path, safe=" :/?#[]@!$&'()*+,;=%-._~")[:300]
        data = await media.load(args.path, ctx, web)
        answer = await media.opened(name, data, {"job": "image", "pixels": max_px()})
        picture = Image(answer["data"], answer["mediaType"])
        size = f"{answer['width']}×{answer['height']}"
        details = {"path": args.path, "width": answer["width"], "height": answer["height"], "mediaType": picture.media_type}
        if eyes.sees(ctx.session_key, ctx.agent_id):
            was = (
                ""
                if answer["was"] == [answer["width"], answer["height"]]
                else f", scaled from {'×'.join(map(str, answer['was']))}"
            )
            return ToolResult((Text(f"{name} ({size} pixels{was}):"), picture), details)
        said = await eyes.describe(picture, args.prompt or DEFAULT_PROMPT, ctx)
        return text_result(f"{name} ({size} pixels), as another model sees it:\n{fence('picture', said)}", **details)

    return Tool(
        "image",
        "Look at a picture.",
        ImageArgs,
        run,
        effect="outbound",
        effect_of=lambda arguments: media.effect_of(arguments.get("path")),
        read_only=True,
        untrusted_output=True,
        groups=frozenset({"media"}),
        title=lambda arguments: f"Look at {str(arguments.get('path', 'a picture'))[:120]}",
    )
