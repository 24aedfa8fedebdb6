"""A kernel as a node, with a real gateway and a real kernel: the assistant's Python in somebody's notebook (NBK-03, TOL-07)."""

from __future__ import annotations

import asyncio
import base64
import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.notebook.session import session_key_for
from tests.fakes.model_server import FakeModelServer
from tests.flow.kernels import PYTHON, Kernel, Ran, running_kernel
from tests.flow.processes import Live, messages, provider, start
from tests.flow.wire import Client, client

LIMIT_S = 40
NOTEBOOK = "/home/me/sales.ipynb"
KEY = session_key_for(NOTEBOOK, "")
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="


@dataclass
class House:
    live: Live
    kernel: Kernel
    peer: Client
    node_id: str = ""
    seen: set[str] = field(default_factory=set)

    async def node(self) -> str:
        """The kernel's node, once it has joined and said whose it is."""
        deadline = asyncio.get_running_loop().time() + LIMIT_S
        while asyncio.get_running_loop().time() < deadline:
            for row in (await self.peer.call("node.list"))["nodes"]:
                if row["connected"] and row.get("sessionKeys"):
                    return str(row["nodeId"])
            await asyncio.sleep(0.1)
        raise AssertionError("the kernel did not join")

    async def cell(self, code: str) -> Ran:
        """A Python cell of the person."""
        own = self.kernel.manager._kernel_spec.language == "openclaw"
        return await self.kernel.run(f"%%python\n{code}" if own else code)

    async def python(self, code: str, **params: Any) -> dict[str, Any]:
        asked = {"code": code, **params}
        key = str(uuid.uuid4())
        request = {"nodeId": self.node_id, "command": "python.run", "params": asked, "idempotencyKey": key}
        return dict((await self.peer.call("node.invoke", {**request, "timeoutMs": LIMIT_S * 1000}))["payload"])

    async def say(self, text: str, key: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """One turn; every question is answered with yes. The end, and what was asked."""
        asked: list[dict[str, Any]] = []
        run_id = await self.peer.say(text, key=key)
        final = asyncio.ensure_future(self.peer.final(run_id))
        while not final.done():
            for frame in list(self.peer.events):
                if frame["event"] == "exec.approval.requested" and frame["payload"]["id"] not in self.seen:
                    self.seen.add(frame["payload"]["id"])
                    asked.append(frame["payload"]["request"])
                    await self.peer.call("exec.approval.resolve", {"id": frame["payload"]["id"], "decision": "allow-once"})
            await asyncio.wait({final}, timeout=0.05)
        return final.result(), asked

    def result(self) -> dict[str, Any]:
        """The newest result of a tool in any transcript."""
        rows = [row for row in messages(self.live.state_dir) if row["role"] == "toolResult"]
        return max(rows, key=lambda row: row["timestamp"])


def tool(name: str, **arguments: Any) -> str:
    return f"[[tool {name} {json.dumps(arguments)}]] please"


@pytest.fixture(params=["openclaw", "python"])
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    """The OpenClaw kernel, and a plain one that has joined: one node class serves both."""
    own = request.param == "openclaw"
    async with FakeModelServer() as server:
        live = await start(tmp_path / "state", provider(server.openai_url))  # ends with the kernel's state directory
        spec = {} if own else {"spec": PYTHON}
        async with running_kernel(tmp_path, JPY_SESSION_NAME=NOTEBOOK, **spec) as kernel:
            if not own:
                loaded = await kernel.run("from openclaw_kernel.notebook.node import join; join(get_ipython());")
                assert loaded.status == "ok", loaded.text
            async with client(live.ws, live.token, caps=["tool-events"]) as peer:
                house = House(live, kernel, peer)
                house.node_id = await house.node()
                yield house
        assert "Traceback" not in live.said


async def test_the_assistant_works_with_the_notebooks_variables(house: House) -> None:
    await house.cell("x = 41")
    final, asked = await house.say(tool("python", code="print('in', x)\nx += 1\nx"), KEY)
    assert final["state"] == "final", final
    assert [one["title"] for one in asked] == ["Run Python in notebook sales.ipynb"]
    assert asked[0]["command"] == "print('in', x)\nx += 1\nx"
    result = house.result()
    assert result["content"][0]["text"] == "in 41\n42" and result["details"]["where"] == "notebook sales.ipynb"
    cell = await house.cell("print(x)")
    assert cell.streams == "42\n"

    final, asked = await house.say(tool("variables", filter="x"), KEY)
    assert asked == []
    result = house.result()
    assert "x: int = 42" in result["content"][0]["text"]

    final, asked = await house.say(tool("python", code="print(__name__, 'x' in globals())"), "agent:main:dashboard:elsewhere")
    assert [one["title"] for one in asked] == ["Run Python on this machine"]
    result = house.result()
    assert result["content"][0]["text"] == "__main__ False"

    _, asked = await house.say(tool("python", code="x"), "main")  # the only kernel serves the owner's main session
    assert [one["title"] for one in asked] == ["Run Python in notebook sales.ipynb"]


async def test_pictures_are_kept_and_output_stays_out_of_cells(house: House) -> None:
    code = (
        f"import base64; from IPython.display import Image, display\nprint('quiet')\ndisplay(Image(base64.b64decode({PNG!r})))"
    )
    cell = asyncio.ensure_future(house.cell("import asyncio; await asyncio.sleep(0.5); print('mine')"))
    final, _ = await house.say(tool("python", code=code), KEY)
    assert final["state"] == "final"
    ran = await cell
    assert ran.streams == "mine\n" and ran.outputs == []
    result = house.result()
    media = result["details"]["media"][0]
    data, mode = await asyncio.to_thread(lambda: (Path(media["path"]).read_bytes(), Path(media["path"]).stat().st_mode))
    assert data == base64.b64decode(PNG) and mode & 0o077 == 0 and media["mediaType"] == "image/png"
    assert "quiet" in result["details"]["output"]


async def test_it_waits_for_a_cell_and_can_be_stopped(house: House) -> None:
    busy = asyncio.ensure_future(house.cell("import time; time.sleep(1); done = True"))
    await asyncio.sleep(0.2)
    assert (await house.python("done"))["result"] == "True"
    await busy
    for code in (
        "import time; print('on'); time.sleep(60)",
        "import asyncio; print('on'); await asyncio.sleep(60)",
        "while 1: pass",
    ):
        stopped = await house.python(code, timeoutMs=300)
        assert stopped["error"]["evalue"] == "it was stopped after 0.3 s", stopped
        assert stopped["stdout"] == ("on\n" if "on" in code else "")
    cell = await house.cell("print('alive')")
    assert cell.streams == "alive\n", cell


async def test_an_interrupt_in_the_notebook_stops_it(house: House) -> None:
    for code in ("import time; time.sleep(60)", "import asyncio; await asyncio.sleep(60)", "while True: pass"):
        running = asyncio.ensure_future(house.python(code))
        await asyncio.sleep(0.5)
        await house.kernel.interrupt()
        assert (await asyncio.wait_for(running, LIMIT_S))["error"]["ename"] == "Interrupted"
    await house.cell("alive = True")
    assert (await house.python("alive"))["result"] == "True"


async def test_aborting_the_run_stops_the_code_and_not_the_kernel(house: House) -> None:
    run_id = await house.peer.say(tool("python", code="import time\nfor n in range(600): time.sleep(0.1)"), key=KEY)
    question = await house.peer.event("exec.approval.requested")
    await house.peer.call("exec.approval.resolve", {"id": question["id"], "decision": "allow-once"})
    await asyncio.sleep(0.5)
    await house.peer.call("chat.abort", {"sessionKey": KEY, "runId": run_id})
    assert (await house.peer.final(run_id))["state"] == "aborted"
    assert (await house.python("n < 100"))["result"] == "True"


CANVAS = """
from openclaw_kernel.canvas.widget import Canvas
from openclaw_kernel.canvas import build
pressed = []
form = build.form([build.Field("email", "Email")], title="Sign up")
canvas = Canvas(form, on_action=lambda action: pressed.append(action.name))
canvas
"""
PRESS = """
action = {"name": "submit", "surfaceId": canvas.surface_id, "sourceComponentId": "submit", "context": {"email": "a@b.c"},
          "timestamp": "2026-11-21T16:00:00Z"}
canvas._heard(canvas, {"type": "action", "action": action}, None)
"""


@pytest.mark.parametrize("house", ["openclaw"], indirect=True)
async def test_a_canvas_made_by_the_assistant_is_live_and_answers(house: House) -> None:
    """It appears in the cell of the turn; a press calls back into Python and into the agent."""
    turn = await house.kernel.run(tool("python", code=CANVAS), answer="y")
    assert turn.status == "ok", turn
    views = [data for data in turn.outputs if "application/vnd.jupyter.widget-view+json" in data]
    assert len(views) == 1 and "Sign up" in views[0]["text/plain"]
    details = house.result()["details"]
    assert details["surface"]["surfaceId"] and details["where"] == "notebook sales.ipynb"
    await house.cell(PRESS)
    assert (await house.python("pressed"))["result"] == "['submit']"
    run = await house.peer.until(
        lambda: next(
            (
                frame["payload"]["runId"]
                for frame in house.peer.events
                if frame["event"] == "chat" and frame["payload"]["runId"].startswith("canvas-")
            ),
            None,
        )
    )
    await house.peer.final(run)
    said = [str(row["content"]) for row in messages(house.live.state_dir) if row["role"] == "user"]
    assert sum("[Canvas action] submit" in text and "a@b.c" in text for text in said) == 1
