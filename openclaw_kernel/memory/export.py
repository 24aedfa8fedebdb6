"""Carrying notes out: plain Markdown with a table of who wrote what. The index stays, it comes from the notes."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openclaw_kernel.memory.api import MemoryRefused
from openclaw_kernel.memory.places import Places
from openclaw_kernel.memory.writes import FILE_NAME as WRITES
from openclaw_kernel.memory.writes import line_hash
from openclaw_kernel.safety.paths import inside
from openclaw_kernel.store.jsonl import encode_line, read_jsonl

PROVENANCE = "provenance.jsonl"


def export_notes(places: Places, folder: Path, target: Path) -> int:
    """Writes every note and `provenance.jsonl` to `target`: a zip when it ends so, else a new or empty folder. How many notes
    files. `folder` is the memory's own. Raises `MemoryRefused` for a target that is there, `OSError`."""
    _free(target)
    if target.suffix.lower() == ".zip":
        data, count = export_zip(places, folder)
        _write_new(target, data)
        return count
    count = 0
    for name, body in _exported(places, folder):
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_bytes(body)
        count += name != PROVENANCE
    return count


def export_zip(places: Places, folder: Path) -> tuple[bytes, int]:
    """The same as the bytes of a zip, with how many note files are in it."""
    buffer = io.BytesIO()
    count = 0
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in _exported(places, folder):
            archive.writestr(zipfile.ZipInfo(name), body, zipfile.ZIP_DEFLATED)
            count += name != PROVENANCE
    return buffer.getvalue(), count


def unpack(data: bytes, target: Path) -> None:
    """Writes a zip of `export_zip` as `export_notes` would have written it. A name that leads out of `target` is refused."""
    _free(target)
    if target.suffix.lower() == ".zip":
        _write_new(target, data)
        return
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            path = inside(target, name)
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.write_bytes(archive.read(name))


def _free(target: Path) -> None:
    if target.suffix.lower() == ".zip":
        if target.exists():
            raise MemoryRefused(f"{target} exists already; name a new file.")
    elif target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise MemoryRefused(f"{target} is not an empty folder; name a new one, or a file that ends in .zip.")


def _write_new(target: Path, data: bytes) -> None:
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def _exported(places: Places, folder: Path) -> Iterator[tuple[str, bytes]]:
    """Notes outside the workspace go below `extra/`, numbered by their folder."""
    outside: dict[str, int] = {}
    for file in places.all():
        name = file.name
        if os.path.isabs(name):
            number = outside.setdefault(os.path.dirname(name), len(outside) + 1)
            name = f"extra/{number}/{os.path.basename(name)}"
        yield name, file.path.read_bytes()
    yield PROVENANCE, b"".join(encode_line(row) for row in _voices(places, folder))


def _voices(places: Places, folder: Path) -> Iterator[dict[str, Any]]:
    """Every line that was written through the assistant and is still there, with where it is."""
    rows: dict[str, dict[str, Any]] = {str(row.get("id")): row for row in read_jsonl(folder / WRITES)}
    lines: dict[str, dict[str, int]] = {}
    for row in rows.values():
        path = str(row.get("path", ""))
        if path not in lines:
            file = places.find(places.workspace / path) if path else None
            text = file.path.read_bytes().decode("utf-8", "replace") if file else ""
            lines[path] = {line_hash(line): number for number, line in enumerate(text.splitlines(), 1)}
        number = lines[path].get(str(row.get("lineHash")))
        if number is not None and row.get("state") != "undone":
            named = {key: row.get(key) for key in ("id", "provenance", "sessionKey", "at")}
            yield {"path": path, "line": number, **named}
