"""A page of the register as it was, in the file as it is (V72): its bytes are the vault's own, so that no page check can tell.

Every page that a working day changed is put back, one at a time. The vault opens, unless it sees at once; the verification that runs by
itself must then name what is missing from the trail. What is found is held against the entries that the unharmed register has.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest

from tests.station import CUSTODIAN, SUPERVISOR, Station
from vault.assembly import REGISTER_NAME
from vault.domain.audit import AuditKind
from vault.domain.breach import Signal, SignalKind
from vault.errors import TamperError, UnavailableError
from vault.services.ports import AuditFilter
from vault.services.witness import VERIFY_EVERY_HOURS
from vault.storage.connection import REGISTER_FORMAT

_MOST = 100_000


def _entries(station: Station) -> list[bytes]:
    return [one.entry_hash for one in station.vault.store.audit_entries(AuditFilter(), 0, _MOST)]


def _tick(station: Station) -> None:
    """More turns than these trails need."""
    for _ in range(5):
        station.vault.witness.verify_in_turn()


def _verified_by_itself(station: Station) -> TamperError | None:
    """What the ticks of a day lead to."""
    station.clock.step(VERIFY_EVERY_HOURS * 3600)
    try:
        _tick(station)
    except TamperError as error:
        return error
    return None


def test_every_stale_page_that_hides_an_entry_is_reported(station: Station, tmp_path: Path) -> None:
    path, size = station.directory / REGISTER_NAME, REGISTER_FORMAT.page_bytes
    station.sign_in(SUPERVISOR)
    station.close()
    before = path.read_bytes()
    for number in range(4):
        station.register_case(f"2026-1{number:03}", "A case of the day", CUSTODIAN)
    entries = _entries(station)
    station.close()
    now = path.read_bytes()
    changed = [at for at in range(0, len(before), size) if before[at : at + size] != now[at : at + size]]
    told, hidden = 0, 0
    for at in changed:
        path.write_bytes(now[:at] + before[at : at + size] + now[at + size :])
        stale = station.copy_to(tmp_path / f"{at}")
        hides, error = False, None
        try:
            hides = _entries(stale)[-len(entries) :] != entries
            error = _verified_by_itself(stale)
            stale.close()
        except TamperError as refused:  # sooner: at the tail, in what holds the tables together, or where the trail is signed
            error = refused
            with suppress(TamperError):
                stale.close()
        hidden += hides
        told += error is not None
        assert not hides or error is not None, f"page {at // size}"
    assert told >= hidden > 0
    path.write_bytes(now)
    assert _verified_by_itself(station) is None


def test_a_trail_is_verified_once_a_day_and_by_whoever_asks(station: Station) -> None:
    def verified() -> int:
        return len(station.vault.store.audit_entries(AuditFilter(kinds=(AuditKind.AUDIT_VERIFIED.value,)), 0, _MOST))

    station.sign_in(SUPERVISOR)
    count = verified()
    _tick(station)
    assert verified() == count + 1, "never verified before, then once"
    station.close()
    station.vault.witness.verify_in_turn()
    assert verified() == count + 1, "another opening does not do it again"
    station.clock.step(VERIFY_EVERY_HOURS * 3600)
    _tick(station)
    assert verified() == count + 2
    station.sign_in(SUPERVISOR)
    assert station.vault.supervision.verify_chain().holds
    station.clock.step((VERIFY_EVERY_HOURS - 1) * 3600)
    station.vault.witness.verify_in_turn()
    assert verified() == count + 3


def test_a_verdict_that_cannot_be_written_is_reported_all_the_same(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    station.sign_in(SUPERVISOR)
    witness = station.vault.witness
    with monkeypatch.context() as full:
        full.setattr(witness, "_known", (3, bytes(32)))
        full.setattr(station.vault.store, "append_audit", _no_room)
        with pytest.raises(TamperError, match=r"^audit\.chain-broken"):
            _tick(station)
    station.clock.step(3601)
    assert witness._slices is None
    _tick(station)
    entry = station.vault.store.audit_entries(AuditFilter(kinds=(AuditKind.AUDIT_VERIFIED.value,)), 0, 1)[0]
    assert dict(json.loads(entry.facts))["reason"] == "", "begun anew after an hour"


def test_after_a_verdict_that_was_bad_the_next_opening_verifies_again(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    station.sign_in(SUPERVISOR)
    with monkeypatch.context() as forged:
        forged.setattr(station.vault.witness, "_known", (3, bytes(32)))
        with pytest.raises(TamperError):
            _tick(station)
    station.close()  # as a crash would, before the report
    count = len(station.vault.store.audit_entries(AuditFilter(kinds=(AuditKind.AUDIT_VERIFIED.value,)), 0, _MOST))
    _tick(station)
    assert len(station.vault.store.audit_entries(AuditFilter(kinds=(AuditKind.AUDIT_VERIFIED.value,)), 0, _MOST)) == count + 1


def _no_room(*_drafts: object) -> int:
    raise UnavailableError("storage.full")


def test_a_trail_that_does_not_hold_is_a_report_and_not_only_a_verdict(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    station.sign_in(SUPERVISOR)
    seen: list[Signal] = []
    monkeypatch.setattr(station.vault.world, "observed", seen.append)
    monkeypatch.setattr(station.vault.witness, "_known", (3, bytes(32)))  # the trail has another third entry than the witness saw
    verdict = station.vault.supervision.verify_chain()
    assert (verdict.holds, verdict.reason) == (False, "rolled-back")
    assert [(one.kind, dict(one.facts)["code"], dict(one.facts)["reason"]) for one in seen] == [
        (SignalKind.STORE_TAMPERED, "audit.chain-broken", "rolled-back")
    ]
