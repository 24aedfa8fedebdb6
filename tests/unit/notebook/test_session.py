"""The link of a process to its gateway: finding, waiting, reconnecting, ending."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from openclaw_kernel.client.connection import GatewayConnection
from openclaw_kernel.notebook.session import KernelLink, session_key_for
from openclaw_kernel.values.session_key import parse
from tests.flow.processes import start

LIMIT_S = 30


@pytest.fixture
def link(tmp_path: Path) -> Iterator[KernelLink]:
    link = KernelLink(tmp_path / "state")
    yield link
    link.close()


def test_a_notebook_keeps_its_session_and_two_notebooks_do_not_share_one() -> None:
    here = session_key_for("/home/ada/Penguin study.ipynb", "one")
    assert here == session_key_for("/home/ada/Penguin study.ipynb", "two")
    assert here != session_key_for("/home/bob/Penguin study.ipynb", "one")
    assert here.startswith("agent:main:dashboard:notebook-penguin-study-")
    assert parse(here).kind == "dashboard"
    assert session_key_for(None, "abcdef0123") == "agent:main:dashboard:kernel-abcdef01"
    assert parse(session_key_for("/tmp/企鹅.ipynb", "one")).kind == "dashboard"


async def test_it_waits_for_a_gateway_and_finds_the_next_one_too(tmp_path: Path, link: KernelLink) -> None:
    met: list[GatewayConnection] = []
    ended = threading.Event()

    async def attached(connection: GatewayConnection) -> None:
        met.append(connection)
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    link.on_connected(attached)
    live = await start(tmp_path / "state", {})
    try:
        assert (await asyncio.wait_for(link.wrap(link.request("health")), LIMIT_S))["ok"] is True
        assert len(met) == 1 and link.connected
        await live.stop()
        assert await asyncio.to_thread(ended.wait, LIMIT_S), "what was attached ends with its connection"
        live = await start(tmp_path / "state")
        assert (await asyncio.wait_for(link.wrap(link.request("health")), LIMIT_S))["ok"] is True
        assert len(met) == 2
    finally:
        await live.stop()


def test_a_failing_start_is_told_to_who_waits_and_the_link_lives(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "openclaw.json").write_text("{ this is no configuration")
    link = KernelLink(state)
    try:
        for _ in range(2):
            with pytest.raises(Exception, match=r"serve\.log"):
                link.run(link.request("health"))
    finally:
        link.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "openclaw-link"]
