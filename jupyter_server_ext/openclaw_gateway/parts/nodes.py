"""The nodes as the gateway puts them together: registry, approvals, and what the assistant's tools may ask of them."""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from openclaw_gateway.methods.canvas import node_action
from openclaw_gateway.methods.services import GatewayServices
from openclaw_gateway.methods.surfaces import FILE_NAME as SURFACES_FILE
from openclaw_gateway.methods.surfaces import Surfaces
from openclaw_gateway.protocol.broadcast import Broadcaster
from openclaw_gateway.protocol.hub import Hub
from openclaw_gateway.protocol.nodes import Nodes
from openclaw_gateway.protocol.nodes_pairing import FILE_NAME, NodePairing
from openclaw_gateway.protocol.nodes_policy import CommandPolicy
from openclaw_kernel.config.service import ConfigStore
from openclaw_kernel.store.atomic import write_atomic
from openclaw_kernel.store.paths import ensure_private_dir
from openclaw_kernel.tools.node_api import NodePlace
from openclaw_kernel.values.clock import Clock, NewId

MEDIA_FOLDER = "media/tools"


class NodeTools:
    """What tools may ask of the nodes (`tools.node_api.NodeServices`)."""

    def __init__(self, nodes: Nodes, surfaces: Surfaces, state_dir: Path) -> None:
        self._nodes = nodes
        self._surfaces = surfaces
        self._media = state_dir / MEDIA_FOLDER

    def place(self, session_key: str, command: str) -> NodePlace | None:
        node_id = self._nodes.for_session(session_key, command)
        if node_id is None:
            return None
        label, kernel_id = self._nodes.place(node_id, session_key)
        return NodePlace(node_id, label, kernel_id)

    async def invoke(
        self,
        place: NodePlace,
        command: str,
        params: Mapping[str, Any],
        *,
        timeout_s: float,
        progress: Callable[[str], None] | None = None,
    ) -> Mapping[str, Any]:
        return await self._nodes.invoke(place.node_id, command, params, timeout_s=timeout_s, progress=progress)

    def show(self, session_key: str, surface_id: str, title: str, place: NodePlace | None = None) -> None:
        self._surfaces.shown(session_key, surface_id, title=title, node_id=place.node_id if place is not None else "")

    async def keep_media(self, data: bytes, media_type: str) -> str:
        return str(await asyncio.to_thread(_keep, self._media, data, media_type))


def open_nodes(
    stack: AsyncExitStack, state_dir: Path, config: ConfigStore, broadcaster: Broadcaster, clock: Clock, new_id: NewId
) -> tuple[Nodes, Surfaces]:
    """The registry and the surfaces of a gateway; closed with `stack`."""
    pairing = NodePairing(state_dir / FILE_NAME, clock=clock, new_id=new_id)
    stack.callback(pairing.close)
    surfaces = Surfaces(state_dir / SURFACES_FILE, clock=clock)
    stack.callback(surfaces.close)

    def policy() -> CommandPolicy:
        settings = config.current.config.gateway.nodes
        return CommandPolicy(tuple(settings.allow_commands), tuple(settings.deny_commands))

    nodes = Nodes(
        pairing,
        broadcaster,
        policy=policy,
        silent=lambda: config.current.config.gateway.nodes.auto_approve_local,
        clock=clock,
        new_id=new_id,
    )
    return nodes, surfaces


def join_nodes(hub: Hub, services: GatewayServices) -> None:
    """Lets the registry hear of connections, and canvases reach their sessions."""
    nodes = services.nodes
    hub.on_open.append(nodes.opened)
    hub.on_closed.append(nodes.closed)
    nodes.handlers["canvas.action"] = lambda live, payload: node_action(services, live, payload)


def _keep(folder: Path, data: bytes, media_type: str) -> Path:
    """Under the name of its content, so that the same picture is kept once."""
    suffix = mimetypes.guess_extension(media_type) or ".bin"
    path = folder / f"{hashlib.sha256(data).hexdigest()[:32]}{suffix}"
    if not path.exists():
        ensure_private_dir(folder)
        write_atomic(path, data)
    return path
