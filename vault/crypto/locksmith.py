"""The crypto room as the services see it: `vault.services.locksmith` implemented over this room's modules.

Rules of this module:

- No primitive and no key schedule here: each method names one of `sealing`, `keypairs`, `slots`, `directory`, `second_factor`.
- What the workstation signs is signed in one context, WORKSTATION_CONTEXT, for whoever verifies without the application.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Sequence
from typing import Final

import segno

from vault.crypto.directory import DirectoryEntry, sign_entry, verify_entry
from vault.crypto.keypairs import KeyPair, generate_key_pair, seal_to, verify
from vault.crypto.passphrase import check_passphrase
from vault.crypto.sealing import ChunkCipher, bind, case_keys, derive, new_key, new_salt, seal, unseal
from vault.crypto.second_factor import check_code, new_totp_secret, provisioning_uri
from vault.crypto.slots import (
    SALT_BYTES,
    Argon2Cost,
    PersonSecrets,
    WorkstationSecrets,
    derive_passphrase_key,
    make_person_slot,
    open_person_slot,
    vault_keys,
)
from vault.domain.identity import CaseId, DocumentId, PersonId
from vault.domain.trace import CHIPS_BYTES
from vault.errors import DefectError, RefusedError
from vault.secret import Secret
from vault.services.locksmith import WORKSTATION_CONTEXT, CaseCipher, ChunkSealer, DirectoryFacts, KeyHolder, NewPerson, PersonKeys

_ORIGINAL: Final = 1  # documents have one version so far
_QUIET_ZONE_MODULES: Final = 4


class _Holder:
    """A `KeyHolder`."""

    __slots__ = ("_key_pair",)

    def __init__(self, key_pair: KeyPair) -> None:
        self._key_pair: Final = key_pair

    def sign(self, context: str, message: bytes) -> bytes:
        return self._key_pair.sign(context, message)

    def open_sealed(self, sealed: bytes, info: bytes) -> Secret:
        return self._key_pair.open_sealed(sealed, info)

    def export_private(self) -> Secret:
        return self._key_pair.export_private()

    @property
    def kem_public(self) -> bytes:
        return self._key_pair.public.kem

    @property
    def sign_public(self) -> bytes:
        return self._key_pair.public.sign


class _CaseCipher:
    """A `CaseCipher`. Its derived keys live as long as it does."""

    __slots__ = ("_case_id", "_case_key", "_keys")

    def __init__(self, case_id: CaseId | None, case_key: Secret) -> None:
        self._case_id: Final = case_id
        self._case_key: Final = case_key
        self._keys: Final = case_keys(case_key)

    def seal_card(self, plaintext: bytes, place: bytes) -> bytes:
        return seal(self._keys.card, plaintext, place)

    def open_card(self, sealed: bytes, place: bytes) -> bytes:
        return unseal(self._keys.card, sealed, place)

    def chunks(self, document_id: DocumentId, chunk_count: int, salt: bytes) -> ChunkSealer:
        """Raises DefectError locksmith.case-unnamed on a cipher from `new_case`: open it by `case_from` first."""
        if self._case_id is None:
            raise DefectError("locksmith.case-unnamed")
        return ChunkCipher(self._keys.content, self._case_id, document_id, _ORIGINAL, chunk_count, salt)

    def key(self) -> Secret:
        return self._case_key


class VaultLocksmith:
    """The `Locksmith` of an opened workstation slot. Thread: any; slow are those that derive from a passphrase: `new_person`,
    `open_person`, `renew_factor`, `reseal`, `spend_time`."""

    def __init__(self, workstation: WorkstationSecrets, cost: Argon2Cost) -> None:
        """Prepare.

        Args:
            workstation: what the workstation slot opened to.
            cost: of person slots made from now on, from the header.
        """
        self._key_pair: Final = workstation.key_pair
        self._blind_key: Final = vault_keys(workstation.vault_key).blind_index
        self._trace_key: Final = derive(workstation.vault_key, "trace-mark")
        self._cost: Final = cost

    def bind(self, *parts: bytes | str | int) -> bytes:
        """See `sealing.bind`."""
        return bind(*parts)

    def new_person(self, person_id: PersonId, badge_no: str, passphrase: Secret, station_name: str) -> NewPerson:
        """Check the passphrase, draw keys and a second factor, seal them.

        Raises:
            RefusedError: passphrase.* as `passphrase.check_passphrase`.
            UnavailableError: slot.out-of-memory, passphrase.list-missing.
        """
        check_passphrase(passphrase, badge_no)
        return self._made(PersonSecrets(generate_key_pair(), new_totp_secret()), person_id, badge_no, passphrase, station_name)

    def open_person(self, slot: bytes, person_id: PersonId, passphrase: Secret) -> PersonKeys:
        """See `slots.open_person_slot`."""
        private = open_person_slot(slot, passphrase, person_id)
        try:
            return _person_keys(PersonSecrets.decode(private))
        finally:
            private.wipe()

    def renew_factor(self, keys: PersonKeys, person_id: PersonId, badge_no: str, passphrase: Secret, station_name: str) -> NewPerson:
        """Draw another second factor and seal it with the same private keys, under a passphrase that opened them before.

        Raises:
            UnavailableError: slot.out-of-memory.
        """
        return self._made(PersonSecrets(_key_pair_of(keys), new_totp_secret()), person_id, badge_no, passphrase, station_name)

    def reseal(self, keys: PersonKeys, person_id: PersonId, badge_no: str, passphrase: Secret) -> bytes:
        """Check a new passphrase and seal the same keys and the same second factor under it.

        Raises:
            RefusedError: passphrase.* as `passphrase.check_passphrase`.
            UnavailableError: slot.out-of-memory, passphrase.list-missing.
        """
        check_passphrase(passphrase, badge_no)
        return self._slot(PersonSecrets(_key_pair_of(keys), keys.totp_secret), person_id, passphrase)

    def spend_time(self, passphrase: Secret) -> None:
        """Derive from the passphrase and forget. LIMIT: at today's cost; a slot made at another cost takes another time."""
        try:
            derive_passphrase_key(passphrase, os.urandom(SALT_BYTES), self._cost)
        except RefusedError:
            return  # not text: `open_person` refuses that as early

    def check_code(self, totp_secret: Secret, code: str, now_us: int, last_step: int) -> int:
        """See `second_factor.check_code`."""
        return check_code(totp_secret, code, now_us, last_step)

    def new_holder(self) -> KeyHolder:
        """Draw a key pair, for a unit."""
        return _Holder(generate_key_pair())

    def holder_from(self, private: Secret) -> KeyHolder:
        """Parse what `KeyHolder.export_private` gave. Raises TamperError keypair.malformed."""
        return _Holder(KeyPair.from_private(private))

    def new_case(self) -> CaseCipher:
        """Draw a case key. Seals cards; for chunks open it by `case_from`, which names the case."""
        return _CaseCipher(None, new_key())

    def case_from(self, case_id: CaseId, case_key: Secret) -> CaseCipher:
        """Give the cipher of a case key that was opened."""
        return _CaseCipher(case_id, case_key)

    def new_salt(self) -> bytes:
        """See `sealing.new_salt`."""
        return new_salt()

    def seal_to(self, kem_public: bytes, plaintext: bytes, info: bytes) -> bytes:
        """See `keypairs.seal_to`."""
        return seal_to(kem_public, plaintext, info)

    def verify(self, sign_public: bytes, context: str, message: bytes, signature: bytes) -> None:
        """See `keypairs.verify`."""
        verify(sign_public, context, message, signature)

    def sign_directory(self, holder: KeyHolder, facts: DirectoryFacts) -> bytes:
        """See `directory.sign_entry`."""
        return sign_entry(holder, _entry(facts))

    def verify_directory(
        self, facts: DirectoryFacts, administrator: bytes, administrator_signature: bytes, supervisor: bytes, supervisor_signature: bytes
    ) -> None:
        """See `directory.verify_entry`."""
        verify_entry(_entry(facts), administrator, administrator_signature, supervisor, supervisor_signature)

    def blind(self, text: str) -> bytes:
        """Give the HMAC-SHA256 (32 bytes) of a text under the vault's blind-index key."""
        return hmac.digest(self._blind_key.reveal(), bind("blind-index", text), "sha256")

    def trace_chips(self, view_no: int) -> bytes:
        """Give the chips of a view, CHIPS_BYTES: SHAKE128 (FIPS 202) of the vault's trace key, 32 bytes, and the number, 8 bytes."""
        return hashlib.shake_128(self._trace_key.reveal() + view_no.to_bytes(8, "big")).digest(CHIPS_BYTES)

    def qr_rows(self, text: str) -> Sequence[str]:
        """Give the QR code of a text, one string of 0 and 1 a row, four quiet modules around it."""
        code = segno.make(text, micro=False)
        return ["".join("1" if module else "0" for module in row) for row in code.matrix_iter(border=_QUIET_ZONE_MODULES)]

    def sign_as_workstation(self, statement: bytes) -> bytes:
        """Sign with the workstation's key in WORKSTATION_CONTEXT; 64 bytes."""
        return self._key_pair.sign(WORKSTATION_CONTEXT, statement)

    def workstation_sign_public(self) -> bytes:
        """Give the workstation's key to verify with."""
        return self._key_pair.public.sign

    def _made(self, secrets: PersonSecrets, person_id: PersonId, badge_no: str, passphrase: Secret, station_name: str) -> NewPerson:
        slot = self._slot(secrets, person_id, passphrase)
        return NewPerson(_person_keys(secrets), slot, provisioning_uri(secrets.totp_secret, badge_no, station_name))

    def _slot(self, secrets: PersonSecrets, person_id: PersonId, passphrase: Secret) -> bytes:
        private = secrets.encode()
        try:
            return make_person_slot(passphrase, person_id, private, self._cost)
        finally:
            private.wipe()


def _key_pair_of(keys: PersonKeys) -> KeyPair:
    private = keys.holder.export_private()
    try:
        return KeyPair.from_private(private)
    finally:
        private.wipe()


def _person_keys(secrets: PersonSecrets) -> PersonKeys:
    return PersonKeys(_Holder(secrets.key_pair), secrets.totp_secret)


def _entry(facts: DirectoryFacts) -> DirectoryEntry:
    return DirectoryEntry(
        person_id=facts.person_id,
        badge_no=facts.badge_no,
        name=facts.name,
        role=facts.role,
        unit_ids=(facts.unit_id,),
        kem_public=facts.kem_public,
        sign_public=facts.sign_public,
    )
