"""`usage`: tokens and money by day, model or session."""

from __future__ import annotations

from typing import Any

import click

from openclaw_gateway.cli import show
from openclaw_gateway.cli.wire import Target, Wire, target_options


@click.command("usage")
@click.option("--days", type=click.IntRange(1, 365), default=7, show_default=True, help="How many days back.")
@click.option("--by", "by_what", type=click.Choice(["day", "model", "session", "agent"]), default="day", show_default=True)
@target_options
def command(target: Target, days: int, by_what: str) -> None:
    """Tokens and money spent, and what the budgets leave."""
    with Wire(target) as wire:
        cost = wire.request("usage.cost", {"days": days})
        status = wire.request("usage.status")
        first = cost["daily"][0]["date"]
        sessions = wire.request("sessions.usage", {"startDate": first}) if by_what != "day" or target.as_json else {}
    if target.as_json:
        show.print_json({"cost": cost, "sessions": sessions, "budgets": status["budgets"]})
        return
    show.print_table(
        (by_what, "tokens", "in", "out", "cached", "US dollars"), _rows(by_what, cost, sessions), empty="Nothing was spent."
    )
    total = cost["totals"]
    print(f"\nTogether {total['totalTokens']:,} tokens, ${total['totalCost']:.4f} in {days} days.")
    if total["missingCostEntries"]:
        print(f"{total['missingCostEntries']} calls went to models whose price is not known.")
    for row in status["budgets"]:
        print(f"{row['key']}: {_budget(row)}")


def _rows(by_what: str, cost: dict[str, Any], sessions: dict[str, Any]) -> list[tuple[object, ...]]:
    if by_what == "day":
        return [_row(day["date"], day) for day in cost["daily"] if day["totalTokens"]]
    if by_what == "session":
        return [_row(row["key"], row["usage"]) for row in sessions["sessions"]]
    if by_what == "agent":
        return [_row(row["agentId"], row["totals"]) for row in sessions["aggregates"]["byAgent"]]
    return [_row(f"{row['provider']}/{row['model']}", row["totals"]) for row in sessions["aggregates"]["byModel"]]


def _row(name: str, sums: dict[str, Any]) -> tuple[object, ...]:
    cached = sums["cacheRead"] + sums["cacheWrite"]
    tokens = (sums["totalTokens"], sums["input"], sums["output"], cached)
    return (name, *(f"{count:,}" for count in tokens), f"{sums['totalCost']:.4f}")


def _budget(row: dict[str, Any]) -> str:
    words = [f"{row['spentTokens']:,} of {row['tokens']:,} tokens"] if row["tokens"] is not None else []
    words += [f"${row['spentUsd']:.4f} of ${row['usd']:.2f}"] if row["usd"] is not None else []
    return ", ".join(words)
