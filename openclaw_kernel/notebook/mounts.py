"""The canvases of this process by their surface id, so that a later message finds the one that is on the screen.

A press on any of them is told to the assistant, and to Python callbacks where there are some.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from openclaw_kernel.notebook.session import current_link
from openclaw_kernel.values.errors import OpenClawError

if TYPE_CHECKING:
    from openclaw_kernel.canvas.actions import Action
    from openclaw_kernel.canvas.widget import Canvas

log = logging.getLogger(__name__)

MAX_CANVASES = 50
Message = Mapping[str, Any]

_canvases: OrderedDict[str, Canvas] = OrderedDict()


def mount(surface_id: str, messages: Sequence[Message], on_action: Callable[[Any], object] | None = None) -> Canvas:
    """A live canvas for a surface: the one that the notebook's own code made, with its callback, else a new one."""
    from openclaw_kernel.canvas.widget import Canvas

    own: Canvas | None = _own(surface_id)
    canvas = own if own is not None else Canvas(messages)
    if _canvases.get(surface_id) is not canvas:
        canvas.on_action(_tell_assistant)
    _canvases[surface_id] = canvas
    _canvases.move_to_end(surface_id)
    while len(_canvases) > MAX_CANVASES:
        _canvases.popitem(last=False)
    if on_action is not None:
        canvas.on_action(on_action)
    return canvas


def update(surface_id: str, messages: Sequence[Message]) -> None:
    """Further messages for a surface that is shown; nothing when it is not."""
    canvas = _canvases.get(surface_id)
    if canvas is not None:
        canvas.update(list(messages))


def forget(surface_id: str) -> None:
    _canvases.pop(surface_id, None)


def show_stored(panel: Any) -> None:
    """What was presented before there was a panel."""
    node = _node()
    if node is not None:
        node.show_stored(panel)


def _tell_assistant(action: Action) -> None:
    body = action.to_message()["action"]
    node = _node()
    if node is not None:
        node.canvas_acted(action.surface_id, body, action.data_model)
        return
    link = current_link()
    if link.connected:
        link.submit(_send({"surfaceId": action.surface_id, "action": body, "dataModel": action.data_model}))


async def _send(params: dict[str, Any]) -> None:
    try:
        await current_link().request("canvas.action", params)
    except OpenClawError as error:
        log.warning("the assistant did not hear of a press on a canvas: %s", error)


def _node() -> Any:
    from openclaw_kernel.notebook.node import current_node

    return current_node()


def _own(surface_id: str) -> Any:
    node = _node()
    return node.canvas(surface_id) if node is not None else None
