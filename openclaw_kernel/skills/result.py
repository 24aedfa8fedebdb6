"""What a notebook skill gives back: the outputs of its cells tagged `result`, or of its last code cell (SKL-09)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from openclaw_kernel.skills.notebook import RESULT_TAG, tags_of

SURFACE_TYPE = "application/a2ui+json"
"""A2UI 0.9.1: a list of messages, or one."""
IMAGE_TYPES = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp"}
MAX_TEXT = 100_000
MAX_PICTURES = 10
MAX_PICTURE_BYTES = 8_000_000
MAX_SURFACES = 8


@dataclass(frozen=True, slots=True)
class Picture:
    """An image that a cell showed."""

    data: bytes
    media_type: str

    @property
    def ending(self) -> str:
        return IMAGE_TYPES[self.media_type]


@dataclass(frozen=True, slots=True)
class Result:
    """Text for the model, pictures, and surfaces as lists of A2UI messages that nobody has checked yet."""

    text: str
    pictures: tuple[Picture, ...] = ()
    surfaces: tuple[list[Any], ...] = ()


def result_of(notebook: Any) -> Result:
    """Collects from an executed notebook; what is over a bound is left out and the text says so."""
    texts: list[str] = []
    pictures: list[Picture] = []
    surfaces: list[list[Any]] = []
    left_out = 0
    for output in _outputs(notebook):
        if output.get("output_type") == "stream":
            texts += [_text(output.get("text"))] if output.get("name") == "stdout" else []
            continue
        data = output.get("data")
        if not isinstance(data, Mapping):
            continue
        surface, picture = _surface(data), _picture(data)
        if surface is not None and len(surfaces) < MAX_SURFACES:
            surfaces.append(surface)
        elif picture is not None and len(pictures) < MAX_PICTURES:
            pictures.append(picture)
        elif surface is not None or picture is not None:
            left_out += 1
        said = _text(data.get("text/markdown") or data.get("text/plain"))
        texts += [said] if said and not (picture is not None and said.startswith("<")) else []
    text = "\n\n".join(part.strip("\n") for part in texts if part.strip())
    if len(text) > MAX_TEXT:
        text = f"{text[:MAX_TEXT]}\n[cut here: {MAX_TEXT} of {len(text)} characters]"
    if left_out:
        text = f"{text}\n[{left_out} more pictures or surfaces are only in the executed notebook]".lstrip()
    return Result(text, tuple(pictures), tuple(surfaces))


def _outputs(notebook: Any) -> Iterator[Mapping[str, Any]]:
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    chosen = [cell for cell in code if RESULT_TAG in tags_of(cell)] or code[-1:]
    for cell in chosen:
        yield from cell.get("outputs", ())


def _text(value: object) -> str:
    if isinstance(value, list):
        return "".join(map(str, value))
    return value if isinstance(value, str) else ""


def _surface(data: Mapping[str, Any]) -> list[Any] | None:
    value = data.get(SURFACE_TYPE)
    if isinstance(value, Mapping):
        messages = value.get("messages")
        return list(messages) if isinstance(messages, list) else [value]
    return list(value) if isinstance(value, list) and value else None


def _picture(data: Mapping[str, Any]) -> Picture | None:
    for media_type in IMAGE_TYPES:
        encoded = _text(data.get(media_type))
        if encoded and len(encoded) <= MAX_PICTURE_BYTES * 4 // 3:
            try:
                return Picture(base64.b64decode(encoded), media_type)
            except binascii.Error:
                continue
    return None
