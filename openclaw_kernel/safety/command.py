"""What is known of one shell command under a policy: which parts it has, and what covers each (SAF-05 to SAF-09, SAF-11)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from openclaw_kernel.safety import allowlist, programs, scripts
from openclaw_kernel.safety.allowlist import Which
from openclaw_kernel.safety.api import PolicyState, Risk
from openclaw_kernel.safety.scripts import Digest
from openclaw_kernel.safety.shell import Segment, Structure, inspect
from openclaw_kernel.safety.wrappers import Peeled, peel


@dataclass(frozen=True, slots=True)
class Part:
    """One segment as it was judged. `inner` are its words without wrappers; `granted` is the rule that covers it, or empty."""

    argv: tuple[str, ...]
    inner: tuple[str, ...]
    through: tuple[str, ...] = ()
    literal: bool = True
    granted: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known of one host action. `granted` names the rule that covers it; `refused` says why it never runs under an
    allowlist; `pattern` is what allow-always would store, empty when nothing durable may be. `script` is the file it runs and
    `sha256` its content now."""

    rule: str
    reason: str
    granted: str = ""
    refused: str = ""
    risk: Risk = "medium"
    pattern: str = ""
    constructs: tuple[str, ...] = ()
    script: str = ""
    sha256: str = ""
    parts: tuple[Part, ...] = field(default=(), compare=False)


_MANY = "structure:segments"
_STATEFUL = frozenset(("cd", "pushd", "popd", "umask", "ulimit", "hash"))
"""Built-ins that change the shell, and so what the commands behind them do."""


def find(command: str, state: PolicyState, which: Which, digest: Digest) -> Finding:
    """Judges `command` as a whole, or segment by segment where the policy says so. Runs nothing, never raises."""
    structure = inspect(command)
    peeled = tuple(peel(segment.argv) for segment in structure.segments)
    if structure.error:
        return Finding(
            "structure:unreadable", structure.error, refused=structure.error, risk="high", parts=_parts(structure, peeled)
        )
    words = [*(segment.argv for segment in structure.segments), *(one.argv for one in peeled)]
    danger = programs.danger(words, command)
    if structure.simple is not None:
        found = _find_one(structure.simple.argv, peeled[0], danger, state, which, digest)
        part = Part(structure.simple.argv, peeled[0].argv, peeled[0].through, True, found.granted, found.reason)
        return replace(found, parts=(part,))
    if state.structure == "segments" and structure.joined:
        return _find_joined(structure, peeled, danger, state, which, digest)
    named = ", ".join(structure.constructs) or "more than a plain command"
    first = structure.constructs[0] if structure.constructs else "unreadable"
    reason = f"the command uses {named}, which no allowlist entry covers" + (f"; it {danger}" if danger else "")
    return Finding(
        f"structure:{first}",
        reason,
        risk="high" if danger else "medium",
        constructs=structure.constructs,
        parts=_parts(structure, peeled),
    )


def _parts(structure: Structure, peeled: tuple[Peeled, ...]) -> tuple[Part, ...]:
    def part(segment: Segment, one: Peeled) -> Part:
        return Part(segment.argv, one.argv, one.through, segment.literal, reason=one.opaque)

    return tuple(map(part, structure.segments, peeled))


def _find_joined(
    structure: Structure, peeled: tuple[Peeled, ...], danger: str, state: PolicyState, which: Which, digest: Digest
) -> Finding:
    """Several plain commands: covered when each is, and none changes the shell for those behind it."""
    parts = []
    for segment, one in zip(structure.segments, peeled, strict=True):
        found = _find_one(segment.argv, one, danger, state, which, digest)
        if programs.program(one.argv) in _STATEFUL:
            found = replace(found, granted="", reason=f"{one.argv[0]} changes what the commands behind it do")
        parts.append(Part(segment.argv, one.argv, one.through, True, found.granted, found.reason))
    missing = [part for part in parts if not part.granted]
    if missing:
        reason = danger or f"not every part is covered: {missing[0].reason}"
        return Finding(_MANY, reason, risk="high" if danger else "medium", constructs=structure.constructs, parts=tuple(parts))
    granted = " + ".join(dict.fromkeys(part.granted for part in parts))
    return Finding(_MANY, "every part is covered", granted=granted, constructs=structure.constructs, parts=tuple(parts))


def _find_one(argv: tuple[str, ...], peeled: Peeled, danger: str, state: PolicyState, which: Which, digest: Digest) -> Finding:
    """One literal command: covered by an entry, or not. What runs a file is covered only by its exact words."""
    if danger:
        return Finding("high-risk", danger, risk="high")
    inner = peeled.argv
    here = state.workspace
    wrapped_here = any(allowlist.lives_in((name,), which, here) and name != "time" for name in peeled.through)
    script = "" if peeled.opaque or wrapped_here else scripts.script_of(inner, here)
    sha256 = digest(script) if script else ""
    if found := _exact(argv, peeled, script, sha256, state, which):
        return found
    if wrapped_here:
        return Finding("wrapper", f"{peeled.through[0]} is not a program of this machine")
    reason = peeled.opaque or programs.runs_other_code(inner)
    if reason and not sha256:
        rule, pattern = "wrapper" if peeled.opaque else "inline-code", ""
        if not (peeled.opaque or state.strict_inline) and programs.holds_code(inner):
            pattern = allowlist.exact(argv)
        return Finding(rule, f"{reason}, so no program name on the allowlist covers it", pattern=pattern)
    plain = tuple(entry for entry in state.allowlist if not entry.startswith("="))
    pattern = "" if allowlist.lives_in(inner, which, here) else allowlist.exact(argv)
    if not reason and (entry := allowlist.match(inner, plain, which, here)):
        return Finding(f"allowlist:{entry}", "on the allowlist", granted=f"allowlist:{entry}", pattern=pattern)
    if sha256:
        pattern = scripts.pinned(allowlist.exact(argv), sha256)
        why = f"{script} is not on the allowlist; allowing it always holds while its content stays as it is"
        return Finding("script", why, pattern=pattern, script=script, sha256=sha256)
    if not peeled.through and programs.is_safe_bin(argv, state.safe_bins, which(argv[0]) or ""):
        return Finding(f"safe-bin:{argv[0]}", "a safe program", granted=f"safe-bin:{argv[0]}")
    risk: Risk = "low" if programs.only_reads(inner) else "medium"
    return Finding("allowlist-miss", f"{inner[0]} is not on the allowlist", risk=risk, pattern=pattern)


def _exact(argv: tuple[str, ...], peeled: Peeled, script: str, sha256: str, state: PolicyState, which: Which) -> Finding | None:
    """What the entries with exactly these words say. Code in the words is covered by none, unless the policy lets exactly that
    code be; a changed script no longer."""
    said = [entry for entry in state.allowlist if allowlist.says_exactly(scripts.unpin(entry)[0], argv)]
    worded = [entry for entry in state.allowlist if programs.runs_other_code(argv) and _names_words(entry)]
    if not (said or worded) or (_holds_code(argv, peeled) and (state.strict_inline or peeled.opaque)):
        return None
    if sha256 and (entry := next((entry for entry in said if scripts.unpin(entry)[1] == sha256), "")):
        return Finding(f"allowlist:{entry}", "on the allowlist", granted=f"allowlist:{entry}")
    loose = tuple(entry for entry in dict.fromkeys((*said, *worded)) if not scripts.unpin(entry)[1])
    homeless = any(allowlist.lives_in(words, which, state.workspace) for words in (argv, peeled.argv))
    if not homeless and (entry := allowlist.match(argv, loose, which, state.workspace) or ""):
        return Finding(f"allowlist:{entry}", "on the allowlist", granted=f"allowlist:{entry}")
    if said and script and len(loose) < len(said):
        pattern = scripts.pinned(allowlist.exact(argv), sha256) if sha256 else ""
        reason = f"{script} has changed since it was allowed"
        return Finding("script-changed", reason, pattern=pattern, script=script, sha256=sha256)
    return None


def _holds_code(argv: tuple[str, ...], peeled: Peeled) -> bool:
    """Whether code stands in the words, wherever a wrapper that cannot be read may have put it."""
    if not peeled.opaque:
        return programs.holds_code(peeled.argv)
    return any(programs.holds_code(argv[start:]) for start in range(len(argv)))


def _names_words(entry: str) -> bool:
    """Whether an entry speaks of certain words, not only of a program, and of no others."""
    return entry.startswith("=") or (len(entry.split()) > 1 and not set(entry) & set("*?["))
