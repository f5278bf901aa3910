"""Directory entries: a person's public keys, vouched for by an administrator and a supervisor.

Rules of this module:

- What is signed is the whole entry in one canonical form: person, badge number, name, role, units and both public keys. Swapping any of
  them, in particular a key or a role, breaks both signatures.
- Two signatures by two different keys are needed; one person's signature in both places is refused.
- The public keys handed in as the administrator's and the supervisor's must come from entries that were verified themselves, with the
  first two anchored at founding. LIMIT: this module cannot know that, nor who holds which role today; services do.
- LIMIT: an old entry put back is authentic. `revision` is signed so that the audit trail, which holds the newest, shows it.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Final, Protocol

from vault.crypto.keypairs import verify
from vault.crypto.sealing import bind
from vault.domain.identity import PersonId, Role, UnitId
from vault.errors import TamperError

_CONTEXT: Final = "directory-entry"
_VERSION: Final = 1


class Signer(Protocol):
    """Whoever signs: a `keypairs.KeyPair`, or what stands for one."""

    def sign(self, context: str, message: bytes) -> bytes:
        """Sign a message for one context."""


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """Who holds which public keys. `revision` starts at 1 and grows with every change."""

    person_id: PersonId
    badge_no: str
    name: str
    role: Role
    unit_ids: tuple[UnitId, ...]  # order does not matter
    kem_public: bytes
    sign_public: bytes
    revision: int = 1

    def canonical(self) -> bytes:
        """Give the bytes that are signed."""
        unit_ids = sorted(set(self.unit_ids))
        return bind(
            _VERSION,
            self.person_id,
            self.revision,
            self.badge_no,
            self.name,
            self.role.value,
            self.kem_public,
            self.sign_public,
            len(unit_ids),
            *unit_ids,
        )


def sign_entry(key_pair: Signer, entry: DirectoryEntry) -> bytes:
    """Vouch for an entry, as the administrator or as the supervisor who saw the person.

    Returns:
        64 bytes.
    """
    return key_pair.sign(_CONTEXT, entry.canonical())


def verify_entry(
    entry: DirectoryEntry,
    administrator_public: bytes,
    administrator_signature: bytes,
    supervisor_public: bytes,
    supervisor_signature: bytes,
) -> None:
    """Return if two different people vouched for exactly this entry; raise otherwise.

    Args:
        entry: the entry as stored.
        administrator_public: the administrator's `PublicKeys.sign`, from a verified entry.
        administrator_signature: 64 bytes.
        supervisor_public: the supervisor's `PublicKeys.sign`, from a verified entry.
        supervisor_signature: 64 bytes.

    Raises:
        TamperError: directory.unsigned.
    Thread: any.
    """
    if hmac.compare_digest(administrator_public, supervisor_public):
        raise TamperError("directory.unsigned")
    message = entry.canonical()
    try:
        verify(administrator_public, _CONTEXT, message, administrator_signature)
        verify(supervisor_public, _CONTEXT, message, supervisor_signature)
    except TamperError as error:
        raise TamperError("directory.unsigned") from error
