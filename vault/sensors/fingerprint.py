"""What the vault's files look like from inside: how a copy is known wherever in another file it lies (V54, V55).

Rules:

1. A database begins with its salt, 16 random bytes in clear that neither VACUUM nor a new key changes. Ciphertext does not compress, so
   the salt also stands in a tar, zip, gzip, xz or zstd of it, and in any file it was appended to.
2. A write-ahead log carries two salts, 8 bytes together, in its head and in every frame; the ones in use and the last few are known.
3. The header carries the vault's id.
4. A part without the beginning is known by words: the 8 ciphertext bytes after the first and the last mark of every 4096, of every n-th
   such block where the vault is large. A mark is one byte value, so that of other data only what follows a mark is compared, one place
   in 256. Any stretch of `window_bytes` of a copy holds such a word, whatever it was shifted by.
5. Blocks are read through descriptors given to us; nothing is opened or closed here, for closing one would drop SQLite's locks.
6. Everything compared is at least 8 random bytes: a file that matches by chance is not expected in the life of a station.
7. The mark is drawn anew in each process among bytes that text does not have: nobody can fill a file with it to keep the search busy.

LIMIT: of pages that are in the journal alone no word is known yet: a part of one without its frame's salts is not known then, nor again.
LIMIT: re-encrypted, base64, XOR or in pieces of less than `window_bytes` without a salt among them: not known. Blocks of pages that were
rewritten are not known any more (a copy made before still has most of its others).

Thread: `refresh` and the questions from one thread. Source: SQLCipher's file form, SQLite's WAL form; experiment E4.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

SALT_BYTES = 16
OVERLAP_BYTES = 64  # more than any pattern is long
_BLOCK_BYTES = 4096
_WORD_BYTES = 8
_MOST_BLOCKS = 32_768
_BLOCKS_A_STEP = 512
_MARKS = bytes((0xC0, 0xC1, *range(0xF5, 0xFF)))  # never in UTF-8, nor what files are filled with
_SLICE_BYTES = 1 << 16  # the interpreter is held for no longer than this takes
_WAL_MAGIC = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
_WAL_SALTS_AT = 16
_FORM = b"words after a mark"  # what the search looks for; another text here has every file searched again
_IDENTITY_BYTES = 16
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
        self._blocks: dict[Path, frozenset[bytes]] = {}
        self._words: frozenset[bytes] = frozenset()
        self._mark = bytes((secrets.choice(_MARKS),))
        self._after_marks = re.compile(rb"%b(?=(.{%d}))" % (self._mark, _WORD_BYTES), re.DOTALL).findall
        self._identity = b""
        self._seen: dict[Path, tuple[int, int]] = {}  # size and time of change when the blocks were read
        self._every = 1
        self._read_ns = 0

    def refresh(self) -> None:
        """Ask for the salts anew. Microseconds; call it about once a second while files are looked at."""
        known = self._salts | self._ask_salts()
        if known != self._salts or not self._identity:
            self._salts = known
            self._identity = hashlib.sha256(b"".join((_FORM, self._vault_id, *sorted(known)))).digest()[:_IDENTITY_BYTES]
        for database in self._databases:
            salts = self._read_wal_salts(Path(f"{database}-wal"))
            if salts and salts not in self._wal_salts:
                self._wal_salts = [*self._wal_salts, salts][-_WAL_SALTS_KEPT * len(self._databases) :]

    def read_blocks(self) -> Iterator[None]:
        """Read the blocks of every database that is open and changed since, a step at a time."""
        total = 0
        began_ns, is_all = time.time_ns(), True
        for database in self._databases:
            with suppress(OSError):
                total += database.stat().st_size
        every = max(1, -(-total // (_BLOCK_BYTES * _MOST_BLOCKS)))
        for database in self._databases:
            descriptor = self._descriptor_of(database)
            if descriptor is None:
                is_all = False
                continue
            try:
                before = os.fstat(descriptor)
            except OSError:
                is_all = False
                continue
            state = (before.st_size, before.st_mtime_ns)
            if self._seen.get(database) == state and every == self._every:
                continue
            found: set[bytes] = set()
            try:
                for number in range(0, before.st_size // _BLOCK_BYTES, every):
                    found.update(self._words_of(os.pread(descriptor, _BLOCK_BYTES, number * _BLOCK_BYTES)))
                    if number // every % _BLOCKS_A_STEP == 0:
                        yield
                after = os.fstat(descriptor)
            except OSError:
                is_all = False
                continue
            if (after.st_dev, after.st_ino) == (before.st_dev, before.st_ino):  # not closed and given to another file meanwhile
                self._blocks[database] = frozenset(found)
                self._seen[database] = state
            else:
                is_all = False
        self._every = every
        self._words = frozenset().union(*self._blocks.values())
        if is_all:
            self._read_ns = began_ns

    @property
    def identity(self) -> bytes:
        """What is searched for: another value when a file that was searched must be searched again. 16 bytes; empty before `refresh`."""
        return self._identity

    @property
    def is_whole(self) -> bool:
        """Whether everything is known that a search needs: the salts, and the words of every database."""
        return bool(self._salts) and all(database in self._blocks for database in self._databases)

    @property
    def read_ns(self) -> int:
        """When the last whole reading of the blocks began, by the wall clock, in ns; 0 before. What came since is not known."""
        return self._read_ns

    @property
    def window_bytes(self) -> int:
        """How long a stretch of a copy must be for `has_block`."""
        return self._every * _BLOCK_BYTES + 2 * _WORD_BYTES

    @property
    def knows_blocks(self) -> bool:
        """Whether any block has been read."""
        return bool(self._words)

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

    def has_block(self, data: bytes) -> bool:
        """Whether a word of the vault stands at any offset of `data`. 4 KiB take some 5 microseconds, a MiB 2 milliseconds."""
        if not self._words:
            return False
        return any(
            not self._words.isdisjoint(self._after_marks(data, first, first + _SLICE_BYTES + _WORD_BYTES))
            for first in range(0, len(data), _SLICE_BYTES)
        )

    def _words_of(self, block: bytes) -> Iterator[bytes]:
        last = len(block) - _WORD_BYTES
        for place in {block.find(self._mark, 0, last), block.rfind(self._mark, 0, last)} - {-1}:
            word = block[place + 1 : place + 1 + _WORD_BYTES]
            if len(set(word)) > 2:  # noqa: PLR2004 - a hole or padding is nobody's fingerprint
                yield word

    def _read_wal_salts(self, path: Path) -> bytes:
        descriptor = self._descriptor_of(path)
        if descriptor is None:
            return b""
        try:
            head = os.pread(descriptor, _WAL_HEAD_BYTES, 0)
        except OSError:
            return b""
        return head[_WAL_SALTS_AT : _WAL_SALTS_AT + _WORD_BYTES] if head[:4] in _WAL_MAGIC else b""
