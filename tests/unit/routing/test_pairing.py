"""Pairing: 8 characters, 1 h, 3 open per account, yes and no, all of it in the ledger (ROU-04)."""

from pathlib import Path

import pytest

from openclaw_gateway.routing.pairing import ALPHABET, LIFETIME_MS, Pairing, PairingError, Pairings


class Clock:
    now = 1_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pairings(tmp_path: Path, clock: Clock) -> Pairings:
    return Pairings(tmp_path / "pairing.jsonl", clock)


def code_of(pairings: Pairings, sender: str, account: str = "default") -> str:
    challenge = pairings.challenge("telegram", account, sender)
    assert challenge is not None
    return challenge.code


def test_a_code_has_eight_letters_nobody_confuses(pairings: Pairings, clock: Clock) -> None:
    assert len(ALPHABET) == 32 and not set("0O1I") & set(ALPHABET) and ALPHABET.upper() == ALPHABET
    for number in range(200):
        code = code_of(pairings, str(number))
        assert len(code) == 8 and set(code) <= set(ALPHABET)
        clock.now += LIFETIME_MS


def test_the_code_is_told_once_and_stays_the_same(pairings: Pairings) -> None:
    first, second = pairings.challenge("telegram", "default", "7"), pairings.challenge("Telegram", "default", "7")
    assert first is not None and second is not None
    assert (first.fresh, second.fresh, first.code) == (True, False, second.code)


def test_three_may_wait_on_an_account_and_each_account_counts_for_itself(pairings: Pairings) -> None:
    for sender in "abc":
        code_of(pairings, sender)
    assert pairings.challenge("telegram", "default", "d") is None
    assert pairings.challenge("telegram", "bot2", "d") is not None
    assert pairings.challenge("discord", "default", "d") is not None
    assert len(pairings.pending("telegram", "default")) == 3 and len(pairings.pending()) == 5


def test_a_code_ends_after_an_hour_to_the_millisecond(pairings: Pairings, clock: Clock) -> None:
    code = code_of(pairings, "7")
    clock.now += LIFETIME_MS - 1
    assert len(pairings.pending()) == 1
    clock.now += 1
    with pytest.raises(PairingError, match="No open pairing request on telegram"):
        pairings.approve("telegram", code, by="me", via="cli")
    assert pairings.pending() == []
    assert code_of(pairings, "7") != code


def test_an_approved_sender_is_known_on_his_account_only_also_after_a_restart(
    pairings: Pairings, tmp_path: Path, clock: Clock
) -> None:
    code = code_of(pairings, "7")
    assert not pairings.is_approved("telegram", "default", "7")
    pairings.approve("telegram", f" {code.lower()} ", by="me", via="ui")
    pairings.close()
    clock.now += 10 * LIFETIME_MS
    again = Pairings(tmp_path / "pairing.jsonl", clock)
    assert again.is_approved("telegram", "default", "7") and again.is_approved("Telegram", "default", "7")
    for channel, account, sender in (("telegram", "bot2", "7"), ("discord", "default", "7"), ("telegram", "default", "8")):
        assert not again.is_approved(channel, account, sender)
    assert again.challenge("telegram", "default", "7") is None


def test_the_first_approval_names_the_owner_later_ones_do_not(pairings: Pairings) -> None:
    first = pairings.approve("telegram", code_of(pairings, "1"), by="me", via="ui")
    second = pairings.approve("telegram", code_of(pairings, "2"), by="me", via="cli")
    third = pairings.approve("telegram", code_of(pairings, "3"), by="me", via="ui")
    assert (first.owner, second.owner, third.owner) == (True, False, False)
    assert pairings.is_owner("telegram", "default", "1") and [row.sender for row in pairings.owners()] == ["1"]


def test_a_rejected_sender_gets_no_other_code_within_the_hour(pairings: Pairings, clock: Clock) -> None:
    code = code_of(pairings, "7")
    assert pairings.reject("telegram", code, by="me").state == "rejected"
    assert pairings.challenge("telegram", "default", "7") is None and not pairings.is_approved("telegram", "default", "7")
    with pytest.raises(PairingError):
        pairings.approve("telegram", code, by="me", via="cli")
    clock.now += LIFETIME_MS
    assert pairings.challenge("telegram", "default", "7") is not None


def test_a_code_counts_on_its_own_channel_and_account_only(pairings: Pairings) -> None:
    code = code_of(pairings, "7")
    for channel, account in (("discord", None), ("telegram", "bot2")):
        with pytest.raises(PairingError):
            pairings.approve(channel, code, by="me", via="cli", account=account)
    assert pairings.approve("telegram", code, by="me", via="cli", account="default").sender == "7"


def test_an_approval_can_be_taken_back(pairings: Pairings) -> None:
    pairings.approve("telegram", code_of(pairings, "7"), by="me", via="cli")
    assert pairings.revoke("telegram", "default", "7") and not pairings.revoke("telegram", "default", "7")
    assert not pairings.is_approved("telegram", "default", "7") and pairings.owners() == []


def test_two_open_requests_never_share_a_code(tmp_path: Path, clock: Clock) -> None:
    letters = iter("A" * 16 + "B" * 8)
    pairings = Pairings(tmp_path / "p.jsonl", clock, choose=lambda _alphabet: next(letters))
    assert (code_of(pairings, "1"), code_of(pairings, "2")) == ("A" * 8, "B" * 8)


def test_the_row_is_on_disk_before_the_code_is_told_and_no_repr_holds_it(pairings: Pairings, tmp_path: Path) -> None:
    seen: list[Pairing] = []
    pairings.on_change.append(seen.append)
    challenge = pairings.challenge("telegram", "default", "7")
    assert challenge is not None
    assert challenge.code in (tmp_path / "pairing.jsonl").read_text()
    assert challenge.code not in repr(challenge) and challenge.code not in repr(seen) and len(seen) == 1


def test_a_sender_without_an_id_is_not_paired(pairings: Pairings) -> None:
    with pytest.raises(ValueError, match="without an id"):
        pairings.challenge("telegram", "default", " ")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Robin", "Robin"),
        ("  Robin \n Hood\t", "Robin Hood"),
        ("Ro\x1b[31mbin\x00", "Ro[31mbin"),
        ("\u202enibor\u2066", "nibor"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("x" * 500, "x" * 80),
        ("\u202e\x07", ""),
    ],
)
def test_a_strangers_name_is_kept_clean_and_short(pairings: Pairings, tmp_path: Path, said: str, kept: str) -> None:
    assert pairings.challenge("telegram", "default", "7", said) is not None
    (row,) = pairings.pending()
    assert row.name == kept and (not kept or kept not in repr(row))


def test_a_ledger_from_before_names_were_kept_is_read(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "old.jsonl"
    first = Pairings(path, clock)
    assert first.challenge("telegram", "default", "7", "Robin") is not None
    first.close()
    path.write_text(path.read_text().replace(',"name":"Robin"', "").replace(', "name": "Robin"', ""))
    assert "Robin" not in path.read_text()
    assert [row.name for row in Pairings(path, clock).pending()] == [""]
