"""The sealed spool: breach reports made while the vault cannot be opened, read at its next opening, in order, once.

Rules of this module:

- One file a report, numbered from 1, made whole or not at all: written, synced, linked into place, the folder synced. Nothing is
  appended to and nothing replaced.
- What was observed is sealed to the supervisors' public key before it comes here; whoever writes cannot read it back. Only what the queue
  must sort by (kind, time, the report's id) and what tells one cause from another (the error's code) stand in clear.
- How many were written, and how many taken into the vault, is witnessed outside, in the OS keyring, together with the supervisors' public
  key as it was when the header last verified. A number that was written, not taken, and has no file, was deleted: `missing`.
- A file that is no report is `damaged`. It is put aside, never deleted.
- At most `MOST_FILES` wait; a further report is refused with ``spool.full`` and the ones before it stay.

LIMIT: sealing needs no secret, so whoever can write into the folder can add reports that nobody made; supervisors see them, and they hide
none. Without a keyring nothing is witnessed, and deletion does not show.

Thread: one at a time. Source: DESIGN §5, RFC 9180.
"""

from __future__ import annotations

import contextlib
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import msgspec

from vault import reach
from vault.domain.breach import SignalKind
from vault.domain.identity import BreachId
from vault.errors import TamperError, UnavailableError
from vault.secret import Secret
from vault.services.ports import SecretKeeper
from vault.storage.durable import write_code, write_whole

FOLDER_NAME: Final = "spool"
MOST_FILES: Final = 500

_SUFFIX: Final = ".report"
_DIGITS: Final = 8
_LARGEST_BYTES: Final = 64 * 1024
_RECORD: Final = struct.Struct(">QQ")
_NAME: Final = "spool"
_YEAR_9999_US: Final = 253_370_764_800_000_000  # a time from there on has no year that a report could be numbered in, in every zone


@dataclass(frozen=True, slots=True)
class SpooledReport:
    """A report as it waits. `facts_sealed` is bound to `breach_id`."""

    number: int
    breach_id: BreachId
    kind: SignalKind
    observed_us: int
    facts_sealed: bytes
    code: str = ""  # of the error that kept the vault shut


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the spool holds, oldest first, and the numbers of what is not there or is no report."""

    reports: tuple[SpooledReport, ...]
    missing: tuple[int, ...]
    damaged: tuple[int, ...]
    last: int  # the highest number ever given


class _Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    breach_id: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-z]{1,64}\Z")]
    kind: SignalKind
    observed_us: Annotated[int, msgspec.Meta(ge=0, lt=_YEAR_9999_US)]
    facts_sealed: bytes
    code: str = ""  # not in files that were written before it was kept


@dataclass(frozen=True, slots=True)
class _Witnessed:
    written: int = 0
    taken: int = 0
    supervisors_public_kem: bytes = b""


class Spool:
    """The spool of one vault.

    Args:
        directory: the vault's folder.
        keeper: the OS keyring, under a label that the folder alone gives: it must be found without the header.
    """

    def __init__(self, directory: Path, keeper: SecretKeeper) -> None:
        self._folder = directory / FOLDER_NAME
        self._keeper = keeper
        self._known: _Witnessed | None = None  # the keyring is asked once: who holds the vault's lock is the only one that writes there

    def supervisors_public_kem(self) -> bytes | None:
        """Whom to seal to, as witnessed when the header last verified; None if that was never."""
        return self._witnessed().supervisors_public_kem or None

    def enrol(self, supervisors_public_kem: bytes) -> None:
        """Witness whom to seal to; called with a verified header's key. Raises UnavailableError keyring.*."""
        known = self._witnessed()
        if known.supervisors_public_kem != supervisors_public_kem:
            self._witness(_Witnessed(known.written, known.taken, supervisors_public_kem))

    def append(self, breach_id: BreachId, kind: SignalKind, observed_us: int, facts_sealed: bytes, code: str = "") -> int:
        """Add a report, durably; give its number.

        Raises:
            UnavailableError: spool.full, storage.full, storage.read-only, storage.input-output.
        """
        known = self._witnessed()
        files = self._files()
        if len(files) >= MOST_FILES:
            raise UnavailableError("spool.full")
        number = max(known.written, known.taken, *files, 0) + 1
        body = msgspec.json.encode(_Stored(breach_id, kind, observed_us, facts_sealed, code))
        try:
            self._folder.mkdir(mode=reach.folder_mode(), exist_ok=True)
            write_whole(self._path(number), body, replace=False)  # never over another report
        except OSError as error:
            raise UnavailableError(write_code(error)) from error
        with contextlib.suppress(UnavailableError):  # unwitnessed is better than unwritten
            self._witness(_Witnessed(number, known.taken, known.supervisors_public_kem))
        return number

    def latest(self) -> SpooledReport | None:
        """The newest report that waits, if there is one."""
        for number in sorted(self._files(), reverse=True):
            if (report := self._read(number)) is not None:
                return report
        return None

    def waiting(self) -> Waiting:
        """What is to be taken into the vault. Raises UnavailableError keyring.*."""
        known, files = self._witnessed(), self._files()
        reports = {number: self._read(number) for number in sorted(files)}
        return Waiting(
            tuple(report for report in reports.values() if report is not None),
            tuple(number for number in range(known.taken + 1, known.written + 1)[:MOST_FILES] if number not in files),
            tuple(number for number, report in reports.items() if report is None),
            max(known.written, known.taken, *files, 0),
        )

    def taken(self, number: int) -> None:
        """Forget a report that is committed in the vault.

        Raises:
            UnavailableError: keyring.*, storage.*; the report is then taken again, and known by its id.
        """
        self.past(number)
        try:
            self._path(number).unlink(missing_ok=True)
        except OSError as error:
            raise UnavailableError(write_code(error)) from error

    def put_aside(self, number: int) -> None:
        """Keep a file that is no report under another name, once that is reported. Raises UnavailableError keyring.*, storage.*."""
        self.past(number)
        path = self._path(number)
        try:
            if os.path.lexists(path):
                path.rename(path.with_suffix(".damaged"))
        except OSError as error:
            raise UnavailableError(write_code(error)) from error

    def past(self, number: int) -> None:
        """Nothing up to this number is missed any more. No file is touched. Raises UnavailableError keyring.*."""
        known = self._witnessed()
        if number > known.taken:
            self._witness(_Witnessed(max(known.written, number), number, known.supervisors_public_kem))

    # -- inner -----------------------------------------------------------------------------------------------------------------------

    def _witnessed(self) -> _Witnessed:
        if self._known is None:
            self._known = self._read_witness()
        return self._known

    def _read_witness(self) -> _Witnessed:
        try:
            record = self._keeper.read(_NAME)
        except TamperError:
            record = None  # what is in its place was written by somebody else: as if there were none, and the files are still read
        if record is None or len(record) < _RECORD.size:
            return _Witnessed()
        plain = record.reveal()
        written, taken = _RECORD.unpack_from(plain)
        return _Witnessed(written, taken, plain[_RECORD.size :])

    def _witness(self, what: _Witnessed) -> None:
        self._keeper.write(_NAME, Secret(_RECORD.pack(what.written, what.taken) + what.supervisors_public_kem))
        self._known = what

    def _files(self) -> set[int]:
        try:
            stems = [path.stem for path in self._folder.iterdir() if path.suffix == _SUFFIX]
        except OSError:
            return set()
        return {int(stem) for stem in stems if len(stem) == _DIGITS and stem.isascii() and stem.isdigit()}

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:0{_DIGITS}d}{_SUFFIX}"

    def _read(self, number: int) -> SpooledReport | None:
        try:
            descriptor = os.open(self._path(number), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(descriptor, "rb") as file:  # noqa: PTH123 -- a descriptor opened without following a link
                content = file.read(_LARGEST_BYTES + 1)
            if len(content) > _LARGEST_BYTES:
                return None
            stored = msgspec.json.decode(content, type=_Stored)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return None
        return SpooledReport(number, BreachId(stored.breach_id), stored.kind, stored.observed_us, stored.facts_sealed, stored.code)
