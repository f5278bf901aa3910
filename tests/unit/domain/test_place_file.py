"""What a place file says of a vault: one line a case."""

from __future__ import annotations

import pytest

from vault.domain.breach import SignalKind
from vault.domain.place_file import KINDS, KnownHere, PlaceFinding, PlaceRecord, facts_of, judge

OURS, OTHERS = b"\x01" * 32, b"\x02" * 32
F = PlaceFinding


def there(seq: int = 10, entry_hash: bytes = OURS, generation: int = 3) -> PlaceRecord:
    return PlaceRecord(seq, entry_hash, generation, 1_700_000_000_000_000)


def here(entry_hash: bytes = OURS, generation: int = 3, kept_seq: int | None = 10, *, wrote: bool = False) -> KnownHere:
    return KnownHere(entry_hash, generation, kept_seq, wrote)


CASES = [
    # what, there, here, finding
    ("as it was left", there(), here(), None),
    ("it lags behind", there(8), here(kept_seq=8), None),
    ("the keyring was not told of the last one", there(), here(kept_seq=8), None),
    ("the keyring forgot", there(), here(kept_seq=None), None),
    ("never one there", None, here(kept_seq=None), None),
    ("an older header's, before a binding", there(generation=2), here(), None),
    ("an entry that this vault does not have", there(12), here(b""), F.ROLLED_BACK),
    ("another entry of that number", there(), here(OTHERS), F.ROLLED_BACK),
    ("another entry of that number, while open", there(), here(OTHERS, wrote=True), F.TWIN),
    ("a further entry, while open", there(12), here(b"", wrote=True), F.TWIN),
    ("another history and a newer header", there(12, generation=4), here(b""), F.ROLLED_BACK),
    ("a newer header", there(generation=4), here(), F.HEADER_ROLLED_BACK),
    ("gone", None, here(), F.MISSING),
    ("gone, while open", None, here(wrote=True), F.MISSING),
    ("an older one", there(8), here(), F.OLDER),
]


@pytest.mark.parametrize(("there", "here", "finding"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_a_place_file_is_judged(there: PlaceRecord | None, here: KnownHere, finding: PlaceFinding | None) -> None:
    assert judge(there, here) is finding


def test_every_finding_is_of_a_kind() -> None:
    assert set(KINDS) == set(PlaceFinding)
    assert KINDS[F.ROLLED_BACK] is KINDS[F.TWIN] is SignalKind.STORE_TAMPERED
    assert KINDS[F.MISSING] is SignalKind.PLACE_FILE_ALTERED


def test_a_report_says_the_numbers_and_when() -> None:
    assert dict(facts_of(F.ROLLED_BACK, there(12), here(b""), 9)) == {
        "code": "place-file.rolled-back",
        "found_seq": 9,
        "found_generation": 3,
        "witnessed_seq": 12,
        "witnessed_generation": 3,
        "witnessed_at": "2023-11-14 22:13:20 UTC",
        "kept_seq": 10,
    }
    assert dict(facts_of(F.ALTERED, None, here(kept_seq=None), 9)) == {"code": "place-file.altered", "found_seq": 9, "found_generation": 3}
