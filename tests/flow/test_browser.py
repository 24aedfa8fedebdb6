"""A real gateway with a real Chromium: a form of three pages is filled in to its end, with the owner's word for each act."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.fakes.form_site import FormSite
from tests.fakes.model_server import FakeModelServer
from tests.fakes.model_steering import Plan
from tests.flow.processes import messages, provider, running
from tests.flow.wire import Client, client, text_of
from tests.needs import need
from tests.unit.tools.browsing import CHROMIUM, Refs

Order = Callable[["Clerk"], dict[str, Any]]


@pytest.fixture(autouse=True)
def chromium() -> None:
    need("chromium", CHROMIUM, "no Chromium on this machine (sh tests/install-system.sh)")


@dataclass
class Clerk:
    """A model that knows what it wants to order, and finds where in each page by the snapshot it was given last."""

    steps: list[Order]
    at: int = 0
    seen: Refs = field(default_factory=lambda: Refs(""))
    results: list[str] = field(default_factory=list)

    def __call__(self, body: Any) -> Plan:
        last = body["messages"][-1]
        if last["role"] == "tool":
            content = last["content"]
            self.results.append(content if isinstance(content, str) else "".join(part.get("text", "") for part in content))
            if "Elements:" in self.results[-1]:
                self.seen = Refs(self.results[-1])
        if self.at == len(self.steps):
            number = re.search(r"KX-\d{6}", self.seen.text)
            return Plan(f"The shop confirms with number {number[0]}." if number else "There is no number.")
        arguments = self.steps[self.at](self)
        self.at += 1
        return Plan("", [("browser", arguments)])


def act(kind: str, name: str = "", **more: Any) -> Order:
    return lambda clerk: {"action": "act", "kind": kind, **({"ref": clerk.seen[name]} if name else {}), **more}


def fill(**values: Any) -> Order:
    """By the beginning of the element's line, with `_` for spaces."""
    return lambda clerk: {
        "action": "act", "kind": "fill",
        "fields": [{"ref": clerk.seen[_named(name)], "value": value} for name, value in values.items()],
    }  # fmt: skip


def _named(name: str) -> str:
    role, _, words = name.partition("_")
    return f'{role} "{words.replace("_", " ")}'


def snapshot(_clerk: Clerk) -> dict[str, Any]:
    return {"action": "snapshot"}


def order(site: FormSite) -> list[Order]:
    known = {"textbox_Full_name": "Ada Lovelace", "textbox_Day_of_delivery": "2026-12-24", "combobox_Size": "Small"}
    return [
        lambda _clerk: {"action": "open", "url": site.url},
        snapshot,
        fill(**known, textbox_Postcode="1234", radio_Red=True, checkbox_I_agree=True),
        act("upload", 'button "Letter', values=["letter.txt"]),
        act("click", 'button "Continue"'),
        snapshot,
        fill(**known, textbox_Postcode="12345", radio_Red=True, checkbox_I_agree=True),
        act("upload", 'button "Letter', values=["letter.txt"]),
        act("click", 'button "Continue"'),
        snapshot,
        fill(combobox_How_to_pay="Card", textbox_Reference="R-7"),
        act("dialog", accept=True),
        act("click", 'button "Order now"'),
        snapshot,
    ]


@asynccontextmanager
async def answering(peer: Client, decide: Callable[[str], str]) -> AsyncIterator[list[str]]:
    """Somebody who answers each question by what its card shows; the cards."""
    asked: list[str] = []

    def waiting() -> list[dict[str, Any]]:
        rows = [frame["payload"] for frame in peer.events if frame["event"] == "exec.approval.requested"]
        return rows[len(asked) :]

    async def answer() -> None:
        while True:
            async with peer.changed:
                await peer.changed.wait_for(waiting)
            row = waiting()[0]
            asked.append(row["request"]["command"])
            await peer.call("exec.approval.resolve", {"id": row["id"], "decision": decide(asked[-1])})

    task = asyncio.ensure_future(answer())
    try:
        yield asked
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def ended(peer: Client, run_id: str) -> dict[str, Any]:
    """Fifteen steps of two processes each may take long on a machine that does much else."""
    for _ in range(2):
        with suppress(TimeoutError):
            return await peer.final(run_id)
    return await peer.final(run_id)


def chromium_of(pid: int) -> list[psutil.Process]:
    return [one for one in psutil.Process(pid).children(recursive=True) if "chrom" in one.name()]


@asynccontextmanager
async def at_work(tmp_path: Path, site: FormSite, steps: list[Order]) -> AsyncIterator[tuple[Any, Client, Clerk]]:
    clerk = Clerk(steps)
    async with FakeModelServer() as model:
        model.script = clerk  # type: ignore[assignment]
        config = provider(model.openai_url, browser={"ssrfPolicy": {"allowedHostnames": [site.host]}})
        workspace = tmp_path / "state" / "workspace"
        workspace.mkdir(parents=True)
        (workspace / "letter.txt").write_text("Dear shop")
        async with running(tmp_path / "state", config) as live, client(live.ws, live.token) as peer:
            yield live, peer, clerk


async def test_a_form_of_three_pages_is_sent_and_its_number_read_back(tmp_path: Path) -> None:
    async with FormSite() as site:
        async with (
            at_work(tmp_path, site, order(site)) as (live, peer, clerk),
            answering(peer, lambda _: "allow-once") as cards,
        ):
            said = text_of(await ended(peer, await peer.say("Order a small red one")))
            assert len(site.numbers) == 1 and f"number {site.numbers[0]}." in said, clerk.results[-3:]
            assert "The postcode must have five digits." in clerk.results[5]
            browsers = chromium_of(live.process.pid)
            assert browsers
        assert site.orders[0] == {
            "name": "Ada Lovelace", "postcode": "12345", "size": "s", "colour": "red", "when": "2026-12-24", "remarks": "",
            "letter": "letter.txt:Dear shop", "terms": "yes", "pay": "Card", "reference": "R-7",
        }  # fmt: skip
        assert len(cards) == 8, "every act was asked about, and nothing else"
        assert 'button "Order now"' in cards[-1] and site.host in cards[-1] and "12345" in cards[3]
        assert not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in browsers), (
            "it ends with its gateway"
        )


async def test_without_the_owners_word_nothing_is_sent_and_nothing_private_is_opened(tmp_path: Path) -> None:
    async with FormSite() as site:
        private: list[str] = []
        steps = [lambda _clerk: {"action": "open", "url": private[0]}, *order(site)[:5]]
        only_opening: Callable[[str], str] = lambda card: "allow-once" if '"open"' in card else "deny"  # noqa: E731
        async with at_work(tmp_path, site, steps) as (live, peer, clerk), answering(peer, only_opening) as cards:
            private.append(live.url)
            await ended(peer, await peer.say("Order a small red one"))
            rows = [row for row in messages(live.state_dir) if row["role"] == "toolResult"]
        assert "not on the open internet" in clerk.results[0] and rows[0]["isError"]
        assert len(cards) == 4 and "letter.txt" in cards[2] and 'button "Continue"' in cards[3]
        assert all("Denied" in said for said in clerk.results[3:]) and len(clerk.results) == 6
        assert site.orders == [] and not any(request.startswith("POST") for request in site.requests)
