"""What a place file says of a vault: one line a case."""

from __future__ import annotations

import pytest

from vault.domain.breach import SignalKind
from vault.domain.place_file import KINDS, KnownHere, PlaceFinding, PlaceRecord, facts_of, judge, spooled_to_keep

OURS, OTHERS = b"\x01" * 32, b"\x02" * 32
F = PlaceFinding


def there(seq: int = 10, entry_hash: bytes = OURS, generation: int = 3, spooled: int | None = None) -> PlaceRecord:
    return PlaceRecord(seq, entry_hash, generation, 1_700_000_000_000_000, spooled)


def here(
    entry_hash: bytes = OURS, generation: int = 3, kept_seq: int | None = 10, *, wrote: bool = False, spooled: int | None = None
) -> KnownHere:
    return KnownHere(entry_hash, generation, kept_seq, wrote, spooled)


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
    ("the spool as it was left", there(spooled=7), here(spooled=7), None),
    ("sealed while the vault was shut", there(spooled=7), here(spooled=9), None),
    ("never counted there, as before it was kept", there(), here(spooled=0), None),
    ("not counted here yet", there(spooled=7), here(), None),
    ("the keyring's count put back", there(spooled=7), here(spooled=6), F.SPOOL_ROLLED_BACK),
    ("the keyring's count taken away", there(spooled=1), here(spooled=0), F.SPOOL_ROLLED_BACK),
    ("taken away, while open", there(spooled=1), here(spooled=0, wrote=True), F.SPOOL_ROLLED_BACK),
    ("a keyring made anew, and bound since", there(spooled=7), here(generation=4, spooled=0), None),
    ("another history, the spool's count put back with it", there(12, spooled=7), here(b"", spooled=6), F.ROLLED_BACK),
    ("a newer header, and the spool's count", there(generation=4, spooled=7), here(spooled=6), F.HEADER_ROLLED_BACK),
    ("the spool's count, and an older one", there(8, spooled=7), here(spooled=6), F.SPOOL_ROLLED_BACK),
]


@pytest.mark.parametrize(("there", "here", "finding"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_a_place_file_is_judged(there: PlaceRecord | None, here: KnownHere, finding: PlaceFinding | None) -> None:
    assert judge(there, here) is finding


KEPT = [
    # what, there, here, the count that a new record gets
    ("counted here", there(spooled=7), here(spooled=9), 9),
    ("nothing there yet", None, here(spooled=0), 0),
    ("not counted here yet", there(spooled=7), here(), 7),
    ("nor there", there(), here(), None),
    ("nothing at all", None, here(), None),
    ("of a keyring before this one, perhaps", there(spooled=7), here(generation=4), None),
]


@pytest.mark.parametrize(("there", "here", "count"), [row[1:] for row in KEPT], ids=[row[0] for row in KEPT])
def test_what_a_new_record_says_of_the_spool(there: PlaceRecord | None, here: KnownHere, count: int | None) -> None:
    assert spooled_to_keep(there, here) == count


def test_every_finding_is_of_a_kind() -> None:
    assert set(KINDS) == set(PlaceFinding)
    assert KINDS[F.ROLLED_BACK] is KINDS[F.TWIN] is KINDS[F.SPOOL_ROLLED_BACK] is SignalKind.STORE_TAMPERED
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
    told = dict(facts_of(F.SPOOL_ROLLED_BACK, there(spooled=7), here(spooled=6), 10))
    assert (told["witnessed_spooled"], told["found_spooled"]) == (7, 6)
    assert dict(facts_of(F.ALTERED, None, here(kept_seq=None), 9)) == {"code": "place-file.altered", "found_seq": 9, "found_generation": 3}
