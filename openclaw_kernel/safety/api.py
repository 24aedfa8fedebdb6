"""May it? The words of a decision and of an approval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Decision = Literal["allow-once", "allow-always", "deny"]
Risk = Literal["low", "medium", "high"]


@dataclass(frozen=True, slots=True)
class Card:
    """What a person is asked. `command` is shown whole, never shortened; `reason` says which rule raised the question."""

    title: str
    command: str
    cwd: str
    reason: str
    risk: Risk = "medium"
    scopes: tuple[Decision, ...] = ("allow-once", "allow-always", "deny")
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Allow:
    rule: str


@dataclass(frozen=True, slots=True)
class Ask:
    rule: str
    card: Card


@dataclass(frozen=True, slots=True)
class Sandbox:
    rule: str
    profile: str


@dataclass(frozen=True, slots=True)
class Deny:
    rule: str
    sentence: str


Verdict = Allow | Ask | Sandbox | Deny


@dataclass(frozen=True, slots=True)
class ToolFacts:
    """What policy may know of a tool: exactly what the tool declares (VAL-05), nothing else."""

    name: str
    effect: Literal["none", "workspace", "host", "outbound", "config"] = "none"
    read_only: bool = False
    untrusted_output: bool = False
    grant: str = ""


Security = Literal["deny", "allowlist", "full"]
AskMode = Literal["off", "auto", "on-miss", "always"]
Structured = Literal["whole", "segments"]


@dataclass(frozen=True, slots=True)
class PolicyState:
    """The effective policy of one turn (SAF-04, SAF-05).

    `allowlist` holds entries in the forms of `safety.allowlist`; `safe_bins` are program names that may read standard input
    only (SAF-08); with `structure` segments each part of a pipe or list is judged for itself (SAF-06); `tainted` is true once
    untrusted content reached the turn (SAF-23); `guest` is true when somebody else than the owner asked for it, whom nothing
    durable covers that the owner has allowed himself (SES-04). With `strict_inline` code that stands in a command is asked
    about every time (SAF-09).
    """

    security: Security = "allowlist"
    ask: AskMode = "on-miss"
    allowlist: tuple[str, ...] = ()
    safe_bins: tuple[str, ...] = ()
    workspace: str = ""
    tainted: bool = False
    guest: bool = False
    structure: Structured = "whole"
    strict_inline: bool = True
