"""The map forgets what was used longest ago, and a look is a use."""

from openclaw_gateway.routing.lru import Lru


def test_a_look_keeps_an_entry() -> None:
    lru: Lru[str, int] = Lru(2)
    lru.put("a", 1)
    lru.put("b", 2)
    assert lru.get("a") == 1 and lru.get("x") is None
    lru.put("c", 3)
    assert "a" in lru and "b" not in lru and len(lru) == 2
    lru.clear()
    assert len(lru) == 0
