"""`$include`: a config in several files, read into one value that still knows where each part came from (CFG-05)."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openclaw_kernel.config.json5 import LINE_END, Array, Json5Error, Node, Object, Scalar, doubled_keys, parse, place, plain
from openclaw_kernel.config.problems import KeyPath, Problem, dotted

MAX_LEVELS = 10
MAX_PATH = 4096
MAX_BYTES = 8 * 1024 * 1024
INCLUDE = "$include"


@dataclass
class Reading:
    """One pass over a config and its includes. `origins` maps a key path to file and line; `files` are all that were read."""

    roots: Sequence[Path]
    origins: dict[KeyPath, tuple[str, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)

    def origin(self, path: KeyPath) -> tuple[str, int]:
        """File and line of `path` or of its nearest parent that was written down."""
        while path not in self.origins and path:
            path = path[:-1]
        return self.origins.get(path, (str(self.files[0]) if self.files else "", 0))

    def problem(self, path: KeyPath, message: str) -> None:
        file, line = self.origin(path)
        self.problems.append(Problem(dotted(path), message, file, line))

    def read(self, text: str, file: Path, at: KeyPath = (), above: tuple[Path, ...] = ()) -> Any:
        """The value of `text`, which is `file`, with its includes put in. A problem leaves the value out."""
        self.files.append(file)
        try:
            tree = parse(text)
        except Json5Error as error:
            message = f"this is not valid JSON5: {error.reason} (column {error.column})"
            self.problems.append(Problem(dotted(at), message, str(file), error.line))
            return {}
        for member in doubled_keys(tree):
            line = place(text, member.start)[0]
            self.warnings.append(f'{file}:{line}: the key "{member.key}" is written twice; the later one counts.')
        return _Includer(self, text, file, (*above, file)).value(tree, at)


class _Includer:
    """Walks the tree of one file; `stack` is the chain of files that led here, this one last."""

    def __init__(self, reading: Reading, text: str, file: Path, stack: tuple[Path, ...]) -> None:
        self.reading = reading
        self.file = file
        self.stack = stack
        self._lines = [end.end() for end in LINE_END.finditer(text)]

    def value(self, node: Node, at: KeyPath) -> Any:
        self._note(node.start, at)
        match node:
            case Scalar():
                return node.value
            case Array():
                return [self.value(item, (*at, number)) for number, item in enumerate(node.items)]
            case Object():
                return self._object(node, at)

    def _object(self, node: Object, at: KeyPath) -> Any:
        own: dict[str, Any] = {}
        include = node.get(INCLUDE)
        base: Any = None
        if include is not None:
            base = self._included(include.value, at)
        for member in node.members:
            if member.key == INCLUDE or node.get(member.key) is not member:
                continue
            own[member.key] = self.value(member.value, (*at, member.key))
            self._note(member.start, (*at, member.key))
        if include is None:
            return own
        if own and not isinstance(base, dict):
            self._refuse(include.value, at, "an included file must hold an object when other keys stand beside $include")
            return own
        return merge(base, own) if own else base

    def _included(self, node: Node, at: KeyPath) -> Any:
        names = plain(node)
        if isinstance(names, str):
            return self._file(names, node, at)
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            self._refuse(node, at, "must be a file name or a list of file names")
            return {}
        merged: Any = {}
        for name in names:
            merged = merge(merged, self._file(name, node, at))
        return merged

    def _file(self, name: str, node: Node, at: KeyPath) -> Any:
        if not name or len(name) >= MAX_PATH or "\0" in name:
            self._refuse(node, at, f"a file name must have 1 to {MAX_PATH - 1} characters and no NUL")
            return {}
        try:
            target = Path(os.path.realpath(self.file.parent / name))
            reason = self._forbidden(target)
            text = "" if reason else _read_text(target)
        except OSError as error:
            reason, text = f"{name} cannot be read: {(error.strerror or str(error)).lower()}", ""
        except UnicodeDecodeError:
            reason, text = f"{name} is not UTF-8 text", ""
        if reason:
            self._refuse(node, at, reason)
            return {}
        return self.reading.read(text, target, at, self.stack)

    def _forbidden(self, target: Path) -> str:
        if target in (Path(os.path.realpath(file)) for file in self.stack):
            chain = " → ".join(file.name for file in (*self.stack, target))
            return f"the files include each other in a circle: {chain}"
        if len(self.stack) > MAX_LEVELS:
            return f"files are included more than {MAX_LEVELS} levels deep"
        if not any(target.is_relative_to(root) for root in self.reading.roots):
            return f"{target} lies outside the config directory; move it inside or list its directory in OPENCLAW_INCLUDE_ROOTS"
        return ""

    def _refuse(self, node: Node, at: KeyPath, message: str) -> None:
        line = bisect_right(self._lines, node.start) + 1
        self.reading.problems.append(Problem(dotted((*at, INCLUDE)), message, str(self.file), line))

    def _note(self, offset: int, at: KeyPath) -> None:
        self.reading.origins[at] = (str(self.file), bisect_right(self._lines, offset) + 1)


def _read_text(path: Path) -> str:
    if path.stat().st_size > MAX_BYTES:
        raise OSError(f"it is larger than {MAX_BYTES // 1024 // 1024} MiB")
    return path.read_text("utf-8")


def merge(base: Any, over: Any) -> Any:
    """Objects merge key by key, deeply; anything else `over` replaces."""
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    merged = dict(base)
    for key, value in over.items():
        merged[key] = merge(base[key], value) if key in base else value
    return merged
