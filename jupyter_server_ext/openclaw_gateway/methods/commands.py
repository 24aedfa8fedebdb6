"""Slash commands: they travel as chat text and the gateway answers them itself (protocol section 5.1)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from openclaw_gateway.methods import mind_commands as mind
from openclaw_gateway.methods import model_commands, sending, skills, subagent_commands
from openclaw_gateway.methods.services import GatewayServices, Params, parts
from openclaw_gateway.protocol.dispatch import Call, Method
from openclaw_kernel.safety.api import Decision
from openclaw_kernel.safety.effective import exec_policy
from openclaw_kernel.safety.sandbox_policy import sandbox_layers
from openclaw_kernel.safety.tool_policy import model_layers, standings, subagent_layers
from openclaw_kernel.skills.activate import Activation
from openclaw_kernel.skills.skill import SkillProblem
from openclaw_kernel.values.errors import OpenClawError
from openclaw_kernel.values.session_key import parse


@dataclass(frozen=True, slots=True)
class CommandCall:
    """One use of a command: where and with what words behind it. `approver` names who speaks, where the wire or the channel has
    shown that he may answer approvals and pin; `owner` when he may change what holds for others too; `guest` when it is the
    word of somebody else, which starts nothing as the owner."""

    services: GatewayServices
    key: str
    argument: str
    approver: str = ""
    owner: bool = False
    guest: bool = False

    @property
    def agent_id(self) -> str:
        return parse(self.key).agent


@dataclass(frozen=True, slots=True)
class Command:
    """A command and its answer, Markdown for the screen."""

    name: str
    description: str
    category: Literal["session", "options", "status", "management"]
    run: Callable[[CommandCall], Awaitable[str]]
    accepts_args: bool = False
    aliases: tuple[str, ...] = ()
    admin: bool = False
    source: str = "native"
    scope: str = ""


async def _help(_call: CommandCall) -> str:
    return "\n".join(["Commands:", *(f"- `/{command.name}` {command.description}" for command in COMMANDS)])


async def _status(call: CommandCall) -> str:
    services = call.services
    entry = services.sessions.get(call.key)
    model = services.models.resolve(entry.model_override if entry else None, call.agent_id)
    lines = [
        f"OpenClaw gateway {services.version}",
        f"- session: `{call.key}`",
        f"- model: `{model.ref}`",
        f"- tokens: {entry.total_tokens if entry else 0} of {model.context_window}",
        *sending.status(services, call.key),
        f"- running: {len(services.runtime.active(call.key))} here, {len(services.runtime.active())} in all",
        f"- up for: {(services.clock() - services.started_at) // 1000} s",
    ]
    return "\n".join(lines)


async def _stop(call: CommandCall) -> str:
    stopped = call.services.runtime.abort(call.key, reason="stop")
    return f"Stopped {len(stopped)} run{'s' if len(stopped) != 1 else ''}." if stopped else "Nothing is running here."


async def _models(call: CommandCall) -> str:
    models = call.services.models
    return "\n".join(["Models:", *(f"- `{model.ref}` {model.name}".rstrip() for model in models.list(usable_only=True))])


_ANSWERS: Mapping[str, Decision] = {
    **dict.fromkeys(("allow-once", "once", "allow", "yes"), "allow-once"),
    **dict.fromkeys(("allow-always", "always"), "allow-always"),
    **dict.fromkeys(("deny", "no"), "deny"),
}


async def _approve(call: CommandCall) -> str:
    """`/approve ID ANSWER`; without an id the one question that is open in this session."""
    approvals, words = call.services.approvals, call.argument.split()
    if not call.approver:
        return "Nothing was answered: here it takes `/approve ID allow-once`, from the person who was asked."
    waiting = [row for row in approvals.pending() if row.session_key == call.key]
    answer = _ANSWERS.get(words[-1].lower()) if words else None
    if answer is None or len(words) > 2:
        lines = [f"- `{row.id}` {row.card.title}: `{row.card.command}`" for row in waiting]
        return "\n".join(["Write `/approve ID` and allow-once, allow-always or deny.", *(lines or ["Nothing waits here."])])
    if len(words) == 1 and len(waiting) != 1:
        return (
            "Nothing waits for an answer here."
            if not waiting
            else "Several questions wait here; name one: `/approve ID ANSWER`."
        )
    try:
        done = approvals.resolve(words[0] if len(words) == 2 else waiting[0].id, answer, call.approver)
    except OpenClawError as error:
        return f"Nothing was answered: {error}."
    await approvals.flush()
    return f"{'Denied' if answer == 'deny' else 'Allowed'}: `{done.card.command}`"


async def _tools(call: CommandCall) -> str:
    """What can be called in this session, and which key of the configuration took the rest away (SAF-22)."""
    services = call.services
    found = list(services.tool_standings(call.agent_id))
    entry = services.sessions.get(call.key)
    model = services.models.resolve(entry.model_override if entry else None, call.agent_id)
    here = [row.name for row in found if row.callable]
    of_model = model_layers(services.settings, call.agent_id, model.provider, model.ref)
    of_model += sandbox_layers(services.settings, call.agent_id, call.key)
    of_model += subagent_layers(services.settings, entry.spawn_depth if entry is not None else 0)
    by_model = standings(((row.name, row.groups) for row in found if row.callable), of_model)
    gone = {row.name: row.layer for row in found if not row.callable}
    gone |= {name: row.layer for name, row in by_model.items() if not row.callable}
    policy = exec_policy(services.settings, call.agent_id)
    lines = ["Tools that can be called here:", *(f"- `{name}`" for name in here if name not in gone)]
    if gone:
        lines += ["Taken away:", *(f"- `{name}` by `{layer}`" for name, layer in gone.items())]
    lines.append(f"Commands: mode {policy.mode}, decided by `{policy.layers['security']}` and `{policy.layers['ask']}`.")
    if entry is not None and services.sessions.transcript(call.agent_id, entry.session_id).latest("taint") is not None:
        lines.append("This session has read something from outside: whatever has an effect is asked about.")
    return "\n".join(lines)


async def _skill(call: CommandCall) -> str:
    """What there is. With a name behind it the message goes to the model (`called`)."""
    rows = await asyncio.to_thread(skills.skill_commands, call.services, call.agent_id, _taken(call.services))
    return "\n".join(["Skills:", *(f"- `/{name}` {one.skill.description}" for name, one in rows)])


COMMANDS = (
    Command("help", "Show available commands.", "status", _help, aliases=("commands",)),
    Command("status", "Show model, tokens and what is running.", "status", _status),
    Command("new", "Start a new session: /new [model].", "session", mind.new, accepts_args=True, admin=True),
    Command("reset", "Reset this session: /reset [soft].", "session", mind.reset, accepts_args=True, admin=True),
    Command("compact", "Shorten this session: /compact [focus|undo].", "session", mind.compact, accepts_args=True),
    Command("queue", "Show or set how messages wait for a run.", "options", mind.queue, accepts_args=True),
    Command("send", "May answers go out here: /send on|off|inherit.", "options", sending.send, accepts_args=True),
    Command("pin", "Pin a constraint that always holds.", "session", mind.pin, accepts_args=True, scope="operator.admin"),
    Command("unpin", "Take a pin away: /unpin NUMBER.", "session", mind.unpin, accepts_args=True, scope="operator.admin"),
    Command("pins", "List the pins.", "status", mind.pins),
    Command("context", "Show what fills the context: /context list|detail|json.", "status", mind.context, accepts_args=True),
    Command("stop", "Stop the current run.", "session", _stop),
    Command(
        "approve",
        "Answer what waits: /approve ID allow-once|allow-always|deny.",
        "management",
        _approve,
        accepts_args=True,
        scope="operator.approvals",
    ),
    Command("model", "Show or set the model.", "options", model_commands.model, accepts_args=True),
    Command(
        "think",
        "Show or set how hard the model thinks.",
        "options",
        model_commands.think,
        accepts_args=True,
        aliases=("thinking", "t"),
    ),
    Command("usage", "Show tokens and money of this session and today.", "status", model_commands.usage),
    Command("models", "List models.", "options", _models),
    Command(
        "subagents",
        "Show or end subagents: /subagents [list|kill|log|steer] [ID].",
        "session",
        subagent_commands.subagents,
        accepts_args=True,
    ),
    Command("tools", "Show what can be called here.", "status", _tools),
    Command("skill", "List the skills, or use one: /skill NAME what to do.", "options", _skill, accepts_args=True),
)
_NONE: Mapping[str, Command] = {}
_BY_NAME = {name: command for command in COMMANDS for name in (command.name, *command.aliases)}


def command_of(services: GatewayServices, message: str) -> tuple[Command, str] | None:
    """`find_command` with the commands of plugins, and with what the owner calls `/new` (`session.resetTriggers`)."""
    words = message.strip()
    named = any(words.lower() == trigger.strip().lower() for trigger in services.settings.session.reset_triggers)
    return find_command(words, services.plugin_commands) or (find_command("/new") if named and words else None)


def find_command(message: str, more: Mapping[str, Command] = _NONE) -> tuple[Command, str] | None:
    """The command a message is, with its argument; `None` for ordinary text: unknown commands, and `/skill` with a name."""
    if not message.startswith("/"):
        return None
    name, _, argument = message[1:].strip().partition(" ")
    bare = name.lower().rstrip(":")
    command = _BY_NAME.get(bare) or more.get(bare)
    if command is None or (command.run is _skill and argument.strip()):
        return None
    return command, argument.strip()


def _taken(services: GatewayServices) -> frozenset[str]:
    """Names that no skill may take."""
    return frozenset((*_BY_NAME, *services.plugin_commands))


async def called(services: GatewayServices, key: str, message: str) -> Activation | None:
    """The skill a message calls by its slash name; `None` for other text and for a skill that cannot be used."""
    try:
        return await skills.called_skill(services, key, message, _taken(services))
    except SkillProblem:
        return None  # the model then finds out by the tool, and says why


class CommandsListParams(Params):
    session_key: str | None = None
    agent_id: str | None = None
    provider: str | None = None
    scope: Literal["text", "native", "both"] | None = None
    include_args: bool | None = None


def command_rows(services: GatewayServices, agent_id: str) -> list[dict[str, Any]]:
    """`commands` of `commands.list` and `chat.metadata`: the gateway's own, then one for each skill. Blocking."""
    rows = [skills.command_row(name, one) for name, one in skills.skill_commands(services, agent_id, _taken(services))]
    return [
        {
            "name": command.name,
            "nativeName": command.name,
            "textAliases": [f"/{name}" for name in (command.name, *command.aliases)],
            "description": command.description,
            "category": command.category,
            "source": "native",
            "scope": "both",
            "acceptsArgs": command.accepts_args,
        }
        for command in COMMANDS
    ] + rows


async def commands_list(params: CommandsListParams, call: Call) -> dict[str, Any]:
    services = parts(call)
    agent_id = params.agent_id or (parse(services.key(params.session_key)).agent if params.session_key else None)
    return {"commands": await asyncio.to_thread(command_rows, services, agent_id or services.default_agent)}


METHODS = [Method("commands.list", CommandsListParams, commands_list, "operator.read")]
