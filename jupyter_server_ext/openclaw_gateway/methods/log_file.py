"""The gateway's log file: JSON lines, written through the redactor, so that no secret is ever on disk."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

import orjson

from openclaw_kernel.store.errors import StoreError
from openclaw_kernel.values.clock import iso

MAX_BYTES = 50_000_000
"""Of the file, where `logging.maxFileBytes` does not say otherwise."""
MAX_MESSAGE = 16_000
MAX_SECRET = 4_000
"""Characters: of one message, and of a secret that might lie across its end (a private key has some 3,300)."""


class LogFile(logging.Handler):
    """Appends `{time, level, subsystem, message}`; past `max_bytes` the file moves to `<name>.1`.

    A disk that refuses does not stop the gateway: the first refusal is one sentence on stderr, then lines are dropped until one
    can be written again.
    """

    def __init__(self, path: Path, redact: Callable[[str], str], max_bytes: int = MAX_BYTES) -> None:
        super().__init__()
        self.path = path
        self._redact = redact
        self._max_bytes = max_bytes
        self._refused = False
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._open()

    def _open(self) -> None:
        self._fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._size = os.fstat(self._fd).st_size

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
            if record.exc_info:
                message += "\n" + logging.Formatter().formatException(record.exc_info)
            if len(message) > MAX_MESSAGE:
                # Redacted before the last cut: half a secret would no longer look like one.
                message = self._redact(message[:MAX_MESSAGE])[:-MAX_SECRET] + f"… ({len(message)} characters)"
            line = {
                "time": iso(int(record.created * 1000)),
                "level": record.levelname.lower(),
                "subsystem": record.name.removeprefix("openclaw_"),
                "message": self._redact(message),
            }
            data = orjson.dumps(line) + b"\n"
            if self._size + len(data) > self._max_bytes:
                self._rotate()
            self._size += os.write(self._fd, data)
            self._refused = False
        except OSError as error:
            self._say_once(error)
        except (ValueError, TypeError):
            self.handleError(record)

    def _say_once(self, error: OSError) -> None:
        if not self._refused:
            self._refused = True
            print(StoreError.from_os("write", self.path, error), file=sys.stderr, flush=True)

    def _rotate(self) -> None:
        os.close(self._fd)
        os.replace(self.path, self.path.with_name(self.path.name + ".1"))
        self._open()

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        super().close()
