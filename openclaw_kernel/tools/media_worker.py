"""Opens one PDF or picture; a program of its own with little memory and time, because files may be made to harm their reader.

Standard input: one line of JSON, then the file. `{job: "pdf", password, pages: [n] | null, room}` is answered with
`{total, pages: [[n, text]], more}`; `{job: "image", pixels}` with `{data, mediaType, width, height, was: [w, h]}`. What cannot
be done is `{error}`: a sentence without its subject, the name of the file.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import sys
import warnings
from typing import Any

MEMORY = 1_500_000_000
CPU_S = 25
MAX_PIXELS = 60_000_000
PAGE_CHARS = 100_000
KEPT_PNG = 1_500_000
"""Bytes over which a picture without transparency becomes a JPEG."""
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")
NO_PYPDF = "cannot be read: install pypdf (pip install 'jupyter-openclaw[documents]')"
NO_PILLOW = "cannot be shown: install Pillow (pip install 'jupyter-openclaw[documents]')"


def limit() -> None:
    """Nothing is written, little is opened, memory and time have an end."""
    try:
        import resource
    except ImportError:  # Windows: the caller's clock is what is left
        return
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))


def read_pdf(asked: dict[str, Any], data: bytes) -> dict[str, Any]:
    try:
        from pypdf import PdfReader
    except ImportError:
        return {"error": NO_PYPDF}
    reader = PdfReader(io.BytesIO(data))
    if reader.is_encrypted and not reader.decrypt(asked.get("password") or ""):
        wrong = "its password is another one" if asked.get("password") else "it needs a password"
        return {"error": f"is encrypted: {wrong}"}
    total = len(reader.pages)
    wanted = [number for number in asked["pages"] or range(1, total + 1) if number <= total]
    pages = [[number, reader.pages[number - 1].extract_text()[:PAGE_CHARS]] for number in wanted[: asked["room"]]]
    return {"total": total, "pages": pages, "more": wanted[asked["room"] :][:1]}


def read_image(asked: dict[str, Any], data: bytes) -> dict[str, Any]:
    try:
        from PIL import Image, ImageOps
    except ImportError:
        return {"error": NO_PILLOW}
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    opened = Image.open(io.BytesIO(data), formats=FORMATS)
    was = opened.size
    opened.draft("RGB", (asked["pixels"], asked["pixels"]))
    picture = ImageOps.exif_transpose(opened)
    alpha = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
    picture = picture.convert("RGBA" if alpha else "RGB")
    picture.thumbnail((asked["pixels"], asked["pixels"]))
    made, media_type = _encoded(picture, "JPEG" if opened.format == "JPEG" else "PNG")
    if media_type == "image/png" and not alpha and len(made) > KEPT_PNG:
        made, media_type = _encoded(picture, "JPEG")
    return {
        "data": base64.b64encode(made).decode("ascii"), "mediaType": media_type,
        "width": picture.width, "height": picture.height, "was": list(was),
    }  # fmt: skip


def _encoded(picture: Any, kind: str) -> tuple[bytes, str]:
    """Anew, so that nothing but the picture is in it: no place, no thumbnail, no comment."""
    out = io.BytesIO()
    picture.save(out, kind, **({"quality": 85} if kind == "JPEG" else {"optimize": False}))
    return out.getvalue(), f"image/{kind.lower()}"


def answer(asked: dict[str, Any], data: bytes) -> dict[str, Any]:
    try:
        return read_pdf(asked, data) if asked["job"] == "pdf" else read_image(asked, data)
    except MemoryError:
        return {"error": "needs more memory than it may have"}
    except Exception as error:  # noqa: BLE001  # a broken file breaks its reader in ways of its own
        return {"error": f"is broken or of an unknown kind ({type(error).__name__})"}


def main() -> None:
    limit()
    source = sys.stdin.buffer
    asked = json.loads(source.readline())
    said = answer(asked, source.read())
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main()
