from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from openclaw_kernel.store.jsonl import JsonlFile, StoreError
from openclaw_kernel.store.ledger import Ledger, open_ledgers


@dataclass(frozen=True)
class Run:
    id: str
    state: str = "pending"


def open_ledger(path: Path) -> Ledger[Run]:
    return Ledger(
        path,
        key=lambda run: run.id,
        encode=asdict,
        decode=lambda record: Run(record["id"], record["state"]),
        is_pending=lambda run: run.state == "pending",
    )


def test_the_last_row_of_an_id_wins_over_a_restart(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "runs.jsonl")
    ledger.put(Run("a"))
    ledger.put(Run("b"))
    ledger.settle("a", lambda run: replace(run, state="done"))
    ledger.put(Run("c"))
    ledger.delete("c")
    ledger.delete("unknown")
    ledger.close()
    again = open_ledger(tmp_path / "runs.jsonl")
    assert again.rows() == [Run("a", "done"), Run("b")]
    assert again.pending() == [Run("b")]
    assert (again.get("c"), "a" in again, len(again)) == (None, True, 2)


def test_opening_compacts_when_most_lines_are_void(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    ledger = open_ledger(path)
    for number in range(200):
        ledger.put(Run("a", str(number)))
    ledger.close()
    assert len(path.read_text().splitlines()) == 200
    again = open_ledger(path)
    again.put(Run("b"))
    again.close()
    assert path.read_text().splitlines() == ['{"id":"a","state":"199"}', '{"id":"b","state":"pending"}']


def test_a_row_that_cannot_be_decoded_is_never_compacted_away(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    ledger = open_ledger(path)
    for number in range(200):
        ledger.put(Run("a", str(number)))
    ledger.close()
    with path.open("a") as out:
        out.write('{"id":"of a newer version"}\n')
    again = open_ledger(path)
    assert again.rows() == [Run("a", "199")]
    assert "newer version" in path.read_text()


def test_a_put_that_the_disk_refuses_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = open_ledger(tmp_path / "runs.jsonl")
    ledger.put(Run("a"))

    def refuse(self: JsonlFile, record: Any) -> None:
        raise StoreError("full", self.path)

    monkeypatch.setattr(JsonlFile, "append", refuse)
    with pytest.raises(StoreError):
        ledger.put(Run("a", "done"))
    with pytest.raises(StoreError):
        ledger.delete("a")
    assert ledger.get("a") == Run("a")


def test_a_scrub_leaves_no_byte_of_what_it_took_and_the_ledger_goes_on(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "runs.jsonl")
    for id, state in (("a", "secret-1"), ("a", "plain"), ("b", "secret-2"), ("c", "secret-3")):
        ledger.put(Run(id, state))
    ledger.delete("c")

    def change(record: dict[str, Any]) -> dict[str, Any] | None:
        return None if record["id"] == "b" else record | {"state": "changed"}

    assert ledger.scrub(change) == 2
    assert b"secret" not in ledger.path.read_bytes() and ledger.rows() == [Run("a", "changed")]
    ledger.put(Run("d"))
    ledger.close()
    assert open_ledger(ledger.path).rows() == [Run("a", "changed"), Run("d")]
    assert [path.name for path in tmp_path.iterdir()] == ["runs.jsonl"] and ledger.scrub(change) == 0


def test_a_scrub_keeps_what_a_newer_version_wrote(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    path.write_text('{"new":"shape"}\n{"id":"a","state":"done"}\n{"secret":"shape"}\n')
    ledger = open_ledger(path)
    ledger.scrub(lambda record: None if "secret" in record else record)
    assert path.read_text() == '{"new":"shape"}\n{"id":"a","state":"done"}\n'


def test_open_ledgers_are_found_by_their_folder(tmp_path: Path) -> None:
    here, there = open_ledger(tmp_path / "here" / "runs.jsonl"), open_ledger(tmp_path / "there" / "runs.jsonl")
    assert open_ledgers(tmp_path / "here") == [here]
    here.close()
    assert open_ledgers(tmp_path / "here") == [] and open_ledgers(tmp_path) == [there]
