"""The one place where it is decided whether a tool may run (SAF-01).

A pure function of the call, what the tool declares and the policy of the turn. The rule that decided is always in the verdict.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import assert_never

from openclaw_kernel.safety import allowlist, programs
from openclaw_kernel.safety.allowlist import Which
from openclaw_kernel.safety.api import Allow, Ask, Card, Decision, Deny, PolicyState, Risk, ToolFacts, Verdict
from openclaw_kernel.safety.shell import inspect
from openclaw_kernel.values.messages import ToolCall

_ONCE: tuple[Decision, ...] = ("allow-once", "deny")
_ALWAYS: tuple[Decision, ...] = ("allow-once", "allow-always", "deny")
_TAINT = "untrusted content reached this turn, so the step needs a person's word"
_GUEST = "somebody else than the owner asks for this, so the step needs the owner's word"


@dataclass(frozen=True, slots=True)
class _Finding:
    """What is known of one host action. `granted` names the allowlist rule that covers it; `refused` says why it never runs
    under an allowlist; `pattern` is what allow-always would store, empty when nothing durable may be."""

    rule: str
    reason: str
    granted: str = ""
    refused: str = ""
    risk: Risk = "medium"
    pattern: str = ""
    constructs: tuple[str, ...] = ()


def decide(call: ToolCall, facts: ToolFacts, state: PolicyState, *, which: Which = shutil.which) -> Verdict:
    """Allow, ask or deny `call`. `which` finds a program on the path its process will have."""
    match facts.effect:
        case "none":
            return Allow("effect=none")
        case "workspace":
            doubt = _doubt(state)
            if facts.read_only or doubt is None:
                return Allow("effect=workspace")
            rule, reason = doubt
            return _ask(call, facts, state, _Finding(rule, _capital(reason), risk="high"))
        case "host":
            return _decide_host(call, facts, state, which)
        case "outbound" | "config":
            where = "sends something out" if facts.effect == "outbound" else "changes the configuration"
            rule, why = _doubt(state) or (f"effect={facts.effect}", "")
            reason = f"{facts.name} {where}" + (f"; {why}" if why else "")
            return _ask(call, facts, state, _Finding(rule, _capital(reason), risk="high"))
        case _:
            assert_never(facts.effect)


def _doubt(state: PolicyState) -> tuple[str, str] | None:
    """Rule and reason why this turn needs a person's word for whatever has an effect; `None` for an ordinary one."""
    if state.tainted:
        return "taint", _TAINT
    return ("guest", _GUEST) if state.guest else None


def _decide_host(call: ToolCall, facts: ToolFacts, state: PolicyState, which: Which) -> Verdict:
    if state.security == "deny":
        return Deny("security=deny", f"{facts.name} is switched off: tools.exec.security is deny.")
    doubt = _doubt(state)
    if state.security == "full" and state.ask != "always" and doubt is None:
        return Allow("security=full")
    finding = _find(call, facts, state, which)
    if state.security == "allowlist" and finding.refused:
        return Deny(finding.rule, f"The command was not run: {finding.refused}.")
    if doubt is not None:
        rule, reason = doubt
        finding = _Finding(rule, _capital(f"{reason}; {finding.reason}"), risk="high", constructs=finding.constructs)
    elif state.ask == "always":
        finding = _Finding("ask=always", "Every command is asked about: tools.exec.ask is always", risk=finding.risk,
                           pattern=finding.pattern, constructs=finding.constructs)  # fmt: skip
    elif finding.granted:
        return Allow(finding.granted)
    if state.ask == "off":
        return Deny(finding.rule, f"{facts.name} was not run: {_small(finding.reason)}, and asking is off.")
    return _ask(call, facts, state, finding)


def _find(call: ToolCall, facts: ToolFacts, state: PolicyState, which: Which) -> _Finding:
    command = call.arguments.get("command")
    if facts.name != "exec" or not isinstance(command, str):
        code = _shown(call)
        risk: Risk = "high" if programs.danger(inspect("true"), code) else "medium"
        return _Finding("inline-code", f"{facts.name} runs code on this machine, which is always asked about", risk=risk)
    structure = inspect(command)
    if structure.error:
        return _Finding("structure:unreadable", _capital(structure.error), refused=structure.error, risk="high")
    danger = programs.danger(structure, command)
    simple = structure.simple
    if simple is None:
        named = ", ".join(structure.constructs) or "more than a plain command"
        reason = f"the command uses {named}, which no allowlist entry covers" + (f"; it {danger}" if danger else "")
        first = structure.constructs[0] if structure.constructs else "unreadable"
        return _Finding(
            f"structure:{first}", _capital(reason), risk="high" if danger else "medium", constructs=structure.constructs
        )
    return _find_simple(simple.argv, danger, state, which)


def _find_simple(argv: tuple[str, ...], danger: str, state: PolicyState, which: Which) -> _Finding:
    """A single literal command: covered by an entry, or not. An interpreter is covered only by its exact words, for files."""
    if danger:
        return _Finding("high-risk", danger, risk="high")
    if reason := programs.runs_other_code(argv):
        entries = tuple(entry for entry in state.allowlist if _names_words(entry) and not _inline(argv))
        if entry := allowlist.match(argv, entries, which, state.workspace):
            return _Finding(f"allowlist:{entry}", reason, granted=f"allowlist:{entry}")
        return _Finding("inline-code", f"{reason}, so no program name on the allowlist covers it")
    if entry := allowlist.match(argv, state.allowlist, which, state.workspace):
        return _Finding(f"allowlist:{entry}", "On the allowlist", granted=f"allowlist:{entry}", pattern=allowlist.exact(argv))
    resolved = which(argv[0]) or ""
    if programs.is_safe_bin(argv, state.safe_bins, resolved):
        return _Finding(f"safe-bin:{argv[0]}", "A safe program", granted=f"safe-bin:{argv[0]}")
    lives_here = not allowlist.match(argv, (allowlist.exact(argv),), which, state.workspace)
    return _Finding(
        "allowlist-miss",
        f"{argv[0]} is not on the allowlist",
        risk="low" if programs.only_reads(argv) else "medium",
        pattern="" if lives_here else allowlist.exact(argv),
    )


def _names_words(entry: str) -> bool:
    """Whether an entry speaks of words, not only of a program."""
    return entry.startswith("=") or len(entry.split()) > 1


def _inline(argv: tuple[str, ...]) -> bool:
    """Whether code stands in the command itself (`python -c`, `bash -c`, `node -e`): always asked about (SAF-09)."""
    return any(word.startswith("-") and not word.startswith("--") and set(word) & set("ceEpr") for word in argv[1:])


def _ask(call: ToolCall, facts: ToolFacts, state: PolicyState, finding: _Finding) -> Ask:
    durable = bool(finding.pattern) and finding.risk != "high"
    details: dict[str, object] = {"tool": facts.name, "effect": facts.effect, "rule": finding.rule}
    if finding.constructs:
        details["constructs"] = list(finding.constructs)
    if durable:
        details["pattern"] = finding.pattern
    card = Card(
        title=_TITLES.get(facts.name, f"Use {facts.name}"),
        command=_shown(call),
        cwd=state.workspace,
        reason=finding.reason,
        risk=finding.risk,
        scopes=_ALWAYS if durable else _ONCE,
        facts=details,
    )
    return Ask(finding.rule, card)


_TITLES = {"exec": "Run a command", "python": "Run Python"}


def _shown(call: ToolCall) -> str:
    """The action whole, as the person must judge it."""
    for key in ("command", "code"):
        if isinstance(value := call.arguments.get(key), str):
            return value
    return json.dumps(dict(call.arguments), ensure_ascii=False, indent=2, default=str)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]
