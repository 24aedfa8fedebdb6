"""May the assistant speak there? What the config and a session say of sending, as one pure question (SES-09).

What is not sent is still said: it stays in the transcript of its session.
"""

from __future__ import annotations

from openclaw_kernel.config.schema.session import SendMatch, SendPolicy
from openclaw_kernel.values.session_key import parse

OVERRIDES = ("allow", "deny")
"""What a session may say for itself; anything else leaves it to the config."""


def refusal(policy: SendPolicy, override: str | None, key: str, channel: str, chat_type: str) -> str:
    """The rule by which nothing is sent, or nothing when it may be. `override` is the session's own word and wins; else the
    first rule that matches and denies, else any that matches and allows, else the default."""
    if override in OVERRIDES:
        return f"/send off in session {key}" if override == "deny" else ""
    allowed = ""
    for number, rule in enumerate(policy.rules):
        if _matches(rule.match, key, channel, chat_type):
            if rule.action == "deny":
                return f"session.sendPolicy.rules[{number}]"
            allowed = allowed or "yes"
    return "" if allowed or policy.default == "allow" else "session.sendPolicy.default"


def _matches(match: SendMatch, key: str, channel: str, chat_type: str) -> bool:
    wanted = "direct" if match.chat_type == "dm" else match.chat_type
    if match.channel is not None and match.channel.strip().lower() != channel.lower():
        return False
    if wanted is not None and wanted != chat_type:
        return False
    if match.raw_key_prefix is not None and not key.lower().startswith(match.raw_key_prefix.strip().lower()):
        return False
    if match.key_prefix is None:
        return True
    prefix = match.key_prefix.strip().lower()
    return key.lower().startswith(prefix) or _in_agent(key).lower().startswith(prefix)


def _in_agent(key: str) -> str:
    """The key without `agent:<id>:`."""
    return key.removeprefix(f"agent:{parse(key).agent}:")
