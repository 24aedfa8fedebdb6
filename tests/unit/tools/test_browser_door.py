"""The way out of the browser: every request is judged, whatever form it takes, and pinned to what was judged (SAF-25)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from openclaw_kernel.tools.browser.door import Door
from tests.fakes.web_server import Answer, FakeWeb


@dataclass
class Bench:
    """A door on a network of names; `allowed` are the exceptions."""

    web: FakeWeb
    names: dict[str, list[str]] = field(default_factory=dict)
    allowed: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    door: Door = field(init=False)

    def __post_init__(self) -> None:
        self.door = Door(lambda: self.allowed, self.lookup)

    async def lookup(self, host: str, _port: int) -> list[str]:
        self.asked.append(host)
        answers = self.names.get(host, [host.strip("[]")])
        return [answers.pop(0) if len(answers) > 1 else answers[0]]

    async def say(self, text: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(self.door.url.rpartition(":")[2]))
        writer.write(text.encode("latin-1"))
        return reader, writer

    async def ask(self, text: str) -> str:
        reader, writer = await self.say(text)
        async with asyncio.timeout(20):
            answer = await reader.read()
        writer.close()
        return answer.decode("latin-1")

    async def get(self, url: str, host: str = "x") -> str:
        return await self.ask(f"GET {url} HTTP/1.1\r\nHost: {host}\r\n\r\n")


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with FakeWeb() as web:
        made = Bench(web)
        await made.door.open()
        yield made
        await made.door.close()


PRIVATE = ("127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "[::1]", "[::ffff:127.0.0.1]", "[fd00::1]", "0.0.0.0")


@pytest.mark.parametrize("host", PRIVATE)
async def test_neither_a_request_nor_a_tunnel_reaches_a_private_address(bench: Bench, host: str) -> None:
    for text in (
        f"GET http://{host}:{bench.web.port}/ HTTP/1.1\r\nHost: example.org\r\n\r\n",
        f"CONNECT {host}:{bench.web.port} HTTP/1.1\r\nHost: example.org:443\r\n\r\n",
    ):
        answer = await bench.ask(text)
        assert answer.startswith("HTTP/1.1 403 ") and "not on the open internet" in answer
    assert bench.web.requests == [] and bench.door.refused == 2


async def test_an_exception_opens_one_port_of_one_host(bench: Bench) -> None:
    bench.web.pages["/a"] = Answer("hello")
    bench.allowed.append(bench.web.host)
    assert "hello" in await bench.get(f"{bench.web.url}/a")
    assert (await bench.get(f"http://127.0.0.1:{bench.web.port + 1}/a")).startswith("HTTP/1.1 403 ")
    bench.allowed.clear()
    assert (await bench.get(f"{bench.web.url}/a")).startswith("HTTP/1.1 403 ")


async def test_a_name_that_answers_differently_is_judged_at_every_request(bench: Bench) -> None:
    """The address that was judged is the one that is called: there is no second look-up to lie to."""
    bench.names["rebind.example"] = ["203.0.113.9", "127.0.0.1"]
    first = await asyncio.wait_for(bench.ask(f"CONNECT rebind.example:{bench.web.port} HTTP/1.1\r\n\r\n"), 20)
    assert not first.startswith("HTTP/1.1 200")
    assert bench.asked == ["rebind.example"]
    assert (await bench.get(f"http://rebind.example:{bench.web.port}/")).startswith("HTTP/1.1 403 ")
    assert bench.web.requests == []


async def test_the_host_that_is_called_is_the_one_of_the_address(bench: Bench) -> None:
    bench.web.pages["/a"] = Answer("hello")
    bench.allowed.append(bench.web.host)
    await bench.get(f"{bench.web.url}/a", host="somebody.example")
    assert bench.web.requests[0].headers["host"] == bench.web.host


async def test_a_second_request_on_the_same_connection_is_not_passed_on(bench: Bench) -> None:
    bench.web.pages["/a"] = Answer("hello")
    bench.allowed.append(bench.web.host)
    head = f"GET {bench.web.url}/a HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n"
    answer = await bench.ask(head + "GET http://10.0.0.1/ HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.count("HTTP/1.1 200") == 1 and "Connection: close" in answer
    assert [request.path for request in bench.web.requests] == ["/a"]


async def test_two_lengths_smuggle_nothing(bench: Bench) -> None:
    bench.allowed.append(bench.web.host)
    chunked = f"POST {bench.web.url}/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n"
    assert (await bench.ask(chunked)).startswith("HTTP/1.1 501 ")
    twice = f"POST {bench.web.url}/ HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 40\r\n\r\nGET /x HTTP/1.1\r\n\r\n"
    assert (await bench.ask(twice)).startswith("HTTP/1.1 400 ")
    assert bench.web.requests == []


@pytest.mark.parametrize(
    "line",
    ["GET / HTTP/1.1", "GET ftp://example.org/ HTTP/1.1", "GET file:///etc/passwd HTTP/1.1", "hello",
     "GET http://user:pass@example.org/ HTTP/1.1", "CONNECT example.org HTTP/1.1 x", "CONNECT @:99999999 HTTP/1.1"],
)  # fmt: skip
async def test_what_is_no_request_of_a_browser_is_refused(bench: Bench, line: str) -> None:
    answer = await bench.ask(f"{line}\r\nHost: x\r\n\r\n")
    assert answer == "" or answer.startswith(("HTTP/1.1 400 ", "HTTP/1.1 403 "))
    assert bench.web.requests == []


async def test_a_tunnel_ends_with_the_door(bench: Bench) -> None:
    hold = asyncio.Event()
    bench.web.pages["/slow"] = Answer("late", hold=hold)
    bench.allowed.append(bench.web.host)
    reader, writer = await bench.say(f"CONNECT {bench.web.host} HTTP/1.1\r\n\r\n")
    assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)).startswith(b"HTTP/1.1 200 ")
    writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
    await asyncio.wait_for(bench.door.close(), 20)
    assert await asyncio.wait_for(reader.read(), 20) == b""
    writer.close()
