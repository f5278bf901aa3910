"""The verifier names the first bad entry, whatever was done to the table by somebody who has the key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlcipher3 import dbapi2 as engine

from tests.contract.store_facts import DESK, KEY, SteppingClock, a_case, a_person, draft, new_register
from vault.domain.audit import FIRST_HASH, AuditDraft, AuditKind, ChainVerdict, Checkpoint, MerkleFrontier, canonical, link
from vault.errors import TamperError
from vault.storage import verify
from vault.storage.sqlcipher import SqlCipherStore
from vault.storage.verify import verify_file, verify_trail

ENTRIES = 12
CHECKPOINTS = (4, 8)


def _sign(statement: bytes) -> bytes:
    return b"signed:" + statement


def _check(statement: bytes, signature: bytes) -> None:
    if signature != _sign(statement):
        raise TamperError("crypto.signature")


@pytest.fixture
def trail(tmp_path: Path) -> tuple[Path, tuple[int, bytes]]:
    """A trail of 12 entries with checkpoints at 4 and 8, and its witness."""
    store = new_register(tmp_path)
    for number in range(1, ENTRIES + 1):
        store.append_audit(draft(AuditKind.PAGE_VIEWED, case_id=a_case(1), actor_id=a_person(number), page_no=number, facts=(("n", "ü"),)))
        if number in CHECKPOINTS:
            store.make_checkpoint(_sign)
    witness = store.audit_head()
    store.close()
    return tmp_path / "register.db", witness


@contextmanager
def as_thief(path: Path) -> Iterator[Any]:
    """A connection with the key and without our triggers."""
    raw = engine.connect(str(path), isolation_level=None)
    raw.execute("PRAGMA cipher_log_level = NONE")
    raw.execute(f"PRAGMA key = \"x'{KEY.reveal().hex()}'\"")
    for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        raw.execute(f"DROP TRIGGER {name}")
    yield raw
    raw.close()


def verdict_of(path: Path, witness: tuple[int, bytes] | None) -> ChainVerdict:
    return verify_file(path, KEY, witness, _check)


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


def _without(table: str) -> Callable[[Path], None]:
    def remove(path: Path) -> None:
        with as_thief(path) as raw:
            raw.execute(f"DROP TABLE {table}")

    return remove


def _without_version(path: Path) -> None:
    with as_thief(path) as raw:
        raw.execute("DELETE FROM alembic_version")


def _of_no_version(path: Path) -> None:
    with as_thief(path) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '0000'")


@pytest.mark.parametrize(
    ("do", "is_trail"),
    [
        (_emptied, True),
        (_without("audit"), True),
        (_without("audit_checkpoint"), True),
        (_without("person"), False),
        (_without_version, False),
        (_of_no_version, False),
    ],
)
def test_a_trail_or_a_table_taken_away_is_damage_and_no_defect_of_ours(
    trail: tuple[Path, tuple[int, bytes]], do: Callable[[Path], None], is_trail: bool
) -> None:
    path, witness = trail
    do(path)
    with pytest.raises(TamperError, match=r"^storage\.damaged"):
        SqlCipherStore.open(path, KEY, DESK, SteppingClock()).people()
    if is_trail:
        with pytest.raises(TamperError, match=r"^storage\.damaged"):
            verdict_of(path, witness)


def test_an_untouched_trail_holds(trail: tuple[Path, tuple[int, bytes]]) -> None:
    path, witness = trail
    before = path.read_bytes()
    assert verdict_of(path, witness) == ChainVerdict(ENTRIES, 0, "", 2, ENTRIES)
    assert verdict_of(path, None).witnessed_seq == 0
    assert path.read_bytes() == before, "verifying changes nothing"


def test_slices_are_as_good_as_one_and_entries_may_come_between(
    trail: tuple[Path, tuple[int, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, witness = trail
    for slice_entries in (1, 3, 4, ENTRIES, ENTRIES + 1):
        monkeypatch.setattr(verify, "_SLICE", slice_entries)
        assert verdict_of(path, witness) == ChainVerdict(ENTRIES, 0, "", 2, ENTRIES)
    monkeypatch.setattr(verify, "_SLICE", 5)
    store = SqlCipherStore.open(path, KEY, DESK, SteppingClock())
    slices = store.verify_in_slices(witness, _check)
    assert next(slices) == 5
    store.append_audit(draft())
    store.make_checkpoint(_sign)
    assert next(slices) == 10
    with pytest.raises(StopIteration) as end:
        next(slices)
    assert end.value.value == ChainVerdict(ENTRIES + 1, 0, "", 2, ENTRIES)
    store.close()


def _shift(raw: Any, start: int) -> None:
    """Make room at `start`."""
    raw.execute("UPDATE audit SET seq = -seq - 1 WHERE seq >= ?", (start,))
    raw.execute("UPDATE audit SET seq = -seq WHERE seq < 0")


def _swap(raw: Any, one: int, other: int) -> None:
    for old, new in ((one, -1), (other, one), (-1, other)):
        raw.execute("UPDATE audit SET seq = ? WHERE seq = ?", (new, old))


def _insert_forged(raw: Any) -> None:
    _shift(raw, 6)
    raw.execute("INSERT INTO audit SELECT 6, at_us, replace(entry, '[5,', '[6,'), entry_hash FROM audit WHERE seq = 5")


def _insert_copy(raw: Any) -> None:
    _shift(raw, 6)
    raw.execute("INSERT INTO audit SELECT 6, at_us, entry, entry_hash FROM audit WHERE seq = 3")


def _rehash(raw: Any, start: int) -> None:
    """Recompute the chain from `start`, as only somebody with the key and this program can."""
    import hashlib

    row = raw.execute("SELECT entry_hash FROM audit WHERE seq = ?", (start - 1,)).fetchone()
    previous = row[0] if row else FIRST_HASH
    for seq, entry in raw.execute("SELECT seq, entry FROM audit WHERE seq >= ? ORDER BY seq", (start,)).fetchall():
        previous = hashlib.sha256(b"\x02" + previous + entry.encode()).digest()
        raw.execute("UPDATE audit SET entry_hash = ? WHERE seq = ?", (previous, seq))


def _edit_and_rehash(raw: Any) -> None:
    raw.execute("UPDATE audit SET entry = replace(entry, 'page.viewed', 'page.hidden') WHERE seq = 6")
    _rehash(raw, 6)


def _edit_after_last_checkpoint(raw: Any) -> None:
    raw.execute("UPDATE audit SET entry = replace(entry, 'page.viewed', 'page.hidden') WHERE seq = 10")
    _rehash(raw, 10)


_CHECKPOINT_OF_NOBODY = (
    "INSERT INTO audit_checkpoint SELECT 99, head, root, at_us, workstation_id, signature, peaks FROM audit_checkpoint WHERE seq = 8"
)

# what was done, the first bad entry, the reason
TAMPERING: list[tuple[str, str | Callable[[Any], None], int, str]] = [
    ("edit a fact", "UPDATE audit SET entry = replace(entry, '\"n', '\"m') WHERE seq = 5", 5, "edited"),
    ("edit the first", "UPDATE audit SET entry = replace(entry, 'done', 'fail') WHERE seq = 1", 1, "edited"),
    ("edit the last", "UPDATE audit SET entry = replace(entry, 'done', 'fail') WHERE seq = 12", 12, "edited"),
    ("edit a hash", "UPDATE audit SET entry_hash = zeroblob(32) WHERE seq = 7", 7, "edited"),
    ("edit the time beside", "UPDATE audit SET at_us = at_us + 1 WHERE seq = 9", 9, "edited"),
    ("add a space", "UPDATE audit SET entry = entry || ' ' WHERE seq = 3", 3, "edited"),
    ("not ASCII", "UPDATE audit SET entry = replace(entry, 'done', 'dünn') WHERE seq = 3", 3, "edited"),
    ("delete one", "DELETE FROM audit WHERE seq = 6", 6, "missing"),
    ("delete the first", "DELETE FROM audit WHERE seq = 1", 1, "missing"),
    ("delete and close the gap", "DELETE FROM audit WHERE seq = 6; UPDATE audit SET seq = seq - 1 WHERE seq > 6", 6, "edited"),
    ("renumber", "UPDATE audit SET seq = 500 WHERE seq = 5", 5, "missing"),
    ("insert before the first", "INSERT INTO audit SELECT 0, at_us, entry, entry_hash FROM audit WHERE seq = 1", 1, "inserted"),
    ("insert a forgery", _insert_forged, 6, "inserted"),
    ("insert a copy", _insert_copy, 6, "inserted"),
    ("swap neighbours", lambda raw: _swap(raw, 5, 6), 5, "reordered"),
    ("swap far apart", lambda raw: _swap(raw, 3, 11), 3, "reordered"),
    ("cut the tail to the checkpoint", "DELETE FROM audit WHERE seq > 8", 9, "rolled-back"),
    ("cut the tail below the checkpoint", "DELETE FROM audit WHERE seq > 6", 7, "truncated"),
    ("cut everything", "DELETE FROM audit", 1, "truncated"),
    ("cut everything and every checkpoint", "DELETE FROM audit; DELETE FROM audit_checkpoint", 1, "rolled-back"),
    ("recompute across a checkpoint", _edit_and_rehash, 5, "checkpoint"),
    ("recompute after the last checkpoint", _edit_after_last_checkpoint, 9, "rolled-back"),
    ("forge a checkpoint's root", "UPDATE audit_checkpoint SET root = zeroblob(32) WHERE seq = 8", 5, "checkpoint"),
    ("forge a checkpoint's head", "UPDATE audit_checkpoint SET head = zeroblob(32) WHERE seq = 4", 1, "checkpoint"),
    ("forge a checkpoint's time", "UPDATE audit_checkpoint SET at_us = at_us + 1 WHERE seq = 4", 1, "checkpoint"),
    ("a checkpoint nobody made", _CHECKPOINT_OF_NOBODY, 13, "truncated"),
]  # fmt: skip


@pytest.mark.parametrize("slice_entries", [verify._SLICE, 5])
@pytest.mark.parametrize(("act", "bad_seq", "reason"), [row[1:] for row in TAMPERING], ids=[row[0] for row in TAMPERING])
def test_tampering_is_named(
    trail: tuple[Path, tuple[int, bytes]],
    monkeypatch: pytest.MonkeyPatch,
    act: str | Callable[[Any], None],
    bad_seq: int,
    reason: str,
    slice_entries: int,
) -> None:
    monkeypatch.setattr(verify, "_SLICE", slice_entries)
    path, witness = trail
    with as_thief(path) as raw:
        if isinstance(act, str):
            for statement in act.split("; "):
                raw.execute(statement)
        else:
            act(raw)
    verdict = verdict_of(path, witness)
    assert (verdict.bad_seq, verdict.reason) == (bad_seq, reason)
    assert not verdict.holds


def test_the_tail_is_checked_at_every_opening(trail: tuple[Path, tuple[int, bytes]]) -> None:
    path, _ = trail
    with as_thief(path) as raw:
        raw.execute("UPDATE audit SET entry = replace(entry, 'done', 'fail') WHERE seq = 11")
    with pytest.raises(TamperError, match=r"^audit\.chain-broken seq=11$"):
        SqlCipherStore.open(path, KEY, DESK, SteppingClock())


def test_a_broken_stretch_is_not_signed(tmp_path: Path) -> None:
    store = new_register(tmp_path)
    store.append_audit(draft(), draft())
    with as_thief(tmp_path / "register.db") as raw:
        raw.execute("UPDATE audit SET entry = replace(entry, 'done', 'fail') WHERE seq = 1")
    with pytest.raises(TamperError, match=r"^audit\.chain-broken seq=1$"):
        store.make_checkpoint(_sign)
    store.close()


def test_a_trail_put_back_while_open_is_noticed_at_the_next_act(tmp_path: Path) -> None:
    store = new_register(tmp_path)
    store.append_audit(draft(), draft())
    with as_thief(tmp_path / "register.db") as raw:
        raw.execute("DELETE FROM audit WHERE seq = 2")
    with pytest.raises(TamperError, match=r"^audit\.chain-broken seq=2$"):
        store.append_audit(draft(), draft())
    store.close()


def _lines_of(rows: list[tuple[Any, ...]], checkpoints: list[tuple[Any, ...]]) -> Callable[[str], Any]:
    @contextmanager
    def lines(sql: str) -> Iterator[Iterator[tuple[Any, ...]]]:
        yield iter(checkpoints if "checkpoint" in sql else rows)

    return lines


def _chain(count: int) -> tuple[list[tuple[Any, ...]], Checkpoint]:
    rows, previous, tree = [], FIRST_HASH, MerkleFrontier()
    for seq in range(1, count + 1):
        entry = link(AuditDraft(AuditKind.PAGE_VIEWED, page_no=seq, facts=(("n", seq),)), seq, seq * 10, seq, DESK, previous)
        leaf, previous = canonical(entry), entry.entry_hash
        tree.append(leaf)
        rows.append((seq, seq * 10, leaf.decode(), previous))
    bare = Checkpoint(count, previous, tree.root(), 7, DESK)
    return rows, bare


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 9, 100, 1023, 1024, 1025, 3079])
def test_the_verifier_and_the_domain_agree(count: int) -> None:
    rows, bare = _chain(count)
    signed = (bare.seq, bare.head, bare.root, bare.at_us, bare.workstation_id, _sign(bare.statement()))
    assert verify_trail(_lines_of(rows, [signed]), (count, bare.head), _check) == ChainVerdict(count, 0, "", 1, count)


CHAIN, BARE = _chain(9)
SIGNED = (BARE.seq, BARE.head, BARE.root, BARE.at_us, BARE.workstation_id, _sign(BARE.statement()))


@settings(max_examples=200, deadline=None)
@given(place=st.integers(0, 8), at=st.integers(0, 400), flip=st.integers(1, 127))
def test_every_byte_of_every_entry_counts(place: int, at: int, flip: int) -> None:
    rows = list(CHAIN)
    seq, at_us, entry, entry_hash = rows[place]
    both = entry.encode() + entry_hash
    where = at % len(both)
    changed = both[:where] + bytes([both[where] ^ flip]) + both[where + 1 :]
    rows[place] = (seq, at_us, changed[: len(entry)].decode("latin-1"), changed[len(entry) :])
    verdict = verify_trail(_lines_of(rows, [SIGNED]), None, _check)
    assert (verdict.bad_seq, verdict.reason) == (place + 1, "edited")


@settings(max_examples=100, deadline=None)
@given(order=st.permutations(range(9)))
def test_any_order_but_the_right_one_is_named_at_its_first_wrong_place(order: list[int]) -> None:
    rows = [(place + 1, *CHAIN[index][1:]) for place, index in enumerate(order)]
    verdict = verify_trail(_lines_of(rows, [SIGNED]), None, _check)
    wrong = next((place + 1 for place, index in enumerate(order) if place != index), 0)
    assert (verdict.bad_seq, verdict.reason) == (wrong, "reordered" if wrong else "")
