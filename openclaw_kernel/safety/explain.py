"""What would become of a command, and why: the same decision as in a turn, with everything it looked at (SAF-22)."""

from __future__ import annotations

import shutil
from typing import Any

from openclaw_kernel.safety import scripts
from openclaw_kernel.safety.allowlist import Which
from openclaw_kernel.safety.api import Allow, Ask, Deny, Sandbox, ToolFacts, Verdict
from openclaw_kernel.safety.command import Part, find
from openclaw_kernel.safety.decide import decide
from openclaw_kernel.safety.effective import ExecPolicy
from openclaw_kernel.safety.scripts import Digest
from openclaw_kernel.safety.shell import inspect
from openclaw_kernel.values.messages import ToolCall

_EXEC = ToolFacts("exec", "host")


def explain(
    command: str,
    policy: ExecPolicy,
    allowlist: tuple[str, ...],
    cwd: str,
    *,
    tainted: bool = False,
    which: Which = shutil.which,
    digest: Digest = scripts.digest,
) -> dict[str, Any]:
    """A JSON value: verdict, rule, reason, answers a card would offer, segments, constructs and the policy. Blocking."""
    state = policy.state(allowlist, cwd, tainted=tainted)
    verdict = decide(ToolCall("explain", "exec", {"command": command}), _EXEC, state, which=which, digest=digest)
    found = find(command, state, which, digest)
    structure = inspect(command)
    return {
        "command": command,
        "cwd": cwd,
        **_outcome(verdict),
        "constructs": list(structure.constructs),
        "unreadable": structure.error or None,
        "segments": [_segment(part) for part in found.parts],
        "script": {"path": found.script, "sha256": found.sha256} if found.script else None,
        "policy": {
            "mode": policy.mode,
            "security": policy.security,
            "ask": policy.ask,
            "structure": policy.structure,
            "strictInlineEval": policy.strict_inline,
            "safeBins": list(policy.safe_bins),
            "allowlist": list(allowlist),
            "tainted": tainted,
            "decidedBy": dict(policy.layers),
        },
    }


def _outcome(verdict: Verdict) -> dict[str, Any]:
    match verdict:
        case Allow(rule=rule):
            return {"verdict": "allow", "rule": rule, "reason": "", "answers": []}
        case Ask(rule=rule, card=card):
            outcome = {"verdict": "ask", "rule": rule, "reason": card.reason, "risk": card.risk, "answers": list(card.scopes)}
            return outcome | ({"remembers": card.facts["pattern"]} if "pattern" in card.facts else {})
        case Deny(rule=rule, sentence=sentence):
            return {"verdict": "deny", "rule": rule, "reason": sentence, "answers": []}
        case Sandbox(rule=rule, profile=profile):
            return {"verdict": "sandbox", "rule": rule, "reason": profile, "answers": []}


def _segment(part: Part) -> dict[str, Any]:
    return {
        "argv": list(part.argv),
        "literal": part.literal,
        "through": list(part.through),
        "runs": list(part.inner),
        "coveredBy": part.granted or None,
        "reason": part.reason,
    }
