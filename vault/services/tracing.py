"""Tracing: which page view a picture was made of, told to supervisors and auditors.

Rules:

- Every question is recorded with its answer before the answer is given, named or not.
- Nobody is named below the threshold of `vault.domain.trace`, which grows with the number of views compared.
- The picture is parsed in a rendition worker of its own, which never held a document; only grey pixels come out of it.
- The chips of a view are drawn here and now from the vault's key; the detector is given chips, never the key.
- Who asks sees what the audit trail shows them: a supervisor the case number, an auditor an opaque reference.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from vault.domain.audit import AuditEntry, AuditKind
from vault.domain.identity import CaseId, PersonId, Role
from vault.domain.protection import Protection, ProtectionState, ProtectionStatus
from vault.domain.trace import threshold
from vault.errors import RefusedError, VaultError
from vault.services.custody import Custody
from vault.services.operation import Lane, Priority, operation
from vault.services.ports import AuditFilter
from vault.services.rendition import ChunkSource, GreyPicture
from vault.services.views import TraceView
from vault.services.world import World

_BATCH = 4_000
_PICTURE_BYTES_MAX = 256 * 1024 * 1024
_SELF_TEST_VIEW = 0  # no audit entry has this number
_SELF_TEST_LEAST = 16.0
_FACTS = msgspec.json.Decoder(list[tuple[str, str | int]])


class PictureParser(Protocol):
    """A worker that parses a picture nobody trusts."""

    def grey(self, source: ChunkSource) -> GreyPicture: ...  # noqa: D102


class Impression(Protocol):
    """What was read out of a picture."""

    @property
    def readings(self) -> int:
        """How many ways it was read; 0: nothing like a mark was found."""

    def scores(self, views: Sequence[bytes]) -> Sequence[float]:
        """The best score of each view's chips."""


@dataclass(frozen=True, slots=True)
class TraceTools:
    """The adapters, made when a trace is asked for and not before."""

    parser: Callable[[], AbstractContextManager[PictureParser]]
    impression: Callable[[GreyPicture], Impression]
    marks: Callable[[bytes], float]  # draws the mark of these chips on a blank page in the worker and gives its score as read back


class Tracing:
    """Names the view a picture was made of, or nobody."""

    def __init__(self, world: World, custody: Custody, tools: TraceTools) -> None:
        self._world = world
        self._custody = custody
        self._tools = tools
        self._status = ProtectionStatus(Protection.TRACE, ProtectionState.UNAVAILABLE, "starting")

    @operation(Priority.QUERY, Lane.INTAKE)
    def trace(self, path: str) -> TraceView:
        """Look for the page view that made a picture.

        Args:
            path: a JPEG, PNG or TIFF file.
        Returns:
            TraceView: the view if its score reaches the threshold; otherwise nobody, and the best score.
        Raises:
            RefusedError: session.locked, access.not-your-role, intake.unreadable, intake.not-a-file, document.* (not a picture, damaged,
                too large).
            UnavailableError: rendition.worker-start.
        Audit: trace.asked, with score, threshold, the number of views compared and the entry named, 0 for nobody; before the answer.
        Thread: intake; register and audit on the control thread.
        """
        world = self._world
        world.on_control(lambda: world.require(Role.SUPERVISOR, Role.AUDITOR))
        with _opened(path) as source, self._tools.parser() as parser:
            picture = parser.grey(source)
        impression = self._tools.impression(picture)
        best, views = self._best(impression)
        limit = threshold(views)
        entry = best[1] if best is not None and best[0] >= limit else None
        score = round(100 * best[0]) if best is not None else 0
        return world.on_control(lambda: self._answer(entry, score, round(100 * limit), views))

    def self_test(self) -> None:
        """Have the worker mark a blank page and read the mark back (reading lane, at start)."""
        try:
            score = self._tools.marks(self._world.locksmith.trace_chips(_SELF_TEST_VIEW))
        except VaultError:
            score = 0.0
        state = (ProtectionState.DETECTED, "read-back") if score >= _SELF_TEST_LEAST else (ProtectionState.UNAVAILABLE, "not-read-back")
        self._status = ProtectionStatus(Protection.TRACE, *state)

    def status(self) -> ProtectionStatus:
        """What the newest self-test found."""
        return self._status

    def _best(self, impression: Impression) -> tuple[tuple[float, AuditEntry] | None, int]:
        """Compare every view of the trail, newest first; the best and how many there were."""
        world = self._world
        best: tuple[float, AuditEntry] | None = None
        views = before = 0
        wanted = AuditFilter(kinds=(AuditKind.PAGE_VIEWED.value,))
        while True:
            begin = before
            entries = world.on_control(lambda begin=begin: world.store.audit_entries(wanted, begin, _BATCH), Priority.QUERY)  # type: ignore[misc]
            views += len(entries)
            if entries and impression.readings:
                scores = impression.scores([world.locksmith.trace_chips(entry.seq) for entry in entries])
                highest = max(range(len(entries)), key=lambda one: scores[one])
                if best is None or scores[highest] > best[0]:
                    best = (float(scores[highest]), entries[highest])
            if len(entries) < _BATCH:
                return best, views
            before = entries[-1].seq

    def _answer(self, entry: AuditEntry | None, score: int, limit: int, views: int) -> TraceView:
        world = self._world
        world.require(Role.SUPERVISOR, Role.AUDITOR)
        world.store.append_audit(
            world.draft(AuditKind.TRACE_ASKED, named=entry.seq if entry else 0, score=score, threshold=limit, views=views)
        )
        if entry is None:
            return TraceView(False, score, limit, views)
        here = entry.workstation_id == world.station.workstation_id
        facts = dict(_FACTS.decode(entry.facts))
        return TraceView(
            named=True,
            score=score,
            threshold=limit,
            views=views,
            audit_seq=entry.seq,
            at_us=entry.at_us,
            officer=world.directory.brief(PersonId(entry.actor_id)),
            workstation_name=world.station.workstation_name if here else entry.workstation_id,
            case_label=self._custody.label(CaseId(entry.case_id)),
            document_id=entry.document_id,
            page_no=entry.page_no,
            check_out_id=str(facts.get("check_out_id", "")),
        )


class _PictureFile:
    """An opened file as the worker's source."""

    def __init__(self, descriptor: int, size_bytes: int) -> None:
        self._descriptor = descriptor
        self._size_bytes = size_bytes

    @property
    def size_bytes(self) -> int:
        return self._size_bytes

    def read(self, offset_bytes: int, length_bytes: int) -> bytes:
        try:
            return os.pread(self._descriptor, length_bytes, offset_bytes)
        except OSError as error:
            raise RefusedError("intake.unreadable") from error


@contextmanager
def _opened(path: str) -> Iterator[_PictureFile]:
    try:
        descriptor = os.open(Path(path), os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:
        raise RefusedError("intake.unreadable") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise RefusedError("intake.not-a-file")
        if not 0 < status.st_size <= _PICTURE_BYTES_MAX:
            raise RefusedError("document.empty" if status.st_size == 0 else "document.too-large")
        yield _PictureFile(descriptor, status.st_size)
    finally:
        os.close(descriptor)
