"""What goes wrong outside the program is told in one sentence."""

from __future__ import annotations

import asyncio
import json
import resource
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.model_server import WRONG_KEY, FakeModelServer
from tests.flow.processes import messages, provider, refused, running, write_config
from tests.flow.wire import Client, client


def one_line(said: str, *wanted: str) -> None:
    """One sentence that names these."""
    assert said.strip() and said.strip().count("\n") == 0 and "Traceback" not in said, said
    assert all(word in said for word in wanted), said


def error_of(payload: dict[str, Any]) -> str:
    assert payload["state"] == "error", payload
    return str(payload["errorMessage"])


async def test_port_taken(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        one_line(await refused(tmp_path / "s", "--port", port), f"Port {port}", "--port")


async def test_a_config_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "s" / "openclaw.json").mkdir(parents=True)
    one_line(await refused(tmp_path / "s"), "openclaw.json")


async def test_a_config_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "openclaw.json").write_bytes(b'{"ui": "\xff\xfe"}')
    one_line(await refused(tmp_path / "s"), "openclaw.json")


async def test_a_config_that_is_not_json(tmp_path: Path) -> None:
    write_config(tmp_path / "s", "{\n  gateway: { port: 1,,\n}")
    one_line(await refused(tmp_path / "s"), "openclaw.json:2:")


async def test_an_invalid_config_names_every_problem_with_its_line(tmp_path: Path) -> None:
    write_config(
        tmp_path / "s",
        '{\n  // a comment\n  "gatway": {},\n  "gateway": {\n    "port": "many"\n  },\n'
        '  "tools": { "exec": { "security": "none" } }\n}',
    )
    said = await refused(tmp_path / "s")
    lines = [line for line in said.splitlines() if line.strip()]
    for key, number, more in (("gatway", 3, "gateway"), ("gateway.port", 5, ""), ("tools.exec.security", 7, "allowlist")):
        found = [line for line in lines if key in line and f"openclaw.json:{number}:" in line and more in line]
        assert len(found) == 1, (key, said)
    assert len(lines) <= 4


async def test_state_directory_under_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("I am no directory")
    one_line(await refused(tmp_path / "file" / "state"), str(tmp_path / "file"))


async def test_state_directory_on_a_read_only_file_system() -> None:
    """/proc refuses every file, also to root."""
    one_line(await refused(Path("/proc/openclaw-state")), "/proc/openclaw-state")


async def turn(peer: Client, text: str, key: str = "main") -> dict[str, Any]:
    return await peer.final(await peer.say(text, key))


async def test_unknown_provider_and_model(tmp_path: Path) -> None:
    async with FakeModelServer() as model:
        config = provider(model.openai_url)
        config["agents"]["defaults"]["model"]["primary"] = "fakee/fake-1"
        async with running(tmp_path / "s", config) as live, client(live.ws, live.token) as peer:
            one_line(error_of(await turn(peer, "hello")), "fakee", "fake")
            assert (await peer.call("health"))["ok"]


async def test_wrong_api_key(tmp_path: Path) -> None:
    async with FakeModelServer() as model:
        config = provider(model.openai_url, WRONG_KEY)
        async with running(tmp_path / "s", config) as live, client(live.ws, live.token) as peer:
            said = error_of(await turn(peer, "hello"))
            one_line(said, "fake", "key")
            assert WRONG_KEY not in said
            assert len([r for r in model.requests if r.method == "POST"]) == 1, "a refused key is not tried again"


async def test_a_provider_that_nobody_serves(tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        config = provider(f"http://127.0.0.1:{nobody.getsockname()[1]}/v1")
        async with running(tmp_path / "s", config) as live, client(live.ws, live.token) as peer:
            one_line(error_of(await turn(peer, "hello")), "fake")


async def test_unknown_session(tmp_path: Path) -> None:
    async with running(tmp_path / "s") as live, client(live.ws, live.token) as peer:
        for method, params in (
            ("sessions.resolve", {"key": "agent:main:nobody"}),
            ("sessions.patch", {"key": "agent:nobody:main", "label": "x"}),
            ("chat.send", {"sessionKey": "agent:nobody:main", "message": "hi", "idempotencyKey": "1"}),
        ):
            error = await peer.fails(method, params)
            assert error["code"] == "INVALID_REQUEST"
            one_line(error["message"], "nobody")
        command = await asyncio.create_subprocess_exec(
            *[sys.executable, "-m", "openclaw_gateway", "sessions", "show", "agent:main:nobody"],
            *["--state-dir", str(live.state_dir)],
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(command.communicate(), 30)
        assert command.returncode != 0 and out == b""
        one_line(err.decode(), "nobody")


async def test_disk_full_while_writing(tmp_path: Path) -> None:
    """A limit on file sizes refuses a write in its middle, as a full disk does. The gateway lives, and goes on when it may."""
    async with running(tmp_path / "s") as live, client(live.ws, live.token) as peer:
        assert (await turn(peer, "hello"))["state"] == "final"
        sizes = [path.stat().st_size for path in (tmp_path / "s").rglob("*.jsonl")]
        before = resource.prlimit(live.process.pid, resource.RLIMIT_FSIZE, (max(sizes) + 100, resource.RLIM_INFINITY))
        error = await peer.fails("chat.send", {"sessionKey": "main", "message": "x" * 5000, "idempotencyKey": "too-much"})
        one_line(error["message"], "Cannot write", ".jsonl")
        assert (await peer.call("health"))["ok"] and live.alive
        resource.prlimit(live.process.pid, resource.RLIMIT_FSIZE, before)
        assert not any("xxx" in json.dumps(row) for row in messages(live.state_dir))
        await peer.call("chat.send", {"sessionKey": "main", "message": "x" * 5000, "idempotencyKey": "too-much"})
        assert (await peer.final("too-much"))["state"] == "final"
        one_line(live.said or "nothing was said on stderr")


async def test_disk_full_in_the_middle_of_a_turn(tmp_path: Path) -> None:
    """The message fits, the answer does not: the run ends as an error that names the file."""
    async with (
        FakeModelServer() as model,
        running(tmp_path / "s", provider(model.openai_url)) as live,
        client(live.ws, live.token) as peer,
    ):
        run_id = await peer.say("[[sleep 1]] [[echo " + "long " * 3000 + "]]")
        sizes = [path.stat().st_size for path in (tmp_path / "s").rglob("*.jsonl")]
        before = resource.prlimit(live.process.pid, resource.RLIMIT_FSIZE, (max(sizes) + 2000, resource.RLIM_INFINITY))
        one_line(error_of(await peer.final(run_id)), "Cannot write", ".jsonl")
        resource.prlimit(live.process.pid, resource.RLIMIT_FSIZE, before)
        assert live.alive and (await peer.call("health"))["ok"]
        assert (await turn(peer, "[[echo back]]", "agent:main:other"))["state"] == "final"


@pytest.mark.parametrize("text", ["{ nonsense", '{"gateway": {"port": "many"}}'])
async def test_a_broken_edit_keeps_what_runs(tmp_path: Path, text: str) -> None:
    async with running(tmp_path / "s", {}) as live, client(live.ws, live.token) as peer:
        await asyncio.to_thread(write_config, live.state_dir, text)
        snapshot: dict[str, Any] = {"valid": True}
        async with asyncio.timeout(20):
            while snapshot["valid"]:
                snapshot = await peer.call("config.get")
        assert snapshot["issues"]
        assert (await turn(peer, "hello"))["state"] == "final"
