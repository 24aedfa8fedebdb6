"""Arrays in a file that opens by mapping: a head in JSON, then each array at a 64-byte border.

    write_arrays(path, {"revision": 7}, {"ids": ids})
    head, arrays = read_arrays(path)

A mapped array may be written to: the process sees the change, the file does not. The files are caches of what is on disk
anyway, so a broken one is thrown away, and they carry the byte order of the machine.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAGIC = b"openclaw"
_BORDER = 64
Arrays = dict[str, NDArray[Any]]


class BrokenArrays(ValueError):
    """No such file, cut short, or not one of ours. The reader builds anew."""


def write_arrays(path: Path, head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Replaces the file at once: a reader finds the old or the new one. Blocking."""
    places, at = {}, 0
    for name, array in arrays.items():
        places[name] = {"type": array.dtype.str, "shape": list(array.shape), "at": at}
        at += -(-array.nbytes // _BORDER) * _BORDER
    text = json.dumps({"head": dict(head), "arrays": places, "bytes": at}).encode()
    text += b" " * (-(len(MAGIC) + 8 + len(text)) % _BORDER)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(MAGIC + len(text).to_bytes(8, "little") + text)
            for array in arrays.values():
                file.write(np.ascontiguousarray(array).data)
                file.write(bytes(-array.nbytes % _BORDER))
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def read_arrays(path: Path) -> tuple[dict[str, Any], Arrays]:
    """The head and the mapped arrays. Raises `BrokenArrays`."""
    try:
        with open(path, "rb") as file:
            start = file.read(len(MAGIC) + 8)
            if len(start) < len(MAGIC) + 8 or not start.startswith(MAGIC):
                raise BrokenArrays(f"{path} is no array file")
            length = int.from_bytes(start[len(MAGIC) :], "little")
            if length > os.fstat(file.fileno()).st_size:
                raise BrokenArrays(f"{path} is cut short")
            told = json.loads(file.read(length))
            body = file.tell()
            if os.fstat(file.fileno()).st_size != body + told["bytes"]:
                raise BrokenArrays(f"{path} is cut short")
            arrays = {name: _mapped(path, place, body) for name, place in told["arrays"].items()}
            return told["head"], arrays
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise error if isinstance(error, BrokenArrays) else BrokenArrays(f"{path} cannot be read: {error}") from error


def _mapped(path: Path, place: dict[str, Any], body: int) -> NDArray[Any]:
    shape, kind = tuple(place["shape"]), np.dtype(place["type"])
    if 0 in shape:
        return np.empty(shape, kind)
    return np.memmap(path, kind, "c", body + place["at"], shape).view(np.ndarray)
