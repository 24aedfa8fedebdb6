"""Where a growing answer is cut (AGT-14, AGT-15)."""

from __future__ import annotations

import itertools
import random

import pytest

from openclaw_gateway.channels.blocks import BlockRules, Blocks, framed

RULES = BlockRules(80, 120, join_min=80, join_max=120)


def stream(text: str, rules: BlockRules = RULES, step: int = 7) -> list[str]:
    blocks, pieces = Blocks(rules), []
    for start in range(0, len(text), step):
        pieces += blocks.feed(text[start : start + step])
        pieces += blocks.pause()
    pieces += blocks.end()
    assert pieces[0][0] == 0 and all(one[1] == two[0] for one, two in itertools.pairwise(pieces))
    return [framed(text, *piece) for piece in pieces]


def test_a_short_answer_is_one_block() -> None:
    assert stream("Just this.") == ["Just this."]


def test_a_block_ends_behind_a_paragraph_where_there_is_one() -> None:
    first, second = "a" * 60 + "\n" + "b" * 25, "c" * 90
    assert stream(f"{first}\n\n{second}") == [first, second]


@pytest.mark.parametrize(
    ("glue", "end"),
    [("\n", "x"), (". ", "."), (" ", "x")],
)
def test_then_a_line_a_sentence_a_word(glue: str, end: str) -> None:
    text = glue.join(["x" * 30] * 12)
    blocks = stream(text)
    assert len(blocks) > 2 and all(80 <= len(block) <= 120 for block in blocks[:-1]), [len(block) for block in blocks]
    assert all(block.endswith(end) for block in blocks[:-1]) and all(set(block) <= set("x" + glue) for block in blocks)
    assert all(part == "x" * 30 for block in blocks for part in block.replace(".", "").split())


def test_a_wall_of_text_is_cut_hard() -> None:
    blocks = stream("x" * 500)
    assert [len(block) for block in blocks] == [120, 120, 120, 120, 20]


def test_a_code_fence_is_never_torn() -> None:
    code = "\n".join(f"line {number} = {number}" for number in range(30))
    blocks = stream(f"Look at this:\n\n```python\n{code}\n```\n\nThat is all.")
    assert all(block.count("```") % 2 == 0 for block in blocks), blocks
    inside = [block for block in blocks if "line" in block]
    assert len(inside) > 2 and all(block.startswith("```python\n") and block.endswith("\n```") for block in inside[1:-1])
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("line")]
    assert lines == code.splitlines(), "no line is torn, lost or doubled"


def test_a_longer_fence_holds_a_shorter_one() -> None:
    text = "````md\n```\n" + "word " * 60 + "\n```\n````\nend"
    assert all(block.count("````") == 2 for block in stream(text) if "word" in block)


def test_text_that_comes_slowly_is_held_until_it_pauses() -> None:
    rules = BlockRules(20, 60, join_min=50, join_max=120)
    blocks = Blocks(rules)
    assert blocks.feed("a" * 25 + "\n\n" + "b") == [] and not blocks.waits, "27 characters are ready, 50 are wanted"
    assert blocks.feed("b" * 25 + "\n\n" + "c") == [] and blocks.waits
    assert blocks.pause() == [(0, 55)] and blocks.pause() == []
    assert blocks.end() == [(55, 56)]


def test_nothing_is_lost_or_said_twice_whatever_comes() -> None:
    chance = random.Random(20261121)
    words = ["one", "two.", "three!\n", "\n\n", "```py\n", "x = 1\n", "```\n", "~~~\n", "- item\n", "w" * 90, " ", "  \n"]
    for _ in range(300):
        text = " ".join(chance.choice(words) for _ in range(chance.randrange(1, 80)))
        rules = BlockRules(
            40, 90, chance.choice(["paragraph", "newline", "sentence"]), join_min=chance.choice([40, 80]), join_max=90
        )
        blocks, pieces = Blocks(rules), []
        for start in range(0, len(text), step := chance.randrange(1, 40)):
            pieces += blocks.feed(text[start : start + step])
        pieces += blocks.end()
        out = pieces[-1][1] if pieces else 0
        assert "".join(text[start:end] for start, end in pieces) == text[:out] and not text[out:].strip()
        assert all(end - start <= 90 for start, end in pieces), pieces
