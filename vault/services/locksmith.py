"""The cryptography the services ask for. `vault.crypto.locksmith` implements it; no key schedule or primitive is named here.

Rules:

- Whoever opens says what it was bound to: `place` and `info` are made with `bind` from ids, so that nothing can be moved elsewhere.
- A failure to open is `TamperError` sealing.not-authentic; a wrong passphrase or code is `RefusedError` session.not-recognised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from vault.domain.identity import CaseId, DocumentId, PersonId, Role, UnitId
from vault.secret import Secret

WORKSTATION_CONTEXT: Final = "workstation-statement"  # the one context in which a workstation's key signs


class KeyHolder(Protocol):
    """A private key pair in memory."""

    def sign(self, context: str, message: bytes) -> bytes:
        """Sign for one context; 64 bytes."""

    def open_sealed(self, sealed: bytes, info: bytes) -> Secret:
        """Open what was sealed to this pair's public key."""

    def export_private(self) -> Secret:
        """The private half, to seal to a new member of a unit."""

    @property
    def kem_public(self) -> bytes:
        """To seal to."""

    @property
    def sign_public(self) -> bytes:
        """To verify with."""


class ChunkSealer(Protocol):
    """Seals and opens the 256 KiB chunks of one document. One thread at a time."""

    def seal_chunk(self, number: int, plaintext: memoryview | bytes | bytearray) -> memoryview: ...
    def open_chunk(self, number: int, sealed: memoryview | bytes | bytearray) -> memoryview: ...
    def wipe(self) -> None: ...


class CaseCipher(Protocol):
    """What the key of one case can do."""

    def seal_card(self, plaintext: bytes, place: bytes) -> bytes:
        """Seal a card or another small record of the case."""

    def open_card(self, sealed: bytes, place: bytes) -> bytes:
        """Open it."""

    def chunks(self, document_id: DocumentId, chunk_count: int, salt: bytes) -> ChunkSealer:
        """The sealer of one document's chunks."""

    def key(self) -> Secret:
        """The case key itself, to seal to a grantee."""


@dataclass(frozen=True, slots=True)
class PersonKeys:
    """What a person slot opens to."""

    holder: KeyHolder
    totp_secret: Secret


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A person's fresh keys: the slot to keep, the address for the QR picture, shown once."""

    keys: PersonKeys
    slot: bytes
    provisioning_uri: str


@dataclass(frozen=True, slots=True)
class DirectoryFacts:
    """What a directory entry vouches for."""

    person_id: PersonId
    badge_no: str
    name: str
    role: Role
    unit_id: UnitId
    kem_public: bytes
    sign_public: bytes


class Locksmith(Protocol):
    """The vault's cryptography at workstation level."""

    def bind(self, *parts: bytes | str | int) -> bytes:
        """Length-prefixed canonical bytes of the parts."""

    def new_person(self, person_id: PersonId, badge_no: str, passphrase: Secret, station_name: str) -> NewPerson:
        """Check the passphrase, make keys and seal them. Slow: lane KEYS. Raises RefusedError passphrase.*."""

    def open_person(self, slot: bytes, person_id: PersonId, passphrase: Secret) -> PersonKeys:
        """Slow: lane KEYS. Raises RefusedError session.not-recognised."""

    def renew_factor(self, keys: PersonKeys, person_id: PersonId, badge_no: str, passphrase: Secret, station_name: str) -> NewPerson:
        """Draw another second factor and seal it with the same private keys under the same passphrase. Slow: lane KEYS."""

    def reseal(self, keys: PersonKeys, person_id: PersonId, badge_no: str, passphrase: Secret) -> bytes:
        """Check a new passphrase and seal what the slot held under it. Slow: lane KEYS. Raises RefusedError passphrase.*."""

    def spend_time(self, passphrase: Secret) -> None:
        """Cost what `open_person` costs: an unknown badge number answers no faster than a wrong passphrase."""

    def check_code(self, totp_secret: Secret, code: str, now_us: int, last_step: int) -> int:
        """Give the step of an acceptable, unused code. Raises RefusedError session.not-recognised."""

    def new_holder(self) -> KeyHolder: ...
    def holder_from(self, private: Secret) -> KeyHolder: ...
    def new_case(self) -> CaseCipher: ...
    def case_from(self, case_id: CaseId, case_key: Secret) -> CaseCipher: ...
    def new_salt(self) -> bytes: ...
    def seal_to(self, kem_public: bytes, plaintext: bytes, info: bytes) -> bytes: ...
    def verify(self, sign_public: bytes, context: str, message: bytes, signature: bytes) -> None:
        """Raises TamperError signature.invalid."""

    def sign_directory(self, holder: KeyHolder, facts: DirectoryFacts) -> bytes: ...
    def verify_directory(
        self, facts: DirectoryFacts, administrator: bytes, administrator_signature: bytes, supervisor: bytes, supervisor_signature: bytes
    ) -> None:
        """Raises TamperError directory.unsigned."""

    def blind(self, text: str) -> bytes:
        """A keyed hash to look a text up by: same text, same bytes; says nothing without the vault key."""

    def trace_chips(self, view_no: int) -> bytes:
        """The chips of a page view's invisible mark, by the number of its audit entry; noise without the vault key."""

    def qr_rows(self, text: str) -> Sequence[str]:
        """The QR code of a text, one string of 0 and 1 a row, quiet zone included."""

    def sign_as_workstation(self, statement: bytes) -> bytes: ...
    def workstation_sign_public(self) -> bytes: ...
