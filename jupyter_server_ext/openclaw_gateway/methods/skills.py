"""`skills.status` and `skills.bins`, and skills called by their slash names (protocol section 5.1, SKL-08)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from openclaw_gateway.methods.services import GatewayServices, NoParams, Params, parts
from openclaw_gateway.protocol.dispatch import Call, Method
from openclaw_kernel.skills.activate import Activation
from openclaw_kernel.skills.names import command_names, command_word
from openclaw_kernel.skills.shelf import Shelved
from openclaw_kernel.skills.status import status_of
from openclaw_kernel.values.messages import Text, ToolResultMessage, UserMessage
from openclaw_kernel.values.session_key import parse


class SkillsStatusParams(Params):
    agent_id: str | None = None
    session_key: str | None = None


async def skills_status(params: SkillsStatusParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    agent_id = params.agent_id or services.default_agent
    return await asyncio.to_thread(status_of, services.skills, agent_id, str(services.workspace(agent_id)))


async def skills_bins(_params: NoParams, call: Call) -> dict[str, Any]:
    """Programs that skills call by name: a node may say which of them it has."""
    services = parts(call)
    found = await asyncio.to_thread(services.skills.all, services.default_agent)
    return {"bins": sorted({name for one in found for name in (*one.gate.needs.bins, *one.gate.needs.any_bins)})}


def skill_commands(services: GatewayServices, agent_id: str, taken: Iterable[str]) -> list[tuple[str, Shelved]]:
    """Slash name → skill, for every skill a person may call. Blocking."""
    found = {one.skill.name: one for one in services.skills.all(agent_id) if one.callable}
    return [(command, found[name]) for command, name in command_names(found, taken).items()]


def command_row(command: str, one: Shelved) -> dict[str, Any]:
    """A skill as a row of `commands.list`."""
    return {
        "name": command,
        "nativeName": command,
        "textAliases": [f"/{command}"],
        "description": one.skill.description[:100],
        "category": "tools",
        "source": "skill",
        "scope": "both",
        "acceptsArgs": True,
    }


async def called_skill(services: GatewayServices, key: str, message: str, taken: Iterable[str]) -> Activation | None:
    """The skill that `/skill NAME …` or `/NAME …` asks for; `None` for any other text. Raises `SkillProblem`."""
    if not message.startswith("/"):
        return None
    word, _, rest = message[1:].strip().partition(" ")
    word, agent_id = word.rstrip(":"), parse(key).agent
    if word.lower() == "skill":
        name = rest.strip().partition(" ")[0]
        return await asyncio.to_thread(services.skills.activate, agent_id, name) if name else None
    taken = frozenset(taken)
    if word.lower() in taken:
        return None
    commands = dict(await asyncio.to_thread(skill_commands, services, agent_id, taken))
    found = commands.get(command_word(word))
    return await asyncio.to_thread(services.skills.activate, agent_id, found.skill.name) if found is not None else None


def introduce(services: GatewayServices, key: str, called: Activation) -> str:
    """Puts the skill's text before what the person says next, once a conversation; the answer is a line for the prompt.

    While a run is under way nothing may come between its calls and their results, so then the model loads the skill itself.
    """
    name = called.skill.name
    session = services.sessions.open(key)
    context = session.transcript.context()
    texts = (
        part.text
        for message in context
        if isinstance(message, UserMessage | ToolResultMessage)
        for part in message.content
        if isinstance(part, Text)
    )
    if called.held_by(texts):
        return f"The person asked for the skill {name}; its text is in the conversation above."
    if services.runtime.active(key):
        return f"The person asked for the skill {name}: load it with the tool skill, then follow it."
    session.transcript.append(
        {"type": "custom_message", "customType": "skill", "content": called.text, "display": False, "details": {"skill": name}}
    )
    return f"The person asked for the skill {name}; its text is right above their message. Follow it."


METHODS = [
    Method("skills.status", SkillsStatusParams, skills_status, "operator.read"),
    Method("skills.bins", NoParams, skills_bins, "node"),
]
