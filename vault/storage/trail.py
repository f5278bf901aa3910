"""The audit trail in the register: appended inside the caller's transaction, checkpointed, verified.

Rules:

- The head (seq, hash) is remembered, not read, at every append. It is right because it was read and its tail verified at opening, because
  appends happen under BEGIN IMMEDIATE, and because `PRAGMA data_version` tells whether another connection committed since: then the head is
  read again, and the entry we remember must still stand under its number, or the trail was put back: TamperError audit.chain-broken.
- The head moves when the transaction commits, never before.
- At opening the entries since the newest checkpoint are verified (at most `TAIL_ENTRIES`); the whole trail is `verify_chain`'s business.
- A checkpoint stores the Merkle peaks beside the signed root, so that the next one reads only the entries between.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy import bindparam

from vault.domain.audit import (
    FIRST_HASH,
    AuditDraft,
    AuditEntry,
    Checkpoint,
    MerkleFrontier,
    canonical,
    chain_hash,
    link,
)
from vault.domain.identity import WorkstationId
from vault.errors import TamperError
from vault.services.ports import AuditFilter, Clock, SignStatement
from vault.storage.connection import Connection
from vault.storage.engine import Row
from vault.storage.schema import audit, audit_checkpoint
from vault.storage.statements import Statement, compiled, compiled_positional

TAIL_ENTRIES = 10_000
_HASH_BYTES = 32

_APPEND, _ = compiled_positional(sa.insert(audit))
_HEAD = compiled(sa.select(audit.c.seq, audit.c.entry_hash, audit.c.at_us).order_by(audit.c.seq.desc()).limit(1))
_HASH_AT = compiled(sa.select(audit.c.entry_hash).where(audit.c.seq == bindparam("seq")))
_BETWEEN = compiled(sa.select(audit).where(audit.c.seq > bindparam("after"), audit.c.seq <= bindparam("until")).order_by(audit.c.seq))
_NEWEST_CHECKPOINT = compiled(sa.select(audit_checkpoint).order_by(audit_checkpoint.c.seq.desc()).limit(1))
_ADD_CHECKPOINT = compiled(sa.insert(audit_checkpoint))
_LATEST_TIME = compiled(sa.select(audit.c.at_us).order_by(audit.c.seq.desc()).limit(1))


class Trail:
    """The chain's growing end. One a register connection."""

    def __init__(self, connection: Connection, workstation_id: WorkstationId, clock: Clock) -> None:
        """Read the head and verify the tail; TamperError audit.chain-broken names the first entry that does not hold."""
        self._db = connection
        self._workstation_id = workstation_id
        self._clock = clock
        self._version = connection.data_version()
        self._head: tuple[int, bytes] = self._read_head()
        self._frontier: MerkleFrontier | None = None
        self._verify_tail()

    def head(self) -> tuple[int, bytes]:
        """(seq, hash) of the newest committed entry."""
        self._follow_others()
        return self._head

    @contextmanager
    def recorded(self, drafts: Sequence[AuditDraft]) -> Iterator[int]:
        """Run the block and append `drafts` after it, in one transaction; gives the seq before the first of them."""
        try:
            with self._db.transaction():
                self._follow_others()
                seq, previous = self._head
                yield seq
                for draft in drafts:
                    seq, previous = self._append(draft, seq, previous)
        except BaseException:
            self._version = -1  # a COMMIT that failed may have happened: look again before the next entry
            raise
        self._head = (seq, previous)

    def _append(self, draft: AuditDraft, seq: int, previous: bytes) -> tuple[int, bytes]:
        entry = link(draft, seq + 1, self._clock.now_us(), self._clock.boot_us(), self._workstation_id, previous)
        self._db.change_fast(
            _APPEND,
            (
                entry.seq, entry.at_us, entry.boot_us, entry.workstation_id, entry.kind, entry.actor_id, entry.session_id, entry.case_id,
                entry.document_id, entry.page_no, entry.outcome, entry.facts, entry.entry_hash,
            ),
        )  # fmt: skip
        return entry.seq, entry.entry_hash

    def latest_entry_time_us(self) -> int:
        """The wall-clock time of the newest entry, 0 if none."""
        row = self._db.first(_LATEST_TIME)
        return int(row[0]) if row else 0

    def entries(self, wanted: AuditFilter, before_seq: int, limit: int) -> list[AuditEntry]:
        """Newest first, below `before_seq` (0 = from the end).

        LIMIT: only the case has an index. Other filters read backwards until `limit` entries are found (1 M entries: about half a second
        when nothing matches), because an index more costs every append a page.
        """
        statement, values = _listing(wanted)
        rows = self._db.rows(statement, before=before_seq or _hugest(), limit=limit, **values)
        return [AuditEntry(*row) for row in rows]

    def about_case_since(self, case_id: str, seq: int) -> list[Row]:
        """(kind, document_id, page_no, facts) of the case's entries after `seq`."""
        return self._db.rows(_ABOUT_CASE, case_id=case_id, seq=seq)

    def make_checkpoint(self, sign: SignStatement) -> Checkpoint:
        """Sign the trail as it stands; without entries since the last checkpoint, give that one."""
        with self._db.transaction():
            self._follow_others()
            newest = self._db.first(_NEWEST_CHECKPOINT)
            if newest is not None and newest[0] == self._head[0]:
                return Checkpoint(*newest[:6])
            frontier = self._frontier_up_to_head(newest)
            bare = Checkpoint(self._head[0], self._head[1], frontier.root(), self._clock.now_us(), self._workstation_id)
            signed = Checkpoint(bare.seq, bare.head, bare.root, bare.at_us, bare.workstation_id, sign(bare.statement()))
            self._db.change(
                _ADD_CHECKPOINT,
                seq=signed.seq,
                head=signed.head,
                root=signed.root,
                at_us=signed.at_us,
                workstation_id=signed.workstation_id,
                signature=signed.signature,
                peaks=_packed(frontier),
            )
        self._frontier = frontier
        return signed

    def _frontier_up_to_head(self, newest: Row | None) -> MerkleFrontier:
        """The tree over all entries: from memory, or from the newest checkpoint's peaks, and the entries since, checked on the way."""
        frontier = MerkleFrontier()
        previous = FIRST_HASH
        if newest is not None:
            known = self._frontier
            frontier = MerkleFrontier.resumed(known.peaks() if known and known.size == newest[0] else _unpacked(newest[6]))
            previous = newest[1]
            if frontier.size != newest[0] or frontier.root() != newest[2]:
                raise TamperError("audit.chain-broken", seq=newest[0])
        for leaf in self._checked(frontier.size, previous):
            frontier.append(leaf)
        return frontier

    def _checked(self, after: int, previous: bytes) -> Iterator[bytes]:
        """The canonical entries after `after` up to the head; raises at the first that does not follow from `previous`."""
        seq = after
        with self._db.stream(_BETWEEN, after=after, until=self._head[0]) as rows:
            for row in rows:
                entry = AuditEntry(*row)
                leaf = canonical(entry)
                previous = chain_hash(previous, leaf)
                seq += 1
                if entry.seq != seq or entry.entry_hash != previous:
                    raise TamperError("audit.chain-broken", seq=seq)
                yield leaf
        if (seq, previous) != self._head:
            raise TamperError("audit.chain-broken", seq=seq + 1)

    def _verify_tail(self) -> None:
        newest = self._db.first(_NEWEST_CHECKPOINT)
        after, previous = (int(newest[0]), bytes(newest[1])) if newest else (0, FIRST_HASH)
        if after > self._head[0]:
            raise TamperError("audit.chain-broken", seq=self._head[0] + 1)
        earliest = self._head[0] - TAIL_ENTRIES
        if after < earliest:
            found = self._db.first(_HASH_AT, seq=earliest)
            if found is None:
                raise TamperError("audit.chain-broken", seq=earliest)
            after, previous = earliest, found[0]
        for _ in self._checked(after, previous):
            pass

    def _follow_others(self) -> None:
        """Read the head again if another connection committed."""
        version = self._db.data_version()
        if version == self._version:
            return
        seq, known = self._head
        if seq:
            standing = self._db.first(_HASH_AT, seq=seq)
            if standing is None or standing[0] != known:
                raise TamperError("audit.chain-broken", seq=seq)
        self._head = self._read_head()
        self._version = version

    def _read_head(self) -> tuple[int, bytes]:
        row = self._db.first(_HEAD)
        return (int(row[0]), bytes(row[1])) if row else (0, FIRST_HASH)


_ABOUT_CASE = compiled(
    sa.select(audit.c.kind, audit.c.document_id, audit.c.page_no, audit.c.facts)
    .where(audit.c.case_id == bindparam("case_id"), audit.c.case_id != sa.literal_column("''"), audit.c.seq > bindparam("seq"))
    .order_by(audit.c.seq)
)

_listings: dict[tuple[str, ...], Statement] = {}


def _hugest() -> int:
    return (1 << 63) - 1


def _listing(wanted: AuditFilter) -> tuple[Statement, dict[str, object]]:
    """The listing for the filters in use, compiled once a combination."""
    values: dict[str, object] = {}
    conditions: list[sa.ColumnElement[bool]] = [audit.c.seq < bindparam("before")]
    if wanted.kinds:
        names = [f"kind_{index}" for index in range(len(wanted.kinds))]
        conditions.append(audit.c.kind.in_([bindparam(name) for name in names]))
        values.update(zip(names, wanted.kinds, strict=True))
    if wanted.case_id is not None:
        # The same condition as the index's own, spelt out: the planner takes a partial index only then.
        conditions += [audit.c.case_id == bindparam("case_id"), audit.c.case_id != sa.literal_column("''")]
        values["case_id"] = wanted.case_id
    for name, column, value in (
        ("actor_id", audit.c.actor_id, wanted.actor_id),
        ("document_id", audit.c.document_id, wanted.document_id),
    ):
        if value is not None:
            conditions.append(column == bindparam(name))
            values[name] = value
    if wanted.from_us:
        conditions.append(audit.c.at_us >= bindparam("from_us"))
        values["from_us"] = wanted.from_us
    if wanted.until_us:
        conditions.append(audit.c.at_us < bindparam("until_us"))
        values["until_us"] = wanted.until_us
    shape = tuple(sorted(values))
    if shape not in _listings:
        _listings[shape] = compiled(sa.select(audit).where(*conditions).order_by(audit.c.seq.desc()).limit(bindparam("limit")))
    return _listings[shape], values


def _packed(frontier: MerkleFrontier) -> bytes:
    return b"".join(count.to_bytes(8, "big") + peak for count, peak in frontier.peaks())


def _unpacked(peaks: bytes) -> list[tuple[int, bytes]]:
    step = 8 + _HASH_BYTES
    return [(int.from_bytes(peaks[at : at + 8], "big"), peaks[at + 8 : at + step]) for at in range(0, len(peaks), step)]
