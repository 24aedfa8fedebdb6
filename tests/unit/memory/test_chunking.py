"""Cutting notes by lines, with bytes and headings kept (MEM-03)."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_kernel.memory.chunking import chunker_id, count_tokens, cut, digest_of, embedded_text, text_hash


def numbered(count: int) -> bytes:
    return "".join(f"line {number} has some words in it\n" for number in range(1, count + 1)).encode()


def test_a_short_note_is_one_chunk_with_its_place() -> None:
    data = "\n# Ficus\n\nWater on Mondays, café at 9\n\n".encode()
    [chunk] = cut(data)
    assert (chunk.line0, chunk.line1, chunk.heading) == (2, 4, "")
    assert data[chunk.byte0 : chunk.byte1].decode() == chunk.text == "# Ficus\n\nWater on Mondays, café at 9"
    assert chunk.digest == digest_of(chunk.text.encode())


def test_an_empty_note_has_no_chunk() -> None:
    assert cut(b"") == cut(b"\n \n\t\n") == []


def test_chunks_are_of_the_asked_size_and_share_their_ends() -> None:
    chunks = cut(numbered(300), tokens=100, overlap=20)
    assert all(chunk.tokens <= 100 for chunk in chunks)
    for before, after in pairwise(chunks):
        shared = before.line1 - after.line0 + 1
        assert shared >= 1 and shared * 9 <= 20 + 9
    assert chunks[0].line0 == 1 and chunks[-1].line1 == 300


def test_without_overlap_every_line_is_in_one_chunk() -> None:
    chunks = cut(numbered(100), tokens=50, overlap=0)
    assert [chunk.line0 for chunk in chunks[1:]] == [chunk.line1 + 1 for chunk in chunks[:-1]]


def test_the_heading_path_is_kept_apart_from_the_text() -> None:
    data = b"# House\n## Plants\n" + numbered(12) + b"```\n# no heading\n```\n## Pets\n" + numbered(12)
    chunks = cut(data, tokens=60, overlap=0)
    assert chunks[0].heading == "" and chunks[1].heading == "House > Plants"
    assert chunks[-1].heading == "House > Pets"
    assert embedded_text(chunks[1].heading, chunks[1].text).startswith("House > Plants\n\nline")
    assert not any("no heading" in chunk.heading for chunk in chunks)


def test_a_heading_opens_a_chunk_once_the_one_before_is_half_full() -> None:
    data = b"# One\n" + numbered(8) + b"# Two\n" + numbered(2) + b"# Three\n" + numbered(3)
    chunks = cut(data, tokens=100, overlap=40)
    assert [chunk.text.splitlines()[0] for chunk in chunks] == ["# One", "# Two"]
    assert chunks[1].line0 == chunks[0].line1 + 1 == 10


def test_the_hash_is_of_heading_and_text() -> None:
    assert text_hash("A", "x") != text_hash("B", "x") != text_hash("", "x")
    one, two = cut(b"# A\n" + numbered(30), 60, 0), cut(b"# B\n" + numbered(30), 60, 0)
    assert one[1].text == two[1].text and one[1].hash != two[1].hash and one[1].digest == two[1].digest


def test_chinese_counts_a_token_a_character() -> None:
    assert count_tokens("水" * 10) == 10
    assert count_tokens("abcd" * 10) == 10
    assert len(cut(("水を飲む" * 50).encode(), tokens=100, overlap=0)) == 2


def test_a_long_line_is_cut_between_characters() -> None:
    data = ("größe " * 2_000).encode()
    chunks = cut(data, tokens=100, overlap=0)
    assert len(chunks) > 20 and {chunk.line0 for chunk in chunks} == {1}
    assert "".join(chunk.text for chunk in chunks) == data.decode()
    assert all("\ufffd" not in chunk.text and chunk.tokens <= 100 for chunk in chunks)


def test_an_appended_file_may_be_cut_on_from_its_last_chunk() -> None:
    data = numbered(200)
    whole = cut(data, 60, 0)
    early = cut(data[: len(data) // 2], 60, 0)
    rest = cut(data[early[-1].byte0 :], 60, 0)
    assert [chunk.text for chunk in early[:-1] + rest] == [chunk.text for chunk in whole]


def test_the_size_is_part_of_the_chunkers_name() -> None:
    assert len({chunker_id(), chunker_id(220), chunker_id(400, 0)}) == 3


def no_form(data: bytes) -> bytes:
    """What may look like a form is left out of an index on purpose."""
    return data.replace(b":", b".").replace(b"<", b"(")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=2_000).map(no_form), st.integers(1, 40), st.integers(0, 60))
def test_any_bytes_are_cut_in_order_and_nothing_is_lost(data: bytes, tokens: int, overlap: int) -> None:
    chunks = cut(data, tokens, overlap)
    covered = bytearray(len(data))
    for chunk in chunks:
        assert 0 <= chunk.byte0 < chunk.byte1 <= len(data) and digest_of(data[chunk.byte0 : chunk.byte1]) == chunk.digest
        covered[chunk.byte0 : chunk.byte1] = b"x" * (chunk.byte1 - chunk.byte0)
    left = bytes(byte for byte, seen in zip(data, covered, strict=True) if not seen)
    assert left.decode("utf-8", "replace").strip() == ""
    assert [chunk.byte0 for chunk in chunks] == sorted(chunk.byte0 for chunk in chunks)


def test_a_form_that_nobody_filled_in_is_no_note() -> None:
    form = b"# USER.md: about your person\n\n- Name:\n- Time zone:\n\n<!-- one\na line -->\n"
    assert cut(form) == [] and cut(b"# MEMORY.md\n\n<!-- Lasting facts. -->\n") == []
    assert len(cut(form.replace(b"Name:", b"Name: Ada"))) == 1
    assert len(cut(b"# Call Anna\n")) == 1 and len(cut(b"Ada's door code:\n\n1234\n")) == 1
    assert len(cut(b"<!-- a lone word is kept --> fig\n")) == 1
