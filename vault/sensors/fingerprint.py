"""What the vault's files look like from inside: how a copy is known wherever in another file it lies (V54, V55).

Rules:

1. A database begins with its salt, 16 random bytes in clear that neither VACUUM nor a new key changes. Ciphertext does not compress, so
   the salt also stands in a tar, zip, gzip, xz or zstd of it, and in any file it was appended to.
2. A write-ahead log carries two salts, 8 bytes together, in its head and in every frame; the ones in use and the last few are known.
3. The header carries the vault's id.
4. A part without the beginning is known by blocks: 8 ciphertext bytes at a fixed place of every 4096, of every n-th such block where the
   vault is large. Any stretch of `window_bytes` of a copy holds one of them, whatever it was shifted by.
5. Blocks are read through descriptors given to us; nothing is opened or closed here, for closing one would drop SQLite's locks.
6. Everything compared is at least 8 random bytes: a file that matches by chance is not expected in the life of a station.

LIMIT: re-encrypted, base64, XOR or in pieces of less than `window_bytes` without a salt among them: not known. Blocks of pages that were
rewritten are not known any more (a copy made before still has most of its others).

Thread: `refresh` and the questions from one thread. Source: SQLCipher's file form, SQLite's WAL form; experiment E4.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

SALT_BYTES = 16
OVERLAP_BYTES = 64  # more than any pattern is long
_BLOCK_BYTES = 4096
_BLOCK_PLACE = 4016  # in a 4096-byte page: its IV; elsewhere: ciphertext
_WORD_BYTES = 8
_MOST_BLOCKS = 32_768
_BLOCKS_A_STEP = 512
_WAL_MAGIC = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
_WAL_SALTS_AT = 16
_WAL_HEAD_BYTES = 32
_WAL_SALTS_KEPT = 4

Salts = Callable[[], frozenset[bytes]]


class Fingerprint:
    """How a copy of one vault is known.

    Args:
        salts: the first 16 bytes of the databases; asked again at every `refresh`.
        vault_id: the id in the header; empty: headers are not known.
        databases: the database files; their write-ahead logs lie beside them.
        descriptor_of: a descriptor of a file that is open already, None if it is not.
    """

    def __init__(
        self,
        salts: Salts,
        vault_id: str = "",
        databases: Sequence[Path] = (),
        descriptor_of: Callable[[Path], int | None] = lambda _path: None,
    ) -> None:
        self._ask_salts = salts
        self._vault_id = vault_id.encode("ascii")
        self._databases = tuple(databases)
        self._descriptor_of = descriptor_of
        self._salts: frozenset[bytes] = frozenset()
        self._wal_salts: list[bytes] = []
        self._blocks: dict[Path, frozenset[int]] = {}
        self._seen: dict[Path, tuple[int, int]] = {}  # size and time of change when the blocks were read
        self._every = 1

    def refresh(self) -> None:
        """Ask for the salts anew. Microseconds; call it about once a second while files are looked at."""
        self._salts |= self._ask_salts()
        for database in self._databases:
            salts = self._read_wal_salts(Path(f"{database}-wal"))
            if salts and salts not in self._wal_salts:
                self._wal_salts = [*self._wal_salts, salts][-_WAL_SALTS_KEPT * len(self._databases) :]

    def read_blocks(self) -> Iterator[None]:
        """Read the blocks of every database that is open and changed since, a step at a time."""
        total = 0
        for database in self._databases:
            with suppress(OSError):
                total += database.stat().st_size
        every = max(1, -(-total // (_BLOCK_BYTES * _MOST_BLOCKS)))
        for database in self._databases:
            descriptor = self._descriptor_of(database)
            if descriptor is None:
                continue
            try:
                before = os.fstat(descriptor)
            except OSError:
                continue
            state = (before.st_size, before.st_mtime_ns)
            if self._seen.get(database) == state and every == self._every:
                continue
            found: set[int] = set()
            try:
                for number in range(0, before.st_size // _BLOCK_BYTES, every):
                    word = os.pread(descriptor, _WORD_BYTES, number * _BLOCK_BYTES + _BLOCK_PLACE)
                    if len(word) == _WORD_BYTES and len(set(word)) > 2:  # noqa: PLR2004 - a hole or padding is nobody's fingerprint
                        found.add(int.from_bytes(word, sys.byteorder))
                    if number // every % _BLOCKS_A_STEP == 0:
                        yield
                after = os.fstat(descriptor)
            except OSError:
                continue
            if (after.st_dev, after.st_ino) == (before.st_dev, before.st_ino):  # not closed and given to another file meanwhile
                self._blocks[database] = frozenset(found)
                self._seen[database] = state
        self._every = every

    @property
    def window_bytes(self) -> int:
        """How long a stretch of a copy must be for `has_block`."""
        return self._every * _BLOCK_BYTES + 2 * _WORD_BYTES

    @property
    def knows_blocks(self) -> bool:
        """Whether any block has been read."""
        return any(self._blocks.values())

    def of_head(self, head: bytes) -> str:
        """What a file is a copy of by its first bytes: ``database``, ``journal``, ``header``, or nothing."""
        if head[:SALT_BYTES] in self._salts:
            return "database"
        if head[:4] in _WAL_MAGIC and head[_WAL_SALTS_AT : _WAL_SALTS_AT + _WORD_BYTES] in self._wal_salts:
            return "journal"
        return "header" if self._vault_id and self._vault_id in head else ""

    def within(self, data: bytes) -> str:
        """What `data` has a part of, by a salt or the vault's id anywhere in it. 2 MiB take some milliseconds."""
        if any(salt in data for salt in self._salts):
            return "database"
        if any(salts in data for salts in self._wal_salts):
            return "journal"
        return "header" if self._vault_id and self._vault_id in data else ""

    def has_block(self, window: bytes) -> bool:
        """Whether a block of the vault lies at any offset of `window`. 4 KiB take some 0.1 ms."""
        blocks = [known for known in self._blocks.values() if known]
        view = memoryview(window)
        for shift in range(_WORD_BYTES if blocks else 0):
            whole = (len(window) - shift) // _WORD_BYTES * _WORD_BYTES
            if whole <= 0:
                break
            words = view[shift : shift + whole].cast("Q").tolist()
            if any(not known.isdisjoint(words) for known in blocks):
                return True
        return False

    def _read_wal_salts(self, path: Path) -> bytes:
        descriptor = self._descriptor_of(path)
        if descriptor is None:
            return b""
        try:
            head = os.pread(descriptor, _WAL_HEAD_BYTES, 0)
        except OSError:
            return b""
        return head[_WAL_SALTS_AT : _WAL_SALTS_AT + _WORD_BYTES] if head[:4] in _WAL_MAGIC else b""
