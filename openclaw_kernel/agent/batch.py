"""One message's tool calls: checked in order, read-only ones together, the others alone, results in source order (AGT-04).

Every call gets exactly one result, also when it names no tool, has wrong arguments, is denied, is skipped or is aborted.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel, ValidationError

from openclaw_kernel.tools.api import Tool, ToolError, ToolResult, error_result
from openclaw_kernel.values.clock import Clock
from openclaw_kernel.values.events import AgentEvent, MessageStored, ToolEnded, ToolStarted, ToolState
from openclaw_kernel.values.messages import Message, ToolCall, ToolResultMessage, UserMessage
from openclaw_kernel.values.stream import AbortSignal

log = logging.getLogger(__name__)

TOOL_GRACE_S = 0.5
"""How long a tool may take to stop by itself after an abort before its task is cancelled."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """Whether a call may run, and the rule that decided. `sentence` goes to the model when it may not."""

    allowed: bool
    rule: str
    sentence: str = ""


RunTool = Callable[[ToolCall, Tool, BaseModel], Awaitable[ToolResult]]


class BatchConfig(Protocol):
    """The part of `LoopConfig` that concerns tools."""

    @property
    def find_tool(self) -> Callable[[str], Tool | None]: ...
    @property
    def decide(self) -> Callable[[ToolCall, Tool], Awaitable[Ruling]]: ...
    @property
    def run_tool(self) -> RunTool: ...
    @property
    def next_steering(self) -> Callable[[], Sequence[UserMessage]]: ...
    @property
    def emit(self) -> Callable[[AgentEvent], None]: ...
    @property
    def save(self) -> Callable[[Message], MessageStored]: ...
    @property
    def signal(self) -> AbortSignal: ...
    @property
    def clock(self) -> Clock: ...


@dataclass(frozen=True, slots=True)
class _Ended:
    state: ToolState
    result: ToolResult


async def run_batch(config: BatchConfig, calls: Sequence[ToolCall]) -> Sequence[UserMessage]:
    """Runs the calls; returns what a person said meanwhile, in which case the calls not yet started were skipped."""
    steering: Sequence[UserMessage] = ()
    for group in _groups(config, calls):
        if config.signal.aborted:
            _skip(config, group, "aborted", "Not run: the run was stopped.")
        elif steering:
            _skip(config, group, "skipped", "Not run: the user said something new first.")
        else:
            await _run_group(config, group)
            steering = () if config.signal.aborted else config.next_steering()
    return steering


def _groups(config: BatchConfig, calls: Sequence[ToolCall]) -> list[list[ToolCall]]:
    """Neighbouring read-only calls in one group, every other call in a group of its own."""
    groups: list[list[ToolCall]] = []
    open_group = False
    for call in calls:
        tool = config.find_tool(call.name)
        together = tool is not None and tool.read_only and not tool.exclusive
        if together and open_group:
            groups[-1].append(call)
        else:
            groups.append([call])
        open_group = together
    return groups


async def _run_group(config: BatchConfig, group: Sequence[ToolCall]) -> None:
    tasks: list[asyncio.Future[_Ended] | _Ended] = []
    try:
        for call in group:
            ready = await _check(config, call)
            tasks.append(ready if isinstance(ready, _Ended) else asyncio.ensure_future(_run_one(config, call, *ready)))
        for call, task in zip(group, tasks, strict=True):
            _report(config, call, task if isinstance(task, _Ended) else await task)
    finally:
        for task in tasks:
            if isinstance(task, asyncio.Future):
                task.cancel()


async def _check(config: BatchConfig, call: ToolCall) -> _Ended | tuple[Tool, BaseModel]:
    """Announces the call, then finds the tool, checks its arguments and asks whether it may run."""
    tool = config.find_tool(call.name)
    config.emit(ToolStarted(call, _title(tool, call)))
    if tool is None:
        return _Ended("failed", error_result(f"Tool {call.name} not found"))
    try:
        arguments = tool.parameters.model_validate(dict(call.arguments))
    except ValidationError as error:
        return _Ended("failed", error_result(argument_sentence(call.name, error)))
    ruling = await _unless_aborted(config, config.decide(call, tool))
    if ruling is None:
        return _Ended("aborted", error_result("Not run: the run was stopped."))
    if not ruling.allowed:
        return _Ended("blocked", error_result(ruling.sentence, state="blocked", rule=ruling.rule))
    return tool, arguments


async def _run_one(config: BatchConfig, call: ToolCall, tool: Tool, arguments: BaseModel) -> _Ended:
    try:
        result = await _unless_aborted(config, config.run_tool(call, tool, arguments))
    except ToolError as error:
        return _Ended("failed", error_result(str(error)))
    except Exception as error:
        log.exception("tool %s failed", call.name)
        return _Ended("failed", error_result(f"{call.name} failed: {type(error).__name__}: {error}"))
    if result is None:
        return _Ended("aborted", error_result(f"{call.name} was stopped before it finished."))
    return _Ended("failed" if result.is_error else "completed", result)


async def _unless_aborted(config: BatchConfig, work: Awaitable[Any]) -> Any:
    """The result of `work`, or `None` when the run was aborted and `work` did not end within its grace (SAF-28)."""
    task = asyncio.ensure_future(work)
    stop = asyncio.ensure_future(config.signal.wait())
    try:
        await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            await asyncio.wait({task}, timeout=TOOL_GRACE_S)
        if task.done():
            return task.result()
        task.cancel()
        await asyncio.wait({task}, timeout=TOOL_GRACE_S)
        if not task.done():
            log.warning("%r does not stop; the run goes on without it", task)
        return None
    finally:
        stop.cancel()
        if not task.done():
            task.cancel()


def _report(config: BatchConfig, call: ToolCall, ended: _Ended) -> None:
    """Stores the result, then announces the end of the call."""
    result = ended.result
    message = ToolResultMessage(call.id, call.name, result.content, config.clock(), result.is_error, dict(result.details))
    stored = config.save(message)
    config.emit(ToolEnded(call, ended.state, result.content, result.details))
    config.emit(stored)


def _skip(config: BatchConfig, group: Sequence[ToolCall], state: ToolState, sentence: str) -> None:
    for call in group:
        tool = config.find_tool(call.name)
        config.emit(ToolStarted(call, _title(tool, call)))
        _report(config, call, _Ended(state, error_result(sentence)))


def _title(tool: Tool | None, call: ToolCall) -> str:
    """The tool's own line, or its name when the arguments are too broken for it."""
    if tool is None:
        return call.name
    try:
        return tool.title_for(call.arguments)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        log.debug("no title for %s: %s", call.name, error)
        return call.name


def argument_sentence(name: str, error: ValidationError) -> str:
    """Every problem of the arguments in one sentence, for the model to mend."""
    problems: list[Mapping[str, Any]] = [dict(problem) for problem in error.errors(include_url=False, include_input=False)]
    listed = "; ".join(f"{'.'.join(map(str, problem['loc'])) or 'arguments'}: {problem['msg']}" for problem in problems)
    return f"Invalid arguments for {name}: {listed}."
