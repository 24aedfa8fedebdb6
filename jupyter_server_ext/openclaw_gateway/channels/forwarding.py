"""Where a question about a command is shown besides the chat it came from: `approvals.exec` (SAF-12)."""

from __future__ import annotations

from fnmatch import fnmatchcase

from openclaw_kernel.config.schema.approvals import ApprovalForwarding, ApprovalTarget
from openclaw_kernel.safety.approvals import Approval


def targets_of(settings: ApprovalForwarding, approval: Approval) -> tuple[ApprovalTarget, ...]:
    """The chats of `targets`, when forwarding is on and meant for this agent and session."""
    return tuple(settings.targets) if settings.mode != "session" and _is_meant(settings, approval) else ()


def asks_in_session(settings: ApprovalForwarding, approval: Approval) -> bool:
    """Whether the chat a run came from is asked: always, but where the owner wants the targets alone."""
    return not (settings.mode == "targets" and settings.targets and _is_meant(settings, approval))


def _is_meant(settings: ApprovalForwarding, approval: Approval) -> bool:
    """`agent_filter` holds agent ids, `session_filter` parts of session keys or patterns with `*`; an empty one fits all."""
    agents, key = settings.agent_filter, approval.session_key.lower()
    sessions = [part.lower() for part in settings.session_filter]
    return (
        settings.enabled
        and (not agents or approval.agent_id in agents)
        and (not sessions or any(part in key or fnmatchcase(key, part) for part in sessions))
    )
