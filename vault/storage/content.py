"""Sealed chunks in one SQLCipher file: `services.ports.ContentStore`.

Rules:

- A chunk's key is ``ordinal << 20 | chunk number``; ordinals are never given twice. At most 2**20 chunks a document.
- An intake is pending until `finish`; its chunks and its state change in one transaction of at most `MAX_GROUP_BYTES`.
- A finished document's chunks are never deleted: a trigger refuses it. So a register put back from an older copy cannot make the sweep
  destroy what it no longer knows.
- The WAL stays bounded: `mover` moves it into the file beside the writer, and cuts it off when readers kept it from starting over.
- Readers run while the writer runs; they hold a snapshot for one chunk's time only.
- Deleting overwrites (secure_delete), so a discard is done in groups, the pending state first: interrupted, the rest is swept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import bindparam, literal_column

from vault.domain.identity import CaseId, DocumentId, VaultId
from vault.errors import DefectError, TamperError, UnavailableError
from vault.secret import Secret
from vault.services.ports import Clock, PendingIntake
from vault.storage.authorizer import OnDenied
from vault.storage.connection import CONTENT_FORMATS, NEWEST_CONTENT_LAYOUT, Connection, Format, Use
from vault.storage.migrations import History
from vault.storage.mover import MOVER_PATIENCE_MS, Mover
from vault.storage.opening import found, opened
from vault.storage.schema import chunk, content, content_vault, pending_intake
from vault.storage.statements import compiled, compiled_positional

OwnOpen = Callable[[], AbstractContextManager[None]]

MIB = 1 << 20
CHUNK_BITS = 20
MAX_CHUNKS = 1 << CHUNK_BITS
MAX_GROUP_BYTES = 8 * MIB + 128 * 1024  # 32 chunks of 256 KiB with their seals
_DELETED_TOGETHER = 32
_DELETED_TOGETHER_BYTES = 8 * MIB  # overwritten, so they are written

_FOUND = compiled(sa.insert(content_vault).values(vault_id=bindparam("vault_id"), founded_us=bindparam("founded_us")))
_VAULT = compiled(sa.select(content_vault.c.vault_id))
_ORDINAL = compiled(sa.select(content.c.ordinal, content.c.finished).where(content.c.document_id == bindparam("document_id")))
_BEGIN = compiled(sa.insert(content).values(document_id=bindparam("document_id"), finished=literal_column("0")))
_FINISH = compiled(sa.update(content).where(content.c.document_id == bindparam("which")).values(finished=literal_column("1")))
_FORGET = compiled(sa.delete(content).where(content.c.document_id == bindparam("which")))
_UNFINISHED = compiled(sa.select(content.c.document_id).where(content.c.finished == literal_column("0")).order_by(content.c.ordinal))

_ADD_CHUNK, _ = compiled_positional(sa.insert(chunk))
_READ_CHUNK = compiled(sa.select(chunk.c.sealed).where(chunk.c.chunk_key == bindparam("chunk_key")))
_CHUNK_KEYS = compiled(
    sa.select(chunk.c.chunk_key)
    .where(chunk.c.chunk_key >= bindparam("low"), chunk.c.chunk_key < bindparam("high"))
    .order_by(chunk.c.chunk_key)
    .limit(bindparam("limit"))
)
_DELETE_CHUNKS = compiled(sa.delete(chunk).where(chunk.c.chunk_key >= bindparam("low"), chunk.c.chunk_key <= bindparam("high")))

_ADD_PENDING = compiled(sa.insert(pending_intake))
_PENDING = compiled(sa.select(pending_intake).order_by(pending_intake.c.started_us, pending_intake.c.document_id))
_ADVANCE = compiled(
    sa.update(pending_intake)
    .where(pending_intake.c.document_id == bindparam("which"), pending_intake.c.chunks_stored == bindparam("expected"))
    .values(chunks_stored=bindparam("stored"), source_sealed=bindparam("source"))
)
_END_PENDING = compiled(sa.delete(pending_intake).where(pending_intake.c.document_id == bindparam("which")))


class SqlCipherContentStore:
    """The content file. Holds no connection itself: each thread makes its own with `open_reader` or `open_writer`."""

    def __init__(self, path: Path, key: Secret, vault_id: VaultId, form: Format, on_denied: OnDenied | None, own_open: OwnOpen) -> None:
        """Remember where and with what key; use `create` or `open`."""
        self._path = path
        self._key = Secret(key.reveal())
        self._vault_id = vault_id
        self._form = form
        self._on_denied = on_denied
        self._own_open = own_open

    @classmethod
    def create(
        cls,
        path: Path,
        key: Secret,
        vault_id: VaultId,
        clock: Clock,
        on_denied: OnDenied | None = None,
        layout: int = NEWEST_CONTENT_LAYOUT,
    ) -> SqlCipherContentStore:
        """Make a new content file and open it.

        Raises:
            RefusedError: storage.exists.
            UnavailableError: storage.*; no file is left.
        """
        found(path, key, CONTENT_FORMATS[layout], History.CONTENT, _FOUND, vault_id=vault_id, founded_us=clock.now_us())
        return cls.open(path, key, on_denied, layout)

    @classmethod
    def open(
        cls,
        path: Path,
        key: Secret,
        on_denied: OnDenied | None = None,
        layout: int = NEWEST_CONTENT_LAYOUT,
        own_open: OwnOpen = nullcontext,
    ) -> SqlCipherContentStore:
        """Check the file, bring it up to date if it is older, recover its WAL.

        Args:
            path: the file.
            key: 32 raw bytes.
            on_denied: told the name of every SQL action the authorizer denied.
            layout: the header's number for how the file is laid out.
            own_open: entered around every opening after this one, on whichever thread, so that the store-access sensor knows it as ours.
        Raises:
            UnavailableError: storage.missing, storage.newer, storage.busy, storage.read-only, storage.input-output.
            TamperError: storage.damaged, storage.setting.
        """
        form = CONTENT_FORMATS.get(layout)
        if form is None:
            raise UnavailableError("storage.newer", layout=layout)
        connection = opened(path, key, form, History.CONTENT, Use.SERVE, on_denied)
        try:
            row = connection.first(_VAULT)
        finally:
            connection.close()
        if row is None:
            raise TamperError("storage.damaged")
        return cls(path, key, VaultId(row[0]), form, on_denied, own_open)

    def vault_id(self) -> VaultId:
        """The vault the file belongs to."""
        return self._vault_id

    def open_reader(self) -> SqlCipherContentReader:
        """A connection for the calling thread that reads."""
        return SqlCipherContentReader(self._opened(Use.READ))

    def open_writer(self) -> SqlCipherContentWriter:
        """The one connection, for the calling thread, that writes. A second one at the same time would be our mistake."""
        return SqlCipherContentWriter(self._opened(Use.WRITE), self._mover_connection)

    def close(self) -> None:
        """Forget the key."""
        self._key.wipe()

    def _opened(self, use: Use) -> Connection:
        with self._own_open():
            return opened(self._path, self._key, self._form, History.CONTENT, use, self._on_denied)

    def _mover_connection(self) -> Connection:
        with self._own_open():
            return Connection(self._path, self._key, self._form, Use.MOVE, on_denied=self._on_denied, busy_timeout_ms=MOVER_PATIENCE_MS)


class SqlCipherContentReader:
    """Random access to chunks. One thread."""

    def __init__(self, connection: Connection) -> None:
        """Take over an open connection."""
        self._db = connection
        self._ordinals: dict[DocumentId, int] = {}

    def read_chunk(self, document_id: DocumentId, chunk_no: int) -> bytes:
        """The sealed chunk, 0-based.

        Raises:
            TamperError: storage.chunk-missing, storage.damaged.
        """
        ordinal = self._ordinals.get(document_id)
        if ordinal is None:
            row = self._db.first(_ORDINAL, document_id=document_id)
            if row is None:
                raise TamperError("storage.chunk-missing", document_id=document_id, chunk_no=chunk_no)
            ordinal = self._ordinals[document_id] = int(row[0])
        found_row = self._db.first(_READ_CHUNK, chunk_key=_key(ordinal, chunk_no))
        if found_row is None:
            raise TamperError("storage.chunk-missing", document_id=document_id, chunk_no=chunk_no)
        return bytes(found_row[0])

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()


class SqlCipherContentWriter:
    """Appends chunks. One thread."""

    def __init__(self, connection: Connection, connect_mover: Callable[[], Connection]) -> None:
        """Take over an open connection; `connect_mover` opens the one that moves its log, when there is something to move."""
        self._db = connection
        self._mover = Mover(connection.path.with_name(connection.path.name + "-wal"), connect_mover)

    def begin(self, pending: PendingIntake) -> None:
        """Begin an intake; it is invisible until the register names the document."""
        if not 0 <= pending.chunk_count <= MAX_CHUNKS:
            raise DefectError("storage.chunk-count", chunk_count=pending.chunk_count)
        with self._db.transaction():
            self._db.change(_BEGIN, document_id=pending.document_id)
            self._db.change(
                _ADD_PENDING,
                document_id=pending.document_id,
                case_id=pending.case_id,
                chunk_salt=pending.chunk_salt,
                chunk_count=pending.chunk_count,
                chunks_stored=pending.chunks_stored,
                source_sealed=pending.source_sealed,
                started_us=pending.started_us,
            )

    def append_chunks(
        self, document_id: DocumentId, first_chunk_no: int, sealed: Sequence[bytes | memoryview], source_sealed: bytes
    ) -> None:
        """Commit a group of chunks together with the intake's new state.

        Args:
            document_id: a pending intake.
            first_chunk_no: 0-based; the number of chunks stored so far.
            sealed: at most `MAX_GROUP_BYTES` in all. The buffers may be used again when this returns.
            source_sealed: what `PendingIntake.source_sealed` becomes.
        Raises:
            UnavailableError: storage.full, storage.busy, storage.input-output; nothing of the group was stored.
            DefectError: storage.group-too-large, storage.chunk-order, storage.no-intake.
        """
        size_bytes = sum(len(one) for one in sealed)
        if size_bytes > MAX_GROUP_BYTES:
            raise DefectError("storage.group-too-large")
        self._mover.require_well()
        with self._db.transaction():
            ordinal = self._pending_ordinal(document_id)
            stored = first_chunk_no + len(sealed)
            if stored > MAX_CHUNKS or not self._db.change(
                _ADVANCE, which=document_id, expected=first_chunk_no, stored=stored, source=source_sealed
            ):
                raise DefectError("storage.chunk-order", first_chunk_no=first_chunk_no)
            for chunk_no, one in enumerate(sealed, start=first_chunk_no):
                self._db.change_fast(_ADD_CHUNK, (_key(ordinal, chunk_no), one))
        self._mover.committed(size_bytes)

    def finish(self, document_id: DocumentId) -> None:
        """Forget the pending state after the register made the document visible. Again is nothing."""
        with self._db.transaction():
            if not self._db.change(_FINISH, which=document_id):
                raise DefectError("storage.no-intake")
            self._db.change(_END_PENDING, which=document_id)

    def discard(self, document_id: DocumentId) -> None:
        """Delete all chunks of an intake that was cancelled or refused; nothing happens if there is none.

        Raises:
            DefectError: storage.constraint, the document is finished.
        """
        row = self._db.first(_ORDINAL, document_id=document_id)
        if row is None:
            return
        ordinal, finished = row
        if finished:
            raise DefectError("storage.constraint", rule="content.kept")
        with self._db.transaction():
            self._db.change(_END_PENDING, which=document_id)
        for low, high in self._groups(ordinal):
            with self._db.transaction():
                self._db.change(_DELETE_CHUNKS, low=low, high=high)
            self._mover.committed(_DELETED_TOGETHER_BYTES)
        with self._db.transaction():
            self._db.change(_FORGET, which=document_id)

    def pending(self) -> Sequence[PendingIntake]:
        """The intakes that were begun and neither finished nor discarded, oldest first."""
        return [
            PendingIntake(DocumentId(row[0]), CaseId(row[1]), row[2], row[3], row[4], row[5], row[6]) for row in self._db.rows(_PENDING)
        ]

    def sweep(self, keep: Sequence[DocumentId]) -> int:
        """Delete the chunks of intakes that were interrupted while being discarded; return how many documents were swept.

        A pending intake stays, to be resumed. One whose document is visible (`keep`) was interrupted just before `finish`: it is finished.
        """
        visible = set(keep)
        pending = {one.document_id for one in self.pending()}
        swept = 0
        for (name,) in self._db.rows(_UNFINISHED):
            document_id = DocumentId(name)
            if document_id in visible:
                self.finish(document_id)
            elif document_id not in pending:
                self.discard(document_id)
                swept += 1
        return swept

    def close(self) -> None:
        """Let go of the file. Raises TamperError storage.damaged, found since the last group."""
        try:
            self._mover.close()
        finally:
            self._db.close()

    def _pending_ordinal(self, document_id: DocumentId) -> int:
        row = self._db.first(_ORDINAL, document_id=document_id)
        if row is None or row[1]:
            raise DefectError("storage.no-intake")
        return int(row[0])

    def _groups(self, ordinal: int) -> Iterator[tuple[int, int]]:
        """The document's chunks in groups small enough for one transaction, as (lowest, highest) key."""
        low, high = _key(ordinal, 0), _key(ordinal + 1, 0)
        while keys := self._db.rows(_CHUNK_KEYS, low=low, high=high, limit=_DELETED_TOGETHER):
            yield int(keys[0][0]), int(keys[-1][0])


def _key(ordinal: int, chunk_no: int) -> int:
    if not 0 <= chunk_no < MAX_CHUNKS:
        raise DefectError("storage.chunk-order", first_chunk_no=chunk_no)
    return ordinal << CHUNK_BITS | chunk_no
