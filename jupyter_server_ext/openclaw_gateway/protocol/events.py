"""What this gateway can send and do, as announced in `features` of `hello-ok` (protocol section 3.2)."""

from __future__ import annotations

EVENTS = (
    "connect.challenge",
    "agent",
    "chat",
    "session.message",
    "session.tool",
    "session.approval",
    "sessions.changed",
    "presence",
    "tick",
    "shutdown",
    "health",
    "heartbeat",
    "cron",
    "node.pair.requested",
    "node.pair.resolved",
    "node.invoke.request",
    "node.invoke.cancel",
    "device.pair.requested",
    "device.pair.resolved",
    "channel.pairing.requested",
    "channel.pairing.resolved",
    "skills.changed",
    "plugins.changed",
    "budget.reached",
    "memory.progress",
    "exec.approval.requested",
    "exec.approval.resolved",
    "plugin.approval.requested",
    "plugin.approval.resolved",
    "question.requested",
    "question.resolved",
)

CAPABILITIES = ("model-catalog-snapshot", "published-model-catalog")
"""`models list` of the official CLI refuses without `published-model-catalog` (protocol section 8)."""
