"""`session.mainKey` is the name of the main session for whoever asks for `main` (SES-02)."""

from __future__ import annotations

from pathlib import Path

from tests.flow.wire import client, served


async def test_main_is_what_the_configuration_calls_it(tmp_path: Path) -> None:
    async with served(tmp_path / "s", {"session": {"mainKey": "home"}}) as live, client(live.ws, live.token) as peer:
        defaults = peer.hello["snapshot"]["sessionDefaults"]
        assert (defaults["mainKey"], defaults["mainSessionKey"]) == ("home", "agent:main:home")
        assert (await peer.call("agents.list"))["mainKey"] == "home"
        run_id = await peer.say("hello", "main")
        await peer.final(run_id)
        for name in ("main", "home", "agent:main:main", "agent:main:home"):
            page = await peer.call("chat.history", {"sessionKey": name})
            assert page["sessionInfo"]["key"] == "agent:main:home" and page["totalMessages"] == 2
        assert "main session" in (await peer.fails("sessions.delete", {"key": "main"}))["message"]
        assert [row["key"] for row in (await peer.call("sessions.list"))["sessions"]] == ["agent:main:home"]
