"""`/new`, `/reset`, `/compact`, `/queue`, `/pin`, `/pins`, `/unpin` and `/context`: what a session keeps in mind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from openclaw_kernel.agent.measure import CHARS_PER_TOKEN
from openclaw_kernel.agent.queue import parse_options, rules_of
from openclaw_kernel.agent.upkeep import ContextReport
from openclaw_kernel.values.errors import UserError

if TYPE_CHECKING:
    from openclaw_gateway.methods.commands import CommandCall

NOT_OWNER = "Only the owner pins and unpins."


async def new(call: CommandCall) -> str:
    """A new session; a name behind it is the model to start with."""
    services = call.services
    ref = None
    if call.argument:
        try:
            ref = services.models.resolve(call.argument, call.agent_id).ref
        except UserError as error:
            return str(error)
    services.runtime.abort(call.key, reason="reset")
    services.runtime.upkeep.renew(call.key, "new")
    if ref:
        services.sessions.update(call.key, model_override=ref)
    services.projection.changed(call.key, reason="reset")
    return f"New session started{f' with `{ref}`' if ref else ''}. What came before stays on disk."


async def reset(call: CommandCall) -> str:
    """`soft` keeps the conversation and reads the prompt's files again."""
    if call.argument.lower() == "soft":
        call.services.runtime.upkeep.reread()
        return "The conversation stays; the workspace files are read again for the next message."
    services = call.services
    services.runtime.abort(call.key, reason="reset")
    services.runtime.upkeep.renew(call.key, "reset")
    services.projection.changed(call.key, reason="reset")
    return "This session was reset. What came before stays on disk."


async def compact(call: CommandCall) -> str:
    upkeep = call.services.runtime.upkeep
    text = upkeep.undo(call.key) if call.argument.lower() == "undo" else (await upkeep.compact(call.key, call.argument)).text
    call.services.projection.changed(call.key, reason="compact")
    return text


async def queue(call: CommandCall) -> str:
    """Shows or sets what happens to messages while a run is under way."""
    services = call.services
    services.sessions.open(call.key)
    if call.argument:
        try:
            services.sessions.update(call.key, **parse_options(call.argument.split()))
        except ValueError as error:
            return str(error)
        services.projection.changed(call.key, reason="patch")
    rules = rules_of(services.settings, services.sessions.get(call.key))
    return f"Queue: {rules.mode}, debounce {rules.debounce_ms} ms, cap {rules.cap}, drop {rules.drop}."


async def pin(call: CommandCall) -> str:
    if not call.argument:
        return await pins(call)
    if not call.approver:
        return NOT_OWNER
    try:
        done = call.services.runtime.upkeep.pins.add(call.agent_id, call.argument)
    except ValueError as error:
        return str(error)
    return f"Pinned: {done.text}"


async def unpin(call: CommandCall) -> str:
    if not call.approver:
        return NOT_OWNER
    try:
        gone = call.services.runtime.upkeep.pins.remove(call.agent_id, int(call.argument or "0"))
    except ValueError as error:
        return str(error) if call.argument.isdigit() else "Say which: /unpin NUMBER; /pins lists them."
    return f"No longer pinned: {gone.text}"


async def pins(call: CommandCall) -> str:
    found = call.services.runtime.upkeep.pins.of(call.agent_id)
    if not found:
        return "Nothing is pinned. Pin a constraint that must always hold with `/pin TEXT`."
    return "\n".join(["Pinned:", *(f"{number}. {one.text}" for number, one in enumerate(found, 1))])


async def context(call: CommandCall) -> str:
    """`list` (default), `detail` or `json`."""
    wanted = call.argument.lower() or "list"
    if wanted not in ("list", "detail", "json"):
        return "Say /context list, /context detail or /context json."
    try:
        report = await call.services.runtime.upkeep.context(call.key)
    except UserError as error:
        return str(error)
    if wanted == "json":
        return f"```json\n{orjson.dumps(_wire(report), option=orjson.OPT_INDENT_2).decode()}\n```"
    return "\n".join(_lines(report, detail=wanted == "detail"))


def _lines(report: ContextReport, *, detail: bool) -> list[str]:
    tools = sum(size for _, size in report.tools)
    lines = [
        f"Context for `{report.model}`: about {report.prompt_tokens + report.history:,} of {report.window:,} tokens; "
        f"shortened above {report.room:,}.",
        "",
        "| part | tokens | characters | in the file |",
        "|---|---:|---:|---:|",
        *(f"| {one.name} | {one.tokens:,} | {one.injected_chars:,} | {one.raw_chars:,} |" for one in report.sections),
        f"| {len(report.tools)} tools | {tools // CHARS_PER_TOKEN:,} | {tools:,} | |",
    ]
    if detail:
        largest = sorted(report.tools, key=lambda row: row[1], reverse=True)
        lines += [f"| · {name} | {size // CHARS_PER_TOKEN:,} | {size:,} | |" for name, size in largest]
    summarised = f", {report.summarised} of them summarised" if report.summarised else ""
    return [*lines, f"| history: {report.messages} messages{summarised} | {report.history:,} | | |"]


def _wire(report: ContextReport) -> dict[str, object]:
    return {
        "model": report.model,
        "contextWindow": report.window,
        "compactAbove": report.room,
        "promptTokens": report.prompt_tokens,
        "historyTokens": report.history,
        "messages": report.messages,
        "summarised": report.summarised,
        "sections": [
            {"name": one.name, "rawChars": one.raw_chars, "injectedChars": one.injected_chars, "tokens": one.tokens}
            for one in report.sections
        ],
        "tools": [{"name": name, "chars": size, "tokens": size // CHARS_PER_TOKEN} for name, size in report.tools],
    }
