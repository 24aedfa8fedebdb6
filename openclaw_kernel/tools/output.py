"""What a child process prints, as it arrives (TOL-02).

The beginning and the latest 200,000 characters are in memory; the whole goes to a file of the workspace once it is longer than
what is shown of it.
"""

from __future__ import annotations

import asyncio
import codecs
import os
import re
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import IO
from uuid import uuid4

from openclaw_kernel.safety.paths import ToolPathError, inside, shown_path
from openclaw_kernel.store.paths import PRIVATE_DIR
from openclaw_kernel.tools.api import RESULT_CHARS, ToolError

BUFFER_CHARS = 200_000
"""Limits table: exec keeps 200,000 characters."""
FILE_CHARS = 50_000_000
"""What is kept on disk; a program that never stops printing must not fill it."""
OUTPUT_FOLDER = ".openclaw/output"
PROGRESS_INTERVAL_S = 0.1
PROGRESS_CHARS = 4_000

_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)|[PX^_][^\x1b]{0,4096}\x1b\\|[ -/]*[0-~])"
)


def plain(text: str) -> str:
    """What a terminal would show, roughly: no colours, no cursor movements, a rewritten line only as it was last."""
    text = _ESCAPES.sub("", text).replace("\r\n", "\n").replace("\x07", "")
    return "\n".join(line.rsplit("\r", 1)[-1] if "\r" in line else line for line in text.split("\n"))


class Output:
    """One process's output. `progress` gets the newest of it at most ten times a second; `None` when nobody looks.

    `shown_chars` is how much `text` shows. `terminal` output is shown without escape sequences.
    """

    def __init__(
        self,
        workspace: Path,
        progress: Callable[[str], None] | None = None,
        shown_chars: int = RESULT_CHARS,
        terminal: bool = False,
    ) -> None:
        self.progress = progress
        self.saved = ""
        self.total = 0
        self._workspace = workspace
        self._shown = shown_chars
        self._terminal = terminal
        self._head = ""
        self._recent: deque[str] = deque()
        self._recent_chars = 0
        self._told = 0
        self._unsent = ""
        self._sent_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._file: IO[str] | None = None
        self._changed = asyncio.Event()

    async def pump(self, reader: asyncio.StreamReader) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while data := await reader.read(65_536):
            await self._add(decoder.decode(data))
        await self._add(decoder.decode(b"", final=True))

    def text(self) -> str:
        """All of it, or its two ends with a note of what is missing between."""
        if self.total <= self._shown:
            return self._read(self._head)
        half = self._shown // 2
        tail = self._last(min(half, self.total - half))
        cut = self.total - half - len(tail)
        note = f"… {cut} characters cut; the whole output is in {self.saved} …"
        return f"{self._read(self._head[:half])}\n{note}\n{self._read(tail)}"

    def news(self) -> str:
        """What came since the last call, its beginning left out when it is longer than what is shown."""
        new, self._told = self.total - self._told, self.total
        text = self._read(self._last(min(new, self._shown)))
        return f"… {new - self._shown} characters left out; use log …\n{text}" if new > self._shown else text

    async def changed(self) -> None:
        """Returns when something is printed that `news` has not told."""
        while self.total == self._told:
            self._changed.clear()
            await self._changed.wait()

    def lines(self) -> list[str]:
        """The lines that are in memory."""
        return self._read(self._last(BUFFER_CHARS)).splitlines()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._send()
        if self._file is not None:
            self._file.close()

    async def _add(self, text: str) -> None:
        if not text:
            return
        before, self.total = self.total, self.total + len(text)
        if self.total > self._shown and before <= FILE_CHARS:
            await asyncio.to_thread(self._save, text)
        self._head += text[: max(0, self._shown - before)]
        self._recent.append(text)
        self._recent_chars += len(text)
        while self._recent_chars - len(self._recent[0]) >= BUFFER_CHARS:
            self._recent_chars -= len(self._recent.popleft())
        self._changed.set()
        if self.progress is not None:
            self._unsent = (self._unsent + text)[-PROGRESS_CHARS:]
            self._schedule()

    def _last(self, count: int) -> str:
        pieces: list[str] = []
        for piece in reversed(self._recent):
            if count <= 0:
                break
            pieces.append(piece[-count:])
            count -= len(piece)
        return "".join(reversed(pieces))

    def _read(self, text: str) -> str:
        return plain(text) if self._terminal else text

    def _save(self, text: str) -> None:
        """Opens the file on the first call and writes what was only in memory so far."""
        if self._file is None:
            name = f"{OUTPUT_FOLDER}/{time.strftime('%Y%m%d-%H%M%S')}-{uuid4().hex[:8]}.txt"
            try:
                path = inside(self._workspace, name)
            except ToolPathError as error:
                raise ToolError(f"The whole output cannot be saved: {error}") from error
            path.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_DIR)
            self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8")
            self.saved = shown_path(self._workspace, path)
            self._file.write(self._head)
        self._file.write(text)

    def _schedule(self) -> None:
        """Progress at most ten times a second, and never withheld longer than that."""
        loop = asyncio.get_running_loop()
        if self._timer is None:
            wait_s = max(0.0, self._sent_at + PROGRESS_INTERVAL_S - loop.time())
            self._timer = loop.call_later(wait_s, self._send)

    def _send(self) -> None:
        self._timer = None
        if self._unsent and self.progress is not None:
            text, self._unsent = self._unsent, ""
            self._sent_at = asyncio.get_running_loop().time()
            self.progress(self._read(text))
