"""A page as text, from the tree that the driver gives: no Chromium needed (TOL-08)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from openclaw_kernel.tools.browser.snapshot import parse

TREE = """\
- generic [active] [ref=e1]:
  - heading "Shop" [level=1] [ref=e2]
  - generic [ref=e3]:
    - text: Name
    - textbox "Name" [ref=e4]: "a: b"
  - combobox "Size" [ref=e5]:
    - option "small" [selected]
    - option "large"
  - 'link "it''s: a #link" [ref=e6] [cursor=pointer]':
    - /url: /more
  - generic [ref=e7] [cursor=pointer]: Click me
  - textbox "Key" [ref=e8]: hunter2
  - iframe [ref=e9]:
    - button "Inside" [disabled] [ref=f1e2]
"""


def test_what_can_be_acted_on_comes_first_and_keeps_its_place() -> None:
    seen = parse(TREE, frozenset({"e8"}))
    listed, _, page = seen.text.partition("\nPage:\n")
    assert listed.splitlines() == [
        "Elements:",
        'e4 textbox "Name": "a: b"',
        'e5 combobox "Size" (options: "small"*, "large")',
        'e6 link "it\'s: a #link" → /more',
        "e7 generic: Click me",
        'e8 textbox "Key": (hidden)',
        'f1e2 button "Inside" [disabled]',
    ]
    assert page.splitlines() == [  # the frame is part of the page
        '- heading "Shop" [level=1]', "- text: Name", "- [e4]", "- [e5]", "- [e6]", "- [e7]", "- [e8]", "- iframe",
        "  - [f1e2]",
    ]  # fmt: skip
    assert seen.lines["e2"] == 'heading "Shop" [level=1]' and "e3" in seen.lines


def test_an_empty_page_says_so() -> None:
    assert parse("").text == "Elements:\n(none)\nPage:\n(empty)"


@given(st.text(alphabet="- :'\"[]=refgnbutoxlikp/\\\n e19"))
def test_no_tree_breaks_it(tree: str) -> None:
    seen = parse(tree)
    assert seen.text.startswith("Elements:\n") and set(seen.elements) <= set(seen.lines)
