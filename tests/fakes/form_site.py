"""A shop of three pages that does not make it easy: an order form, the way of payment, a confirmation with a number.

    async with FormSite() as site:
        site.url, site.orders, site.requests

The first form is checked by the server and comes back with a complaint while the postcode is wrong; the second asks through a
dialog before it is sent; the last page holds a number that is nowhere else. `orders` is what arrived, field by field.
"""

from __future__ import annotations

import asyncio
import html
import secrets
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from urllib.parse import parse_qs, urlsplit


@dataclass
class FormSite:
    orders: list[dict[str, str]] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    port: int = 0
    _baskets: dict[str, dict[str, str]] = field(default_factory=dict)
    _server: asyncio.Server | None = None

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}/"

    async def __aenter__(self) -> FormSite:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 20)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, target, _version = head[0].split(" ")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            self.requests.append(f"{method} {target}")
            status, more, page = self._answer(method, target, _fields(headers.get("content-type", ""), body))
            data = page.encode()
            lines = [f"HTTP/1.1 {status}", "Content-Type: text/html; charset=utf-8", f"Content-Length: {len(data)}", *more]
            writer.write("\r\n".join([*lines, "Connection: close", "", ""]).encode() + data)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _answer(self, method: str, target: str, fields: dict[str, str]) -> tuple[str, list[str], str]:
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        basket = query.get("basket", "")
        match method, parts.path:
            case "GET", "/":
                return "200 OK", [], _page("Order", ORDER.format(complaint=""))
            case "POST", "/order":
                if complaint := _wrong(fields):
                    return "200 OK", [], _page("Order", ORDER.format(complaint=f"<p role=alert>{complaint}</p>"))
                basket = secrets.token_hex(4)
                self._baskets[basket] = fields
                return "303 See Other", [f"Location: /payment?basket={basket}"], ""
            case "GET", "/payment" if basket in self._baskets:
                return "200 OK", [], _page("Payment", PAYMENT.format(basket=basket))
            case "POST", "/payment" if basket in self._baskets:
                self.orders.append({**self._baskets.pop(basket), **fields})
                self.numbers.append(f"KX-{secrets.randbelow(900_000) + 100_000}")
                return "303 See Other", [f"Location: /done?order={len(self.orders) - 1}"], ""
            case "GET", "/done":
                number = self.numbers[int(query["order"])]
                return "200 OK", [], _page("Thank you", f"<p>Your confirmation number is <strong>{number}</strong>.</p>")
            case _:
                return "404 Not Found", [], _page("Not found", "<p>No such page.</p>")


def _wrong(fields: dict[str, str]) -> str:
    if not (fields.get("postcode", "").isdigit() and len(fields["postcode"]) == 5):
        return "The postcode must have five digits."
    missing = [name for name in ("name", "size", "colour", "when", "terms", "letter") if not fields.get(name)]
    return f"Missing: {html.escape(', '.join(missing))}." if missing else ""


def _fields(media_type: str, body: bytes) -> dict[str, str]:
    """What a form sent; a file counts as `name:content`."""
    if media_type.startswith("application/x-www-form-urlencoded"):
        return {name: values[0] for name, values in parse_qs(body.decode()).items()}
    if not media_type.startswith("multipart/form-data"):
        return {}
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {media_type}\r\n\r\n".encode() + body)
    found = {}
    for part in message.iter_parts():
        content = part.get_payload(decode=True)
        words = content.decode() if isinstance(content, bytes) else ""
        name = str(part.get_param("name", header="content-disposition"))
        found[name] = f"{part.get_filename()}:{words}" if part.get_filename() else words
    return found


def _page(title: str, body: str) -> str:
    return f"<!doctype html><html lang=en><title>{title}</title><h1>{title}</h1>{body}</html>"


ORDER = """{complaint}
<form method=post action=/order enctype=multipart/form-data>
<label>Full name <input name=name required></label>
<label>Postcode <input name=postcode></label>
<label for=size>Size</label>
<select id=size name=size><option value="">Choose…<option value=s>Small<option value=l>Large</select>
<fieldset><legend>Colour</legend><label><input type=radio name=colour value=red>Red</label>
<label><input type=radio name=colour value=blue>Blue</label></fieldset>
<label>Day of delivery <input type=date name=when></label>
<label>Letter <input type=file name=letter></label>
<label>Remarks <textarea name=remarks></textarea></label>
<label><input type=checkbox name=terms value=yes>I agree to the terms</label>
<button>Continue</button></form>"""

PAYMENT = """<form method=post action="/payment?basket={basket}" onsubmit="return confirm('Send the order for good?')">
<label>How to pay <select name=pay><option>Invoice<option>Card</select></label>
<label>Reference <input name=reference></label>
<button>Order now</button></form>"""
