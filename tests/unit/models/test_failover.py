"""Who is asked, when, and how often: each class of failure with one or two credentials, with and without a fallback.

What is expected is written out by hand from MOD-08 to MOD-12; no number is taken from the code under test. `p/m` is the model
that was meant, `a` and `b` its credentials, `q/n@c` the fallback. Times are seconds.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from openclaw_kernel.values.events import Done, Error, TextDelta
from openclaw_kernel.values.messages import ErrorKind
from tests.unit.models.failover_bench import FailoverBench, fault

A, B, C = "p/m@a", "p/m@b", "q/n@c"
ONE: dict[str, tuple[str, ...]] = {"p": ("a",)}
TWO: dict[str, tuple[str, ...]] = {"p": ("a", "b")}

# Each row: the failure that every attempt at p/m meets; then what happens with one credential alone, with two, with one and a
# fallback, with two and a fallback. A retry waits 1, 5, 30 (one step more when overloaded), and only up to 10 s while somebody
# else could be asked, 90 s in all, three times at most.
MATRIX: dict[ErrorKind, tuple[str, str, str, str]] = {
    "rate_limit": (
        "A 1 A 5 A 30 A",
        "A 1 A 5 A B 1 B 5 B 30 B",
        "A 1 A 5 A C",
        "A 1 A 5 A B 1 B 5 B C",
    ),
    "overloaded": ("A 5 A 30 A", "A 5 A B 5 B 30 B", "A 5 A C", "A 5 A B 5 B C"),
    "network": ("A", "A B", "A C", "A B C"),
    "timeout": ("A", "A B", "A C", "A B C"),
    "auth": ("A", "A B", "A C", "A B C"),
    "billing": ("A", "A B", "A C", "A B C"),
    "model_not_found": ("A", "A", "A C", "A C"),
    "unknown": ("A", "A", "A C", "A C"),
    "context_length": ("A", "A", "A", "A"),
    "refusal": ("A", "A", "A", "A"),
    "budget": ("A", "A", "A", "A"),
}
CASES = [(kind, column, row[column]) for kind, row in MATRIX.items() for column in range(4)]


def spelled(story: str) -> list[str]:
    names = {"A": A, "B": B, "C": C}
    return [names.get(word, f"wait {word}") for word in story.split()]


@pytest.mark.parametrize(("kind", "column", "story"), CASES, ids=[f"{kind}-{column}" for kind, column, _ in CASES])
async def test_the_matrix(kind: ErrorKind, column: int, story: str) -> None:
    two, fallback = column in (1, 3), column in (2, 3)
    bench = FailoverBench((TWO if two else ONE) | ({"q": ("c",)} if fallback else {}))
    bench.always = {A: fault(kind), B: fault(kind)}
    message = await bench.ask("p/m", *(["q/n"] if fallback else []))
    assert bench.log == spelled(story)
    if story.endswith("C"):
        assert message.text == f"from {C}" and message.stop_reason == "stop"
    else:
        assert message.stop_reason == "error" and message.error is not None and message.error.kind == kind


@pytest.mark.parametrize("kind", list(MATRIX))
async def test_one_failure_and_then_well(kind: ErrorKind) -> None:
    """What may be asked again answers the second time, by itself or by the other key."""
    bench = FailoverBench(TWO)
    bench.faults = {A: [fault(kind)]}
    message = await bench.ask("p/m")
    expected = {"rate_limit": A, "overloaded": A, "network": B, "timeout": B, "auth": B, "billing": B}.get(kind)
    assert message.text == (f"from {expected}" if expected else "")


@pytest.mark.parametrize("kind", list(MATRIX))
async def test_what_has_begun_is_not_begun_again(kind: ErrorKind) -> None:
    bench = FailoverBench(TWO | {"q": ("c",)})
    bench.always = {A: fault(kind, after="I was saying")}
    stream = bench.failover.stream(bench.call("p/m", "q/n"))
    events = [event async for event in stream]
    message = await stream.result()
    assert bench.log == [A] and message.stop_reason == "error" and message.text == "I was saying"
    assert [event.delta for event in events if isinstance(event, TextDelta)] == ["I was saying"]
    assert isinstance(events[-1], Error) and not any(isinstance(event, Done) for event in events)


async def test_nothing_of_a_failed_attempt_is_seen() -> None:
    bench = FailoverBench(ONE)
    bench.faults = {A: [fault("overloaded"), fault("rate_limit")]}
    events = [event async for event in bench.failover.stream(bench.call("p/m"))]
    assert [type(event).__name__ for event in events] == ["Start", "TextStart", "TextDelta", "TextEnd", "Done"]


async def test_every_attempt_is_told_with_its_reason() -> None:
    bench = FailoverBench(TWO | {"q": ("c",)})
    bench.always = {A: fault("auth"), B: fault("rate_limit", retry_after_ms=60_000)}
    await bench.ask("p/m", "q/n")
    told = [(one.step, one.model.ref, one.failure.kind if one.failure else "") for one in bench.asked]
    assert told == [("first", "p/m", ""), ("profile", "p/m", "auth"), ("fallback", "q/n", "rate_limit")]


# --- cooldowns


async def ladder(bench: FailoverBench, times: int) -> list[float]:
    """The cooldown after each of so many failures in a row, each turn begun when the last cooldown is over."""
    found = []
    for _ in range(times):
        before = bench.now
        await bench.ask("p/m")
        found.append((bench.profiles.health("a", "m").ready_at - before) / 1000)
        bench.now = max(bench.now, bench.profiles.health("a", "m").ready_at)
    return found


async def test_the_ladder_by_failures_in_a_row() -> None:
    bench = FailoverBench(ONE)
    bench.always = {A: fault("timeout")}
    assert await ladder(bench, 6) == [1, 5, 30, 300, 1800, 1800]
    bench.always = {}
    await bench.ask("p/m")
    bench.always = {A: fault("timeout")}
    assert await ladder(bench, 1) == [1]


async def test_another_ladder() -> None:
    bench = FailoverBench(ONE)
    bench.profiles.ladder_s = (30, 60, 300)
    bench.always = {A: fault("network")}
    assert await ladder(bench, 4) == [30, 60, 300, 300]


async def test_a_provider_may_ask_for_a_longer_wait() -> None:
    bench = FailoverBench(ONE)
    bench.faults = {A: [fault("rate_limit", retry_after_ms=20_000)]}
    await bench.ask("p/m")
    assert bench.log == [A, "wait 20", A]


async def test_a_credential_that_cools_is_passed_over_until_it_is_time() -> None:
    bench = FailoverBench(TWO, explicit=("a", "b"))
    bench.faults = {A: [fault("timeout")]}
    await bench.ask("p/m", session="one")
    bench.log.clear()
    await bench.ask("p/m", session="two")
    bench.now += 1_000
    await bench.ask("p/m", session="three")
    assert bench.log == [B, A]


async def test_when_all_are_cooling_the_first_to_be_free_is_asked_once() -> None:
    bench = FailoverBench(TWO, explicit=("a", "b"))
    bench.always = {A: fault("rate_limit"), B: fault("timeout")}
    await bench.ask("p/m")
    assert bench.log == [A, "wait 1", A, "wait 5", A, B]
    bench.log.clear()
    await bench.ask("p/m")
    assert bench.log == [B], "b is free 1 s after its failure, a 30 s after; neither waits"


@pytest.mark.parametrize("failure", [fault("billing"), fault("auth", status=403), fault("auth", said="this key was revoked")])
async def test_a_bill_or_a_dead_key_switches_off_for_ten_minutes(failure: object) -> None:
    bench = FailoverBench(TWO, explicit=("a", "b"))
    bench.faults = {A: [failure]}  # type: ignore[list-item]
    await bench.ask("p/m", session="one")
    bench.log.clear()
    bench.now += 599_000
    await bench.ask("p/m", session="two")
    bench.now += 1_000
    await bench.ask("p/m", session="three")
    assert bench.log == [B, A]


async def test_one_model_cools_and_its_neighbour_does_not() -> None:
    bench = FailoverBench(ONE)
    bench.always = {A: fault("rate_limit", retry_after_ms=60_000)}
    assert (await bench.ask("p/m", "p/small")).text == "from p/small@a"
    assert bench.log == [A, "p/small@a"]


async def test_a_new_key_is_not_punished_for_the_old_one() -> None:
    bench = FailoverBench(TWO, explicit=("a", "b"))
    bench.faults = {A: [fault("billing")]}
    await bench.ask("p/m", session="one")
    bench.keys["a"] = "another key"
    bench.log.clear()
    await bench.ask("p/m", session="two")
    assert bench.log == [A]


async def test_cooldowns_outlive_the_process(tmp_path: Path) -> None:
    bench = FailoverBench(TWO, state_dir=tmp_path, explicit=("a", "b"))
    bench.faults = {A: [fault("billing")]}
    await bench.ask("p/m", session="one")
    bench.open()
    bench.log.clear()
    await bench.ask("p/m", session="two")
    assert bench.log == [B]
    assert "from p" not in (tmp_path / "auth-profiles.jsonl").read_text()


# --- order and stickiness


async def test_a_session_stays_with_its_credential(tmp_path: Path) -> None:
    bench = FailoverBench(TWO, state_dir=tmp_path)
    for session in ("one", "two", "one", "two", "one"):
        bench.now += 1
        await bench.ask("p/m", session=session)
    assert bench.log == [A, B, A, B, A], "oldest use for a new session, then the same"
    bench.open()
    bench.log.clear()
    await bench.ask("p/m", session="two")
    assert bench.log == [B]


async def test_the_explicit_order_goes_before_the_oldest_use() -> None:
    bench = FailoverBench(TWO, explicit=("b",))
    for session in ("one", "two"):
        await bench.ask("p/m", session=session)
    assert bench.log == [B, B]


# --- limits


def test_the_cap_grows_with_the_credentials() -> None:
    from openclaw_kernel.models.failover import cap

    assert [cap(count) for count in (0, 1, 2, 5, 17, 100)] == [32, 32, 40, 64, 160, 160]


async def test_a_run_may_fail_so_many_times_and_no_more() -> None:
    bench = FailoverBench(ONE | {f"q{index}": ("c",) for index in range(3)})
    names = ["p/m", "q0/n", "q1/n", "q2/n"]
    bench.always = {f"{name}@{'a' if name == 'p/m' else 'c'}": fault("network") for name in names}
    for _ in range(20):
        await bench.ask(*names, run_id="r")
        bench.now += 3_600_000
    assert len(bench.log) == 40 + 10, "two credentials: 40 attempts in ten calls; each of the ten calls after them asks once"


async def test_the_user_stops_a_wait() -> None:
    bench = FailoverBench(TWO | {"q": ("c",)})
    bench.always = {A: fault("rate_limit"), B: fault("rate_limit")}
    stream = bench.failover.stream(bench.call("p/m", "q/n"))
    bench.on_sleep = lambda: stream.abort("stop")
    message = await stream.result()
    assert message.stop_reason == "aborted" and bench.log == [A, "wait 1"]


async def test_an_unreadable_secret_is_passed_over() -> None:
    bench = FailoverBench(TWO)
    bench.keys["a"] = "unreadable"
    assert (await bench.ask("p/m")).text == f"from {B}"


async def test_no_key_at_all_says_where_to_put_one_and_goes_on_to_the_fallback() -> None:
    bench = FailoverBench({"q": ("c",)})
    assert (await bench.ask("p/m", "q/n")).text == f"from {C}"
    message = await bench.ask("p/m")
    assert message.error is not None and message.error.message == "no key for p"
