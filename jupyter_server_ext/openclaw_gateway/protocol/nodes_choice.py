"""Which node serves a session: one pure function over what the connected nodes have said of themselves.

A kernel says which sessions it belongs to, a JupyterLab window says which notebook is in front and which are open.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from openclaw_kernel.values.session_key import parse


@dataclass(frozen=True, slots=True)
class Candidate:
    """A connected node. `commands` are the approved ones; `active_at` is when it last spoke, in milliseconds.

    A kernel has `session_keys` and its `kernel_id`. A window has `focus_kernel_id` and `open_kernel_ids` of the notebooks it
    shows, and `focused_at`, when a notebook last came to its front; `session_keys` are the conversations it has open.
    """

    node_id: str
    commands: frozenset[str]
    active_at: int = 0
    session_keys: frozenset[str] = frozenset()
    kernel_id: str = ""
    focus_kernel_id: str = ""
    open_kernel_ids: frozenset[str] = frozenset()
    focused_at: int = 0


def choose(session_key: str, command: str, candidates: Sequence[Candidate]) -> str | None:
    """The node for `command` in a session, or `None`.

    1. A node that is bound to the session; for a command it does not have, its partner: the window that shows the bound
       kernel's notebook, or the kernel of the notebook in front of the bound window.
    2. For the owner's main session: the same over the window in which a notebook came to the front last.
    3. For the main session: the only connected node with the command. Two are one too many to guess.
    """
    able = [one for one in candidates if command in one.commands]
    if not able:
        return None
    bound = [one for one in candidates if session_key in one.session_keys]
    if found := _newest(one for one in able if one in bound) or _partner(bound, able):
        return found.node_id
    if not _is_main(session_key):
        return None
    focused = max((one for one in candidates if one.focused_at), key=lambda one: one.focused_at, default=None)
    if focused is not None:
        if focused in able:
            return focused.node_id
        if found := _partner([focused], able):
            return found.node_id
    return able[0].node_id if len(able) == 1 else None


def _partner(bound: Iterable[Candidate], able: Sequence[Candidate]) -> Candidate | None:
    """The able node that shares a notebook with a bound one."""
    for one in sorted(bound, key=lambda node: -node.active_at):
        kernel = one.kernel_id or one.focus_kernel_id
        if not kernel:
            continue
        fitting = [node for node in able if kernel == node.kernel_id or kernel == node.focus_kernel_id]
        if found := _newest(fitting) or _newest(node for node in able if kernel in node.open_kernel_ids):
            return found
    return None


def _newest(nodes: Iterable[Candidate]) -> Candidate | None:
    return max(nodes, key=lambda node: node.active_at, default=None)


def _is_main(session_key: str) -> bool:
    key = parse(session_key)
    return key.kind == "main" and key.suffix is None
