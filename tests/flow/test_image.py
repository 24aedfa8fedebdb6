"""Who looks at a picture: the conversation's model where it can see, else the configured one, else nobody (TOL-19)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.model_server import FakeModelServer
from tests.flow.processes import messages, provider
from tests.flow.wire import client, served

LOOK = f"[[tool image {json.dumps({'path': 'cat.png', 'prompt': 'What is it? [[echo a cat]]'})}]]"


async def looked(tmp_path: Path, server: FakeModelServer, **defaults: Any) -> dict[str, Any]:
    """The result of the tool in one turn."""
    from PIL import Image

    config = provider(server.openai_url)
    rows = config["models"]["providers"]["fake"]["models"]
    rows.append({"id": "eyes-1", "name": "Eyes", "input": ["text", "image"]})
    config["agents"]["defaults"].update(defaults)
    workspace = tmp_path / "state" / "workspace"
    workspace.mkdir(parents=True)
    Image.new("RGB", (2_400, 1_200), "red").save(workspace / "cat.png")
    async with served(tmp_path / "state", config) as live, client(live.ws, live.token) as peer:
        await peer.final(await peer.say(LOOK))
    return [row for row in messages(tmp_path / "state") if row["role"] == "toolResult"][-1]


def asked_with_a_picture(model: FakeModelServer) -> list[str]:
    return [request.body["model"] for request in model.requests if request.body and "image_url" in json.dumps(request.body)]


async def test_a_model_that_sees_gets_the_picture(tmp_path: Path) -> None:
    async with FakeModelServer() as model:
        row = await looked(tmp_path, model, model={"primary": "fake/eyes-1"})
        kinds = [part["type"] for part in row["content"]]
        assert kinds == ["text", "image"] and "1200×600" in row["content"][0]["text"]
        assert asked_with_a_picture(model) == ["eyes-1"]


@pytest.mark.parametrize("setting", ["fake/eyes-1", {"primary": "fake/eyes-1", "fallbacks": ["fake/fake-1"]}])
async def test_another_model_looks_for_one_that_does_not_see(tmp_path: Path, setting: object) -> None:
    async with FakeModelServer() as model:
        row = await looked(tmp_path, model, imageModel=setting)
        (part,) = row["content"]
        assert "a cat" in part["text"] and "<<<untrusted picture" in part["text"]
        assert asked_with_a_picture(model) == ["eyes-1"]


async def test_where_nobody_sees_it_says_what_to_set(tmp_path: Path) -> None:
    async with FakeModelServer() as model:
        row = await looked(tmp_path, model)
        assert row["isError"] and "agents.defaults.imageModel" in row["content"][0]["text"]
        assert asked_with_a_picture(model) == []
