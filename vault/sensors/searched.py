"""Which files were searched for copies of the vault, kept over the vault processes, so that a search goes on where a lock ended it.

Rules:

1. A file is known by device, inode, size and the times of its content and of its inode: never by a path, a name or anything in it. Kept is
   a keyed hash of these and of what was searched for (`Fingerprint.identity`); nobody without the key can make an entry for a file.
2. The file of them is appended to in sealed records, each at its place: from the first record that is not ours, nothing is believed, and
   the file is written anew. Nothing here raises because of what is in it, or because it cannot be read or written.
3. At most `_MOST` files; beyond that they are searched again each time. After a whole search the files that are gone are forgotten.
4. Only where the kernel alone says when an inode changed (`honest_devices`): not on what can be pulled out or mounted by anybody, nor on
   another machine's disk.
5. Where several accounts have one vault, each has a file of its own: what one's search does not come by is not gone for another's.
6. Nothing waits for the disk: the thread reads and writes when nobody else does, and closing the vault waits for it. A power cut costs
   a search.

LIMIT: a file system that names no device (btrfs, zfs, an overlay) on a stick that an administrator mounts outside `_FOREIGN_PLACES`
counts as a disk.

LIMIT: whoever is root, or writes past the file system (a disk's device, a disk in another machine, a power cut in the seconds before a
changed time is on the disk), changes a file without its inode's time. So does who mapped the file, had made its pages dirty before the
search and writes through the mapping after it; the kernel tells nobody of that.

Thread: the searching sensor's alone. Source: stat(2), inode(7) on ctime.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import stat
import struct
import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from vault import reach
from vault.sensors.mounts import Mount, is_removable

_log = logging.getLogger(__name__)

_MOST = 250_000
_SLOTS = 1 << 19  # of a table: 4 MiB, never more than half full
_MOST_BYTES = 4 << 20
_COUNT = struct.Struct("<I")
_PLACE = struct.Struct("<Q")
_FACTS = struct.Struct("<QQqQQ")
_TIME_BITS = (1 << 64) - 1  # a file can be given a time after 2262, which is more nanoseconds than 63 bits hold, and one before 1970
_ENTRY_BYTES = 8
_SEAL_BYTES = 16
_MOST_IN_A_RECORD = 1 << 16
_ENTRIES_A_STEP = 2048
_GONE_SHARE = 4  # written anew when more than a fourth of the entries are of files that are gone
_LOOP_DEVICES = "7:"
_BLOCK_DEVICES = Path("/sys/dev/block")
_FOREIGN_PLACES = tuple(map(Path, ("/media", "/mnt", "/run/media")))  # where a desktop mounts what its account asks for
_HONEST_TYPES = frozenset(("ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "jfs", "zfs", "bcachefs", "nilfs2", "overlay", "tmpfs"))


class SearchedFiles:
    """The memory of searched files.

    Args:
        path: in the vault's folder; made with the mode of the vault's files. Installed, the account's number is added to its name.
        key: 32 bytes of the workstation's; what is used is derived from it for this purpose alone.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        self._path = path.with_name(f"{path.name}.{os.getuid()}") if reach.is_launched() else path
        self._key = hmac.digest(key, b"searched-files", "sha256")
        self._known = _Table()
        self._seen: _Table | None = None  # while a whole search is under way: what it came by
        self._waiting = array("Q")  # not written yet
        self._is_loaded = False
        self._bytes = -1  # how long the file is as far as it is ours; -1: it must be written anew

    @property
    def count(self) -> int:
        """How many files are remembered."""
        return self._known.count

    @property
    def is_loaded(self) -> bool:
        """Whether `load` came to its end; before that nothing is written."""
        return self._is_loaded

    def load(self) -> Iterator[None]:
        """Read what earlier processes left, a step at a time; what is not theirs is not believed. May be begun again."""
        data = self._read()
        place = 0
        while place < len(data):
            entries = self._unseal(data, place)
            if entries is None:
                _log.warning("the memory of searched files is not believed from byte %d of %d", place, len(data))
                self._is_loaded = True
                return
            for number, entry in enumerate(entries):
                self._known.add(entry)
                if number % _ENTRIES_A_STEP == 0:
                    yield
            place += _COUNT.size + _ENTRY_BYTES * len(entries) + _SEAL_BYTES
        self._bytes, self._is_loaded = place, True

    def has(self, status: os.stat_result, identity: bytes) -> bool:
        """Whether this state of a file was searched for the vault of this identity."""
        entry = self._entry(status, identity)
        found = entry in self._known
        if found and self._seen is not None:
            self._seen.add(entry)
        return found

    def note(self, status: os.stat_result, identity: bytes) -> None:
        """Remember that this state of a file was searched. The caller has made sure that nothing changed meanwhile."""
        entry = self._entry(status, identity)
        if self._known.add(entry):
            self._waiting.append(entry)
        if self._seen is not None:
            self._seen.add(entry)

    def begin_whole(self) -> None:
        """A search of everything begins."""
        self._seen = _Table()

    def end_whole(self) -> None:
        """It is over: what it did not come by is gone, and forgotten when that is worth writing the file anew."""
        seen, self._seen = self._seen, None
        if seen is None:
            return
        gone = self._known.count - seen.count
        if gone * _GONE_SHARE > self._known.count or (gone > 0 and self._known.is_full):
            self._known = seen
            self._bytes = -1
        self.save()

    def save(self) -> None:
        """Write what came since; if that fails, the next time writes everything. Before `load`, nothing."""
        if not self._is_loaded:
            return
        try:
            if self._bytes >= 0 and self._waiting:
                records = list(self._seal(self._waiting, self._bytes))
                if self._bytes + sum(map(len, records)) > _MOST_BYTES or not self._append(b"".join(records)):
                    self._bytes = -1
            if self._bytes < 0:
                self._write_anew()
        except OSError as error:
            self._bytes = -1
            _log.warning("which files were searched cannot be kept: errno %s", error.errno)
        self._waiting = array("Q")

    def _read(self) -> bytes:
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return b""
        with suppress(OSError), os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            if stat.S_ISREG(status.st_mode) and status.st_size <= _MOST_BYTES:
                return file.read(_MOST_BYTES)
        return b""

    def _append(self, data: bytes) -> bool:
        """Whether the file is still as we left it, and now has `data` besides."""
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:  # gone, or something else in its place
            return False
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_size != self._bytes:
                return False
            _write_whole(descriptor, data)
        finally:
            os.close(descriptor)
        self._bytes += len(data)
        return True

    def _write_anew(self) -> None:
        data = b"".join(self._seal(array("Q", self._known), 0))
        beside = self._path.with_name(self._path.name + ".new")
        beside.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(beside, flags, reach.file_mode())
        try:
            _write_whole(descriptor, data)
        finally:
            os.close(descriptor)
        beside.replace(self._path)
        self._bytes = len(data)

    def _seal(self, entries: array[int], place: int) -> Iterator[bytes]:
        for first in range(0, len(entries), _MOST_IN_A_RECORD):
            part = entries[first : first + _MOST_IN_A_RECORD]
            record = _COUNT.pack(len(part)) + _little(part).tobytes()
            record += self._seal_of(place, record)
            yield record
            place += len(record)

    def _unseal(self, data: bytes, place: int) -> array[int] | None:
        if len(data) - place < _COUNT.size + _SEAL_BYTES:
            return None
        end = place + _COUNT.size + _ENTRY_BYTES * _COUNT.unpack_from(data, place)[0]
        seal = data[end : end + _SEAL_BYTES]
        if len(seal) < _SEAL_BYTES or not hmac.compare_digest(seal, self._seal_of(place, data[place:end])):
            return None
        entries = array("Q")
        entries.frombytes(data[place + _COUNT.size : end])
        return _little(entries)

    def _seal_of(self, place: int, record: bytes) -> bytes:
        return hmac.digest(self._key, _PLACE.pack(place) + record, "sha256")[:_SEAL_BYTES]

    def _entry(self, status: os.stat_result, identity: bytes) -> int:
        times = (status.st_mtime_ns & _TIME_BITS, status.st_ctime_ns & _TIME_BITS)
        facts = _FACTS.pack(status.st_dev, status.st_ino, status.st_size, *times)
        return int.from_bytes(hashlib.blake2b(facts + identity, key=self._key, digest_size=_ENTRY_BYTES).digest(), "little") or 1


class _Table:
    """Numbers of eight bytes, none of them 0, in 4 MiB whatever their count; a set of as many Python numbers takes five times that."""

    def __init__(self) -> None:
        self._slots = array("Q", bytes(_ENTRY_BYTES * _SLOTS))
        self.count = 0

    def __contains__(self, entry: int) -> bool:
        return self._slots[self._slot(entry)] != 0

    def __iter__(self) -> Iterator[int]:
        return filter(None, self._slots)

    @property
    def is_full(self) -> bool:
        return self.count >= _MOST

    def add(self, entry: int) -> bool:
        """Whether it is new and there was room."""
        slot = self._slot(entry)
        if self._slots[slot] or self.is_full:
            return False
        self._slots[slot] = entry
        self.count += 1
        return True

    def _slot(self, entry: int) -> int:
        slot = entry % _SLOTS
        while (found := self._slots[slot]) and found != entry:
            slot = (slot + 1) % _SLOTS
        return slot


def honest_devices(roots: Sequence[Path], mounted: Iterable[Mount]) -> frozenset[int]:
    """Give the devices (st_dev) at and below the resolved `roots` on which nobody but the kernel says when an inode changed."""
    mounts = tuple(mounted)
    concerned: set[Mount] = set()
    for root in roots:
        over = [one for one in mounts if root.is_relative_to(one.place)]
        # the later of two mounts at one place is the one that is seen
        concerned.update(sorted(over, key=lambda one: len(one.place.parts))[-1:])
        concerned.update(one for one in mounts if one.place.is_relative_to(root))
    devices: set[int] = set()
    foreign: set[int] = set()
    for mount in concerned:
        is_ours = mount.type in _HONEST_TYPES and not any(map(_is_foreign, _layers(mount.device)))
        is_ours = is_ours and not any(mount.place.is_relative_to(place) for place in _FOREIGN_PLACES)
        with suppress(OSError):
            (devices if is_ours else foreign).add(mount.place.lstat().st_dev)
    return frozenset(devices - foreign)


def _is_foreign(device: str) -> bool:
    return device.startswith(_LOOP_DEVICES) or is_removable(device)


def _layers(device: str) -> Iterator[str]:
    """Give a device and those it lies on, as a LUKS volume does on its stick."""
    yield device
    with suppress(OSError):
        for below in (_BLOCK_DEVICES / device / "slaves").iterdir():
            yield from _layers((below / "dev").read_text("ascii").strip())


def _little(numbers: array[int]) -> array[int]:
    if sys.byteorder == "big":
        numbers = array("Q", numbers)
        numbers.byteswap()
    return numbers


def _write_whole(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
