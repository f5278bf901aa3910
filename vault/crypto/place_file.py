"""The place file at the front of a key server: sealed under a key of the vault's, fetched and put through the front.

Rules of this module:

- The record is sealed under a key that only the open vault has, and bound to vault and workstation: the front can neither read it nor make
  one, nor pass one vault's for another's. That it is not an older one of this vault's is the comparison's business (`domain.place_file`).
- The front names the file by the identity in this workstation's certificate; the path says the vault and nothing else.
- One GET and one PUT, each one attempt with a deadline of its own (`tang.ask`): no redirect, no proxy, the pinned authority.

Record, big endian: number of the newest audit entry (8 bytes), its hash (32), the header's generation (8), UTC microseconds (8), and how
many reports the sealed spool has had (8), where that is known; sealed as every record (`sealing.seal`): 94 bytes. What was kept before the
spool was counted there is shorter by that, 86 bytes, and opens.
Thread: any; blocks the caller up to the deadline.
"""

from __future__ import annotations

import http
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509

from vault.crypto import tang
from vault.crypto.sealing import bind, derive, seal, unseal
from vault.crypto.tang import KeyServer
from vault.domain.identity import VaultId, WorkstationId
from vault.domain.place_file import PlaceRecord
from vault.errors import TamperError, UnavailableError
from vault.secret import Secret

_RECORD: Final = struct.Struct(">Q32sQQ")
_SPOOLED: Final = struct.Struct(">Q")
_PLACE: Final = "place-file 1"


def place_file_key(vault_key: Secret) -> Secret:
    """Derive the key that seals a vault's place files."""
    return derive(vault_key, "place-file")


def seal_record(key: Secret, record: PlaceRecord, vault_id: VaultId, workstation_id: WorkstationId) -> bytes:
    """Seal a record; each sealing gives other bytes, by which the writer knows its own again."""
    plain = _RECORD.pack(record.seq, record.entry_hash, record.generation, record.witnessed_us)
    if record.spooled is not None:
        plain += _SPOOLED.pack(record.spooled)
    return seal(key, plain, bind(_PLACE, vault_id, workstation_id))


def open_record(key: Secret, sealed: bytes, vault_id: VaultId, workstation_id: WorkstationId) -> PlaceRecord:
    """Open a record. Raises TamperError sealing.not-authentic: it is none of this vault's at this workstation."""
    plain = unseal(key, sealed, bind(_PLACE, vault_id, workstation_id))
    if len(plain) not in (_RECORD.size, _RECORD.size + _SPOOLED.size):
        raise TamperError("sealing.not-authentic")
    [spooled] = _SPOOLED.unpack_from(plain, _RECORD.size) if len(plain) > _RECORD.size else (None,)
    seq, entry_hash, generation, witnessed_us = _RECORD.unpack_from(plain)
    return PlaceRecord(seq, entry_hash, generation, witnessed_us, spooled)


@dataclass(frozen=True, slots=True)
class FrontIdentity:
    """What this workstation's certificate says of it."""

    subject: str
    ends_us: int  # UTC: from then on no front answers it


def front_identity(server: KeyServer) -> FrontIdentity:
    """Who this workstation is to the front. Raises UnavailableError premises.certificate."""
    try:
        certificate = x509.load_pem_x509_certificate(Path(server.certificate).read_bytes())
        return FrontIdentity(certificate.subject.rfc4514_string(), int(certificate.not_valid_after_utc.timestamp()) * 1_000_000)
    except (OSError, ValueError) as error:
        raise UnavailableError("premises.certificate") from error


def fetch_place_file(server: KeyServer, vault_id: VaultId, deadline_seconds: float) -> bytes | None:
    """Ask the front for this vault's place file; None if it has none.

    Returns:
        unverified bytes, for `open_record`; empty where there is more than any record.

    Raises:
        UnavailableError: premises.unreachable, premises.refused, premises.certificate.
    """
    try:
        said = tang.ask(
            server,
            "GET",
            f"/place/{vault_id}",
            accepted=(http.HTTPStatus.OK, http.HTTPStatus.NOT_FOUND),
            deadline_seconds=deadline_seconds,
        )
    except UnavailableError as error:
        if error.code != "premises.malformed":
            raise
        return b""
    return said.content if said.status == http.HTTPStatus.OK else None


def put_place_file(server: KeyServer, vault_id: VaultId, sealed: bytes, deadline_seconds: float) -> None:
    """Have the front keep this; when this returns it does. Raises as `fetch_place_file`; then nobody knows whether it does."""
    tang.ask(
        server,
        "PUT",
        f"/place/{vault_id}",
        sealed,
        accepted=(http.HTTPStatus.CREATED, http.HTTPStatus.NO_CONTENT),
        deadline_seconds=deadline_seconds,
    )
