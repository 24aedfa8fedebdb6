"""What a node may offer, by platform and configuration (PRO-12)."""

from __future__ import annotations

import pytest

from openclaw_gateway.protocol.nodes_policy import CommandPolicy, declared, is_own, needs_admin


@pytest.mark.parametrize(
    ("command", "platform", "permitted"),
    [
        ("canvas.present", "iOS 19.1", True),
        ("location.get", "android", True),
        ("camera.list", "ios", True),
        ("camera.snap", "ios", False),
        ("screen.record", "macos", False),
        ("sms.send", "android", False),
        ("system.run", "ios", False),
        ("system.run", "linux", True),
        ("python.run", "linux", True),
        ("python.run", "android", False),
        ("notebook.run", "web", True),
        ("python.run", "web", False),
        ("canvas.present", "toaster", True),
        ("system.run", "toaster", False),
        ("launch.missiles", "linux", False),
    ],
)
def test_platforms(command: str, platform: str, permitted: bool) -> None:
    assert CommandPolicy().permits(command, platform) is permitted


def test_configuration_adds_and_a_ban_wins() -> None:
    policy = CommandPolicy(allow=("camera.*", "sms.send"), deny=("camera.clip",))
    assert policy.permits("camera.snap", "ios") and policy.permits("sms.send", "android")
    assert not policy.permits("camera.clip", "ios") and not policy.permits("sms.search", "android")


def test_what_is_no_command_name_is_dropped() -> None:
    assert declared(["a.b", "a.b", "", "x" * 200, "a\nb", "system.*"]) == ("a.b",)
    assert len(declared(f"a.{n}" for n in range(1000))) == 200


def test_our_own_families_and_what_takes_admin() -> None:
    assert is_own("python.run") and is_own("notebook.cells") and not is_own("pythonic.run") and not is_own("camera.snap")
    assert needs_admin(["canvas.present", "system.run"]) and not needs_admin(["canvas.present"])
