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
