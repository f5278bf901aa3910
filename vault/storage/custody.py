"""Custody in the register: check-outs, their returns, the waiting list.

Rules the engine keeps: one active check-out a case (partial unique index); a check-out is recalled once, returned once and never removed or
otherwise changed (triggers); its number is given in order.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import bindparam, literal_column

from vault.domain.audit import AuditDraft, AuditKind
from vault.domain.custody import CheckOut, Purpose, ReturnKind
from vault.domain.identity import CaseId, CheckOutId, PersonId
from vault.errors import DefectError, RefusedError
from vault.services.ports import WaitRow
from vault.storage.engine import Row
from vault.storage.part import Part
from vault.storage.schema import check_out, waiting
from vault.storage.statements import compiled

_OUT = check_out.c.returned_us == literal_column("0")  # spelt out as in the partial indexes
_BACK = check_out.c.returned_us > literal_column("0")

_ACTIVE = compiled(sa.select(check_out).where(check_out.c.case_id == bindparam("case_id"), _OUT))
_ONE = compiled(sa.select(check_out).where(check_out.c.check_out_id == bindparam("check_out_id")))
_HELD_BY = compiled(sa.select(check_out).where(check_out.c.holder_id == bindparam("person_id"), _OUT).order_by(check_out.c.check_out_no))
_ALL_HELD = compiled(sa.select(check_out).where(_OUT).order_by(check_out.c.due_back_us, check_out.c.check_out_no))
_OVERDUE = compiled(sa.select(check_out).where(_OUT, check_out.c.due_back_us <= bindparam("now_us")).order_by(check_out.c.due_back_us))
_RETURNED_BY = compiled(
    sa.select(check_out)
    .where(check_out.c.holder_id == bindparam("person_id"), _BACK)
    .order_by(check_out.c.returned_us.desc())
    .limit(bindparam("limit"))
)
_HISTORY = compiled(sa.select(check_out).where(check_out.c.case_id == bindparam("case_id")).order_by(check_out.c.check_out_no))
_NEWEST_NO = compiled(sa.select(sa.func.coalesce(sa.func.max(check_out.c.check_out_no), literal_column("0"))))
_OPEN = compiled(sa.insert(check_out))
_CLOSE = compiled(
    sa.update(check_out)
    .where(check_out.c.check_out_id == bindparam("which"), _OUT)
    .values(returned_us=bindparam("at"), return_kind=bindparam("kind"), returned_by=bindparam("by"), statement_sealed=bindparam("attested"))
)
_RECALL = compiled(
    sa.update(check_out)
    .where(check_out.c.check_out_id == bindparam("which"), _OUT, check_out.c.recalled_us == literal_column("0"))
    .values(recalled_us=bindparam("at"))
)
_READ_UNDER = compiled(sa.select(check_out.c.case_id, check_out.c.opened_seq).where(check_out.c.check_out_id == bindparam("check_out_id")))

_WAITING = compiled(sa.select(waiting).where(waiting.c.case_id == bindparam("case_id")).order_by(waiting.c.waiting_no))
_WAITS_OF = compiled(sa.select(waiting).where(waiting.c.person_id == bindparam("person_id")).order_by(waiting.c.waiting_no))
_JOIN = compiled(sa.insert(waiting).values(case_id=bindparam("case_id"), person_id=bindparam("person_id"), since_us=bindparam("since_us")))
_LEAVE = compiled(sa.delete(waiting).where(waiting.c.case_id == bindparam("which"), waiting.c.person_id == bindparam("who")))


class Custody(Part):
    """The operations of `services.ports.Store` on custody."""

    def active_check_out(self, case_id: CaseId) -> CheckOut | None:
        """The check-out of a case that is out."""
        row = self._db.first(_ACTIVE, case_id=case_id)
        return check_out_from(row) if row else None

    def check_out(self, check_out_id: CheckOutId) -> CheckOut | None:
        """One check-out, active or returned."""
        row = self._db.first(_ONE, check_out_id=check_out_id)
        return check_out_from(row) if row else None

    def held_by(self, person_id: PersonId) -> Sequence[CheckOut]:
        """What a person holds, oldest first."""
        return [check_out_from(row) for row in self._db.rows(_HELD_BY, person_id=person_id)]

    def all_held(self) -> Sequence[CheckOut]:
        """Every active check-out, earliest due back first."""
        return [check_out_from(row) for row in self._db.rows(_ALL_HELD)]

    def overdue(self, now_us: int) -> Sequence[CheckOut]:
        """Active check-outs due back at `now_us` or before, longest overdue first."""
        return [check_out_from(row) for row in self._db.rows(_OVERDUE, now_us=now_us)]

    def recently_returned_by(self, person_id: PersonId, limit: int) -> Sequence[CheckOut]:
        """A person's returned check-outs, newest return first."""
        return [check_out_from(row) for row in self._db.rows(_RETURNED_BY, person_id=person_id, limit=limit)]

    def custody_history(self, case_id: CaseId) -> Sequence[CheckOut]:
        """Every check-out of a case, oldest first."""
        return [check_out_from(row) for row in self._db.rows(_HISTORY, case_id=case_id)]

    def open_check_out(self, check_out: CheckOut, signature: bytes, audit: Sequence[AuditDraft]) -> CheckOut:
        """Begin custody, give it its number, take the holder off the waiting list.

        Raises:
            RefusedError: custody.already-checked-out.
        """
        with self._trail.recorded(audit) as seq:
            return self._open(check_out, signature, seq)

    def close_check_out(
        self,
        check_out_id: CheckOutId,
        at_us: int,
        kind: ReturnKind,
        by: PersonId | None,
        statement_sealed: bytes,
        audit: Sequence[AuditDraft],
    ) -> None:
        """End custody; RefusedError custody.not-held if it is not active."""
        with self._trail.recorded(audit):
            self._close(check_out_id, at_us, kind, by, statement_sealed)

    def hand_over(
        self, check_out_id: CheckOutId, at_us: int, successor: CheckOut, signature: bytes, audit: Sequence[AuditDraft]
    ) -> CheckOut:
        """End one check-out and begin its successor in one act; RefusedError custody.not-held."""
        with self._trail.recorded(audit) as seq:
            ended = self.check_out(check_out_id)
            if ended is not None and ended.active and ended.case_id != successor.case_id:
                raise DefectError("storage.constraint", rule="custody.other-case")
            self._close(check_out_id, at_us, ReturnKind.HANDED_OVER, ended.holder_id if ended else None, b"")
            return self._open(successor, signature, seq)

    def recall_check_out(self, check_out_id: CheckOutId, at_us: int, audit: AuditDraft) -> None:
        """Ask for the file back. A second recall leaves the first one's time; RefusedError custody.not-held if it is not active."""
        with self._trail.recorded((audit,)):
            if self._db.change(_RECALL, which=check_out_id, at=at_us):
                return
            known = self.check_out(check_out_id)
            if known is None or not known.active:
                raise RefusedError("custody.not-held")

    def waiting(self, case_id: CaseId) -> Sequence[WaitRow]:
        """Who waits for a case, first come first."""
        return [WaitRow(*row[1:]) for row in self._db.rows(_WAITING, case_id=case_id)]

    def waits_of(self, person_id: PersonId) -> Sequence[WaitRow]:
        """What a person waits for."""
        return [WaitRow(*row[1:]) for row in self._db.rows(_WAITS_OF, person_id=person_id)]

    def join_waiting(self, wait: WaitRow, audit: AuditDraft) -> None:
        """Take a place on the list; RefusedError custody.already-waiting."""
        with self._trail.recorded((audit,)):
            self._db.change(_JOIN, case_id=wait.case_id, person_id=wait.person_id, since_us=wait.since_us)

    def leave_waiting(self, case_id: CaseId, person_id: PersonId, audit: AuditDraft) -> None:
        """Give up a place; RefusedError custody.not-waiting."""
        with self._trail.recorded((audit,)):
            if not self._db.change(_LEAVE, which=case_id, who=person_id):
                raise RefusedError("custody.not-waiting")

    def reading_seconds(self, check_out_id: CheckOutId) -> tuple[int, int, int]:
        """(different pages viewed, different documents viewed, milliseconds read) under a check-out.

        From the entries page.viewed and page.left of its case that name it as ``check_out_id``; the milliseconds are ``dwell_ms``. Reads
        only what was recorded about the case since the check-out began.
        """
        row = self._db.first(_READ_UNDER, check_out_id=check_out_id)
        if row is None:
            return 0, 0, 0
        pages: set[tuple[str, int]] = set()
        read_ms = 0
        for entry in self._trail.about_case_since(row[0], row[1]):
            if entry.kind not in (AuditKind.PAGE_VIEWED.value, AuditKind.PAGE_LEFT.value):
                continue
            named = dict(json.loads(entry.facts))
            if named.get("check_out_id") != check_out_id:
                continue
            if entry.kind == AuditKind.PAGE_VIEWED.value:
                pages.add((entry.document_id, entry.page_no))
            else:
                read_ms += int(named.get("dwell_ms", 0))
        return len(pages), len({document_id for document_id, _ in pages}), read_ms

    def _open(self, asked: CheckOut, signature: bytes, seq: int) -> CheckOut:
        newest = self._db.first(_NEWEST_NO)
        number = int(newest[0]) + 1 if newest else 1
        self._db.change(
            _OPEN,
            check_out_no=number,
            check_out_id=asked.check_out_id,
            case_id=asked.case_id,
            holder_id=asked.holder_id,
            workstation_id=asked.workstation_id,
            purpose=asked.purpose.value,
            flagged=int(asked.flagged),
            taken_us=asked.taken_us,
            due_back_us=asked.due_back_us,
            recalled_us=0,
            returned_us=0,
            return_kind=None,
            returned_by=None,
            signature=signature,
            statement_sealed=b"",
            opened_seq=seq,
        )
        self._db.change(_LEAVE, which=asked.case_id, who=asked.holder_id)
        return CheckOut(
            check_out_id=asked.check_out_id,
            check_out_no=number,
            case_id=asked.case_id,
            holder_id=asked.holder_id,
            workstation_id=asked.workstation_id,
            purpose=asked.purpose,
            flagged=asked.flagged,
            taken_us=asked.taken_us,
            due_back_us=asked.due_back_us,
        )

    def _close(self, check_out_id: CheckOutId, at_us: int, kind: ReturnKind, by: PersonId | None, statement_sealed: bytes) -> None:
        if not self._db.change(_CLOSE, which=check_out_id, at=at_us, kind=kind.value, by=by, attested=statement_sealed):
            raise RefusedError("custody.not-held")


def check_out_from(row: Row) -> CheckOut:
    """Make the domain's check-out of a row of the table, columns in the table's order."""
    return CheckOut(
        check_out_no=row[0],
        check_out_id=row[1],
        case_id=row[2],
        holder_id=row[3],
        workstation_id=row[4],
        purpose=Purpose(row[5]),
        flagged=bool(row[6]),
        taken_us=row[7],
        due_back_us=row[8],
        recalled_us=row[9],
        returned_us=row[10],
        return_kind=ReturnKind(row[11]) if row[11] is not None else None,
        returned_by=row[12],
    )
