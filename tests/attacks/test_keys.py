"""Attacks on keys, slots, seals and signatures: one line an attack, the expected outcome beside it.

The attacker of these tables owns the database and the header file, may put any sealed value anywhere, and knows every id. They have no key.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Callable

import pytest

from vault.crypto.directory import DirectoryEntry, sign_entry, verify_entry
from vault.crypto.keypairs import generate_key_pair, seal_to, verify
from vault.crypto.sealing import CHUNK_BYTES, ChunkCipher, bind, case_keys, new_key, seal, unseal
from vault.crypto.second_factor import check_code, new_totp_secret
from vault.crypto.slots import (
    Argon2Cost,
    PersonSecrets,
    WorkstationSecrets,
    make_person_slot,
    make_workstation_slot,
    open_person_slot,
    open_workstation_slot,
    vault_keys,
)
from vault.domain.identity import CaseId, DocumentId, PersonId, Role, UnitId, VaultId, WorkstationId
from vault.errors import RefusedError, VaultError
from vault.secret import Secret

Attack = Callable[[], object]


def outcome(attack: Attack) -> str:
    """Give the code the attack is refused with, or say that it worked."""
    try:
        attack()
    except VaultError as refusal:
        return f"{type(refusal).__name__} {refusal.code}"
    return "opened"


# ---- the person slot ---------------------------------------------------------------------------------------------------------------

FLOOR = Argon2Cost(memory_kib=64 * 1024, iterations=3, lanes=4)
PASSPHRASE, ANNA, BERT = Secret(b"seven green bicycles"), PersonId("a" * 32), PersonId("b" * 32)
ANNAS = PersonSecrets(generate_key_pair(), new_totp_secret())
SLOT = make_person_slot(PASSPHRASE, ANNA, ANNAS.encode(), FLOOR)
HEAD = struct.Struct(">2sIII16s")


def with_head(**changes: object) -> bytes:
    suite, memory_kib, iterations, lanes, salt = HEAD.unpack(SLOT[: HEAD.size])
    head = {"suite": suite, "memory_kib": memory_kib, "iterations": iterations, "lanes": lanes, "salt": salt} | changes
    return HEAD.pack(*head.values()) + SLOT[HEAD.size :]


def open_slot(slot: bytes = SLOT, passphrase: bytes = PASSPHRASE.reveal(), person_id: PersonId = ANNA) -> Attack:
    return lambda: open_person_slot(slot, Secret(passphrase), person_id)


@pytest.mark.parametrize(
    ("attack", "expected"),
    [
        pytest.param(open_slot(), "opened", id="no attack"),
        pytest.param(open_slot(passphrase=b"seven green bicycle"), "RefusedError session.not-recognised", id="wrong passphrase"),
        pytest.param(open_slot(passphrase=b""), "RefusedError session.not-recognised", id="no passphrase"),
        pytest.param(open_slot(passphrase=b"Seven green bicycles"), "RefusedError session.not-recognised", id="other case"),
        pytest.param(open_slot(person_id=BERT), "RefusedError session.not-recognised", id="Anna's slot put in Bert's row"),
        pytest.param(open_slot(with_head(memory_kib=8)), "TamperError slot.below-floor", id="memory downgraded"),
        pytest.param(open_slot(with_head(iterations=1)), "TamperError slot.below-floor", id="iterations downgraded"),
        pytest.param(open_slot(with_head(lanes=0)), "TamperError slot.below-floor", id="lanes downgraded"),
        pytest.param(open_slot(with_head(memory_kib=2**32 - 1)), "TamperError slot.above-ceiling", id="memory to exhaust the machine"),
        pytest.param(open_slot(with_head(iterations=2**32 - 1)), "TamperError slot.above-ceiling", id="iterations without end"),
        pytest.param(open_slot(with_head(iterations=4)), "RefusedError session.not-recognised", id="cost changed above the floor"),
        pytest.param(open_slot(with_head(salt=bytes(16))), "RefusedError session.not-recognised", id="salt changed"),
        pytest.param(open_slot(with_head(suite=b"\x02\x01")), "TamperError slot.malformed", id="suite changed"),
        pytest.param(open_slot(SLOT[:-1]), "RefusedError session.not-recognised", id="slot truncated by one byte"),
        pytest.param(open_slot(SLOT[: HEAD.size]), "TamperError slot.malformed", id="slot truncated to its head"),
        pytest.param(open_slot(SLOT + b"\x00"), "RefusedError session.not-recognised", id="slot extended"),
    ],
)
def test_person_slot(attack: Attack, expected: str) -> None:
    assert outcome(attack) == expected


def test_a_head_and_a_body_of_two_slots_do_not_fit() -> None:
    other = make_person_slot(PASSPHRASE, ANNA, ANNAS.encode(), FLOOR)
    assert outcome(open_slot(other[: HEAD.size] + SLOT[HEAD.size :])) == "RefusedError session.not-recognised"


def test_nothing_in_a_slot_can_be_read() -> None:
    private = ANNAS.key_pair.export_private().reveal()
    for secret in (private[2:66], private[66:98], private[98:], ANNAS.totp_secret.reveal(), PASSPHRASE.reveal()):
        assert secret not in SLOT


# ---- the workstation slot ----------------------------------------------------------------------------------------------------------

VAULT, DESK, OTHER_DESK = VaultId("1" * 32), WorkstationId("2" * 32), WorkstationId("3" * 32)
HELD, PREMISES = new_key(), new_key()
DESK_SECRETS = WorkstationSecrets(new_key(), generate_key_pair())
AT_HOME = make_workstation_slot(HELD, PREMISES, VAULT, DESK, DESK_SECRETS)
ALONE = make_workstation_slot(HELD, None, VAULT, DESK, DESK_SECRETS)
WRONG = "UnavailableError header.wrong-workstation"


def open_desk(
    slot: bytes = AT_HOME,
    held: Secret = HELD,
    premises: Secret | None = PREMISES,
    vault_id: VaultId = VAULT,
    workstation_id: WorkstationId = DESK,
) -> Attack:
    return lambda: open_workstation_slot(slot, held, premises, vault_id, workstation_id)


@pytest.mark.parametrize(
    ("attack", "expected"),
    [
        pytest.param(open_desk(), "opened", id="no attack"),
        pytest.param(open_desk(slot=ALONE, premises=None), "opened", id="no attack, standalone"),
        pytest.param(open_desk(held=new_key()), WRONG, id="without the workstation secret"),
        pytest.param(open_desk(premises=None), WRONG, id="carried home: without the premises secret"),
        pytest.param(open_desk(premises=new_key()), WRONG, id="a key server of one's own"),
        pytest.param(open_desk(premises=Secret(b"")), WRONG, id="an empty premises secret is not an absent one"),
        pytest.param(open_desk(slot=ALONE, premises=PREMISES), WRONG, id="a standalone slot passed off as one of the premises"),
        pytest.param(open_desk(slot=ALONE, premises=Secret(b"")), WRONG, id="absent is not empty"),
        pytest.param(open_desk(held=PREMISES, premises=HELD), WRONG, id="secrets exchanged"),
        pytest.param(open_desk(held=Secret(HELD.reveal() + PREMISES.reveal()), premises=None), WRONG, id="secrets run together"),
        pytest.param(open_desk(vault_id=VaultId("9" * 32)), WRONG, id="slot of another vault"),
        pytest.param(open_desk(workstation_id=OTHER_DESK), WRONG, id="slot of another workstation"),
        pytest.param(open_desk(slot=AT_HOME[:-1]), WRONG, id="slot truncated"),
        pytest.param(open_desk(slot=b"\x02" + AT_HOME[1:]), "TamperError slot.malformed", id="suite changed"),
        pytest.param(open_desk(slot=SLOT), WRONG, id="a person slot in its place"),
    ],
)
def test_workstation_slot(attack: Attack, expected: str) -> None:
    assert outcome(attack) == expected


@pytest.mark.parametrize("slot", [AT_HOME, ALONE], ids=["premises", "standalone"])
def test_no_bit_of_a_workstation_slot_can_be_changed(slot: bytes) -> None:
    premises = PREMISES if slot is AT_HOME else None
    for position in range(len(slot)):
        for bit in range(8):
            altered = bytearray(slot)
            altered[position] ^= 1 << bit
            assert outcome(open_desk(slot=bytes(altered), premises=premises)) != "opened"


# ---- records -----------------------------------------------------------------------------------------------------------------------

CASE_KEY, OTHER_CASE_KEY = new_key(), new_key()
KEYS = case_keys(CASE_KEY)
PLACE = bind("card", "case 1", 1)
RECORD = seal(KEYS.card, b"title, names, tags", PLACE)
NOT_AUTHENTIC = "TamperError sealing.not-authentic"


@pytest.mark.parametrize(
    ("attack", "expected"),
    [
        pytest.param(lambda: unseal(KEYS.card, RECORD, PLACE), "opened", id="no attack"),
        pytest.param(
            lambda: unseal(vault_keys(CASE_KEY).register, RECORD, PLACE), NOT_AUTHENTIC, id="the vault's keys instead of the case's"
        ),
        pytest.param(lambda: unseal(case_keys(OTHER_CASE_KEY).card, RECORD, PLACE), NOT_AUTHENTIC, id="another case's key"),
        pytest.param(lambda: unseal(KEYS.text, RECORD, PLACE), NOT_AUTHENTIC, id="another key of the same case"),
        pytest.param(lambda: unseal(CASE_KEY, RECORD, PLACE), NOT_AUTHENTIC, id="the case key itself"),
        pytest.param(lambda: unseal(KEYS.card, RECORD, bind("card", "case 2", 1)), NOT_AUTHENTIC, id="moved to another case"),
        pytest.param(lambda: unseal(KEYS.card, RECORD, bind("card", "case 1", "1")), NOT_AUTHENTIC, id="a number passed off as text"),
        pytest.param(lambda: unseal(KEYS.card, RECORD, bind("card", "case 11")), NOT_AUTHENTIC, id="parts run together"),
        pytest.param(lambda: unseal(KEYS.card, RECORD, b""), NOT_AUTHENTIC, id="bound to nothing"),
    ],
)
def test_record(attack: Attack, expected: str) -> None:
    assert outcome(attack) == expected


def test_no_bit_of_a_record_can_be_changed_and_no_byte_cut() -> None:
    for position in range(len(RECORD)):
        assert outcome(lambda end=position: unseal(KEYS.card, RECORD[:end], PLACE)) == NOT_AUTHENTIC
        for bit in range(8):
            altered = bytearray(RECORD)
            altered[position] ^= 1 << bit
            assert outcome(lambda changed=bytes(altered): unseal(KEYS.card, changed, PLACE)) == NOT_AUTHENTIC


def test_nonces_do_not_repeat() -> None:
    records = [seal(KEYS.card, b"", PLACE)[2:14] for _ in range(20_000)]
    assert len(set(records)) == len(records)
    cipher = ChunkCipher(KEYS.content, CASE, DOCUMENT, 1, 1, SALT)
    chunks = [bytes(cipher.seal_chunk(0, b"x")[2:14]) for _ in range(20_000)]
    assert len(set(chunks)) == len(chunks)


# ---- chunks ------------------------------------------------------------------------------------------------------------------------

CASE, DOCUMENT, SALT = CaseId("c" * 32), DocumentId("d" * 32), b"\x05" * 16
FULL = b"p" * CHUNK_BYTES


def chunks_of(
    key: Secret = KEYS.content,
    case_id: CaseId = CASE,
    document_id: DocumentId = DOCUMENT,
    version: int = 1,
    chunk_count: int = 3,
    salt: bytes = SALT,
) -> list[bytes]:
    cipher = ChunkCipher(key, case_id, document_id, version, chunk_count, salt)
    return [bytes(cipher.seal_chunk(number, FULL)) for number in range(chunk_count)]


CHUNKS = chunks_of()


def read(*sealed: bytes, chunk_count: int = 3, salt: bytes = SALT) -> Attack:
    """Read a document through, as a reader would who trusts the chunk count in its row."""

    def attack() -> None:
        cipher = ChunkCipher(KEYS.content, CASE, DOCUMENT, 1, chunk_count, salt)
        for number in range(chunk_count):
            assert bytes(cipher.open_chunk(number, sealed[number])) == FULL

    return attack


@pytest.mark.parametrize(
    ("attack", "expected"),
    [
        pytest.param(read(*CHUNKS), "opened", id="no attack"),
        pytest.param(read(CHUNKS[1], CHUNKS[0], CHUNKS[2]), NOT_AUTHENTIC, id="chunks reordered"),
        pytest.param(read(CHUNKS[0], CHUNKS[0], CHUNKS[2]), NOT_AUTHENTIC, id="a chunk repeated"),
        pytest.param(read(CHUNKS[0], CHUNKS[2], chunk_count=2), NOT_AUTHENTIC, id="a chunk dropped from the middle"),
        pytest.param(read(*CHUNKS[:2], chunk_count=2), NOT_AUTHENTIC, id="the document truncated and its count changed"),
        pytest.param(read(*CHUNKS[:1], chunk_count=1), NOT_AUTHENTIC, id="only the first chunk kept"),
        pytest.param(read(*CHUNKS, CHUNKS[2], chunk_count=4), NOT_AUTHENTIC, id="the document extended and its count changed"),
        pytest.param(read(*CHUNKS[:2], chunks_of(document_id=DocumentId("e" * 32))[2]), NOT_AUTHENTIC, id="from another document"),
        pytest.param(read(*CHUNKS[:2], chunks_of(case_id=CaseId("e" * 32))[2]), NOT_AUTHENTIC, id="from another case, same key"),
        pytest.param(read(*CHUNKS[:2], chunks_of(case_keys(OTHER_CASE_KEY).content)[2]), NOT_AUTHENTIC, id="from another case"),
        pytest.param(read(*CHUNKS[:2], chunks_of(version=2)[2]), NOT_AUTHENTIC, id="from another version"),
        pytest.param(read(*CHUNKS[:2], chunks_of(salt=b"\x06" * 16)[2]), NOT_AUTHENTIC, id="from an abandoned intake"),
        pytest.param(read(*CHUNKS, salt=b"\x06" * 16), NOT_AUTHENTIC, id="the row's salt changed"),
        pytest.param(read(*CHUNKS[:2], chunks_of(chunk_count=4)[2]), NOT_AUTHENTIC, id="from the document at another length"),
        pytest.param(read(CHUNKS[0][:-1], *CHUNKS[1:]), NOT_AUTHENTIC, id="a chunk cut short"),
        pytest.param(read(CHUNKS[0] + b"\x00", *CHUNKS[1:]), NOT_AUTHENTIC, id="a chunk made longer"),
        pytest.param(read(b"", *CHUNKS[1:]), NOT_AUTHENTIC, id="a chunk emptied"),
        pytest.param(read(b"\x00" * len(CHUNKS[0]), *CHUNKS[1:]), NOT_AUTHENTIC, id="a chunk zeroed"),
    ],
)
def test_document(attack: Attack, expected: str) -> None:
    assert outcome(attack) == expected


def test_no_bit_of_a_chunk_can_be_changed() -> None:
    sealed = bytes(ChunkCipher(KEYS.content, CASE, DOCUMENT, 1, 1, SALT).seal_chunk(0, b"a short page"))
    reader = ChunkCipher(KEYS.content, CASE, DOCUMENT, 1, 1, SALT)
    for position in range(len(sealed)):
        for bit in range(8):
            altered = bytearray(sealed)
            altered[position] ^= 1 << bit
            assert outcome(lambda changed=altered: reader.open_chunk(0, changed)) == NOT_AUTHENTIC


# ---- sealed to people, signed by people --------------------------------------------------------------------------------------------

HOLDER, STRANGER = generate_key_pair(), generate_key_pair()
GRANT_PLACE = bind("grant", "case 1", "anna")
GRANT = seal_to(HOLDER.public.kem, CASE_KEY.reveal(), GRANT_PLACE)
SIGNATURE = HOLDER.sign("grant", GRANT)
FORGED = "TamperError signature.invalid"


@pytest.mark.parametrize(
    ("attack", "expected"),
    [
        pytest.param(lambda: HOLDER.open_sealed(GRANT, GRANT_PLACE), "opened", id="no attack"),
        pytest.param(lambda: STRANGER.open_sealed(GRANT, GRANT_PLACE), NOT_AUTHENTIC, id="somebody else's key"),
        pytest.param(lambda: HOLDER.open_sealed(GRANT, bind("grant", "case 2", "anna")), NOT_AUTHENTIC, id="moved to another case"),
        pytest.param(lambda: HOLDER.open_sealed(GRANT[:-1], GRANT_PLACE), NOT_AUTHENTIC, id="truncated"),
        pytest.param(lambda: HOLDER.open_sealed(GRANT[:100], GRANT_PLACE), NOT_AUTHENTIC, id="cut within the encapsulation"),
        pytest.param(lambda: HOLDER.open_sealed(b"", GRANT_PLACE), NOT_AUTHENTIC, id="nothing"),
        pytest.param(lambda: HOLDER.open_sealed(b"\x02" + GRANT[1:], GRANT_PLACE), NOT_AUTHENTIC, id="suite changed"),
        pytest.param(
            lambda: HOLDER.open_sealed(GRANT[:2] + bytes(1120) + GRANT[1122:], GRANT_PLACE), NOT_AUTHENTIC, id="encapsulation zeroed"
        ),
        pytest.param(lambda: verify(HOLDER.public.sign, "grant", GRANT, SIGNATURE), "opened", id="signature: no attack"),
        pytest.param(lambda: verify(HOLDER.public.sign, "custody", GRANT, SIGNATURE), FORGED, id="signature of another context"),
        pytest.param(lambda: verify(HOLDER.public.sign, "gran", b"t" + GRANT, SIGNATURE), FORGED, id="context and message run together"),
        pytest.param(lambda: verify(HOLDER.public.sign, "grant", GRANT + b"\x00", SIGNATURE), FORGED, id="message changed"),
        pytest.param(lambda: verify(STRANGER.public.sign, "grant", GRANT, SIGNATURE), FORGED, id="somebody else's signature"),
        pytest.param(lambda: verify(HOLDER.public.sign, "grant", GRANT, SIGNATURE[:63]), FORGED, id="signature cut"),
        pytest.param(lambda: verify(HOLDER.public.sign, "grant", GRANT, b""), FORGED, id="signature stripped"),
    ],
)
def test_sealed_and_signed(attack: Attack, expected: str) -> None:
    assert outcome(attack) == expected


# ---- the directory -----------------------------------------------------------------------------------------------------------------

ADMINISTRATOR, SUPERVISOR, ATTACKER = generate_key_pair(), generate_key_pair(), generate_key_pair()
ENTRY = DirectoryEntry(ANNA, "4711", "A. Person", Role.OFFICER, (UnitId("f" * 32),), HOLDER.public.kem, HOLDER.public.sign)
BY_ADMINISTRATOR, BY_SUPERVISOR = sign_entry(ADMINISTRATOR, ENTRY), sign_entry(SUPERVISOR, ENTRY)
UNSIGNED = "TamperError directory.unsigned"


def vouch(
    entry: DirectoryEntry = ENTRY,
    administrator: bytes = ADMINISTRATOR.public.sign,
    administrator_signature: bytes = BY_ADMINISTRATOR,
    supervisor: bytes = SUPERVISOR.public.sign,
    supervisor_signature: bytes = BY_SUPERVISOR,
) -> Attack:
    return lambda: verify_entry(entry, administrator, administrator_signature, supervisor, supervisor_signature)


def changed(**fields: object) -> DirectoryEntry:
    return dataclasses.replace(ENTRY, **fields)


@pytest.mark.parametrize(
    ("attack", "expected"),
    [
        pytest.param(vouch(), "opened", id="no attack"),
        pytest.param(vouch(changed(kem_public=ATTACKER.public.kem)), UNSIGNED, id="key to seal to swapped"),
        pytest.param(vouch(changed(sign_public=ATTACKER.public.sign)), UNSIGNED, id="key to verify with swapped"),
        pytest.param(vouch(changed(role=Role.SUPERVISOR)), UNSIGNED, id="role raised"),
        pytest.param(vouch(changed(badge_no="4712")), UNSIGNED, id="badge number swapped"),
        pytest.param(vouch(changed(badge_no="4711A", name=". Person")), UNSIGNED, id="badge number and name run together"),
        pytest.param(vouch(changed(person_id=BERT)), UNSIGNED, id="moved to another person"),
        pytest.param(vouch(changed(unit_ids=(*ENTRY.unit_ids, UnitId("e" * 32)))), UNSIGNED, id="unit added"),
        pytest.param(vouch(changed(revision=2)), UNSIGNED, id="old entry passed off as newer"),
        pytest.param(vouch(supervisor_signature=b""), UNSIGNED, id="not cosigned"),
        pytest.param(vouch(administrator_signature=b""), UNSIGNED, id="only cosigned"),
        pytest.param(vouch(supervisor_signature=BY_ADMINISTRATOR), UNSIGNED, id="one signature twice"),
        pytest.param(
            vouch(supervisor=ADMINISTRATOR.public.sign, supervisor_signature=BY_ADMINISTRATOR), UNSIGNED, id="one person in both places"
        ),
        pytest.param(
            vouch(administrator_signature=sign_entry(ATTACKER, ENTRY), supervisor_signature=sign_entry(ATTACKER, ENTRY)),
            UNSIGNED,
            id="signed by a stranger",
        ),
        pytest.param(
            vouch(administrator_signature=BY_SUPERVISOR, supervisor_signature=BY_ADMINISTRATOR), UNSIGNED, id="signatures exchanged"
        ),
        pytest.param(
            vouch(supervisor_signature=SUPERVISOR.sign("grant", ENTRY.canonical())), UNSIGNED, id="a signature of another context"
        ),
    ],
)
def test_directory(attack: Attack, expected: str) -> None:
    assert outcome(attack) == expected


# ---- the second factor -------------------------------------------------------------------------------------------------------------


def test_a_code_seen_over_the_shoulder_is_worth_nothing_after_its_use() -> None:
    import base64

    import pyotp

    secret = new_totp_secret()
    code = pyotp.TOTP(base64.b32encode(secret.reveal()).decode()).generate_otp(1000)
    step = check_code(secret, code, 1000 * 30_000_000, 0)
    for later_us in (1000 * 30_000_000, 1001 * 30_000_000):
        with pytest.raises(RefusedError, match=r"session\.not-recognised"):
            check_code(secret, code, later_us, step)


# ---- no error tells a secret -------------------------------------------------------------------------------------------------------


def test_no_refusal_carries_a_secret() -> None:
    marker = b"marker in a passphrase"
    refusals = []
    for attack in (open_slot(passphrase=marker), open_slot(passphrase=marker + b"\xff"), open_slot(with_head(memory_kib=8), marker)):
        try:
            attack()
        except VaultError as refusal:
            refusals.append(refusal)
    assert len(refusals) == 3
    for refusal in refusals:
        error: BaseException | None = refusal
        while error is not None:
            assert marker.decode() not in f"{error!r} {error} {vars(error)}"
            error = error.__cause__ or error.__context__
