"""What a tool may ask of the nodes: where a call would run, the running itself, and what it showed (TOL-06, TOL-07)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class NodePlace:
    """Where a call runs. It is fixed when a person is asked, so that nothing runs elsewhere than was approved.

    `label` is for people, such as `notebook sales.ipynb`; `kernel_id` names the notebook's kernel where one is meant.
    """

    node_id: str
    label: str
    kernel_id: str = ""


class NodeServices(Protocol):
    """The gateway's nodes, as tools see them."""

    def place(self, session_key: str, command: str) -> NodePlace | None:
        """The node that serves `command` in a session now, or `None`."""

    async def invoke(
        self,
        place: NodePlace,
        command: str,
        params: Mapping[str, Any],
        *,
        timeout_s: float,
        progress: Callable[[str], None] | None = None,
    ) -> Mapping[str, Any]:
        """The node's answer; cancelling stops the node. Raises `OpenClawError` with a sentence."""

    def show(self, session_key: str, surface_id: str, title: str, place: NodePlace | None = None) -> None:
        """Notes that a session showed a surface, so that a press on it finds its way back."""

    async def keep_media(self, data: bytes, media_type: str) -> str:
        """Saves what a tool produced for people; the path of the file."""
