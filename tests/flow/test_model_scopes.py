"""`/model -a` and `-g`: the model of an agent or of all is the owner's to set, and is written into the file (MOD-07)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.fakes.model_server import FakeModelServer
from tests.flow.processes import provider
from tests.flow.wire import Client, client, served, text_of

PLAIN = ["operator.read", "operator.write"]


async def say(peer: Client, words: str, key: str = "main") -> str:
    return text_of(await peer.final(await peer.say(words, key)))


def written(state_dir: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((state_dir / "openclaw.json").read_text())["agents"]
    return found


async def test_scopes_are_written_kept_apart_and_taken_back(tmp_path: Path) -> None:
    async with FakeModelServer() as model:
        config = provider(model.openai_url)
        config["models"]["providers"]["fake"]["models"].append({"id": "fake-2"})
        config["agents"] = {
            "defaults": {"model": {"primary": "fake/fake-1", "fallbacks": ["fake/fake-2"]}},
            "list": [{"id": "main", "name": "Mia"}, {"id": "work", "default": False}],
        }
        config["agents"]["list"][0]["default"] = True
        async with served(tmp_path / "s", config) as live, client(live.ws, live.token) as peer:
            assert await say(peer, "/model -g fake/fake-2") == "Model of all that name none: `fake/fake-2`."
            assert written(live.state_dir)["defaults"]["model"] == {"primary": "fake/fake-2", "fallbacks": ["fake/fake-2"]}
            await say(peer, "hello")
            assert model.requests[-1].body["model"] == "fake-2"
            assert await say(peer, "/model -a fake/fake-1") == "Model of the agent main: `fake/fake-1`."
            assert written(live.state_dir)["list"][0] == {"id": "main", "name": "Mia", "default": True, "model": "fake/fake-1"}
            await say(peer, "hello")
            await say(peer, "hello", "agent:work:main")
            assert [request.body["model"] for request in model.requests[-2:]] == ["fake-1", "fake-2"]
            await say(peer, "/model fake/fake-2")
            assert "This session keeps `fake/fake-2`" in await say(peer, "/model fake/fake-1 -a")
            assert "the default" in await say(peer, "/model -a default")
            assert "model" not in written(live.state_dir)["list"][0]
            assert "Model '7' is not known" in await say(peer, "/model -g 7")
            before = written(live.state_dir)
            async with client(live.ws, live.token, scopes=PLAIN) as other:
                assert "Only the owner" in await say(other, "/model -g fake/fake-1")
            assert written(live.state_dir) == before
