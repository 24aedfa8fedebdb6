"""The one place where it is decided whether a tool may run (SAF-01).

A pure function of the call, what the tool declares and the policy of the turn. The rule that decided is always in the verdict.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from typing import assert_never

from openclaw_kernel.safety import programs, scripts
from openclaw_kernel.safety.allowlist import Which
from openclaw_kernel.safety.api import Allow, Ask, Card, Decision, Deny, PolicyState, Risk, ToolFacts, Verdict
from openclaw_kernel.safety.command import Finding, find
from openclaw_kernel.safety.scripts import Digest
from openclaw_kernel.safety.wrappers import peel
from openclaw_kernel.values.messages import ToolCall

_ONCE: tuple[Decision, ...] = ("allow-once", "deny")
_ALWAYS: tuple[Decision, ...] = ("allow-once", "allow-always", "deny")
_TAINT = "untrusted content reached this turn, so the step needs a person's word"
_BOTH = "somebody else than the owner asks for this and untrusted content reached this turn, so it needs the owner's word"
_GUEST = "somebody else than the owner asks for this, so the step needs the owner's word"


def decide(
    call: ToolCall,
    facts: ToolFacts,
    state: PolicyState,
    *,
    which: Which = shutil.which,
    digest: Digest = scripts.digest,
) -> Verdict:
    """Allow, ask or deny `call`. `which` finds a program on the path its process will have, `digest` what a script holds."""
    match facts.effect:
        case "none":
            return Allow("effect=none")
        case "workspace":
            doubt = _doubt(state) or _guarded(call)
            if facts.read_only or doubt is None:
                return Allow("effect=workspace")
            rule, reason = doubt
            return _ask(call, facts, state, Finding(rule, _capital(reason), risk="high"))
        case "host":
            return _decide_host(call, facts, state, which, digest)
        case "outbound" | "config":
            if facts.effect == "outbound" and facts.read_only and _doubt(state) is None:
                return Allow("effect=outbound, reads only")
            granted = facts.grant if facts.effect == "outbound" and _doubt(state) is None else ""
            if granted and granted in state.allowlist and state.ask != "always":
                return Allow("granted")
            where = "sends something out" if facts.effect == "outbound" else "changes the configuration"
            rule, why = _doubt(state) or (f"effect={facts.effect}", "")
            why = why or ("“always” would hold for this tool, whatever it is given" if granted else "")
            reason = f"{facts.name} {where}" + (f"; {why}" if why else "")
            risk: Risk = "medium" if granted else "high"
            return _ask(call, facts, state, Finding(rule, _capital(reason), risk=risk, pattern=granted))
        case _:
            assert_never(facts.effect)


def _doubt(state: PolicyState) -> tuple[str, str] | None:
    """Rule and reason why this turn needs a person's word for whatever has an effect; `None` for an ordinary one."""
    if state.tainted:
        return "taint", _BOTH if state.guest else _TAINT
    return ("guest", _GUEST) if state.guest else None


_GUARDED = re.compile(
    r"(?:^|[/ ])(?:\.(?:git|hg|svn|vscode|idea|ipython|venv|ssh)/"
    r"|\.(?:envrc|bashrc|bash_profile|profile|zshrc|gitconfig|gitmodules)$)",
    re.IGNORECASE | re.MULTILINE,
)
_PATCH_LINE = re.compile(r"^(?:\*\*\*|\+\+\+|---|rename to|copy to) .*$", re.MULTILINE)
"""Files that other programs run or obey without being asked: a hook of git is a command in disguise."""


def _guarded(call: ToolCall) -> tuple[str, str] | None:
    """Rule and reason when a file is to be changed that makes some other program run code (SAF-27)."""
    path, patch = call.arguments.get("path"), call.arguments.get("patch")
    named = [path] if isinstance(path, str) else []
    named += _PATCH_LINE.findall(patch) if isinstance(patch, str) else []
    if not any(_GUARDED.search(name.rstrip()) for name in named):
        return None
    return "guarded-file", "this file tells other programs what to run"


def _decide_host(call: ToolCall, facts: ToolFacts, state: PolicyState, which: Which, digest: Digest) -> Verdict:
    if state.security == "deny":
        return Deny("security=deny", f"{facts.name} is switched off: tools.exec.security is deny.")
    doubt = _doubt(state)
    if state.security == "full" and state.ask != "always" and doubt is None:
        return Allow("security=full")
    finding = _find(call, facts, state, which, digest)
    if state.security == "allowlist" and finding.refused:
        return Deny(finding.rule, f"The command was not run: {finding.refused}.")
    if doubt is not None:
        rule, reason = doubt
        finding = replace(
            finding, rule=rule, reason=_capital(f"{reason}; {finding.reason}"), risk="high", granted="", pattern=""
        )
    elif state.ask == "always":
        finding = replace(finding, rule="ask=always", reason="Every command is asked about: tools.exec.ask is always")
    elif finding.granted:
        return Allow(finding.granted)
    if state.ask == "off":
        return Deny(finding.rule, f"{facts.name} was not run: {_small(finding.reason)}, and asking is off.")
    return _ask(call, facts, state, finding)


def _find(call: ToolCall, facts: ToolFacts, state: PolicyState, which: Which, digest: Digest) -> Finding:
    command = call.arguments.get("command")
    if facts.name == "exec" and isinstance(command, str):
        found = find(command, state, which, digest)
        return replace(found, reason=_capital(found.reason)) if found.rule.startswith("structure:") else found
    risk: Risk = "high" if programs.danger((), _shown(call)) else "medium"
    return Finding("inline-code", f"{facts.name} runs code on this machine, which is always asked about", risk=risk)


def _ask(call: ToolCall, facts: ToolFacts, state: PolicyState, finding: Finding) -> Ask:
    durable = bool(finding.pattern) and finding.risk != "high"
    details: dict[str, object] = {"tool": facts.name, "effect": facts.effect, "rule": finding.rule}
    if finding.constructs:
        details["constructs"] = list(finding.constructs)
    if durable:
        details["pattern"] = finding.pattern
    if facts.name == "exec" and _reviewable(state, finding):
        details |= {"review": True, "segments": [list(part.argv) for part in finding.parts]}
    if finding.script:
        details |= {"script": finding.script, "sha256": finding.sha256}
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


def _reviewable(state: PolicyState, finding: Finding) -> bool:
    """Whether a model may look at a command before a person does (SAF-04). What is dangerous, hidden or code of its own is
    always a person's to judge, and so is everything in a turn with other people's words."""
    if state.ask != "auto" or _doubt(state) or finding.risk == "high" or finding.refused or finding.rule == "wrapper":
        return False
    return bool(finding.parts) and not any(programs.holds_code(part.inner) or _opaque(part.argv) for part in finding.parts)


def _opaque(argv: tuple[str, ...]) -> bool:
    return bool(peel(argv).opaque)


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
