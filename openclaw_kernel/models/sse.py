"""Server-sent events, only as much as model APIs use: the `data` of each event (WHATWG HTML section 9.2.6)."""

from __future__ import annotations

from collections.abc import Iterator


class SseReader:
    """Feed bytes as they come, get the payloads of whole events. `event:` names are not kept: the JSON inside says its type."""

    __slots__ = ("_data", "_rest")

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        lines = (self._rest + chunk).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            if line.endswith(b"\r"):
                line = line[:-1]
            if line.startswith(b"data:"):
                self._data.append(line[6:] if line.startswith(b"data: ") else line[5:])
            elif not line and self._data:
                payload = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
                self._data = []
                yield payload
