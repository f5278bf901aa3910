"""The locksmith: what the services get is what the room does."""

from __future__ import annotations

import pyotp
import pytest

from vault.crypto import locksmith as module
from vault.crypto.keypairs import generate_key_pair, verify
from vault.crypto.locksmith import WORKSTATION_CONTEXT, VaultLocksmith
from vault.crypto.sealing import CHUNK_BYTES, new_key
from vault.crypto.slots import Argon2Cost, WorkstationSecrets
from vault.domain.identity import CaseId, DocumentId, PersonId, Role, UnitId
from vault.domain.trace import CHIPS_BYTES
from vault.errors import DefectError, RefusedError, TamperError
from vault.secret import Secret
from vault.services.locksmith import DirectoryFacts, Locksmith

PERSON, PASSPHRASE = PersonId("a" * 32), Secret(b"seven green bicycles")
WORKSTATION = WorkstationSecrets(new_key(), generate_key_pair())


@pytest.fixture(scope="module")
def locksmith() -> Locksmith:
    return VaultLocksmith(WORKSTATION, Argon2Cost(64 * 1024, 3, 4))


def test_a_new_person_can_sign_in(locksmith: Locksmith) -> None:
    new = locksmith.new_person(PERSON, "4711", PASSPHRASE, "North")
    keys = locksmith.open_person(new.slot, PERSON, PASSPHRASE)
    assert keys.holder.kem_public == new.keys.holder.kem_public
    totp = pyotp.parse_uri(new.provisioning_uri)
    assert isinstance(totp, pyotp.TOTP)
    assert locksmith.check_code(keys.totp_secret, totp.at(1_000_000), 1_000_000_000_000, 0) == 1_000_000 // 30


def test_what_goes_into_a_slot_is_overwritten_once_it_is_sealed(locksmith: Locksmith, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed: list[Secret] = []

    def seal(_passphrase: Secret, _person_id: PersonId, private: Secret, _cost: Argon2Cost) -> bytes:
        assert any(private.reveal())
        sealed.append(private)
        return b"slot"

    monkeypatch.setattr(module, "make_person_slot", seal)
    keys = locksmith.new_person(PERSON, "4711", PASSPHRASE, "North").keys
    locksmith.renew_factor(keys, PERSON, "4711", PASSPHRASE, "North")
    assert locksmith.reseal(keys, PERSON, "4711", PASSPHRASE) == b"slot"
    assert [any(one.reveal()) for one in sealed] == [False] * 3


def test_a_poor_passphrase_makes_no_person(locksmith: Locksmith) -> None:
    with pytest.raises(RefusedError, match=r"passphrase\.too-short"):
        locksmith.new_person(PERSON, "4711", Secret(b"short"), "North")


@pytest.mark.parametrize("passphrase", [PASSPHRASE, Secret(b""), Secret(b"\xff")])
def test_time_is_spent_without_a_word(locksmith: Locksmith, passphrase: Secret) -> None:
    assert locksmith.spend_time(passphrase) is None


def test_a_case_key_travels_by_grant(locksmith: Locksmith) -> None:
    case_id, holder = CaseId("c" * 32), locksmith.new_holder()
    new = locksmith.new_case()
    card = new.seal_card(b"card", locksmith.bind("card", case_id))
    grant = locksmith.seal_to(holder.kem_public, new.key().reveal(), b"grant")
    unit = locksmith.holder_from(holder.export_private())
    case = locksmith.case_from(case_id, unit.open_sealed(grant, b"grant"))
    assert case.open_card(card, locksmith.bind("card", case_id)) == b"card"
    with pytest.raises(TamperError):
        case.open_card(card, locksmith.bind("card", "another"))


def test_chunks_belong_to_a_named_case(locksmith: Locksmith) -> None:
    document_id, salt, new = DocumentId("d" * 32), locksmith.new_salt(), locksmith.new_case()
    with pytest.raises(DefectError, match=r"locksmith\.case-unnamed"):
        new.chunks(document_id, 2, salt)
    case = locksmith.case_from(CaseId("c" * 32), new.key())
    sealed = bytes(case.chunks(document_id, 2, salt).seal_chunk(0, bytes(CHUNK_BYTES)))
    assert bytes(case.chunks(document_id, 2, salt).open_chunk(0, sealed)) == bytes(CHUNK_BYTES)
    elsewhere = locksmith.case_from(CaseId("e" * 32), new.key())
    with pytest.raises(TamperError):
        elsewhere.chunks(document_id, 2, salt).open_chunk(0, sealed)


def test_directory_entries_need_two(locksmith: Locksmith) -> None:
    administrator, supervisor = locksmith.new_holder(), locksmith.new_holder()
    facts = DirectoryFacts(PERSON, "4711", "A. Person", Role.OFFICER, UnitId("f" * 32), administrator.kem_public, administrator.sign_public)
    one, two = locksmith.sign_directory(administrator, facts), locksmith.sign_directory(supervisor, facts)
    locksmith.verify_directory(facts, administrator.sign_public, one, supervisor.sign_public, two)
    with pytest.raises(TamperError, match=r"directory\.unsigned"):
        locksmith.verify_directory(facts, administrator.sign_public, one, administrator.sign_public, one)


def test_blind_lookups_are_keyed(locksmith: Locksmith) -> None:
    other = VaultLocksmith(WorkstationSecrets(new_key(), WORKSTATION.key_pair), Argon2Cost())
    assert locksmith.blind("case:1") == locksmith.blind("case:1")
    assert len({locksmith.blind("case:1"), locksmith.blind("case:2"), other.blind("case:1")}) == 3


def test_chips_of_a_view_are_keyed_and_each_views_own(locksmith: Locksmith) -> None:
    other = VaultLocksmith(WorkstationSecrets(new_key(), WORKSTATION.key_pair), Argon2Cost())
    assert locksmith.trace_chips(7) == locksmith.trace_chips(7)
    assert len({locksmith.trace_chips(7), locksmith.trace_chips(8), other.trace_chips(7)}) == 3
    assert len(locksmith.trace_chips(1 << 40)) == CHIPS_BYTES


def test_the_workstation_signs_for_whoever_verifies(locksmith: Locksmith) -> None:
    signature = locksmith.sign_as_workstation(b"checkpoint")
    verify(locksmith.workstation_sign_public(), WORKSTATION_CONTEXT, b"checkpoint", signature)
    locksmith.verify(WORKSTATION.key_pair.public.sign, WORKSTATION_CONTEXT, b"checkpoint", signature)


def test_a_qr_code_is_square_and_quiet_at_its_edge(locksmith: Locksmith) -> None:
    rows = locksmith.qr_rows("otpauth://totp/North:4711")
    assert {len(row) for row in rows} == {len(rows)}
    assert set("".join(rows)) == {"0", "1"}
    assert all(set(row) == {"0"} for row in [*rows[:4], *rows[-4:]])
    assert all(row[:4] == "0000" for row in rows)
    assert rows[4][4:11] == "1111111"  # the finder pattern
