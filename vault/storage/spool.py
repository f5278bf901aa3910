"""The sealed spool: breach reports made while the vault cannot be opened, read at its next opening, in order, once.

Rules of this module:

- One file a report, numbered from 1, made whole or not at all: written, synced, linked into place, the folder synced. Nothing is
  appended to and nothing replaced.
- What was observed is sealed to the supervisors' public key before it comes here; whoever writes cannot read it back. Only what the queue
  must sort by (kind, time, the report's id) and what tells one cause from another (the error's code) stand in clear.
- How many were written, and how many taken into the vault, is witnessed outside, in the OS keyring, together with the supervisors' public
  key as it was when the header last verified. A number that was written, not taken, and has no file, was deleted: `missing`.
- Each carries a tag over its number and all that stands in it, made with a key that lies in the keyring too: sealing needs no secret, and
  what was rewritten, renumbered or made by nobody here must not pass for a report. What waited when that key was drawn has none.
- A file that is no report, or not one of ours, is `damaged`. It is put aside, never deleted; it stands for no other, takes no other's
  place, and no number follows from it. So is what stands in the folder's own place and is none.
- At most `MOST_FILES` wait; a further report is refused with ``spool.full`` and the ones before it stay. Whoever puts files there that are
  none must not make each report slow: to find the newest, and how many wait, no more than `_MOST_READ` counted ones are read, and as many
  others. LIMIT: behind as many files as that, more than `MOST_FILES` may come to wait.

LIMIT: who can write into the folder and ask this account's keyring can do what a desk can: rewrite, add, remove. Without a keyring nothing
is witnessed: no deletion shows, and a file that nobody made is taken in.

Thread: one at a time. Source: DESIGN §5, RFC 9180.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
import struct
from collections.abc import Collection, Iterator
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

_MOST_READ: Final = 2 * MOST_FILES
_SUFFIX: Final = ".report"
_DIGITS: Final = 8
_LARGEST_BYTES: Final = 64 * 1024
_RECORD: Final = struct.Struct(">QQ")
_NAME: Final = "spool"
_KEY_NAME: Final = "spool-key"
_KEY_RECORD: Final = struct.Struct(">Q32s")
WITNESSES: Final = (_NAME, _KEY_NAME)  # what stands in the keyring
_UNWITNESSED_MOST: Final = 10**_DIGITS // 2  # with no counter the files' numbers go on, unless that would leave no room for more
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
    tag: bytes = b""  # likewise


@dataclass(frozen=True, slots=True)
class _Key:
    """Makes the tags of what is numbered `first` and later."""

    first: int
    secret: Secret

    def tag(self, number: int, told: _Stored) -> bytes:
        covered = (number, told.breach_id, told.kind, told.observed_us, told.facts_sealed, told.code)
        return hmac.digest(self.secret.reveal(), msgspec.json.encode(covered), "sha256")


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
        self._known: _Witnessed | None = None  # the keyring is asked once: who holds the spool's lock is the only one that writes there
        self._key: _Key | None = None
        self._has_no_key = False  # the keyring gave none, or took none, when a key was to be drawn last: it is not asked until then

    def is_witnessed(self) -> bool:
        """Whether anything was ever counted under this label. Raises UnavailableError keyring.*."""
        return self._witnessed() != _Witnessed()

    def count(self) -> int:
        """The highest number ever given, as the keyring has it. Raises UnavailableError keyring.*."""
        known = self._witnessed()
        return max(known.written, known.taken)

    def supervisors_public_kem(self) -> bytes | None:
        """Whom to seal to, as witnessed when the header last verified; None if that was never."""
        return self._witnessed().supervisors_public_kem or None

    def enrol(self, supervisors_public_kem: bytes) -> None:
        """Witness whom to seal to; called with a verified header's key. Raises UnavailableError keyring.*."""
        self._draw_key()
        known = self._witnessed()
        if known.supervisors_public_kem != supervisors_public_kem:
            self._witness(_Witnessed(known.written, known.taken, supervisors_public_kem))

    def append(self, breach_id: BreachId, kind: SignalKind, observed_us: int, facts_sealed: bytes, code: str = "") -> int:
        """Add a report, durably; give its number.

        Raises:
            UnavailableError: spool.full, storage.full, storage.read-only, storage.input-output; keyring.* if what was counted cannot be
                read: nothing is written.
        """
        known = self._witnessed()
        try:
            self._draw_key()
        except UnavailableError:
            self._has_no_key = True  # without a tag is better than unwritten
        files = self._files()
        if len(files) >= MOST_FILES and sum(1 for _ in self._newest(files)) >= MOST_FILES:
            raise UnavailableError("spool.full")
        number = self._next(files)
        if len(str(number)) > _DIGITS:
            raise UnavailableError("spool.full")
        told = _Stored(breach_id, kind, observed_us, facts_sealed, code)
        if key := self._drawn():
            told = msgspec.structs.replace(told, tag=key.tag(number, told))
        try:
            self._make_folder()
            write_whole(self._path(number), msgspec.json.encode(told), replace=False)  # never over another report
        except OSError as error:
            raise UnavailableError(write_code(error)) from error
        with contextlib.suppress(UnavailableError):  # unwitnessed is better than unwritten
            self._witness(_Witnessed(number, known.taken, known.supervisors_public_kem))
        return number

    def latest(self) -> SpooledReport | None:
        """The newest report that waits, if there is one."""
        return next(self._newest(self._files()), None)

    def waiting(self) -> Waiting:
        """What is to be taken into the vault. Raises UnavailableError keyring.*."""
        known, files = self._witnessed(), self._files()
        found = {number: self._read(number) for number in sorted(files)}
        reports = tuple(report for report in found.values() if report is not None)
        return Waiting(
            reports,
            tuple(number for number in range(known.taken + 1, known.written + 1)[:MOST_FILES] if number not in files),
            tuple(number for number, report in found.items() if report is None),
            max(known.written, known.taken, *(report.number for report in reports)),
        )

    def apart_from(self, other: Spool) -> tuple[SpooledReport, ...]:
        """What waits here under a key that the other label does not have, oldest first. Raises UnavailableError keyring.*."""
        key, others = self._drawn(), other._drawn()
        if key is None or (others is not None and hmac.compare_digest(key.secret.reveal(), others.secret.reveal())):
            return ()
        found = (self._read(number) for number in sorted(self._files()) if number >= key.first)
        return tuple(report for report in found if report is not None)

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

    def put_aside(self, numbers: Collection[int]) -> None:
        """Keep files that are no reports under another name, once that is reported. Raises UnavailableError keyring.*, storage.*."""
        written = self._witnessed().written
        self.past(max((number for number in numbers if number <= written), default=0))  # once: the keyring takes milliseconds
        for number in numbers:
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

    def _make_folder(self) -> None:
        try:
            self._folder.mkdir(mode=reach.folder_mode(), exist_ok=True)
        except FileExistsError:  # a file, or a link to nothing, would keep every report from being written
            self._folder.rename(self._folder.with_name(f"{FOLDER_NAME}.{secrets.token_hex(8)}.damaged"))
            self._folder.mkdir(mode=reach.folder_mode())

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

    def _drawn(self) -> _Key | None:
        if self._key is None and not self._has_no_key:
            try:
                record = self._keeper.read(_KEY_NAME)
            except TamperError:
                record = None  # as with the counter: what somebody else wrote is none
            if record is not None and len(record) == _KEY_RECORD.size:
                first, secret = _KEY_RECORD.unpack(record.reveal())
                self._key = _Key(first, Secret(secret))
        return self._key

    def _draw_key(self) -> None:
        self._has_no_key = False
        if self._drawn() is None:
            key = _Key(self._next(self._files()), Secret(secrets.token_bytes(32)))
            self._keeper.write(_KEY_NAME, Secret(_KEY_RECORD.pack(key.first, key.secret.reveal())))
            self._key = key

    def _next(self, files: set[int]) -> int:
        """The number that the next report gets: after the last that was counted, and over no file."""
        number = self.count()
        if not self.is_witnessed():
            number = max((one for one in files if one <= _UNWITNESSED_MOST), default=0)
        number += 1
        while number in files:
            number += 1
        return number

    def _newest(self, files: set[int]) -> Iterator[SpooledReport]:
        """Reports that wait, the newest first, as far as a bounded number of files tells.

        Those beyond the count are read from it upwards: that is where a crash, or a keyring that takes nothing, leaves ours.
        """
        written = self.count()
        beyond = sorted(one for one in files if one > written)[:_MOST_READ]
        counted = sorted((one for one in files if one <= written), reverse=True)[:_MOST_READ]
        yield from reversed([report for report in map(self._read, beyond) if report is not None])
        yield from (report for report in map(self._read, counted) if report is not None)

    def _files(self) -> set[int]:
        try:
            names = os.listdir(self._folder)  # noqa: PTH208 - whoever fills the folder must not make every report slow
        except OSError:
            return set()
        stems = [name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)]
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
        if not self._is_ours(number, stored):
            return None
        return SpooledReport(number, BreachId(stored.breach_id), stored.kind, stored.observed_us, stored.facts_sealed, stored.code)

    def _is_ours(self, number: int, told: _Stored) -> bool:
        key = self._drawn()
        if key is None or hmac.compare_digest(told.tag, key.tag(number, told)):
            return True
        return self._witnessed().taken < number < key.first
