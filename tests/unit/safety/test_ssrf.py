"""Nobody sends the gateway into its own network: addresses in every dress, names that change, redirects."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from openclaw_kernel.safety.ssrf import ForbiddenAddress, check, is_public, request
from openclaw_kernel.values.errors import UserError


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1",
        "255.255.255.255", "192.0.0.8", "198.18.0.1", "240.0.0.1", "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254",
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:80ff:fffe", "ff02::1", "2001:db8::1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_the_open_internet(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


def test_addresses_that_are() -> None:
    for address in ("93.184.216.34", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8"):
        assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://[::1]:80/", "http://2130706433/", "http://0x7f.1/", "http://127.1/", "http://0/",
        "http://localhost./", "file:///etc/passwd", "gopher://x/", "http://", "https://user:pass@example.com/",
        "http://[::ffff:7f00:1]/", "http://169.254.169.254/latest/meta-data",
    ],
)  # fmt: skip
async def test_urls_that_are_refused(url: str) -> None:
    with pytest.raises(ForbiddenAddress):
        await check(url)


async def test_one_private_address_among_public_ones_is_enough() -> None:
    async def lookup(_host: str, _port: int) -> list[str]:
        return ["93.184.216.34", "10.0.0.5"]

    with pytest.raises(ForbiddenAddress, match=r"10\.0\.0\.5"):
        await check("https://mixed.test/", lookup=lookup)


async def test_the_judged_address_is_the_one_that_is_called() -> None:
    """A name that answers differently a moment later: the second answer is never asked for."""
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])

    async def lookup(_host: str, _port: int) -> list[str]:
        return next(answers)

    pinned = await check("https://rebind.test/x", lookup=lookup)
    assert (pinned.address, pinned.host, pinned.port) == ("93.184.216.34", "rebind.test", 443)


@asynccontextmanager
async def server(answer: bytes, seen: list[bytes]) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        seen.append(head)
        writer.write(answer)
        await writer.drain()
        writer.close()

    running = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with running:
        yield running.sockets[0].getsockname()[1]


async def test_an_exact_exception_is_called_and_its_redirect_is_judged_again() -> None:
    seen: list[bytes] = []
    redirect = b"HTTP/1.1 307 Temporary\r\nLocation: http://127.0.0.1:9/secret\r\nContent-Length: 0\r\n\r\n"
    async with server(redirect, seen) as port:
        with pytest.raises(ForbiddenAddress):
            await request("POST", f"http://127.0.0.1:{port}/", json={}, allowed=())
        assert seen == []
        with pytest.raises(ForbiddenAddress, match=r"127\.0\.0\.1"):
            await request("POST", f"http://127.0.0.1:{port}/", json={"a": 1}, allowed=(f"127.0.0.1:{port}",))
        assert len(seen) == 1


async def test_the_name_is_sent_and_the_answer_is_bounded() -> None:
    seen: list[bytes] = []

    async def lookup(_host: str, _port: int) -> list[str]:
        return ["127.0.0.1"]

    body = b"x" * 1_500_000
    async with server(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body, seen) as port:
        answer = await request(
            "POST",
            f"http://hook.test:{port}/in?a=1",
            json={"text": "hi"},
            headers={"Authorization": "Bearer t"},
            allowed=("hook.test",),
            lookup=lookup,
        )
    assert answer.status == 200 and len(answer.body) == 1_000_000
    assert b"POST /in?a=1 " in seen[0] and b"host: hook.test:%d" % port in seen[0].lower()


async def test_a_silent_server_is_one_sentence() -> None:
    with pytest.raises(UserError, match="did not answer"):
        await request("GET", "http://127.0.0.1:9/", allowed=("127.0.0.1",), timeout_s=2)
