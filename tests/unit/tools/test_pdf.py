"""Documents as text: which pages, whose password, and nothing that a hostile file could do to the gateway (TOL-19)."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.config.schema.tools import WebTools
from openclaw_kernel.tools import media, media_worker
from openclaw_kernel.tools.api import ToolContext, ToolError
from openclaw_kernel.tools.pdf import pages_of, pdf_tool
from openclaw_kernel.tools.web import Web
from openclaw_kernel.values.messages import Text
from openclaw_kernel.values.stream import AbortSignal
from tests.fakes.web_server import Answer, FakeWeb


def pdf(*pages: str, stream: bytes | None = None) -> bytes:
    """A document with one line of text a page; `stream` is packed content in place of the last page's."""
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b""]
    kids = []
    for number, words in enumerate(pages):
        content = f"BT /F1 12 Tf 72 720 Td ({words}) Tj ET".encode()
        packed = zlib.compress(content)
        if stream is not None and number == len(pages) - 1:
            packed = stream
        objects.append(b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(packed), packed))
        font = b"<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
        kids.append(len(objects) + 1)
        objects.append(b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents %d 0 R/Resources%s>>" % (len(objects), font))
    objects[1] = b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(kids), b" ".join(b"%d 0 R" % kid for kid in kids))
    out, offsets = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + b"".join(b"%010d 00000 n \n" % at for at in offsets)
    return bytes(out + b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, start))


def locked(data: bytes, password: str) -> bytes:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(BytesIO(data)))
    writer.encrypt(password, algorithm="AES-256")
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


class Desk:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings: dict[str, Any] = {}
        self.tool = pdf_tool(Web(lambda: WebTools.model_validate(self.settings)))

    def put(self, name: str, data: bytes) -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return name

    async def read(self, *paths: str, result_chars: int = 64_000, **more: Any) -> str:
        args = self.tool.parameters.model_validate({"paths": list(paths), **more})
        ctx = ToolContext("r", "agent:main:main", "main", self.folder, AbortSignal(), lambda _words, _part: None, {},
                          result_chars=result_chars)  # fmt: skip
        return "".join(part.text for part in (await self.tool.run(args, ctx)).content if isinstance(part, Text))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
async def web() -> AsyncIterator[FakeWeb]:
    async with FakeWeb() as server:
        yield server


async def test_the_pages_that_were_asked_for_are_read(desk: Desk) -> None:
    name = desk.put("a.pdf", pdf(*(f"words of {number}" for number in range(1, 31))))
    first = await desk.read(name)
    assert "30 pages" in first and "words of 20" in first and "words of 21" not in first and "pages 21-" in first
    assert "words of 30" in await desk.read(name, pages="21-")
    some = await desk.read(name, pages="2, 5-6,99")
    assert all(f"[page {number}]" in some for number in (2, 5, 6)) and some.count("[page ") == 3
    with pytest.raises(ToolError, match="not among them"):
        await desk.read(name, pages="40-50")
    short = await desk.read(name, result_chars=3_100)
    assert "words of 1" in short and "Read on with pages" in short and len(short) < 1_700
    assert short.rstrip().endswith("<<<end of untrusted PDF>>>")


@pytest.mark.parametrize(("text", "found"), [("1-3", [1, 2, 3]), ("7", [7]), (" 2 , 2,1 ", [2, 1]), ("", None), (" ", None)])
def test_filters_of_pages(text: str, found: list[int] | None) -> None:
    assert pages_of(text) == found


@pytest.mark.parametrize("text", ["0", "-3", "a", "3-1", "1;2", "1-2-3", "٣"])
def test_what_is_no_filter_of_pages(text: str) -> None:
    if text == "٣":
        assert pages_of(text) == [3]
        return
    with pytest.raises(ToolError):
        pages_of(text)


async def test_several_files_share_the_pages_of_a_call(desk: Desk) -> None:
    names = [desk.put(f"{number}.pdf", pdf(*["page"] * 12)) for number in range(3)]
    said = await desk.read(*names)
    assert said.count("[page ") == 20 and "2.pdf was not read" in said
    with pytest.raises(ValueError):
        await desk.read(*names * 4)


async def test_a_password_opens_a_locked_one(desk: Desk) -> None:
    name = desk.put("locked.pdf", locked(pdf("hidden words"), "sesame"))
    with pytest.raises(ToolError, match="needs a password"):
        await desk.read(name)
    with pytest.raises(ToolError, match="another one"):
        await desk.read(name, password="open")
    assert "hidden words" in await desk.read(name, password="sesame")


async def test_a_file_that_is_made_to_harm_is_one_sentence(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = zlib.compress(b"\0" * 400_000_000, 9)
    for name, data in (
        ("none.pdf", b"MZ not a document"),
        ("cut.pdf", pdf("words")[:80]),
        ("noise.pdf", b"%PDF-1.7\n" + b"\xff\x00<<" * 5_000),
    ):
        with pytest.raises(ToolError) as caught:
            await desk.read(desk.put(name, data))
        assert "\n" not in str(caught.value) and name in str(caught.value)
    try:
        said = await desk.read(desk.put("bomb.pdf", pdf("a", stream=bomb)))
    except ToolError as error:
        said = str(error)
    assert "bomb.pdf" in said
    monkeypatch.setattr(media, "WORK_S", 0.05)
    with pytest.raises(ToolError, match="not opened within"):
        await desk.read(desk.put("slow.pdf", pdf("words")))


async def test_nothing_outside_the_workspace_or_inside_the_network_is_read(desk: Desk, web: FakeWeb, tmp_path: Path) -> None:
    outside = tmp_path.parent / "outside.pdf"
    outside.write_bytes(pdf("secret"))
    (desk.folder / "link.pdf").symlink_to(outside)
    web.pages["/a.pdf"] = Answer(pdf("from the web"), headers={"Content-Type": "application/pdf"})
    for path in (
        "/etc/passwd",
        "../outside.pdf",
        "link.pdf",
        ".",
        "file:///etc/passwd",
        f"{web.url}/a.pdf",
        "http://10.0.0.1/a",
    ):
        with pytest.raises(ToolError):
            await desk.read(path)
    assert web.requests == []
    desk.settings["fetch"] = {"ssrfPolicy": {"allowedHostnames": [web.host]}}
    assert "from the web" in await desk.read(f"{web.url}/a.pdf")
    web.pages["/big"] = Answer(endless=True)
    with pytest.raises(ToolError, match="more than"):
        await desk.read(f"{web.url}/big")
    desk.settings["fetch"]["enabled"] = False
    with pytest.raises(ToolError, match="switched off"):
        await desk.read(f"{web.url}/a.pdf")


def test_a_call_for_a_url_goes_out_and_one_for_a_file_does_not() -> None:
    tool = pdf_tool(Web())
    assert tool.effect_for({"paths": ["a.pdf"]}) == "workspace"
    assert tool.effect_for({"paths": ["a.pdf", "HTTPS://example.org/a.pdf"]}) == "outbound"
    assert tool.read_only and tool.untrusted_output


def test_without_its_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pypdf", None)
    answer = media_worker.answer({"job": "pdf", "password": None, "pages": None, "room": 1}, pdf("a"))
    assert "jupyter-openclaw[documents]" in answer["error"]
