"""The audit trail in the register: appended inside the caller's transaction, checkpointed, indexed, listed.

Rules:

- What is hashed is what is stored: a row is the number, the time, the canonical entry and its hash.
- The head (seq, hash) is remembered, not read, at every append. It is right because it was read and its tail verified at opening, because
  the primary key refuses a number twice, and because `PRAGMA data_version` tells whether another connection committed since: then the head
  is read again, and the entry we remember must still stand under its number, or the trail was put back: TamperError audit.chain-broken.
- The head moves when the transaction commits, never before.
- At opening the entries since the newest checkpoint are verified (at most `TAIL_ENTRIES`); the whole trail is `verify`'s business.
- A checkpoint stores the Merkle peaks beside the signed root, so that the next one reads only the entries between. It indexes them on the
  way (`audit_about`), so an append writes one page and a listing looks through the unindexed tail itself. The index is for finding, never
  for proof.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice

import sqlalchemy as sa
from sqlalchemy import bindparam

from vault.domain.audit import FIRST_HASH, AuditDraft, AuditEntry, Checkpoint, MerkleFrontier, chain_hash, chained
from vault.domain.identity import CaseId, WorkstationId
from vault.errors import DefectError, TamperError
from vault.services.ports import AuditFilter, Clock, SignStatement
from vault.storage.connection import Connection
from vault.storage.engine import Row
from vault.storage.schema import audit, audit_about, audit_checkpoint
from vault.storage.statements import compiled, compiled_positional

TAIL_ENTRIES = 10_000
_HASH_BYTES = 32
_BEYOND = (1 << 63) - 1

_APPEND, _ = compiled_positional(sa.insert(audit))
_HEAD = compiled(sa.select(audit.c.seq, audit.c.entry_hash, audit.c.at_us).order_by(audit.c.seq.desc()).limit(1))
_HASH_AT = compiled(sa.select(audit.c.entry_hash).where(audit.c.seq == bindparam("seq")))
_BETWEEN = compiled(sa.select(audit).where(audit.c.seq > bindparam("after"), audit.c.seq <= bindparam("until")).order_by(audit.c.seq))
_NEWEST_CHECKPOINT = compiled(sa.select(audit_checkpoint).order_by(audit_checkpoint.c.seq.desc()).limit(1))
_ADD_CHECKPOINT = compiled(sa.insert(audit_checkpoint))
_INDEX = compiled(sa.insert(audit_about))

_WINDOW = (
    audit.c.seq > bindparam("after"),
    audit.c.seq < bindparam("before"),
    audit.c.at_us >= bindparam("from_us"),
    audit.c.at_us < bindparam("until_us"),
)
_LISTED = compiled(sa.select(audit).where(*_WINDOW).order_by(audit.c.seq.desc()))
_LISTED_ABOUT = compiled(
    sa.select(audit)
    .select_from(audit_about.join(audit, audit.c.seq == audit_about.c.seq))
    .where(
        audit_about.c.subject == bindparam("subject"),
        audit_about.c.seq > bindparam("after"),
        audit_about.c.seq < bindparam("before"),
        *_WINDOW[2:],
    )
    .order_by(audit_about.c.seq.desc())
)


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

    def append(self, drafts: Sequence[AuditDraft]) -> int:
        """Commit `drafts` by themselves; the seq of the last.

        One entry is one statement, which is its own transaction: what a page view costs. The head is not looked at again first. If another
        connection appended, the primary key refuses the number, and the entry is made again after the new head, under the write lock.
        """
        if len(drafts) == 1:
            try:
                self._head = self._append(drafts[0], *self._head)
                return self._head[0]
            except DefectError:
                self._version = -1
            except BaseException:
                self._version = -1
                raise
        with self.recorded(drafts) as before:
            pass
        return before + len(drafts)

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
        seq += 1
        at_us = self._clock.now_us()
        entry, entry_hash = chained(draft, seq, at_us, self._clock.boot_us(), self._workstation_id, previous)
        self._db.change_fast(_APPEND, (seq, at_us, entry, entry_hash))
        return seq, entry_hash

    def latest_entry_time_us(self) -> int:
        """The wall-clock time of the newest entry, 0 if none."""
        row = self._db.first(_HEAD)
        return int(row[2]) if row else 0

    def entries(self, wanted: AuditFilter, before_seq: int, limit: int) -> list[AuditEntry]:
        """Newest first, below `before_seq` (0 = from the end).

        LIMIT: a time window alone has no index; the entries newer than the window are stepped over (1 M entries: about half a second).
        """
        return list(islice((entry for entry in self._candidates(wanted, before_seq or _BEYOND) if _matches(entry, wanted)), limit))

    def about_case_since(self, case_id: str, seq: int) -> list[AuditEntry]:
        """The case's entries after `seq`, oldest first."""
        wanted = AuditFilter(case_id=CaseId(case_id))
        found = (entry for entry in self._candidates(wanted, _BEYOND, seq) if _matches(entry, wanted))
        return list(found)[::-1]

    def _candidates(self, wanted: AuditFilter, before: int, after: int = 0) -> Iterator[AuditEntry]:
        """Entries that may match, newest first: all of the unindexed tail, then what the most telling index range holds."""
        window = {"from_us": wanted.from_us, "until_us": wanted.until_us or _BEYOND}
        subjects = _subjects_of(wanted)
        indexed = self._indexed_up_to() if subjects else 0
        with ExitStack() as streams:
            tail = streams.enter_context(self._db.stream(_LISTED, after=max(after, indexed), before=before, **window))
            for row in tail:
                yield _entry(row)
            if not subjects:
                return
            below = min(before, indexed + 1)
            ranges = [
                streams.enter_context(self._db.stream(_LISTED_ABOUT, subject=subject, after=after, before=below, **window))
                for subject in subjects
            ]
            for row in heapq.merge(*ranges, reverse=True):
                yield _entry(row)

    def _indexed_up_to(self) -> int:
        newest = self._db.first(_NEWEST_CHECKPOINT)
        return int(newest[0]) if newest else 0

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
        """The tree over all entries: from memory or the newest checkpoint's peaks, and the entries since, checked and indexed."""
        frontier = MerkleFrontier()
        previous = FIRST_HASH
        if newest is not None:
            known = self._frontier
            frontier = MerkleFrontier.resumed(known.peaks() if known and known.size == newest[0] else _unpacked(newest[6]))
            previous = newest[1]
            if frontier.size != newest[0] or frontier.root() != newest[2]:
                raise TamperError("audit.chain-broken", seq=newest[0])
        about: list[dict[str, object]] = []
        after = frontier.size
        for leaf in self._checked(after, previous):
            frontier.append(leaf)
            about += [{"subject": subject, "seq": frontier.size} for subject in _subjects_in(leaf)]
        try:
            self._db.change_many(_INDEX, about)
        except DefectError as error:
            if error.code != "storage.constraint":
                raise
            # An entry can be indexed already only if the checkpoint that indexed it, and the entries then, were taken away.
            raise TamperError("audit.chain-broken", seq=after + 1) from error
        return frontier

    def _checked(self, after: int, previous: bytes) -> Iterator[bytes]:
        """The canonical entries after `after` up to the head; raises at the first that does not follow from `previous`."""
        seq = after
        with self._db.stream(_BETWEEN, after=after, until=self._head[0]) as rows:
            for row in rows:
                leaf = row[2].encode("ascii", "replace")
                previous = chain_hash(previous, leaf)
                seq += 1
                if row[0] != seq or row[3] != previous:
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


def _entry(row: Row) -> AuditEntry:
    """Make the entry of its row."""
    return AuditEntry(*[*json.loads(row[2]), row[3]])


def _matches(entry: AuditEntry, wanted: AuditFilter) -> bool:
    return (
        (not wanted.kinds or entry.kind in wanted.kinds)
        and wanted.actor_id in (None, entry.actor_id)
        and wanted.case_id in (None, entry.case_id)
        and wanted.document_id in (None, entry.document_id)
    )


def _subjects_of(wanted: AuditFilter) -> tuple[str, ...]:
    """The index ranges to read for a filter, the most telling first: one document, one case, one person, or each of the kinds."""
    for one in (wanted.document_id, wanted.case_id, wanted.actor_id):
        if one is not None:
            return (one,)
    return wanted.kinds


def _subjects_in(leaf: bytes) -> set[str]:
    """What a canonical entry is indexed under."""
    fields = json.loads(leaf)
    return {fields[4], fields[5], fields[7], fields[8]} - {""}


def _packed(frontier: MerkleFrontier) -> bytes:
    return b"".join(count.to_bytes(8, "big") + peak for count, peak in frontier.peaks())


def _unpacked(peaks: bytes) -> list[tuple[int, bytes]]:
    step = 8 + _HASH_BYTES
    return [(int.from_bytes(peaks[at : at + 8], "big"), peaks[at + 8 : at + step]) for at in range(0, len(peaks), step)]
