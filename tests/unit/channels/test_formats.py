"""Formats and cutting: nothing is lost, nothing is too long, no code block is left open (CHN-13)."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_gateway.channels.formats import parts, render, split
from openclaw_gateway.channels.formats.chunks import measure_of

CODE = "before\n\n```python\n" + "\n".join(f"line_{n} = {n}" for n in range(60)) + "\n```\n\nafter the code"

words = st.text(
    alphabet=st.characters(exclude_characters="`~>\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029", exclude_categories=("Cs",)),
    max_size=300,
)
fenced = st.lists(
    st.one_of(
        words,
        st.builds(lambda info, body: f"\n```{info}\n{body}\n```\n", st.sampled_from(["", "python", "c++"]), words),
    ),
    max_size=6,
).map("".join)


def fences_closed(text: str) -> bool:
    return len(re.findall(r"^```", text, re.MULTILINE)) % 2 == 0


def bare(text: str) -> str:
    """All but white space and fence lines."""
    return re.sub(r"\s", "", re.sub(r"^```[^\n]*$", "", text, flags=re.MULTILINE))


@settings(max_examples=300, deadline=None)
@given(fenced, st.integers(20, 120), st.sampled_from(["characters", "utf16", "bytes"]), st.sampled_from(["length", "newline"]))
def test_every_part_fits_is_closed_and_nothing_is_lost(text: str, limit: int, count: str, mode: str) -> None:
    measure = measure_of(count)  # type: ignore[arg-type]
    found = split(text, limit, measure=measure, mode=mode)  # type: ignore[arg-type]
    assert all(measure(part) <= limit for part in found), [measure(part) for part in found]
    assert all(map(fences_closed, found)), found
    assert bare("\n".join(found)) == bare(text)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=400), st.integers(30, 200), st.sampled_from(["plain", "telegram-html", "discord", "slack", "whatsapp"]))
def test_no_rendering_is_too_long(text: str, limit: int, format: str) -> None:
    measure = measure_of("utf16")
    assert all(measure(shown) <= limit for _, shown in parts(text, format, limit, count="utf16"))  # type: ignore[arg-type]


def test_a_part_that_markup_makes_too_long_is_not_cut_into_crumbs() -> None:
    code = "\n".join(f"if a < {n} and b > {n}: print('&')" for n in range(400))
    found = parts(f"Here:\n\n```python\n{code}\n```\n\nEnd.", "telegram-html", 4096, count="utf16")
    sizes = [len(shown) for _, shown in found]
    assert max(sizes) <= 4096
    assert len(sizes) <= 1.6 * sum(sizes) / 4096 + 2, sizes
    assert min(sizes[:-1]) > 1_000, sizes


def test_a_long_code_block_is_closed_and_opened_again_with_its_language() -> None:
    found = split(CODE, 300)
    assert len(found) > 2
    assert all(part.count("```") % 2 == 0 for part in found)
    assert all("```python" in part for part in found[1:-1])
    assert [line for part in found for line in part.splitlines() if line.startswith("line_")] == [
        f"line_{n} = {n}" for n in range(60)
    ]


def test_paragraphs_before_lines_before_sentences_before_spaces() -> None:
    assert split("one two\n\nthree four\nfive", 14) == ["one two", "three four", "five"]
    assert split("First one. Second one here", 20) == ["First one. ".strip(), "Second one here"]
    assert split("alpha beta gamma", 11) == ["alpha beta", "gamma"]
    assert split("x" * 25, 10) == ["x" * 10, "x" * 10, "x" * 5]


def test_newline_mode_sends_each_paragraph_by_itself() -> None:
    found = split("a\n\nb\nc\n\n```\nx\n\ny\n```", 100, mode="newline")
    assert [part.strip() for part in found] == ["a", "b\nc", "```\nx\n\ny\n```"]


SOURCE = "# T\n\n**b** *i* ~~s~~ `c<d` [l](https://e.x/?a=1&b=2) [j](javascript:1)\n\n- one\n- two\n\n> q\n\n```py\nx < 1\n```"


@pytest.mark.parametrize(
    ("format", "wanted"),
    [
        ("plain", ["T\n\nb i s c<d l (https://e.x/?a=1&b=2)", "- one\n- two", "> q", "x < 1"]),
        (
            "telegram-html",
            [
                "<b>T</b>",
                "<b>b</b> <i>i</i> <s>s</s> <code>c&lt;d</code>",
                '<a href="https://e.x/?a=1&amp;b=2">l</a>',
                "• one",
                "<blockquote>q</blockquote>",
                '<pre><code class="language-py">x &lt; 1</code></pre>',
                "j (javascript:1)",
            ],
        ),
        ("discord", ["# T", "**b** *i* ~~s~~ `c<d` [l](https://e.x/?a=1&b=2)", "```py\nx < 1\n```"]),
        ("slack", ["*T*", "*b* _i_ ~s~ `c&lt;d` <https://e.x/?a=1&amp;b=2|l>", "• one"]),
        ("whatsapp", ["*T*", "*b* _i_ ~s~ `c<d` l (https://e.x/?a=1&b=2)"]),
        ("markdown", [SOURCE]),
    ],
)
def test_each_platform_gets_its_own_marks(format: str, wanted: list[str]) -> None:
    shown = render(SOURCE, format)  # type: ignore[arg-type]
    assert [text for text in wanted if text not in shown] == [], shown


def test_html_of_a_stranger_stays_text() -> None:
    assert render("<b onclick=x>hi</b> <script>", "telegram-html").count("<") == 0


def test_a_table_is_shown_in_columns() -> None:
    assert "name | n\nabc  | 1" in render("|name|n|\n|-|-|\n|abc|1|", "telegram-html")
