"""What a turn is equipped with before its model is asked: workspace, model, tools, and the facts of its prompt."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import cast

from openclaw_kernel.agent.prompt import PromptFacts, is_lean
from openclaw_kernel.agent.run import Turn
from openclaw_kernel.agent.settings import thinking_of, workspace_of
from openclaw_kernel.agent.workspace import ensure_workspace
from openclaw_kernel.models.api import Model, ThinkingLevel
from openclaw_kernel.safety.sandbox_policy import sandbox_layers
from openclaw_kernel.safety.tool_policy import model_layers, standings, subagent_layers
from openclaw_kernel.tools.registry import Toolbox
from openclaw_kernel.values.session_key import parse


async def choose_model(turn: Turn) -> None:
    """The workspace, which exists after this, and the model with its thinking level. Raises `UserError` for an unknown one."""
    house, request = turn.house, turn.request
    turn.workspace = workspace_of(house.config(), house.state_dir, turn.agent_id)
    if turn.workspace not in house.ready_workspaces:
        wanted = not house.config().agents.defaults.skip_bootstrap
        await asyncio.to_thread(ensure_workspace, turn.workspace, classic_files=wanted)
        house.ready_workspaces.add(turn.workspace)
    entry = house.sessions.get(turn.session.entry.key) or turn.session.entry
    override = entry.model_override
    if override and "/" not in override and entry.provider_override:
        override = f"{entry.provider_override}/{override}"
    named = request.model or override
    most = house.config().agents.defaults.context_tokens
    models = house.models
    turn.model = _within(await models.measured(models.resolve(named, turn.agent_id)), most)
    others = () if named else models.fallbacks(turn.agent_id)
    turn.fallbacks = tuple([_within(await models.measured(model), most) for model in others])
    level = request.thinking or entry.thinking_level or thinking_of(house.config(), turn.agent_id)
    turn.thinking = cast(ThinkingLevel, level)
    turn.tainted = turn.session.transcript.latest("taint") is not None


def _within(model: Model, tokens: int | None) -> Model:
    """A model of whose window no more than `agents.defaults.contextTokens` is used."""
    return replace(model, context_window=tokens) if tokens is not None and tokens < model.context_window else model


def give_tools(turn: Turn) -> None:
    """The agent's tools that hold for this model and this request; few for a small one."""
    house = turn.house
    turn.tools = _for_model(turn, house.toolbox(turn.agent_id))
    if turn.request.tools is not None:
        turn.tools = turn.tools.filtered(turn.request.tools) if turn.request.tools else Toolbox(())
    elif _lean(turn):
        turn.tools = house.lean_tools(turn.tools)


def facts_of(turn: Turn, skills: tuple[tuple[str, str, str], ...]) -> PromptFacts:
    """What the prompt of a turn is made from."""
    defaults, model = turn.house.config().agents.defaults, turn.model
    return PromptFacts(
        workspace=turn.workspace,
        session_key=turn.session.entry.key,
        model_ref=model.ref if model else "",
        tool_names=turn.tools.names(),
        skills=skills,
        pinned=turn.house.pins.texts(turn.agent_id),
        extra=turn.request.extra_system_prompt or "",
        mode="minimal" if parse(turn.session.entry.key).kind == "subagent" else "full",
        lean=_lean(turn),
        file_chars=defaults.bootstrap_max_chars,
        total_chars=defaults.bootstrap_total_max_chars,
        zone=defaults.user_timezone or "",
    )


def _lean(turn: Turn) -> bool:
    model = turn.model
    profile = turn.house.config().agents.defaults.prompt_profile
    return model is not None and is_lean(profile, model.context_window, model.provider)


def _for_model(turn: Turn, tools: Toolbox) -> Toolbox:
    """What the layers of the model, of a subagent and of a sandboxed session leave of an agent's tools (SAF-02)."""
    model = turn.model
    of = model_layers(turn.house.config(), turn.agent_id, model.provider, model.ref) if model is not None else ()
    of += subagent_layers(turn.house.config(), turn.session.entry.spawn_depth)
    of += sandbox_layers(turn.house.config(), turn.agent_id, turn.session.entry.key)
    if not of:
        return tools
    found = standings(((tool.name, tool.groups) for tool in tools.tools()), of)
    return Toolbox([tool for tool in tools.tools() if found[tool.name].callable])
