"""Requests to addresses that somebody else named: never into this machine or its network (SAF-25).

The name is resolved once, every address of it is judged, and the connection goes to the judged address, so that a name that
answers differently a moment later changes nothing. Redirects are followed by hand and judged again.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import zlib
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from openclaw_kernel.values.errors import UserError

MAX_REDIRECTS = 3
TIMEOUT_S = 20.0
MAX_ANSWER = 1_000_000
"""Bytes of an answer that are read."""

_HARMLESS = ("accept", "accept-encoding", "accept-language", "user-agent")
"""What another host than the one that was asked may get of the headers."""
_REDIRECTS = (301, 302, 303, 307, 308)

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_PROTOCOLS = ipaddress.ip_network("192.0.0.0/24")
"""Kept for protocols (RFC 6890); some Python versions count parts of it as global."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Lookup = Callable[[str, int], Awaitable[list[str]]]
"""Host and port → its addresses as text."""


class ForbiddenAddress(UserError):
    """The URL leads where it may not."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """A URL with the address that was judged."""

    url: SplitResult
    host: str
    port: int
    address: str


@dataclass(frozen=True, slots=True)
class Answer:
    """`url` is the one that answered, after redirects; `cut` when the body was longer than is read."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    cut: bool = False


def is_public(address: Address) -> bool:
    """Whether an address belongs to the open internet; forms that wrap an IPv4 address are unwrapped first."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return (
        address.is_global
        and address not in _PROTOCOLS
        and not (address.is_multicast or address.is_reserved or address.is_unspecified)
    )


async def resolve(host: str, port: int) -> list[str]:
    """The system's own look-up."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(row[4][0]) for row in found]


async def check(url: str, *, allowed: Collection[str] = (), lookup: Lookup = resolve) -> Pinned:
    """Judges a URL. `allowed` are exact `host` or `host:port` entries that may be private. Raises `ForbiddenAddress`."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip(".").lower(), parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise ForbiddenAddress(f"{url[:200]!r} is no URL; write https://host/path.") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ForbiddenAddress(f"{url[:200]!r} is no web address; write https://host/path.")
    if parts.username is not None or parts.password is not None:
        raise ForbiddenAddress(f"The URL for {host} holds a name or password; take them out.")
    excepted = {host, f"{host}:{port}"} & {entry.lower() for entry in allowed}
    try:
        addresses = await lookup(host, port)
    except OSError as error:
        raise ForbiddenAddress(f"{host} cannot be found: {error.strerror or error}.") from None
    if not addresses:
        raise ForbiddenAddress(f"{host} has no address.")
    for text in addresses:
        if not excepted and not is_public(ipaddress.ip_address(text.partition("%")[0])):
            raise ForbiddenAddress(f"{host} leads to {text}, which is not on the open internet, so it is not called.")
    return Pinned(parts, host, port, addresses[0])


async def request(
    method: str,
    url: str,
    *,
    json: Any = None,
    headers: Mapping[str, str] | None = None,
    allowed: Collection[str] = (),
    lookup: Lookup = resolve,
    timeout_s: float = TIMEOUT_S,
    max_bytes: int = MAX_ANSWER,
    max_redirects: int = MAX_REDIRECTS,
) -> Answer:
    """One guarded request, `timeout_s` for all of it. Headers of ours stay with the first host. Raises `ForbiddenAddress`,
    `UserError` on failure."""
    host = urlsplit(url).netloc[:200]
    try:
        async with asyncio.timeout(timeout_s):
            return await _follow(method, url, json, dict(headers or {}), allowed, lookup, max_bytes, max_redirects)
    except TimeoutError:
        raise UserError(f"{host} did not answer within {timeout_s:g} seconds.") from None


async def _follow(
    method: str,
    url: str,
    json: Any,
    sent: dict[str, str],
    allowed: Collection[str],
    lookup: Lookup,
    max_bytes: int,
    max_redirects: int,
) -> Answer:
    import httpx  # 60 ms that a gateway without webhooks need not pay

    first = ""
    async with httpx.AsyncClient(timeout=None, follow_redirects=False, trust_env=False) as client:
        for _hop in range(max_redirects + 1):
            pinned = await check(url, allowed=allowed, lookup=lookup)
            origin = f"{pinned.url.scheme}://{pinned.url.netloc}"
            first = first or origin
            if origin != first:
                sent = {name: value for name, value in sent.items() if name.lower() in _HARMLESS}
            try:
                answer = replace(await _send(client, method, pinned, json, sent, max_bytes), url=url)
            except httpx.HTTPError as error:
                raise UserError(f"{pinned.host} did not answer: {type(error).__name__}.") from None
            target = answer.headers.get("location", "") if answer.status in _REDIRECTS else ""
            if not target:
                return answer
            url = urljoin(url, target)
            if answer.status in (301, 302, 303) and method != "GET":
                raise UserError(f"{pinned.host} answers {method} with a redirect {answer.status}; give the final address.")
    raise UserError(f"{url[:200]!r} redirects more than {max_redirects} times.")


async def _send(client: Any, method: str, pinned: Pinned, json: Any, headers: Mapping[str, str], max_bytes: int) -> Answer:
    """To the pinned address, with the name in Host and in TLS. The body of a redirect is not read."""
    address = f"[{pinned.address}]" if ":" in pinned.address else pinned.address
    path = pinned.url.path or "/"
    target = f"{pinned.url.scheme}://{address}:{pinned.port}{path}{'?' + pinned.url.query if pinned.url.query else ''}"
    extensions = {"sni_hostname": pinned.host}
    async with client.stream(
        method,
        target,
        json=json,
        headers={"Accept-Encoding": "identity", **headers, "Host": pinned.url.netloc},
        extensions=extensions,
    ) as response:
        answer = Answer(response.status_code, b"", dict(response.headers))
        if response.is_redirect:
            return answer
        open_up = _opener(pinned.host, response.headers.get("content-encoding", ""))
        body = bytearray()
        async for piece in response.aiter_raw(65_536):
            body += open_up(piece, max_bytes + 1 - len(body))
            if len(body) > max_bytes:
                break
        return replace(answer, body=bytes(body[:max_bytes]), cut=len(body) > max_bytes)


def _opener(host: str, encoding: str) -> Callable[[bytes, int], bytes]:
    """Opens pieces of a body, never to more than it is told: a few compressed bytes may hold gigabytes. Raises `UserError`."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return lambda piece, _room: piece
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise UserError(f"{host} sends its answer as {encoding[:20]!r}, which was not asked for.")
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)

    def inflate(piece: bytes, room: int) -> bytes:
        try:
            return inflater.decompress(inflater.unconsumed_tail + piece, room)
        except zlib.error:
            raise UserError(f"{host} sends an answer that cannot be unpacked.") from None

    return inflate
