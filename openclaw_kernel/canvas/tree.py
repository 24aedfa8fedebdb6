"""A surface drawn out: which component shows what, templates expanded, every bound kept (a2ui reference, sections 5 and 6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from openclaw_kernel.canvas import pointer
from openclaw_kernel.canvas.limits import NODES, TEMPLATE_ROWS, TREE_DEPTH
from openclaw_kernel.canvas.problems import CanvasError, Problems
from openclaw_kernel.canvas.store import Component, Surface

ROOT = "root"


@dataclass(slots=True)
class Node:
    """A component in one place; `scope` is the path of the template item it shows."""

    component: Component
    scope: str
    children: list[Node] = field(default_factory=list)


def child_ids(component: Component) -> list[str]:
    """The components it names outright, in order; of a template nothing."""
    found = [component[key] for key in ("child", "trigger", "content") if isinstance(component.get(key), str)]
    if isinstance(children := component.get("children"), list):
        found += [child for child in children if isinstance(child, str)]
    if isinstance(tabs := component.get("tabs"), list):
        found += [tab["child"] for tab in tabs if isinstance(tab, dict) and isinstance(tab.get("child"), str)]
    return found


def is_template(children: Any) -> TypeGuard[Mapping[str, str]]:
    """Whether `children` is one component for every item of a list; a component of an unknown type may have anything there."""
    return isinstance(children, dict) and all(isinstance(children.get(key), str) for key in ("path", "componentId"))


def expand(surface: Surface, problems: Problems, at: str = "") -> Node | None:
    """The tree below `root`, cut where a bound is met and each cut told once. None before `root` is there.

    The walk keeps its own stack, so no tree can exhaust Python's.
    """
    if ROOT not in surface.components:
        return None
    root = Node(surface.components[ROOT], "")
    waiting: list[tuple[Node, frozenset[tuple[str, str]], int]] = [(root, frozenset({(ROOT, "")}), 1)]
    told: set[str] = set()
    made = 1

    def tell(code: str, message: str) -> None:
        if code not in told:
            told.add(code)
            problems.add(code, at, message)

    while waiting:
        node, above, depth = waiting.pop()
        for child_id, scope in _places(surface, node, tell):
            component = surface.components.get(child_id)
            if component is None:
                continue
            if (child_id, scope) in above:
                tell("CYCLE", f"The component {child_id[:60]!r} contains itself.")
            elif depth >= TREE_DEPTH:
                tell("TOO_DEEP", f"Components may be {TREE_DEPTH} deep inside each other.")
            elif made >= NODES:
                tell("TOO_MANY", f"A surface may show {NODES} components, its templates expanded.")
                return root
            else:
                made += 1
                child = Node(component, scope)
                node.children.append(child)
                waiting.append((child, above | {(child_id, scope)}, depth + 1))
    return root


def _places(surface: Surface, node: Node, tell: Any) -> Iterator[tuple[str, str]]:
    """Child ids with the scope of each, a template's once for every item."""
    for child_id in child_ids(node.component):
        yield child_id, node.scope
    template = node.component.get("children")
    if not is_template(template):
        return
    path = pointer.absolute(template["path"], node.scope)
    try:
        items = pointer.get(surface.data, path)
    except CanvasError as error:
        tell(error.problem.code, str(error))
        return
    count = len(items) if isinstance(items, list) else 0
    for index in range(min(count, TEMPLATE_ROWS)):
        yield template["componentId"], f"{path.rstrip('/')}/{index}"


def cycles(surface: Surface) -> list[str]:
    """Ids at which following named children comes back, reachable from the root or not."""
    state: dict[str, int] = {}
    found: list[str] = []
    for start in surface.components:
        stack: list[tuple[str, Iterator[str]]] = []
        if start not in state:
            state[start] = 1
            stack.append((start, iter(child_ids(surface.components[start]))))
        while stack:
            here, rest = stack[-1]
            following = next(rest, None)
            if following is None:
                state[here] = 2
                stack.pop()
            elif state.get(following) == 1:
                found.append(following)
            elif following not in state and following in surface.components:
                state[following] = 1
                stack.append((following, iter(child_ids(surface.components[following]))))
    return found
