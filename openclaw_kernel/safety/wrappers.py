"""Programs that start another one named in their own words, taken off before anything is matched (SAF-07).

`timeout 5 nice git log` is `git log` to the allowlist. What cannot be taken off with certainty is `opaque`: it is asked about,
and nothing durable is stored for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from openclaw_kernel.safety.shell import inspect

MAX_DEPTH = 6
"""Wrappers in wrappers; deeper nesting is nobody's honest command."""


@dataclass(frozen=True, slots=True)
class Peeled:
    """The command inside. `through` has the wrappers' first words, outermost first; `opaque` says what hides the command."""

    argv: tuple[str, ...]
    through: tuple[str, ...] = ()
    opaque: str = ""


@dataclass(frozen=True, slots=True)
class _Shape:
    """How a wrapper reads its words: options alone, options with a value, and operands before the command."""

    flags: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()
    operands: int = 0


def _shape(flags: str = "", values: str = "", operands: int = 0) -> _Shape:
    return _Shape(frozenset(flags.split()), frozenset(values.split()), operands)


# `setsid` is left out on purpose: what it starts is out of reach of a stop.
_SHAPES: Mapping[str, _Shape] = {
    "nohup": _shape(),
    "nice": _shape(values="-n --adjustment"),
    "timeout": _shape("--foreground --preserve-status -v --verbose", "-k --kill-after -s --signal", 1),
    "stdbuf": _shape(values="-i --input -o --output -e --error"),
    "ionice": _shape("-t --ignore", "-c --class -n --classdata"),
    "time": _shape("-p"),
    "command": _shape(),
    "env": _shape(),
    "busybox": _shape(),
    "toybox": _shape(),
}
_SHELLS = frozenset(("sh", "bash", "dash"))
"""Shells whose plain commands are read as bash reads them."""


def peel(argv: tuple[str, ...]) -> Peeled:
    """Takes wrapper after wrapper off `argv`."""
    through: list[str] = []
    while argv:
        if len(through) > MAX_DEPTH:
            return Peeled(argv, tuple(through), f"more than {MAX_DEPTH} programs stand around the command")
        name = PurePosixPath(argv[0]).name
        if name in _SHELLS and len(argv) > 1 and argv[1].startswith("-"):
            inner = _script(name, argv)
        elif name in _SHAPES:
            inner = _behind(name, argv[1:], _SHAPES[name])
        else:
            break
        through.append(argv[0])
        if inner.opaque:
            return replace(inner, through=tuple(through))
        argv = inner.argv
    return Peeled(argv, tuple(through))


def _script(name: str, argv: tuple[str, ...]) -> Peeled:
    """The command of `bash -c 'command'`, if it is one plain command."""
    if len(argv) != 3 or argv[1] != "-c":
        return Peeled(argv, opaque=f"{name} is an interpreter: it runs code given to it")
    structure = inspect(argv[2])
    simple = structure.simple
    if simple is None:
        why = structure.error or f"it uses {', '.join(structure.constructs) or 'more than a plain command'}"
        return Peeled(argv, opaque=f"the script given to {name} -c is not one plain command: {why}")
    return Peeled(simple.argv)


def _behind(name: str, words: tuple[str, ...], shape: _Shape) -> Peeled:
    """The command behind a wrapper's own words."""
    rest = list(words)
    while rest and rest[0].startswith("-"):
        word = rest.pop(0)
        if word == "--":
            break
        option, equals, _ = word.partition("=")
        if word in shape.flags or (equals and option.startswith("--") and option in shape.values):
            continue
        if word in shape.values and rest:
            rest.pop(0)
        elif not any(len(short) == 2 and word.startswith(short) for short in shape.values):
            return Peeled(words, opaque=f"{name} {word} cannot be taken off, so what it runs is not certain")
    for _ in range(shape.operands):
        if not rest or rest[0].startswith("-"):
            return Peeled(words, opaque=f"{name} names no command")
        rest.pop(0)
    if not rest or rest[0].startswith("-") or not rest[0]:
        return Peeled(words, opaque=f"{name} names no command")
    if name == "time" and rest[0] == "time":
        return Peeled(words, opaque="bash reads time after time as one word")
    if name == "env" and "=" in rest[0]:
        return Peeled(words, opaque="env changes the environment of the command it runs")
    return Peeled(tuple(rest))
