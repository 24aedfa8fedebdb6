"""What is measured. Each suite starts what it needs and returns plain numbers (ms, MB, seconds as the key says)."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import httpx

import openclaw_kernel
from tests.benchmarks import memory_gateway
from tests.benchmarks.driver import Driver, Spread, completion
from tests.benchmarks.kernels import kernel_start, load_ext_cpu_s
from tests.benchmarks.processes import Started, bare_jupyter_server, cpu_s, gateway, median_wall_s, rss_mb

Numbers = dict[str, float]

WARM_TURNS = 20
CONCURRENT = 32
SETTLE_S = 2.0
"""Work a gateway does just after ready (warming, flushing) is over by then."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to measure."""

    starts: int = 3
    turns: int = 100
    turns_each: int = 5
    long_turns: int = 500
    soak_turns: int = 1000
    soak_sessions: int = 20
    cli_rounds: int = 9
    kernel_starts: int = 5
    idle_s: float = 60.0
    memory_sizes: tuple[int, ...] = (1_000, 10_000, 100_000)


def config(model_url: str, api: str) -> Mapping[str, Any]:
    """A gateway configuration with the model server as its only provider."""
    model = {"id": "bench-20", "name": "Bench", "contextWindow": 1_000_000, "maxTokens": 8192, "input": ["text"]}
    base_url = model_url if api == "anthropic-messages" else f"{model_url}/v1"
    provider = {"baseUrl": base_url, "apiKey": "bench-key", "api": api, "models": [model]}
    return {
        "models": {"providers": {"bench": provider}},
        "agents": {"defaults": {"model": {"primary": "bench/bench-20"}, "maxConcurrent": 64}},
        "gateway": {"http": {"endpoints": {"chatCompletions": {"enabled": True}}}},
    }


def start_to_ready(folder: Path, plan: Plan) -> Numbers:
    """Ours and a bare `jupyter server` by turns, so that both see the same machine; the first round warms the page cache."""
    ours: list[Started] = []
    bare: list[Started] = []
    for round_number in range(plan.starts + 1):
        with bare_jupyter_server(folder / "bare") as server:
            bare.append(server)
        with gateway(folder / "start") as server:
            ours.append(server)
        if round_number == 0:
            bare.clear()
            ours.clear()
    cpu, bare_cpu = median(s.cpu_s for s in ours), median(s.cpu_s for s in bare)
    return {
        "start_wall_s": median(s.wall_s for s in ours),
        "start_cpu_s": cpu,
        "bare_start_wall_s": median(s.wall_s for s in bare),
        "bare_start_cpu_s": bare_cpu,
        "start_cpu_ratio": cpu / bare_cpu,
    }


def idle(folder: Path, plan: Plan) -> Numbers:
    """Memory of a gateway nobody has talked to, no provider configured, and what it costs to let it stand there."""
    with gateway(folder / "idle") as server:
        time.sleep(SETTLE_S)
        before = cpu_s(server.pid)
        time.sleep(plan.idle_s)
        return {"idle_rss_mb": rss_mb(server.pid), "idle_cpu_s": (cpu_s(server.pid) - before) * 60 / plan.idle_s}


def command_line(folder: Path, plan: Plan) -> Numbers:
    """Wall time of `--version`, as a script and through `jupyter`."""
    scripts = Path(sys.executable).parent
    script, jupyter = str(scripts / "jupyter-openclaw"), str(scripts / "jupyter")
    return {
        "cli_script_version_ms": median_wall_s([script, "--version"], plan.cli_rounds) * 1e3,
        "cli_version_ms": median_wall_s([jupyter, "openclaw", "--version"], plan.cli_rounds) * 1e3,
    }


def kernels(folder: Path, plan: Plan) -> Numbers:
    """Start of our kernel against a plain ipykernel's."""
    return kernel_start(folder / "kernels", plan.kernel_starts)


def notebook_side(folder: Path, plan: Plan) -> Numbers:
    """What a notebook pays for the magics, and a page for the canvas."""
    script = Path(openclaw_kernel.__file__).parent / "canvas" / "static" / "canvas.js"
    return {
        "load_ext_cpu_ms": median(load_ext_cpu_s() for _ in range(plan.kernel_starts)) * 1e3,
        "canvas_esm_kb": script.stat().st_size / 1000,
    }


def memory(folder: Path, plan: Plan) -> Numbers:
    """Memory search beside the same memory in SQLite, in a process of its own; empty where sqlite-vec cannot be used."""
    told = folder / "memory.json"
    command = [sys.executable, "-m", "tests.benchmarks.memory", "--json", str(told)]
    command += ["--sizes", ",".join(map(str, plan.memory_sizes))]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, timeout=900, check=False)
    if done.returncode:
        return {}
    numbers: Numbers = json.loads(told.read_text("utf-8"))
    return numbers


def memory_in_use(folder: Path, plan: Plan) -> Numbers:
    """A search through a gateway, and how soon a changed note is found."""
    return memory_gateway.run(folder / "memory-in-use")


def turns(folder: Path, plan: Plan, model_url: str, api: str) -> Numbers:
    """Everything that needs a model, each on a gateway of its own where memory or age would matter."""
    settings = config(model_url, api)
    numbers: Numbers = {}
    suites: list[tuple[str, Callable[[Started, Plan], Awaitable[Numbers]]]] = [
        ("compile", _first_turn),
        ("latency", _latency),
        ("sessions", _sessions_at_once),
        ("long", _long_session),
        ("soak", _soak),
    ]
    for name, suite in suites:
        with gateway(folder / name, settings) as server:
            numbers |= asyncio.run(_limited(suite(server, plan)))
    return numbers


async def _limited(work: Awaitable[Numbers]) -> Numbers:
    async with asyncio.timeout(600):
        return await work


async def _warm(driver: Driver) -> None:
    for number in range(WARM_TURNS):
        await driver.turn(f"agent:main:bench-warm-{number % 4}", f"warm {number}")


async def _first_turn(server: Started, plan: Plan) -> Numbers:
    """Measures nothing: a model SDK is compiled by its first use, which takes 10 MB that an installed one does not need."""
    async with Driver(server.url, server.token) as driver:
        await driver.turn("agent:main:bench-first", "first")
    return {}


async def _latency(server: Started, plan: Plan) -> Numbers:
    """Sequential turns in one session, then the same over HTTP; also the memory once a model SDK is loaded."""
    numbers: Numbers = {}
    async with Driver(server.url, server.token) as driver:
        await driver.turn("agent:main:bench-first", "first")
        await asyncio.sleep(SETTLE_S)
        numbers["idle_rss_sdk_mb"] = rss_mb(server.pid)
        await _warm(driver)
        before = cpu_s(server.pid)
        times = [await driver.turn("agent:main:bench-latency", f"turn {n}: hello there") for n in range(plan.turns)]
        numbers["turn_cpu_ms"] = (cpu_s(server.pid) - before) * 1e3 / plan.turns
    numbers |= _named("turn_ack_ms", Spread.of(t.ack for t in times))
    numbers |= _named("turn_first_delta_ms", Spread.of(t.first for t in times if t.first is not None))
    numbers |= _named("turn_final_ms", Spread.of(t.final for t in times))
    headers = {"Authorization": f"Bearer {server.token}"}
    base = "http://" + server.url.split("://", 1)[1]
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=60) as client:
        for name, stream in (("http", False), ("http_stream", True)):
            for number in range(5):
                await completion(client, f"bench-{name}", f"warm {number}", stream=stream)
            before = cpu_s(server.pid)
            series = [await completion(client, f"bench-{name}", f"turn {n}", stream=stream) for n in range(plan.turns)]
            numbers[f"{name}_cpu_ms"] = (cpu_s(server.pid) - before) * 1e3 / plan.turns
            numbers |= _named(f"{name}_ms", Spread.of(series))
    return numbers


async def _sessions_at_once(server: Started, plan: Plan) -> Numbers:
    """Turns a second with 32 sessions talking at the same time, over one connection."""
    async with Driver(server.url, server.token) as driver:
        keys = [f"agent:main:bench-at-once-{number}" for number in range(CONCURRENT)]
        for key in keys:
            await driver.turn(key, "warm")

        async def talk(key: str) -> None:
            for number in range(plan.turns_each):
                await driver.turn(key, f"turn {number}")

        before, start = cpu_s(server.pid), time.perf_counter()
        await asyncio.gather(*(talk(key) for key in keys))
        wall = time.perf_counter() - start
        done = CONCURRENT * plan.turns_each
        return {"sessions_turns_per_s": done / wall, "sessions_cpu_ms": (cpu_s(server.pid) - before) * 1e3 / done}


async def _long_session(server: Started, plan: Plan) -> Numbers:
    """One session's last 50 turns against turns 26–75 of another, by turns, so that both see the same machine."""
    async with Driver(server.url, server.token) as driver:
        await _warm(driver)
        key, young_key = "agent:main:bench-long", "agent:main:bench-young"

        async def final(session_key: str, number: int) -> float:
            return (await driver.turn(session_key, f"turn {number}: tell me more")).final

        for number in range(plan.long_turns - 50):
            await final(key, number)
        for number in range(25):
            await final(young_key, number)
        pairs = [(await final(young_key, 25 + n), await final(key, plan.long_turns - 50 + n)) for n in range(50)]
        early, late = (median(column) for column in zip(*pairs, strict=True))
        start = time.perf_counter()
        await driver.request("chat.history", {"sessionKey": key, "limit": 200})
        history = (time.perf_counter() - start) * 1e3
    return {"turn_50_ms": early, "turn_500_ms": late, "turn_500_over_50": late / early, "history_200_ms": history}


async def _soak(server: Started, plan: Plan) -> Numbers:
    """What 1,000 turns leave in memory above a warmed-up gateway."""
    async with Driver(server.url, server.token) as driver:
        await _warm(driver)
        await asyncio.sleep(SETTLE_S)
        before = rss_mb(server.pid)
        for number in range(plan.soak_turns):
            await driver.turn(f"agent:main:bench-soak-{number % plan.soak_sessions}", f"turn {number}")
        await asyncio.sleep(SETTLE_S)
        after = rss_mb(server.pid)
    return {"soak_rss_before_mb": before, "soak_rss_after_mb": after, "soak_growth_mb": after - before}


def _named(name: str, spread: Spread) -> Numbers:
    return {name: spread.median, f"{name}_p95": spread.p95}
