"""The header file: what a workstation must know before the vault can be opened.

Rules of this module:

- The file is one JSON object, a body and an HMAC-SHA256 over the body's canonical bytes. It has exactly one valid spelling: a file that
  does not read back to the same bytes is damaged, so that no byte can change without being noticed.
- What was read is `UnverifiedHeader` until its HMAC has been checked with a key that only the opened workstation slot gives. Before
  that it may be used for one thing: to find the slot to open.
- It is replaced atomically: a new file in the same folder, written, synced, renamed over the old one, the folder synced. A power cut leaves
  the old header or the new one.
- `generation` grows with every write. The one seen last is witnessed in the OS keyring; an older header put back is authentic, and is told
  by that alone.
- It holds no name of a person and nothing of a case. The slots in it are sealed.

LIMIT: off the premises the slot does not open, so the supervisors' public key in an unverified header is worth no more than the file's
permissions; who seals a spool record to it keeps a verified copy elsewhere.
"""

from __future__ import annotations

import errno
import hmac
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from vault.domain.identity import UnitId, VaultId, WorkstationId
from vault.errors import DefectError, TamperError, UnavailableError, VaultError
from vault.secret import Secret
from vault.storage.durable import write_code, write_whole

HEADER_NAME: Final = "vault.header.json"
FORMAT_VERSION: Final = 1
LARGEST_BYTES: Final = 1024 * 1024

_MAC_CONTEXT: Final = b"casevault header 1\n"

_T = TypeVar("_T", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Header:
    """A header that was verified, or is about to be written."""

    vault_id: VaultId
    station_name: str
    generation: int  # >= 1; grows with every write
    workstation_slots: dict[WorkstationId, bytes]  # sealed, see vault.crypto.slots
    supervisors_unit_id: UnitId
    supervisors_public_kem: bytes  # breach reports are sealed to it when the vault cannot be opened
    argon2_memory_kib: int  # for slots made from now on; a slot carries its own cost
    argon2_iterations: int
    argon2_lanes: int
    directory_roots: tuple[bytes, ...] = ()  # signing keys of the founding administrator and supervisor: where trust in people begins
    directory_roots_signature: bytes = b""  # by the workstation's key: the vault key alone cannot plant other roots
    pinned_tang_keys: tuple[str, ...] = ()  # always empty: each workstation's lock holds the signing keys it pins
    recovery_slot: bytes | None = None  # sealed to the holders together, see vault.crypto.recovery
    policy: str = ""  # TOML: the station's own settings, over those the product ships
    premises: dict[WorkstationId, str] = field(default_factory=dict)  # a workstation's lock to its key servers; see vault.crypto.premises
    recovery_openings: dict[WorkstationId, str] = field(default_factory=dict)  # what its holders opened for hours; see vault.premises
    content_layout: int = 1  # how content.db is laid out; see vault.storage.connection
    format_version: int = FORMAT_VERSION


@dataclass(frozen=True, slots=True)
class UnverifiedHeader:
    """What the file says, before anything vouches for it. Good for finding the workstation slot, and for nothing else."""

    _header: Header = field(repr=False)
    _body: bytes = field(repr=False)
    _mac: bytes = field(repr=False)

    @property
    def vault_id(self) -> VaultId:
        """The vault the slots are bound to; a slot of another vault does not open."""
        return self._header.vault_id

    @property
    def supervisors_public_kem(self) -> bytes:
        """Whom to seal a spool record to where no verified copy is known; see LIMIT above."""
        return self._header.supervisors_public_kem

    def workstation_slot(self, workstation_id: WorkstationId) -> bytes | None:
        """Give this workstation's sealed slot, None if it was never enrolled."""
        return self._header.workstation_slots.get(workstation_id)

    def premises_lock(self, workstation_id: WorkstationId) -> str | None:
        """Give this workstation's lock to its key servers, None where it is bound to none."""
        return self._header.premises.get(workstation_id)

    def recovery_opening(self, workstation_id: WorkstationId) -> str | None:
        """Give what the holders opened for this workstation, over or not; None if nothing."""
        return self._header.recovery_openings.get(workstation_id)

    @property
    def recovery_slot(self) -> bytes | None:
        """The recovery slot, None if no holders were enrolled."""
        return self._header.recovery_slot

    @property
    def premises_locks(self) -> tuple[str, ...]:
        """Every workstation's lock to its key servers; none of them is secret."""
        return tuple(self._header.premises.values())

    @property
    def workstation_slots(self) -> dict[WorkstationId, bytes]:
        """Every sealed slot."""
        return dict(self._header.workstation_slots)

    def verify(self, header_mac_key: Secret) -> Header:
        """Check the HMAC and give the header.

        Args:
            header_mac_key: `vault.crypto.slots.VaultKeys.header_mac`.

        Raises:
            TamperError: header.altered. An old header that was put back is authentic: `services.witness` tells it by its generation.
        Thread: any.
        """
        if not hmac.compare_digest(self._mac, _mac(header_mac_key, self._body)):
            raise TamperError("header.altered")
        return self._header


def read_unverified_header(path: Path) -> UnverifiedHeader:
    """Read the header file, without following a link.

    Args:
        path: the header file itself, normally ``<vault>/vault.header.json``.

    Raises:
        UnavailableError: header.missing, header.unreadable (no permission, input-output error), header.damaged (empty, truncated, not
            a header, larger than LARGEST_BYTES, unknown format version).
        TamperError: header.replaced, a link or something that is no regular file stands in its place.
    Thread: any; reads at most 1 MiB.
    """
    body, mac = _decode_file(_read(path))
    format_version = _decode(body, _Format).format_version
    if format_version != FORMAT_VERSION:
        raise UnavailableError("header.damaged", format_version=format_version)
    stored = _decode(body, _Body)
    if _encode(stored) != body or stored.generation < 1:
        raise UnavailableError("header.damaged")
    header = Header(
        vault_id=VaultId(stored.vault_id),
        station_name=stored.station_name,
        generation=stored.generation,
        workstation_slots={WorkstationId(name): slot for name, slot in stored.workstation_slots.items()},
        supervisors_unit_id=UnitId(stored.supervisors_unit_id),
        supervisors_public_kem=stored.supervisors_public_kem,
        argon2_memory_kib=stored.argon2_memory_kib,
        argon2_iterations=stored.argon2_iterations,
        argon2_lanes=stored.argon2_lanes,
        pinned_tang_keys=stored.pinned_tang_keys,
        directory_roots=stored.directory_roots,
        directory_roots_signature=stored.directory_roots_signature,
        recovery_slot=stored.recovery_slot,
        policy=stored.policy,
        premises={WorkstationId(name): lock for name, lock in stored.premises.items()},
        recovery_openings={WorkstationId(name): one for name, one in stored.recovery_openings.items()},
        content_layout=stored.content_layout,
        format_version=stored.format_version,
    )
    return UnverifiedHeader(header, body, mac)


def write_header(path: Path, header: Header, header_mac_key: Secret) -> None:
    """Replace the header file atomically and durably, for whoever may reach the vault (`vault.reach`).

    Args:
        path: where; its folder exists.
        header: with a generation greater than the one on disk.
        header_mac_key: `vault.crypto.slots.VaultKeys.header_mac`.

    Raises:
        UnavailableError: storage.full, storage.read-only, storage.input-output; the old header is untouched.
        DefectError: header.generation, header.too-large, header.format-version.
    Thread: any, one at a time (the control thread).
    """
    if header.format_version != FORMAT_VERSION:
        raise DefectError("header.format-version", format_version=header.format_version)
    body = _encode(
        _Body(
            format_version=header.format_version,
            vault_id=header.vault_id,
            station_name=header.station_name,
            generation=header.generation,
            workstation_slots={str(name): slot for name, slot in header.workstation_slots.items()},
            supervisors_unit_id=header.supervisors_unit_id,
            supervisors_public_kem=header.supervisors_public_kem,
            argon2_memory_kib=header.argon2_memory_kib,
            argon2_iterations=header.argon2_iterations,
            argon2_lanes=header.argon2_lanes,
            pinned_tang_keys=header.pinned_tang_keys,
            directory_roots=header.directory_roots,
            directory_roots_signature=header.directory_roots_signature,
            recovery_slot=header.recovery_slot,
            policy=header.policy,
            premises={str(name): lock for name, lock in header.premises.items()},
            recovery_openings={str(name): one for name, one in header.recovery_openings.items()},
            content_layout=header.content_layout,
        )
    )
    content = _encode_file(body, _mac(header_mac_key, body))
    if len(content) > LARGEST_BYTES:
        raise DefectError("header.too-large", size_bytes=len(content))
    _require_newer(path, header.generation)
    try:
        write_whole(path, content, replace=True)
    except OSError as error:
        raise UnavailableError(write_code(error)) from error


class _Format(msgspec.Struct, frozen=True):
    format_version: int


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The body's fields in file order; those with a default came later and are left out while empty. msgspec writes bytes as base64."""

    format_version: int
    vault_id: str
    station_name: str
    generation: int
    workstation_slots: dict[str, bytes]
    supervisors_unit_id: str
    supervisors_public_kem: bytes
    argon2_memory_kib: int
    argon2_iterations: int
    argon2_lanes: int
    directory_roots: tuple[bytes, ...]
    directory_roots_signature: bytes
    pinned_tang_keys: tuple[str, ...]
    recovery_slot: bytes | None
    policy: str = ""
    premises: dict[str, str] = {}
    recovery_openings: dict[str, str] = {}
    content_layout: int = 1


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    body: msgspec.Raw
    hmac_sha256: bytes


def _encode(value: msgspec.Struct) -> bytes:
    return msgspec.json.encode(value, order="deterministic")


def _encode_file(body: bytes, mac: bytes) -> bytes:
    return msgspec.json.encode(_File(msgspec.Raw(body), mac))


def _decode_file(content: bytes) -> tuple[bytes, bytes]:
    """Split a file into body and HMAC; one spelling only."""
    try:
        stored = msgspec.json.decode(content, type=_File)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UnavailableError("header.damaged") from error
    body = bytes(stored.body)
    if _encode_file(body, stored.hmac_sha256) != content:
        raise UnavailableError("header.damaged")
    return body, stored.hmac_sha256


def _decode(body: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UnavailableError("header.damaged") from error


def _mac(key: Secret, body: bytes) -> bytes:
    return hmac.digest(key.reveal(), _MAC_CONTEXT + body, "sha256")


def _read(path: Path) -> bytes:
    try:
        # O_NONBLOCK: a pipe put in its place must not make us wait.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise UnavailableError("header.missing") from error
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENXIO}:
            raise TamperError("header.replaced") from error
        raise UnavailableError("header.unreadable") from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise TamperError("header.replaced")
        with open(descriptor, "rb", closefd=False) as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise UnavailableError("header.unreadable") from error
    finally:
        os.close(descriptor)
    if len(content) > LARGEST_BYTES:
        raise UnavailableError("header.damaged")
    return content


def _require_newer(path: Path, generation: int) -> None:
    """Refuse to write a generation that is not greater than the one on disk; a damaged or missing file may be replaced."""
    try:
        on_disk = _decode(_decode_file(_read(path))[0], _Body).generation
    except VaultError:
        return
    if generation <= on_disk:
        raise DefectError("header.generation", generation=generation, on_disk=on_disk)
