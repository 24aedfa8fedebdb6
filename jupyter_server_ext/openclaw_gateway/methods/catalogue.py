"""All methods of the gateway, by family. A family is a module of this package and is loaded with the first call to one of its
methods: the parameter models of all of them would be a tenth of the start.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from openclaw_gateway.protocol.dispatch import Method


@dataclass(frozen=True, slots=True)
class Module:
    """A family (`protocol.dispatch.Family`): the module `name`, and what its `METHODS` are called."""

    name: str
    names: tuple[str, ...]

    def load(self) -> Sequence[Method[Any]]:
        module = importlib.import_module(f"openclaw_gateway.methods.{self.name}")
        methods: Sequence[Method[Any]] = module.METHODS
        return methods


_NAMES = {
    "health": "health status system-presence system.info",
    "chat": "chat.send chat.abort chat.inject chat.history chat.startup chat.metadata",
    "channels": (
        "channels.list channels.status channels.start channels.stop channels.logout channels.deadLetters.list "
        "channels.deadLetters.resubmit channels.deadLetters.abandon send message.action"
    ),
    "channel_pairing": "channels.pairing.list channels.pairing.approve channels.pairing.reject channels.pairing.dismiss",
    "agent": "agent agent.wait agent.identity.get agents.list",
    "models": "models.list",
    "model_auth": "models.authStatus models.authSetApiKey models.authLogout models.authOrderSet",
    "commands": "commands.list",
    "compact": "sessions.compact",
    "sessions": (
        "sessions.list sessions.subscribe sessions.unsubscribe sessions.messages.subscribe "
        "sessions.messages.unsubscribe sessions.describe sessions.resolve sessions.preview sessions.get sessions.create "
        "sessions.patch sessions.reset sessions.delete sessions.send sessions.abort"
    ),
    "config": "config.get config.set config.apply config.patch config.schema config.schema.lookup",
    "logs": "logs.tail",
    "sql": "sql.query",
    "dreaming": (
        "memory.dream.list memory.dream.run memory.dream.apply memory.dream.reject memory.dream.revert doctor.memory.dreamDiary"
    ),
    "memory": (
        "memory.status doctor.memory.status memory.search memory.get memory.log memory.index memory.export memory.forget "
        "memory.undo memory.promote memory.import"
    ),
    "approvals": (
        "exec.approval.request exec.approval.waitDecision exec.approval.list exec.approval.get exec.approval.resolve "
        "exec.approvals.get exec.approvals.set plugin.approval.list"
    ),
    "devices": (
        "device.pair.list device.pair.approve device.pair.reject device.pair.remove device.pair.rename "
        "device.token.rotate device.token.revoke"
    ),
    "nodes": (
        "node.list node.describe node.invoke node.rename node.pair.list node.pair.approve node.pair.reject "
        "node.pair.remove node.event node.invoke.result node.invoke.progress"
    ),
    "canvas": "canvas.action",
    "skills": "skills.status skills.bins",
    "cron": "cron.list cron.status cron.get cron.add cron.update cron.remove cron.run cron.runs",
    "heartbeat": "wake last-heartbeat set-heartbeats",
    "plugins": "plugins.list plugins.info plugins.doctor plugins.enable plugins.disable",
    "usage": "usage.status usage.cost sessions.usage",
    "mcp": "mcp.status mcp.probe",
    "questions": "question.request question.waitAnswer question.resolve question.get question.list",
    "absent": "taskSuggestions.list",
}
"""Module → the names of its methods, in the order in which `hello-ok` lists them."""

FAMILIES = tuple(Module(name, tuple(names.split())) for name, names in _NAMES.items())


def all_methods() -> list[Method[Any]]:
    """Every method, family by family; loads them all."""
    return [method for family in FAMILIES for method in family.load()]
