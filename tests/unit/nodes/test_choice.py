"""Which node serves a session: the whole rule as one table."""

from __future__ import annotations

import pytest

from openclaw_gateway.protocol.nodes_choice import Candidate, choose

MAIN = "agent:main:main"
NOTEBOOK = "agent:main:dashboard:notebook-a"
GROUP = "agent:main:telegram:group:7"
PYTHON = frozenset({"python.run", "canvas.present"})
CELLS = frozenset({"notebook.cells"})

one = Candidate("one", PYTHON, 10, frozenset({NOTEBOOK}), kernel_id="k1")
two = Candidate("two", PYTHON, 20, kernel_id="k2")
phone = Candidate("phone", frozenset({"camera.snap", "canvas.present"}), 99)
bound_window = Candidate("lab", CELLS, 5, frozenset({GROUP}), "", "k2", frozenset({"k1", "k2"}), focused_at=50)
window = Candidate("lab", CELLS, 5, frozenset(), "", "k2", frozenset({"k1", "k2"}), focused_at=50)
behind = Candidate("lab-behind", CELLS, 90, frozenset(), "", "k1", frozenset({"k1"}), focused_at=40)
empty_window = Candidate("lab", CELLS, 5)

TABLE = [
    # session, command, connected nodes, which
    (MAIN, "python.run", [], None),
    (MAIN, "python.run", [phone], None),
    (MAIN, "python.run", [one], "one"),  # the only one
    (MAIN, "python.run", [one, two], None),  # nobody guesses
    (MAIN, "python.run", [one, two, window], "two"),  # the notebook in front
    (MAIN, "python.run", [one, two, window, behind], "two"),  # the window in which one came to the front last
    (MAIN, "python.run", [one, empty_window], "one"),
    (MAIN, "python.run", [one, window], "one"),  # the one in front has no kernel of ours: the only one
    (MAIN, "notebook.cells", [one, window, behind], "lab"),
    (MAIN, "notebook.cells", [one, two], None),
    (MAIN, "camera.snap", [one, phone], "phone"),
    (MAIN, "canvas.present", [one, phone, window], None),
    (NOTEBOOK, "python.run", [one, two, window], "one"),  # bound comes first
    (NOTEBOOK, "notebook.cells", [one, two, window], "lab"),  # the window that shows the bound kernel's notebook
    (NOTEBOOK, "notebook.cells", [one, window, behind], "lab-behind"),  # in front comes before open
    (NOTEBOOK, "notebook.cells", [one, empty_window], None),
    (NOTEBOOK, "python.run", [two, window], None),  # no other notebook's kernel
    (NOTEBOOK, "camera.snap", [one, phone], None),
    (GROUP, "python.run", [one], None),  # a group reaches nobody's notebook
    (GROUP, "python.run", [one, two, window], None),
    (GROUP, "python.run", [one, two, bound_window], "two"),  # unless a window has that conversation open
    (MAIN + ":thread:9", "python.run", [one], None),
    ("agent:work:main", "python.run", [one], "one"),
    ("cron:job", "python.run", [one], None),
]


@pytest.mark.parametrize(("session", "command", "nodes", "expected"), TABLE)
def test_the_node_of_a_session(session: str, command: str, nodes: list[Candidate], expected: str | None) -> None:
    assert choose(session, command, nodes) == expected
    assert choose(session, command, nodes[::-1]) == expected, "the order of arrival does not matter"
