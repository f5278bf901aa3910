"""The canonical form, the chain and the tree head, against RFC 6962's published vectors."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.domain.audit import (
    FIRST_HASH,
    AuditDraft,
    AuditEntry,
    AuditKind,
    ChainVerdict,
    Checkpoint,
    MerkleFrontier,
    Outcome,
    canonical,
    chain_hash,
    link,
)
from vault.domain.identity import CaseId, PersonId, WorkstationId

# The reference tree of the Certificate Transparency implementation: eight leaves and the tree head after each of them.
LEAVES = [
    bytes.fromhex(one) for one in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
HEADS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
DESK = WorkstationId("de" * 16)
TEXTS = st.text(max_size=20)
DRAFTS = st.builds(
    AuditDraft,
    kind=st.sampled_from(AuditKind),
    actor_id=st.none() | TEXTS.map(PersonId),
    case_id=st.none() | TEXTS.map(CaseId),
    page_no=st.integers(0, 10_000),
    outcome=st.sampled_from(Outcome),
    facts=st.lists(st.tuples(TEXTS, TEXTS | st.integers(-(2**53), 2**53)), max_size=4).map(tuple),
)


@pytest.mark.parametrize("count", range(9))
def test_the_tree_head_is_rfc_6962s(count: int) -> None:
    frontier = MerkleFrontier()
    frontier.extend(LEAVES[:count])
    assert frontier.root().hex() == HEADS[count]
    assert frontier.size == count


def recursive_head(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return hashlib.sha256(b"\1" + recursive_head(leaves[:half]) + recursive_head(leaves[half:])).digest()


@given(st.lists(st.binary(max_size=8), max_size=70), st.integers(0, 70))
def test_a_frontier_resumed_anywhere_gives_the_same_head(leaves: list[bytes], at: int) -> None:
    first = MerkleFrontier()
    first.extend(leaves[:at])
    resumed = MerkleFrontier.resumed(first.peaks())
    resumed.extend(leaves[at:])
    assert resumed.root() == recursive_head(leaves)
    assert resumed.size == len(leaves)
    assert len(resumed.peaks()) == len(leaves).bit_count(), "one peak a set bit: memory is logarithmic"


@given(DRAFTS)
def test_the_canonical_form_is_one_line_of_ascii_in_field_order(draft: AuditDraft) -> None:
    entry = link(draft, 1, 2, 3, DESK, FIRST_HASH)
    form = canonical(entry)
    values = json.loads(form)
    assert form.isascii()
    assert form == json.dumps(values, ensure_ascii=True, separators=(",", ":")).encode()
    names = [field.name for field in fields(AuditEntry) if field.name != "entry_hash"]
    assert values == [getattr(entry, name) for name in names]
    assert json.loads(entry.facts) == [list(pair) for pair in draft.facts]


@given(DRAFTS)
def test_the_hash_covers_the_tag_the_hash_before_and_the_form(draft: AuditDraft) -> None:
    previous = hashlib.sha256(b"before").digest()
    entry = link(draft, 7, 2, 3, DESK, previous)
    assert entry.entry_hash == hashlib.sha256(b"\x02" + previous + canonical(entry)).digest()
    assert chain_hash(previous, canonical(entry)) == entry.entry_hash
    assert chain_hash(FIRST_HASH, canonical(entry)) != entry.entry_hash


CHANGED: dict[str, object] = {
    "seq": 2, "at_us": 0, "boot_us": 0, "workstation_id": "x", "kind": "x", "actor_id": "x", "session_id": "x", "case_id": "x",
    "document_id": "x", "page_no": 9, "outcome": "x", "facts": "[]",
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGED)
def test_no_field_can_change_without_the_hash(name: str) -> None:
    entry = link(AuditDraft(AuditKind.PAGE_VIEWED, PersonId("p"), facts=(("a", 1),)), 1, 2, 3, DESK, FIRST_HASH)
    assert canonical(replace(entry, **{name: CHANGED[name]})) != canonical(entry)  # type: ignore[arg-type]


def test_every_field_but_the_hash_is_in_the_table_above() -> None:
    assert set(CHANGED) == {field.name for field in fields(AuditEntry)} - {"entry_hash"}


@given(st.lists(DRAFTS, min_size=2, max_size=8), st.data())
def test_a_chain_does_not_survive_losing_doubling_or_swapping_an_entry(drafts: list[AuditDraft], data: st.DataObject) -> None:
    entries: list[AuditEntry] = []
    for seq, draft in enumerate(drafts, start=1):
        entries.append(link(draft, seq, seq, seq, DESK, entries[-1].entry_hash if entries else FIRST_HASH))
    assert holds(entries)
    at = data.draw(st.integers(0, len(entries) - 2))
    assert not holds([*entries[:at], *entries[at + 1 :]])
    assert not holds([*entries[: at + 1], *entries[at:]])
    assert not holds([*entries[:at], entries[at + 1], entries[at], *entries[at + 2 :]])


def holds(entries: list[AuditEntry]) -> bool:
    previous = FIRST_HASH
    return all((previous := chain_hash(previous, canonical(one))) == one.entry_hash for one in entries)


def test_facts_that_are_no_number_are_refused() -> None:
    with pytest.raises((TypeError, ValueError)):
        link(AuditDraft(AuditKind.LOCKED, facts=(("x", float("nan")),)), 1, 2, 3, DESK, FIRST_HASH)  # type: ignore[arg-type]


def test_a_checkpoint_statement_names_all_of_it() -> None:
    one = Checkpoint(5, b"h" * 32, b"r" * 32, 9, DESK)
    statements = {
        changed.statement()
        for changed in (
            one, replace(one, seq=6), replace(one, head=b"x" * 32), replace(one, root=b"x" * 32), replace(one, at_us=8),
            replace(one, workstation_id=WorkstationId("ab" * 16)),
        )
    }  # fmt: skip
    assert len(statements) == 6
    assert replace(one, signature=b"s").statement() == one.statement()


def test_a_verdict_holds_only_without_a_bad_entry_and_a_reason() -> None:
    assert ChainVerdict(3).holds
    assert not ChainVerdict(3, bad_seq=2, reason="edited").holds
    assert not ChainVerdict(3, reason="rolled-back").holds
