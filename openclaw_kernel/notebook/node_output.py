"""What the assistant's Python printed and showed: text, pictures, surfaces (NBK-03)."""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from IPython.core.displaypub import DisplayPublisher

MAX_TEXT = 200_000
"""Characters of output that are kept; the beginning and the end matter most, so the middle goes."""
MAX_IMAGES = 8
MAX_IMAGE_BYTES = 8_000_000
MAX_SURFACES = 8
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
_HALF = MAX_TEXT // 2

_catching: ContextVar[Caught | None] = ContextVar("openclaw_catching", default=None)


class Caught:
    """The output of one run, in the order it came."""

    def __init__(self) -> None:
        self._head: list[str] = []
        self._tail: list[str] = []
        self._head_size = self._tail_size = self._dropped = 0
        self.result = ""
        self.images: list[dict[str, str]] = []
        self.canvases: list[Any] = []

    def write(self, text: str) -> None:
        if self._head_size < _HALF:
            self._head.append(text[: _HALF - self._head_size])
            self._head_size += len(self._head[-1])
            text = text[len(self._head[-1]) :]
        if not text:
            return
        self._tail.append(text[-_HALF:])
        self._tail_size += len(self._tail[-1])
        self._dropped += len(text) - len(self._tail[-1])
        while self._tail_size - len(self._tail[0]) >= _HALF:
            gone = len(self._tail.pop(0))
            self._tail_size -= gone
            self._dropped += gone

    @property
    def text(self) -> str:
        cut = [f"\n[{self._dropped} characters left out]\n"] if self._dropped else []
        return "".join([*self._head, *cut, *self._tail])

    def show(self, bundle: Mapping[str, Any]) -> None:
        """A display: a picture or a canvas as such, everything else as its text."""
        if self._take_canvas(bundle) or self._take_picture(bundle):
            return
        if isinstance(text := bundle.get("text/plain"), str):
            self.write(text + "\n")

    def take_result(self, shell: Any, value: Any) -> None:
        """The value of the last expression."""
        if value is None:
            return
        bundle, _metadata = shell.display_formatter.format(value)
        if not self._take_canvas(bundle):
            self._take_picture(bundle)
        if isinstance(text := bundle.get("text/plain"), str):
            self.result = text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "…"

    def show_figures(self) -> None:
        """Open figures are shown at the end of a cell; here too, when the inline backend is in use."""
        inline = sys.modules.get("matplotlib_inline.backend_inline")
        plots = sys.modules.get("matplotlib.pyplot")
        if inline is not None and plots is not None and plots.get_fignums():
            inline.flush_figures()

    def to_wire(self) -> dict[str, Any]:
        wire: dict[str, Any] = {"stdout": self.text, "result": self.result, "images": self.images}
        surfaces = [surface_of(canvas) for canvas in self.canvases]
        return wire | {"surfaces": [surface for surface in surfaces if surface]}

    def _take_canvas(self, bundle: Mapping[str, Any]) -> bool:
        view = bundle.get(WIDGET_VIEW)
        canvas = _widget(str(view.get("model_id", ""))) if isinstance(view, Mapping) else None
        if canvas is None:
            return False
        if canvas not in self.canvases and len(self.canvases) < MAX_SURFACES:
            self.canvases.append(canvas)
        return True

    def _take_picture(self, bundle: Mapping[str, Any]) -> bool:
        for media_type in PICTURES:
            data = bundle.get(media_type)
            if isinstance(data, bytes):
                data = base64.b64encode(data).decode()
            if isinstance(data, str) and data:
                if len(self.images) < MAX_IMAGES and len(data) <= MAX_IMAGE_BYTES:
                    self.images.append({"mediaType": media_type, "base64": "".join(data.split())})
                else:
                    self.write("[a picture was left out: too many or too large]\n")
                return True
        return False


def surface_of(canvas: Any) -> dict[str, Any]:
    """`{surfaceId, messages}` of a canvas widget."""
    return {"surfaceId": str(canvas.surface_id), "messages": list(canvas.messages)}


def _widget(model_id: str) -> Any:
    """The canvas with this comm, if it is one of ours; nothing is imported to find out."""
    module = sys.modules.get("openclaw_kernel.canvas.widget")
    widgets = sys.modules.get("ipywidgets.widgets.widget")
    if module is None or widgets is None:
        return None
    found = getattr(widgets, "_instances", {}).get(model_id)
    return found if isinstance(found, module.Canvas) else None


class _Stream:
    """In place of `sys.stdout`: what the run writes is caught, what others write goes where it went."""

    def __init__(self, under: Any) -> None:
        self._under = under

    def write(self, text: str) -> int:
        caught = _catching.get()
        if caught is None:
            return int(self._under.write(text) or 0)
        caught.write(str(text))
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._under, name)


class _Publisher(DisplayPublisher):
    """In place of the shell's publisher, by the same rule."""

    def __init__(self, under: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._under = under

    def publish(self, data: dict[str, Any], metadata: Any = None, *arguments: Any, **options: Any) -> None:
        caught = _catching.get()
        if caught is None:
            self._under.publish(data, metadata, *arguments, **options)
        else:
            caught.show(data)

    def clear_output(self, wait: bool = False) -> None:
        if _catching.get() is None:
            self._under.clear_output(wait)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_under"], name)


@contextmanager
def catching(shell: Any, caught: Caught) -> Iterator[None]:
    """Whatever this context and the tasks it starts print or display goes to `caught`."""
    out, err, publisher = sys.stdout, sys.stderr, shell.display_pub
    token = _catching.set(caught)
    ours = (_Stream(out), _Stream(err))
    sys.stdout, sys.stderr = ours
    shell.display_pub = _Publisher(publisher)
    try:
        yield
    finally:
        _catching.reset(token)
        shell.display_pub = publisher
        if sys.stdout is ours[0]:
            sys.stdout = out
        if sys.stderr is ours[1]:
            sys.stderr = err
