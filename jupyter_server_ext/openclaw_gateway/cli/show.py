"""What a command prints: JSON for programs, rich tables for people, progress on stderr."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

_CONTROL = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if code not in (0x09, 0x0A)}
_CONTROL |= {code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}
"""C0 and C1 control characters and bidirectional overrides: text from a model or a tool must not steer the terminal."""

_SHOW_AFTER_S = 0.6
"""Anything that takes over a second shows progress; this is early enough to be seen by then."""


def plain(text: str) -> str:
    """`text` with every control character but tab and newline made visible."""
    return text.translate(_CONTROL)


def print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def told(as_json: bool, answer: Any, sentence: str) -> None:
    """What a command did: the gateway's answer for programs, one sentence for people."""
    if as_json:
        print_json(answer)
    else:
        print(plain(sentence))


def write(text: str) -> None:
    """A piece of an answer as it comes, without a line end."""
    sys.stdout.write(text)
    sys.stdout.flush()


def note(sentence: str) -> None:
    """A line for the person that is no part of the result."""
    print(sentence, file=sys.stderr, flush=True)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
    """A table, or the sentence `empty` when there are no rows."""
    cells = [[plain(str(cell)) for cell in row] for row in rows]
    if not cells:
        print(empty)
        return
    from rich.console import Console  # 40 ms that `--json` need not pay
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))
    Console(highlight=False, soft_wrap=not sys.stdout.isatty()).print(table)


def print_facts(facts: Iterable[tuple[str, object]]) -> None:
    """`name  value` lines, values aligned."""
    pairs = [(name, plain(str(value))) for name, value in facts]
    width = max((len(name) for name, _ in pairs), default=0)
    for name, value in pairs:
        print(f"{name:<{width}}  {value}")


def when(ms: object) -> str:
    """Milliseconds since the epoch as local `2026-11-20 19:38`, or `–`."""
    if not isinstance(ms, int | float) or not ms:
        return "–"
    return datetime.fromtimestamp(ms / 1000).strftime("%Y-%m-%d %H:%M")


@contextmanager
def working(text: str) -> Iterator[None]:
    """Say on stderr what is being waited for, once it has taken long enough to be noticed."""
    done = threading.Event()
    thread = threading.Thread(target=_progress, args=(text, done), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _progress(text: str, done: threading.Event) -> None:
    """One line when stderr is a file; on a terminal the same line with the seconds, removed at the end."""
    if done.wait(_SHOW_AFTER_S):
        return
    if not sys.stderr.isatty():
        note(f"{text}…")
        return
    start = time.monotonic() - _SHOW_AFTER_S
    while not done.wait(0.2):
        sys.stderr.write(f"\r{text}… {time.monotonic() - start:.0f} s ")
        sys.stderr.flush()
    sys.stderr.write("\r\x1b[K")
    sys.stderr.flush()
